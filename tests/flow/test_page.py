"""A page of rows: no item twice, in the person's own order, and in one order for everybody where nothing may be known."""

import random
from typing import Any

import pytest
from msgspec import structs

from tactful.domain.consent import Dial
from tactful.domain.errors import UnknownPage
from tactful.domain.placement import Page, Row
from tests.flow.test_off import a_life, turn_away
from tests.shop import Shop, learned_models, placement


def shop_with(page: Page, **changes: Any) -> Shop:
    similar = {"use": "similar", "attributes": ["author", "subjects", "mood"]}
    blend = {"use": "blend", "of": [{"strategy": {"use": "item_transitions"}}, {"strategy": similar, "weight": 0.4}]}
    placements = {
        "for_you": placement(blend, limit=6),
        "popular": placement("popular", limit=6),
        "close": placement(similar, limit=6),
    }
    shop = Shop(
        models=learned_models(), placements={name: structs.replace(one, **changes) for name, one in placements.items()}
    )
    shop.engine.pages = {"home": page}
    return shop


HOME = Page(rows=("popular", "for_you", "close"))


def items_on(answers: list[Any]) -> list[str]:
    return [shown.item for answer in answers for shown in answer.receipt.shown]


def page_of(shop: Shop, person: str | None, seed: int = 3) -> list[Any]:
    shop.dice.seed(seed)
    return shop.engine.page(person, "home", {"device": "phone"})


def test_no_item_comes_twice_whatever_somebody_did() -> None:
    for seed in range(25):
        dice, shop = random.Random(seed), shop_with(HOME)
        a_life(dice, shop, "ann")
        shown = items_on(page_of(shop, "ann"))
        assert len(shown) == len(set(shown)) > 6


def test_where_nothing_may_be_known_rows_and_items_are_the_same_for_everybody() -> None:
    for seed in range(25):
        dice, shop = random.Random(seed), shop_with(HOME)
        for person in ("ann", "bob"):
            a_life(dice, shop, person)
            turn_away(dice, shop, person)
        pages = [page_of(shop, person) for person in ("ann", "bob", None)]
        assert len({tuple((a.receipt.placement, tuple(items_on([a]))) for a in page) for page in pages}) == 1
        assert not any(answer.receipt.placed.personal for page in pages for answer in page)
        assert [a.receipt.placement for a in pages[0]] == ["popular"]  # the others have nothing to say of nobody


def test_rows_stand_in_the_order_of_their_value_for_this_person() -> None:
    dice, shop = random.Random(5), shop_with(HOME)
    a_life(dice, shop, "ann")
    page = page_of(shop, "ann")
    values = [answer.receipt.placed.value for answer in page]
    assert values == sorted(values, reverse=True)
    assert [answer.receipt.placed.place for answer in page] == [1, 2, 3]
    assert page[0].receipt.placement != "popular"
    assert all(answer.receipt.placed.personal for answer in page)
    for answer in page:  # the value is the sum of what is shown
        assert answer.receipt.placed.value == pytest.approx(sum(shown.score for shown in answer.receipt.shown))


def test_rows_that_stand_otherwise_because_of_what_was_left_out_for_somebody_say_so() -> None:
    has = ({"use": "already_have", "verbs": ["bought"]},)
    four = ["emma", "dracula", "moby-dick", "frankenstein"]
    shop = Shop(
        models=learned_models(), pages={"home": Page(rows=("popular", "rules"))},
        placements={
            "popular": placement("popular", limit=4, guards=has),
            "rules": placement({"use": "rules", "rules": [{"items": four, "words": "Ours"}]}, limit=4, guards=has),
        },
    )  # fmt: skip
    shop.allow("ann")
    shop.does("ann", "bought", *four)
    nobody, ann = page_of(shop, None), page_of(shop, "ann")
    assert [one.receipt.placement for one in nobody] != [one.receipt.placement for one in ann]
    assert all(one.receipt.placed.personal for one in ann) and not any(one.receipt.placed.personal for one in nobody)


def test_a_first_row_stands_first_a_weight_moves_a_row_and_a_short_one_is_left_out() -> None:
    dice, shop = random.Random(5), shop_with(HOME)
    a_life(dice, shop, "ann")
    shop.engine.pages = {"home": Page(rows=("for_you", Row("popular", first=True), Row("close", weight=1000.0)))}
    assert [answer.receipt.placement for answer in page_of(shop, "ann")] == ["popular", "close", "for_you"]
    shop.engine.pages = {"home": Page(rows=("for_you", "close", "popular"), show=1)}
    assert len(page_of(shop, "ann")) == 1
    shop.engine.pages = {"home": Page(rows=(Row("for_you", least=7), "popular"))}
    assert [answer.receipt.placement for answer in page_of(shop, "ann")] == ["popular"]


def test_what_a_personal_row_took_from_one_for_everybody_is_told_as_personal() -> None:
    shop = shop_with(Page(rows=("for_you", "popular")), limit=30)
    shop.allow("ann")
    shop.does("ann", "viewed", *[shown.item for shown in shop.decide(None, "popular").receipt.shown][:3])
    first, second = page_of(shop, "ann")
    assert first.receipt.placement == "for_you"
    taken = [removal for removal in second.receipt.removed if removal.by == "page"]
    assert taken
    assert taken[0].personal


def test_a_visit_without_history_at_dial_told_keeps_the_declared_order() -> None:
    shop = shop_with(HOME)
    shop.allow("ann", dial=Dial.told)
    assert [answer.receipt.placement for answer in page_of(shop, "ann")] == ["popular"]


def test_an_unknown_page_is_named() -> None:
    with pytest.raises(UnknownPage, match="There are: home"):
        shop_with(HOME).engine.page(None, "hone")
