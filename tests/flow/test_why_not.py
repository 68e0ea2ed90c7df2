"""Why is this one not there, and what would the page be with the dial lower: both decided once more, with nothing kept."""

from typing import ClassVar

import numpy as np
import pytest
from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Ask
from tactful.domain.errors import BadInput, UnknownPlacement
from tactful.domain.item import Item
from tactful.domain.placement import Page
from tactful.domain.view import Moment
from tactful.flow.why_not import WhyNot, in_words
from tactful.ports import Guard
from tactful.sample.readers import readers
from tests.shop import DE, EN, NOW, PLAIN, SENSITIVE, Shop, catalogue, charter, items_in, open_shop, placement


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop with a few readers in it."""
    made = open_shop()
    for reader in lively():
        made.live(reader)
    return made


def lively() -> list:
    return [reader for reader in readers(12, 21, NOW) if not reader.child]


def said(shop: Shop, found: WhyNot) -> str:
    """In words, and in German too there are some."""
    assert in_words(found, shop.engine.shelf().catalogue, DE)
    return in_words(found, shop.engine.shelf().catalogue, EN)


def test_every_item_of_the_catalogue_has_an_answer_that_agrees_with_the_decision(shop: Shop) -> None:
    """Of no item is it said that it was removed, ranked or silent unless the decision says the same."""
    person = lively()[0].id
    for name in ("home", "popular"):
        decision = shop.decide(person, name).decision
        ranked = [catalogue().ids[row] for row in decision.ranked.rows.tolist()]
        shown = [catalogue().ids[row] for row in decision.slots.rows.tolist()]
        removed = {item: gone.by for gone in decision.removed for item in gone.items}
        kinds = set()
        for item in catalogue().ids:
            found = shop.engine.why_not(person, Ask(name), item)
            kinds.add(found.kind)
            if item in shown:
                assert (found.kind, found.place) == ("shown", 1 + shown.index(item))
            elif item in ranked:
                assert found.kind in ("ranked", "passed")
                assert (found.place, found.count) == (1 + ranked.index(item), len(ranked))
                assert found.speaks
            elif item in removed:
                assert (found.kind, found.guard) == ("removed", removed[item])
            else:
                assert found.kind in ("removed", "nothing")
            assert said(shop, found).endswith(".")
        assert {"shown", "removed"} < kinds


def test_what_the_last_one_shown_has_more_is_more(shop: Shop) -> None:
    person = lively()[1].id
    decision = shop.decide(person).decision
    limit = len(decision.slots.rows)
    behind = catalogue().ids[int(decision.ranked.rows[limit + 3])]
    found = shop.engine.why_not(person, Ask("home"), behind)
    assert found.kind == "ranked"
    assert found.place == limit + 4
    assert found.last == catalogue().ids[int(decision.slots.rows[-1])]
    assert found.more is not None
    own = {(piece.source.kind, piece.source.key): piece.amount for piece in found.speaks}
    assert found.more.amount > own.get((found.more.source.kind, found.more.source.key), 0.0)
    words = said(shop, found)
    last = catalogue().get(found.last)
    assert last is not None
    assert words.startswith(f"It is number {limit + 4} of {len(decision.ranked.rows)}.")
    assert f"“{last.title}” has more." in words


def test_simple_answers(shop: Shop) -> None:
    person = lively()[2].id
    ask = Ask("home", exclude=[PLAIN[0]])
    shown = items_in(shop.decide(person))
    assert shop.engine.why_not(person, ask, "no such thing").kind == "unknown"
    assert shop.engine.why_not(person, ask, PLAIN[0]).kind == "excluded"
    assert shop.engine.why_not(person, Ask("related", item=PLAIN[1]), PLAIN[1]).kind == "about"
    assert shop.engine.why_not(person, Ask("home"), shown[0], on_page=[shown[0]]).kind == "on_page"
    assert shop.engine.why_not(person, Ask("home"), SENSITIVE[0]).guard == "sensitive"
    with pytest.raises(UnknownPlacement):
        shop.engine.why_not(person, Ask("nowhere"), PLAIN[0])


def test_what_somebody_has_is_told_to_them_alone(shop: Shop) -> None:
    shop.allow("owner")
    shop.does("owner", "bought", PLAIN[3], at=NOW)
    found = shop.engine.why_not("owner", Ask("popular"), PLAIN[3])
    assert found.guard != "already_have"
    assert shop.engine.why_not("owner", Ask("home"), PLAIN[3]).guard == "already_have"
    assert shop.engine.why_not(None, Ask("home"), PLAIN[3]).guard == ""
    assert said(shop, shop.engine.why_not("owner", Ask("home"), PLAIN[3])) == (
        "It was left out: you have it, or you said no to it."
    )


def test_a_private_reason_names_no_category(shop: Shop) -> None:
    """Not even to the person: who looks over their shoulder must not read it either."""
    for person in ("owner", None):
        for item in SENSITIVE:
            found = shop.engine.why_not(person, Ask("home"), item)
            words = f"{said(shop, found)} {in_words(found, catalogue(), DE)}".lower()
            assert found.kind == "removed"
            assert not any(category in words or category in found.why for category in shop.charter.sensitive)


class Muted(Guard, Struct, frozen=True):
    """As the real one: what the person muted goes."""

    why: ClassVar[str] = "the person muted it"
    personal: ClassVar[bool] = True

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        keys = moment.value("muted")
        out = {tuple(key.split(":")) for key in keys} if isinstance(keys, list) else set()
        return np.array([
            not any((name, value) in out for name in ("subjects", "author") for value in catalogue.item(row).values(name))
            for row in rows.tolist()
        ], bool)  # fmt: skip


class Broken(Guard, Struct, frozen=True):
    """Fails."""

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        raise RuntimeError("out of order")


def with_guard(shop: Shop, name: str, guard: Guard) -> None:
    recipe = shop.engine.recipes["home"]
    shop.engine.recipes = {
        **shop.engine.recipes,
        "home": structs.replace(recipe, guards={**recipe.guards, name: guard}),
    }


def test_what_was_muted_is_named() -> None:
    rules = open_shop().charter
    told = structs.replace(rules.data["told"], traits=(*rules.data["told"].traits, "muted"))
    shop = open_shop(rules=structs.replace(rules, data={**rules.data, "told": told}))
    with_guard(shop, "muted", Muted())
    shop.allow("ada")
    shop.tells("ada", muted=["subjects:sea"])
    sea = next(name for name in PLAIN if "sea" in catalogue().get(name).values("subjects"))  # type: ignore[union-attr]
    found = shop.engine.why_not("ada", Ask("home"), sea)
    assert (found.kind, found.guard, found.muted) == ("removed", "muted", "subjects:sea")
    assert said(shop, found) == "You muted sea."
    assert in_words(found, catalogue(), DE) == "Du willst nichts mit Meer sehen."
    assert shop.engine.why_not(None, Ask("home"), sea).guard == ""


def test_a_muted_topic_is_named_for_what_lies_below_it() -> None:
    shop = Shop(
        [Item(id="a", title="A", topics=("war/sea",)), Item(id="b", title="B")],
        {"home": placement({"use": "rules", "rules": [{"show": {}}]}, guards=({"use": "muted"},))},
        rules=charter(topics={"war": {"words": "War"}}),
    )
    shop.allow("ada")
    shop.tells("ada", muted=["topics:war", "item:b"])
    found = shop.engine.why_not("ada", Ask("home"), "a")
    assert (found.kind, found.guard, found.muted) == ("removed", "muted", "topics:war")
    assert said(shop, found) == "You muted War."
    assert said(shop, shop.engine.why_not("ada", Ask("home"), "b")) == "You muted this one."


def test_a_broken_guard_is_named_as_what_it_is() -> None:
    shop = open_shop()
    with_guard(shop, "brittle", Broken())
    found = shop.engine.why_not(None, Ask("home"), PLAIN[0])
    assert (found.kind, found.guard) == ("removed", "brittle")
    assert found.faults == ("guard brittle: RuntimeError: out of order",)
    assert said(shop, found) == "It was left out: a check broke down, so we play it safe."


def test_what_a_person_decides_first_is_said_to_wait() -> None:
    shop = Shop(placements={"home": placement(high_stakes=True)}, models=open_shop().models.kept.values())
    assert shop.engine.why_not(None, Ask("home"), PLAIN[0]).kind == "held"


def test_variety_and_chance_are_named_where_they_passed_it_over() -> None:
    shop = Shop(
        placements={"home": placement(limit=4, arranger={"use": "exploring", "share": 1.0, "pool": 40})},
        models=open_shop().models.kept.values(),
    )
    kinds = {item: shop.engine.why_not(None, Ask("home"), item) for item in PLAIN}
    passed = [found for found in kinds.values() if found.kind == "passed"]
    assert passed
    for found in passed:
        assert kinds[found.last].kind == "shown"
        assert "To mix things up" in said(shop, found)


def test_nothing_is_kept_of_a_question(shop: Shop) -> None:
    before = (shop.engine.stores.consents.version(), shop.engine.stores.events.head("owner"), dict(kept(shop)))
    shop.engine.why_not("owner", Ask("home"), PLAIN[0])
    shop.engine.preview("owner", Dial.told, [Ask("home")])
    after = (shop.engine.stores.consents.version(), shop.engine.stores.events.head("owner"), dict(kept(shop)))
    assert after == before


def kept(shop: Shop) -> dict:
    """The receipts that the memory store keeps."""
    receipts: dict = shop.engine.stores.receipts._state.receipts  # type: ignore[attr-defined]
    return receipts


# ---------------------------------------------------------------------------------------------------------------- preview


def test_at_its_own_level_the_preview_is_the_page(shop: Shop) -> None:
    for reader in lively():
        asks = [Ask("home"), Ask("popular")]
        seen = [items_in(answer) for answer in shop.page(reader.id, asks)]
        assert [items_in(answer) for answer in shop.engine.preview(reader.id, Dial.remember, asks)] == seen


def test_at_off_the_preview_is_everybodys_page_and_names_nobody(shop: Shop) -> None:
    for reader in lively():
        for found, nobody in zip(
            shop.engine.preview(reader.id, Dial.off, [Ask("home"), Ask("discover")]),
            shop.engine.preview(None, Dial.off, [Ask("home"), Ask("discover")]),
            strict=True,
        ):
            assert items_in(found) == items_in(nobody)
            assert not found.receipt.personal
            assert found.receipt.person is None
            assert found.receipt.opened == ()


def test_a_preview_is_what_the_person_would_see_if_they_turned_the_dial(shop: Shop) -> None:
    for number, level in enumerate([Dial.told, Dial.visit, Dial.off]):
        reader = lively()[number]
        shop.tells(reader.id, interests=["sea"])
        before = shop.engine.preview(reader.id, level, [Ask("home")])[0]
        shop.change(reader.id, dial=level)
        after = shop.engine.preview(reader.id, level, [Ask("home")])[0]
        assert items_in(before) == items_in(after) == items_in(shop.decide(reader.id))
        kinds = {piece.source.kind for one in before.receipt.shown for piece in one.contributions} & PERSONAL
        assert kinds <= {Dial.told: {"told"}, Dial.visit: {"told", "history"}, Dial.off: set()}[level]
        shop.change(reader.id, dial=Dial.remember)


def test_two_previews_differ_by_the_dial_alone(shop: Shop) -> None:
    once, again = (shop.engine.preview(lively()[0].id, Dial.remember, [Ask("discover")])[0] for _ in range(2))
    assert items_in(once) == items_in(again)


def test_a_level_above_ones_own_is_refused_with_the_reason(shop: Shop) -> None:
    shop.allow("low", Dial.told)
    with pytest.raises(
        BadInput, match="the dial stands at 'Only what I tell you', and what a higher level would use has not been kept"
    ):
        shop.engine.preview("low", Dial.remember, [Ask("home")])
    with pytest.raises(BadInput, match="Choose off or a lower level"):
        shop.engine.preview(None, Dial.told, [Ask("home")])


def test_a_declared_page_can_be_previewed(shop: Shop) -> None:
    shop.engine.pages = {"front": Page(rows=("home", "popular"))}  # type: ignore[arg-type]
    person = lively()[0].id
    own = shop.engine.preview(person, Dial.remember, "front")
    assert {answer.receipt.placement for answer in own} == {"home", "popular"}
    assert [items_in(one) for one in own] == [items_in(one) for one in shop.engine.page(person, "front")]
    assert not any(answer.receipt.personal for answer in shop.engine.preview(person, Dial.off, "front"))
