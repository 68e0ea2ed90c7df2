"""Choosing: what fails costs itself only, what is not permitted is not shown, and a page is of one piece."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec import Struct, structs

from tactful.domain.consent import Dial
from tactful.domain.decision import Ask, Evidence, Slots, Source
from tactful.domain.errors import NoModel, UnknownPlacement
from tactful.domain.item import Item
from tactful.domain.view import Moment, View
from tactful.engine import must_be_durable
from tactful.flow.decide import REMOVED_NAMED
from tactful.flow.wording import label, sentence
from tactful.learn.neighbours import single
from tactful.ports import Arranger, Guard, Shelf, Strategy
from tests.shop import (
    EN,
    FOR_CHILDREN,
    NOW,
    PLAIN,
    SENSITIVE,
    Shop,
    items_in,
    learned_models,
    open_shop,
    placement,
    shop_items,
)

EVERY_ITEM = tuple(item.id for item in shop_items())


def shop_with(**placements: Any) -> Shop:
    """The trained shop with these placements; each is given by the changes to a plain popularity list of 12."""
    return Shop(
        models=learned_models(), placements={name: placement(**changes) for name, changes in placements.items()}
    )


def swap(shop: Shop, name: str, **parts: Any) -> None:
    """Put other parts into a placement."""
    shop.engine.recipes = {**shop.engine.recipes, name: structs.replace(shop.engine.recipes[name], **parts)}


class Says(Guard, Struct, frozen=True):
    """A guard that does what it is told."""

    what: Callable[..., Any]

    def permit(self, *args: Any) -> Any:
        return self.what(*args)


class Proposes(Strategy, Struct, frozen=True):
    """A strategy that does what it is told."""

    what: Callable[..., Any]

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        return self.what(view, ask, shelf)  # type: ignore[no-any-return]


class Arranges(Arranger, Struct, frozen=True):
    """An arranger that does what it is told."""

    what: Callable[..., Any]

    def arrange(self, *args: Any) -> Slots:
        return self.what(*args)  # type: ignore[no-any-return]


def fails(*_: Any) -> Any:
    raise ValueError("I am broken")


# --------------------------------------------------------------------------------------------------------- plug-ins that fail


def test_a_guard_that_fails_permits_nothing_and_the_receipt_says_so() -> None:
    shop = shop_with(home={})
    swap(shop, "home", guards={**shop.engine.recipes["home"].guards, "broken": Says(fails)})
    receipt = shop.decide(None).receipt
    assert receipt.shown == ()
    assert receipt.permitted == 0
    assert any("guard broken: ValueError: I am broken" in fault for fault in receipt.faults)
    assert any(removal.by == "broken" and "permits nothing" in removal.why for removal in receipt.removed)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda rows, *_: np.ones(len(rows) + 1, bool),
        lambda rows, *_: np.ones((len(rows), 2), bool),
        lambda rows, *_: np.ones(1, bool),
        lambda rows, *_: [True] * len(rows),
        lambda rows, *_: np.full(len(rows), 2),
        lambda rows, *_: None,
    ],
    ids=["too long", "too deep", "too short", "a list", "no yes and no", "nothing"],
)
def test_a_guard_that_answers_nonsense_permits_nothing(nonsense: Callable[..., Any]) -> None:
    shop = shop_with(home={})
    swap(shop, "home", guards={"odd": Says(nonsense)})
    receipt = shop.decide(None).receipt
    assert receipt.shown == ()
    assert len(receipt.faults) == 1


def test_a_strategy_that_fails_leaves_the_default_list_itself_permitted() -> None:
    listed = (SENSITIVE[0], PLAIN[3], PLAIN[1], "no such item", PLAIN[2])
    shop = shop_with(home={"default": listed, "limit": 2})
    swap(shop, "home", strategy=Proposes(fails))
    receipt = shop.decide(None).receipt
    assert [shown.item for shown in receipt.shown] == [PLAIN[3], PLAIN[1]]
    assert all(shown.default for shown in receipt.shown)
    assert any("strategy of home: ValueError: I am broken" in fault for fault in receipt.faults)
    assert not receipt.personal


def test_a_strategy_that_proposes_what_does_not_exist_fails() -> None:
    def beyond(_: View, __: Ask, shelf: Shelf) -> Evidence:
        good = shop.engine.recipes["popular"].strategy.propose(view, Ask("home"), shelf)
        return structs.replace(good, rows=good.rows + 100_000)

    view = View(purpose="personalise", surface="private")
    shop = shop_with(home={"default": PLAIN[:3]}, popular={})
    swap(shop, "home", strategy=Proposes(beyond))
    for ask in (Ask("home"), Ask("home", items=PLAIN[:3])):
        receipt = shop.decide(None, ask).receipt
        assert receipt.faults
        assert [shown.item for shown in receipt.shown] == list(PLAIN[:3])


@pytest.mark.parametrize(
    "wrong",
    [
        fails,
        lambda rows, *_: Slots(np.array([0, 0], np.int32), np.ones(2)),
        lambda rows, *_: Slots(rows, np.ones(len(rows))),
        lambda rows, *_: Slots(np.setdiff1d(np.arange(len(EVERY_ITEM), dtype=np.int32), rows)[:1], np.ones(1)),
        lambda rows, *_: Slots(rows[:2], np.ones(1)),
        lambda *_: None,
    ],
    ids=["fails", "repeats", "too many", "not permitted", "odds missing", "nothing"],
)
def test_an_arranger_that_breaks_its_promise_is_not_believed(wrong: Callable[..., Any]) -> None:
    shop = shop_with(home={"default": PLAIN[:3], "limit": 12})
    swap(shop, "home", arranger=Arranges(wrong))
    receipt = shop.decide(None).receipt
    assert [shown.item for shown in receipt.shown] == list(PLAIN[:3])
    assert any("arranger of home" in fault for fault in receipt.faults)


def test_our_own_errors_pass_through_since_they_name_the_fix() -> None:
    with pytest.raises(NoModel, match="Run `tactful train`"):
        Shop(placements={"home": placement()}).decide(None)
    with pytest.raises(UnknownPlacement, match=r"No placement is called 'attic'\. There are: home"):
        shop_with(home={}).decide(None, "attic")


def test_an_unknown_placement_on_a_page_is_found_before_anything_is_decided() -> None:
    shop = shop_with(home={})
    before = shop.dice.getstate()
    with pytest.raises(UnknownPlacement):
        shop.engine.decide(None, [Ask("home"), Ask("attic")])
    assert shop.dice.getstate() == before


# ------------------------------------------------------------------------------------------------------------- what is shown


def test_no_item_comes_twice_on_a_page() -> None:
    shop = shop_with(
        one={},
        two={},
        three={"arranger": {"use": "exploring", "share": 0.5}},
        four={"default": PLAIN[:50], "limit": 40},
    )
    page = shop.page(None, ["one", "two", "three", "four"])
    shown = [item for answer in page for item in items_in(answer)]
    assert len(shown) == len(set(shown)) == 12 * 3 + 40
    assert any(removal.by == "page" and removal.count == 12 for removal in page[1].receipt.removed)


def test_what_the_caller_excludes_is_not_shown_and_the_pages_item_neither() -> None:
    shop = open_shop()
    best = items_in(shop.decide(None))
    ask = Ask("home", exclude=[*best[:3], "no such item"])
    assert items_in(shop.decide(None, ask))[: len(best) - 3] == best[3:]
    assert PLAIN[0] not in items_in(shop.decide(None, Ask("related", item=PLAIN[0])))
    with_default = shop_with(home={"default": EVERY_ITEM, "limit": 200})
    assert set(best[:3]).isdisjoint(items_in(with_default.decide(None, ask)))


def test_guards_hold_for_everyone_and_their_removals_are_counted_and_named() -> None:
    shop = open_shop()
    shop.stores.items.put([structs.replace(item, available=False) for item in shop_items()[:30]])
    gone = {item.id for item in shop_items()[:30]}
    receipt = shop.decide(None, Ask("popular", items=EVERY_ITEM, limit=len(EVERY_ITEM))).receipt
    assert {shown.item for shown in receipt.shown} == set(EVERY_ITEM) - gone - set(SENSITIVE)
    removals = {removal.by: removal for removal in receipt.removed}
    assert removals["sensitive"].count == len(SENSITIVE)
    assert removals["sensitive"].count + removals["availability"].count + receipt.permitted == receipt.proposed
    assert all(len(removal.items) == min(removal.count, REMOVED_NAMED) for removal in receipt.removed)


def test_a_child_is_shown_only_what_suits_children_also_by_default_and_in_a_ranking() -> None:
    shop = shop_with(home={"default": EVERY_ITEM, "limit": 200})
    shop.change("kid", child=True)
    for ask in (Ask("home"), Ask("home", items=EVERY_ITEM, limit=len(EVERY_ITEM))):
        shown = items_in(shop.decide("kid", ask))
        assert shown
        assert set(shown) <= FOR_CHILDREN


def test_what_is_had_is_not_offered_again_until_it_is_given_back() -> None:
    shop = open_shop()
    shop.allow("ada")
    shop.does("ada", "bought", PLAIN[5], at=NOW - 1000)
    shop.does("ada", "viewed", *PLAIN[:5])
    whole = Ask("home", limit=200)
    assert PLAIN[5] not in items_in(shop.decide("ada", whole))
    shop.does("ada", "returned", PLAIN[5], at=NOW - 500)
    assert PLAIN[5] in items_in(shop.decide("ada", whole))


def test_what_was_shown_often_enough_rests_for_a_while() -> None:
    shop = open_shop()
    shop.allow("ada")
    tired = items_in(shop.decide("ada"))[0]
    for number in range(5):
        assert items_in(shop.decide("ada"))[0] == tired  # decisions do not count: exposures do
        shop.does("ada", "shown", tired, at=NOW - number)
    assert tired not in items_in(shop.decide("ada"))
    shop.clock.now = NOW + 8 * 86_400_000
    assert tired in items_in(shop.decide("ada"))


@pytest.mark.parametrize("limit", [1, 5, 200])
def test_the_limit_holds(limit: int) -> None:
    shop = shop_with(home={"limit": limit, "default": EVERY_ITEM}, few={"limit": 3})
    permitted = len(EVERY_ITEM) - len(SENSITIVE)
    assert len(items_in(shop.decide(None, "home"))) == min(limit, permitted)
    assert len(items_in(shop.decide(None, Ask("few", limit=limit)))) == min(limit, permitted)


def test_a_page_that_runs_short_is_filled_and_the_rest_stays_as_it_was() -> None:
    recipe = {"use": "similar", "neighbours": 3}
    shop = Shop(placements={"home": placement(recipe, limit=8, default=(*PLAIN[:20], PLAIN[0]))})
    shop.train()
    shop.allow("ada")
    shop.does("ada", "viewed", PLAIN[30])
    shown = shop.decide("ada").receipt.shown
    assert [one.default for one in shown] == [False] * 3 + [True] * 5
    assert len({one.item for one in shown}) == 8
    assert [one.item for one in shown[3:]] == [
        item for item in PLAIN[:20] if item not in {one.item for one in shown[:3]}
    ][:5]
    assert len({answer.item for answer in shop.decide(None).receipt.shown}) == 8


def test_a_default_list_that_names_an_item_twice_shows_it_once() -> None:
    shop = shop_with(home={"default": (PLAIN[0], PLAIN[0], PLAIN[1])})
    swap(shop, "home", strategy=Proposes(fails))
    assert items_in(shop.decide(None)) == [PLAIN[0], PLAIN[1]]


# -------------------------------------------------------------------------------------------------------------------- ranking


def test_a_ranking_holds_all_that_is_permitted_best_first() -> None:
    shop, dice = open_shop(), random.Random(1)
    shop.allow("ada")
    shop.does("ada", "viewed", *PLAIN[:6])
    for _ in range(20):
        given = [*dice.sample(EVERY_ITEM, 30), "no such item", "another one"]
        dice.shuffle(given)
        for who in ("ada", None):
            receipt = shop.decide(who, Ask("home", items=given, limit=len(given))).receipt
            assert {shown.item for shown in receipt.shown} == set(given) & set(PLAIN)
            scores = [shown.score for shown in receipt.shown]
            assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("how", [{"use": "similar", "attributes": ["author", "subjects"]}, {"use": "item_transitions"}])
def test_what_somebody_may_not_see_is_named_to_them_by_no_reason(how: dict[str, Any]) -> None:
    """A child on the page of a book that is not for children; anybody on the page of one that is not there."""
    shop, ask = shop_with(related={"use": how, "limit": 60}), Ask("related", item="dracula")
    shop.allow("kim", child=True)

    def sentences(person: str | None) -> list[str]:
        answer = shop.decide(person, ask)
        return [sentence(one, answer.catalogue, EN) for one in answer.receipt.shown]

    assert any("Dracula" in said for said in sentences(None))
    assert sentences("kim") and not any("Dracula" in said or "Stoker" in said for said in sentences("kim"))
    receipt = shop.decide("kim", ask).receipt
    assert not any(piece.source.key == "dracula" for one in receipt.shown for piece in one.contributions)
    dracula = next(item for item in shop_items() if item.id == "dracula")
    shop.engine.put_items([structs.replace(dracula, available=False)]).wait()
    assert sentences(None) and not any("Dracula" in said for said in sentences(None))


HAS = ({"use": "already_have", "verbs": ["bought"]},)
NONE = {"use": "curated", "name": "no such list"}


def test_what_a_default_list_lacks_because_of_the_person_is_said() -> None:
    shop = shop_with(home={"use": NONE, "limit": 2, "default": PLAIN[:4], "guards": HAS})
    shop.allow("ann")
    shop.does("ann", "bought", PLAIN[0])
    nobody, ann = shop.decide(None).receipt, shop.decide("ann").receipt
    assert [one.item for one in nobody.shown] == list(PLAIN[:2]) and label(nobody, EN) == EN.say("label.everyone")
    assert [one.item for one in ann.shown] == list(PLAIN[1:3]) and label(ann, EN) == EN.say("label.less")
    assert [(one.by, one.count, one.items, one.personal) for one in ann.removed] == [
        ("already_have", 1, (PLAIN[0],), True)
    ]
    assert ann.proposed - sum(one.count for one in ann.removed) == ann.permitted


def test_what_a_default_list_lacks_because_it_stands_above_is_said() -> None:
    similar = {"use": "similar", "attributes": ["author"]}
    shop = shop_with(
        first={"use": similar, "limit": 4}, second={"use": NONE, "limit": 2, "default": ["emma", *PLAIN[:4]]}
    )
    shop.allow("ann")
    shop.does("ann", "liked", "pride-and-prejudice")
    first, second = (answer.receipt for answer in shop.page("ann", ["first", "second"]))
    assert "emma" in [one.item for one in first.shown] and "emma" not in [one.item for one in second.shown]
    assert [(one.by, one.items, one.personal) for one in second.removed if one.by == "page"] == [
        ("page", ("emma",), True)
    ]
    assert label(second, EN) == EN.say("label.less")
    assert label(shop.page(None, ["first", "second"])[1].receipt, EN) == EN.say("label.everyone")


@pytest.mark.parametrize("seed", range(10))
def test_each_item_is_counted_as_taken_away_once(seed: int) -> None:
    dice = random.Random(seed)
    shop = shop_with(home={"limit": 300, "default": EVERY_ITEM, "guards": HAS}, popular={"limit": 5, "guards": HAS})
    shop.allow("ann")
    shop.does("ann", "bought", *dice.sample(EVERY_ITEM, 8))
    for answer in (shop.decide("ann"), *shop.page("ann", ["popular", "home"])):
        taken = [item for one in answer.receipt.removed for item in one.items]
        assert len(taken) == len(set(taken)) and set(taken).isdisjoint(items_in(answer))
        assert len({one.by for one in answer.receipt.removed}) == len(answer.receipt.removed)


def test_a_ranking_keeps_the_callers_order_where_nothing_is_known() -> None:
    shop = shop_with(home={"use": "similar"})
    given = [*PLAIN[10:20], *PLAIN[:5]]
    assert items_in(shop.decide(None, Ask("home", items=given, limit=99))) == given


def test_a_ranking_names_each_item_once_and_takes_none_from_elsewhere() -> None:
    shop = shop_with(home={"default": PLAIN})
    given = [PLAIN[0], PLAIN[0], PLAIN[1]]
    assert sorted(items_in(shop.decide(None, Ask("home", items=given, limit=99)))) == sorted({PLAIN[0], PLAIN[1]})
    assert items_in(shop.decide(None, Ask("home", items=[], limit=99))) == []
    assert items_in(shop.decide(None, Ask("home", items=["no such item"], limit=99))) == []


def test_ten_thousand_items_can_be_ranked() -> None:
    items = [
        Item(id=f"i{number}", title=f"I {number}", attributes={"kind": str(number % 500)}) for number in range(10_000)
    ]
    shop = Shop(items, {"home": placement("popular"), "near": placement("similar")})
    shop.train()
    shop.allow("ada")
    shop.does("ada", "viewed", "i7", "i8")
    ids = [item.id for item in items]
    shown = shop.decide("ada", Ask("near", items=ids, limit=len(ids))).receipt.shown
    assert len(shown) == 10_000
    assert {one.item for one in shown[:19]} <= {item.id for item in items if item.attributes["kind"] in ("7", "8")}
    assert sorted(items_in(shop.decide(None, Ask("home", items=ids, limit=len(ids))))) == sorted(ids)


# --------------------------------------------------------------------------------------------------------------- high stakes


def test_where_stakes_are_high_nothing_is_shown_before_a_person_has_looked() -> None:
    shop = shop_with(loan={"high_stakes": True}, careful={"high_stakes": True, "default": (PLAIN[0], SENSITIVE[0])})
    held = shop.decide(None, "loan")
    assert (held.receipt.verdict, held.receipt.shown) == ("hold", ())
    assert must_be_durable(held)
    assert held.receipt.permitted > 0  # what was proposed is there for the person who looks
    assert items_in(shop.decide(None, "careful")) == [PLAIN[0]]
    assert not must_be_durable(shop_with(home={}).decide(None))


# ----------------------------------------------------------------------------------------------------------------- odd shops


def test_an_empty_shop_shows_nothing_and_does_not_mind() -> None:
    shop = Shop([])
    shop.train()
    shop.allow("ada")
    shop.does("ada", "viewed", "a", "b")
    for who in ("ada", None):
        page = shop.page(who, ["home", Ask("related", item="a"), "discover", Ask("popular", items=["a", "b"], limit=2)])
        assert [items_in(answer) for answer in page] == [[], [], [], []]
        assert [answer.receipt.faults for answer in page] == [()] * 4


@pytest.mark.parametrize(
    "name", ["🦄🦄🦄", "שלום עולם", "مرحبا", "a\u202eb", "日本", "a b\tc\nd", "{}", "%s", "x" * 256]
)
def test_any_text_is_an_item(name: str) -> None:
    others = [Item(id=f"{name}{number}", title=name, attributes={name: [name]}) for number in range(4)]
    shop = Shop([Item(id=name, title=name, attributes={name: [name]}), *others])
    shop.train()
    shop.allow("ada")
    shop.does("ada", "viewed", name)
    answer = shop.decide("ada")
    assert {name, *(item.id for item in others)} >= set(items_in(answer)) > {others[0].id}
    assert name in items_in(shop.decide(None, Ask("home", items=[name], limit=1)))
    assert shop.stores.receipts.get(answer.receipt.id) == answer.receipt


def test_the_context_of_the_page_and_of_the_placement_reach_the_guards() -> None:
    seen: list[dict[str, Any]] = []

    def look(rows: Any, _: Any, moment: Moment) -> Any:
        seen.append(dict(moment.context))
        return np.ones(len(rows), bool)

    shop = shop_with(home={})
    swap(shop, "home", guards={"look": Says(look)})
    shop.decide(None, Ask("home", context={"b": 2, "c": 3}), context={"a": 1, "b": 1})
    assert seen == [{"a": 1, "b": 2, "c": 3}]


def test_a_shared_surface_shows_nothing_that_was_kept_for_private_ones() -> None:
    shop = shop_with(home={"use": {"use": "similar"}}, wall={"use": {"use": "similar"}, "surface": "shared"})
    shop.allow("ada")
    shop.does("ada", "viewed", *PLAIN[:3])
    assert shop.decide("ada", "home").receipt.personal
    wall = shop.decide("ada", "wall").receipt
    assert (wall.opened, wall.allowed, wall.shown) == ((), (), ())
    assert {withheld.why for withheld in wall.withheld} == {"it is not for the surface 'shared'"}


def test_the_same_arguments_give_the_same_decision() -> None:
    one, other = open_shop(), open_shop()
    for shop in (one, other):
        shop.allow("ada", Dial.remember)
        shop.does("ada", "viewed", *PLAIN[:6], at=NOW)
    for name in ("home", "discover", "popular"):
        for seed in range(5):
            assert one.decide("ada", name, seed).receipt.shown == other.decide("ada", name, seed).receipt.shown


def test_receipts_lie_open_at_once_and_are_gone_in_time() -> None:
    shop = open_shop()
    shop.allow("ada")
    mine, strangers = shop.decide("ada").receipt, shop.decide(None).receipt
    assert shop.stores.receipts.get(mine.id) == mine
    for days, left in ((0.9, {mine.id, strangers.id}), (1.1, {mine.id}), (91, set())):
        shop.stores.quarantine.purge(NOW + int(days * 86_400_000))
        assert {one.id for one in (mine, strangers) if shop.stores.receipts.get(one.id)} == left


def test_a_ranking_keeps_what_the_arranger_passes_over() -> None:
    """Two by one author is a promise for a page; a ranking of the caller's own search results loses nothing."""
    austen = [item.id for item in shop_items() if item.attributes["author"] == "Jane Austen" and not item.sensitivity]
    assert len(austen) > 2
    shop = Shop(
        placements={"search": placement(arranger={"use": "diverse", "attribute": "author", "most": 2})},
        models=learned_models(),
    )
    shown = [
        shown.item
        for shown in shop.engine.decide(None, [Ask("search", items=austen, limit=len(austen))])[0].receipt.shown
    ]
    assert sorted(shown) == sorted(austen)


# ------------------------------------------------------------------------------------------------------------- the fallback


def test_a_fallback_fills_a_short_page_and_never_passes_what_the_strategy_said() -> None:
    def two(_: View, __: Ask, shelf: Shelf) -> Evidence:
        rows = shelf.catalogue.rows([PLAIN[5], PLAIN[6]])
        return single(rows, np.array([1e-3, 2e-3], np.float32), [Source("item", "x")], np.zeros(2, np.int32))

    shop = shop_with(home={"fallback": {"use": "popular"}, "limit": 8}, popular={})
    swap(shop, "home", strategy=Proposes(two))
    receipt = shop.decide(None).receipt
    assert [shown.item for shown in receipt.shown[:2]] == [PLAIN[6], PLAIN[5]]
    assert len(receipt.shown) == 8
    assert {shown.contributions[0].source.kind for shown in receipt.shown[2:]} == {"popular"}
    popular = [shown.item for shown in shop.decide(None, "popular").receipt.shown]
    assert [shown.item for shown in receipt.shown[2:]] == [item for item in popular if item not in PLAIN[5:7]][:6]


def test_a_fallback_stands_in_for_a_strategy_that_fails_and_is_silent_where_there_is_plenty() -> None:
    shop = shop_with(home={"fallback": {"use": "popular"}}, popular={})
    swap(shop, "home", strategy=Proposes(fails))
    receipt = shop.decide(None).receipt
    assert len(receipt.shown) == 12
    assert receipt.faults
    plenty = shop_with(home={"fallback": {"use": "popular"}}, popular={})
    swap(plenty, "home", fallback=Proposes(fails))
    assert not plenty.decide(None).receipt.faults
