"""A search from end to end in memory: in whose order, what is held back, what stays nobody's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful import searching
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Ask
from tactful.domain.errors import BadInput, BadSettings, NoSearch, UnknownPlacement
from tactful.domain.event import Arrival
from tactful.domain.item import Item
from tactful.domain.placement import Placement
from tactful.domain.receipt import Receipt
from tactful.domain.spelling import words_of
from tactful.engine import Onward
from tactful.searching import Found
from tactful.stores.missed import Missed
from tactful.wire import recipe_of
from tests.shop import DAY, NOW, SENSITIVE, Shop, charter, items_in, learned_models, placement, shop_items

PLAIN_SEARCH = placement("search", limit=24)
RERANKED = placement(
    {"use": "blend", "of": [{"strategy": {"use": "search"}}, {"weight": 0.5, "strategy": {"use": "similar"}},
                            {"weight": 0.5, "strategy": {"use": "item_transitions"}}]}, limit=200,
)  # fmt: skip
ASKED = msgspec.structs.replace(RERANKED, asked=True)
PLACES: Mapping[str, Placement] = {
    "search": PLAIN_SEARCH, "reranked": RERANKED, "asked": ASKED, "popular": placement("popular"),
    "half": placement("similar", given=0.5), "own": placement("similar", given=0.0), "theirs": placement("similar", given=1.0),
}  # fmt: skip
HIDDEN = {item.id: item for item in shop_items() if item.sensitivity}


def shop(**more: Any) -> Shop:
    return Shop(placements=PLACES, models=learned_models(), **more)


SHOP = shop()


def look(
    query: str, place: str = "search", person: str | None = None, at: Shop = SHOP, missed: Missed | None = None
) -> Found:
    return searching.search(at.engine, missed, person, Ask(place, query=query))


def test_what_is_typed_is_found_and_says_so() -> None:
    found = look("frankenstien")
    assert items_in(found.answer)[0] == "frankenstein"
    assert (found.mended, found.count, found.anything) == ("frankenstein", 1, True)
    assert {piece.source.kind for one in found.answer.receipt.shown for piece in one.contributions} == {"query"}
    assert not found.answer.receipt.personal


def test_what_is_counted_is_what_matches_and_may_be_shown() -> None:
    query = "verne "
    matching = [item for item in shop_items() if item.values("author") == ("Jules Verne",)]
    assert look(query).count == look(query, "reranked").count == len(matching)
    assert look("zyzzyva ").count == 0
    assert not look("zyzzyva ", "reranked").anything


def test_the_person_moves_what_is_found() -> None:
    busy = shop()
    busy.allow("ann")
    busy.does("ann", "liked", "the-mysterious-island", "around-the-world-in-eighty-days")
    plain, theirs = look("adventure", "reranked", at=busy), look("adventure", "reranked", "ann", busy)
    assert theirs.answer.receipt.personal
    assert items_in(plain.answer) != items_in(theirs.answer)
    assert items_in(look("adventure", "reranked", "unknown person", busy).answer) == items_in(plain.answer)


def test_a_search_is_only_where_a_recipe_searches() -> None:
    with pytest.raises(BadInput, match="does not search"):
        look("emma", "popular")
    with pytest.raises(UnknownPlacement):
        look("emma", "no such place")
    with pytest.raises(NoSearch):
        look("emma", at=shop(index=None))


def test_no_word_is_told_that_is_only_in_what_may_not_be_shown() -> None:
    small = shop(items=[
        Item(id="gone", title="The Quorvath Diaries", available=False), Item(id="grown", title="Brambleworth Nights", audience="adults"),
        Item(id="open", title="Diaries of the Sea", audience="everyone"),
    ])  # fmt: skip
    small.allow("kim", child=True)
    for query, mended in (
        ("quorvatj", ""),
        ("quorvatj diariez", ""),
        ("diariez sea", "diaries sea"),
        ("diariez", "diaries"),
    ):
        found = look(query, at=small)
        assert found.mended == mended, query
        assert "gone" not in items_in(found.answer)
    assert look("bramblewurth", at=small).mended == "brambleworth"
    assert look("bramblewurth", "search", "kim", small).mended == ""
    assert look("bramblewurth diaries", "search", "kim", small).mended == ""


# -------------------------------------------------------------------------------------------------- what is typed is not kept


@given(st.text("abcdefghij", min_size=5, max_size=9), st.sampled_from(["", "verne ", "adventure "]))
def test_nothing_typed_stands_in_a_receipt(own: str, known: str) -> None:
    receipt = look(f"{known}qx{own}", "reranked").answer.receipt
    assert f"qx{own}".encode() not in msgspec.json.encode(receipt)
    assert not any(known.strip() in piece.source.key for one in receipt.shown for piece in one.contributions if known)


def test_the_receipt_of_a_search_is_theirs_for_a_day_and_goes_with_them() -> None:
    busy = shop()
    busy.allow("ann")
    busy.does("ann", "liked", "the-mysterious-island")
    first, second = (look("adventure", "reranked", "ann", busy).answer.receipt for _ in range(2))
    assert any(piece.source.kind in PERSONAL for one in first.shown for piece in one.contributions)
    assert first.person == "ann", "what they did stands in it, so it opens for nobody else"
    busy.stores.quarantine.purge(NOW + DAY - 1)
    assert busy.stores.receipts.get(first.id) is not None
    busy.stores.quarantine.purge(NOW + DAY + 1)
    assert busy.stores.receipts.get(first.id) is None
    third = look("adventure", "reranked", "ann", busy).answer.receipt
    for ack in busy.engine.forget("ann"):
        ack.wait()
    assert busy.stores.receipts.get(third.id) is None
    assert look("adventure", "reranked", "unknown person", busy).answer.receipt.person is None
    assert look("adventure", "reranked", None, busy).answer.receipt.person is None
    assert second.id != first.id


def test_neither_a_receiver_nor_the_house_hears_of_the_receipt_of_a_search() -> None:
    busy = shop(noted=True, onward=Onward(decisions=True))
    busy.allow("ann")
    look("adventure", "reranked", "ann", busy)
    popular = busy.decide("ann", "popular").receipt
    told = [one.content for one in busy.stores.feed.after(0, 99).entries]
    assert [one.id for one in told if isinstance(one, Receipt)] == [popular.id]
    assert [note.receipt for _, note in busy.stores.receipts.notes(0, 9)] == ["", popular.id]


def test_only_what_nothing_was_found_for_is_noted(tmp_path: Any) -> None:
    missed = Missed(tmp_path / "missed.db")
    busy = shop()
    for number in range(9):
        busy.allow(f"person {number}")
        for query in ("frankenstein", "zyzzyva "):
            look(query, person=f"person {number}", at=busy, missed=missed)
        # What is there but may not be shown is no gap in the catalogue, and nobody need know that somebody asked for it.
        look(HIDDEN[SENSITIVE[0]].title, person=f"person {number}", at=busy, missed=missed)
    missed.flush(NOW)
    assert [one.words for one in missed.report()] == ["zyzzyva"]


@pytest.mark.parametrize("invented", ["nobody", "names", "devices", "new consents"])
def test_one_asker_stays_one_whatever_they_call_themselves(tmp_path: Any, invented: str) -> None:
    busy, missed = shop(), Missed(tmp_path / "missed.db")
    busy.allow("ann")
    for number in range(30):
        person = None if invented == "nobody" else f"{'anon:' if invented == 'devices' else ''}name {number}"
        if invented == "new consents" and person:
            busy.change(person, dial=Dial.remember)
        if invented == "devices" and person:
            link = Arrival(id=f"link {number}", person="ann", name="identify", also=(person,), trusted=True)
            busy.engine.take([link]).wait()
        look("zyzzyva ", person=person, at=busy, missed=missed)
        busy.clock.now += DAY // 30
    missed.flush(busy.clock.now)
    assert missed.report() == []


# ------------------------------------------------------------------------------------------------------ what is sensitive


@pytest.mark.parametrize("hidden", sorted(HIDDEN))
def test_something_sensitive_is_shown_only_where_the_placement_says_so_and_it_was_typed_by_name(hidden: str) -> None:
    title = HIDDEN[hidden].title
    for place in ("search", "reranked"):
        assert hidden not in items_in(look(title, place).answer), "the guard holds unless the placement says otherwise"
    assert hidden in items_in(look(title, "asked").answer)
    assert hidden in items_in(look(f"{title.upper()}, please", "asked").answer)
    *first, last = words_of(title)
    cut = " ".join(first) or last[:-2]
    assert hidden not in items_in(look(cut, "asked").answer)
    assert hidden not in items_in(look(" ".join([*first, last[:-1]]), "asked").answer), (
        "what was mended or gone on from was not typed"
    )
    for value in HIDDEN[hidden].values("author") + HIDDEN[hidden].values("subjects"):
        assert hidden not in items_in(look(value, "asked").answer)


def test_nothing_about_the_person_counts_for_something_sensitive() -> None:
    busy = shop()
    busy.allow("ann")
    busy.does("ann", "liked", *(item.id for item in shop_items()[:40]))
    for hidden, item in HIDDEN.items():
        shown = next(one for one in look(item.title, "asked", "ann", busy).answer.receipt.shown if one.item == hidden)
        assert not any(piece.source.kind in PERSONAL for piece in shown.contributions)
        plain = next(one for one in look(item.title, "asked", None, busy).answer.receipt.shown if one.item == hidden)
        assert shown.score == plain.score


def test_a_child_is_shown_only_what_is_for_children_whatever_it_types() -> None:
    busy = shop()
    busy.allow("kim", child=True)
    for item in shop_items():
        for shown in items_in(look(item.title, "asked", "kim", busy).answer):
            assert busy.engine.shelf().catalogue.get(shown).audience in ("children", "everyone")  # type: ignore[union-attr]


def test_what_puts_things_in_the_order_of_the_person_cannot_stand_where_something_sensitive_is_let_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tactful.toml").write_text("[placements.asked]\nasked = true\n")
    recipe_of("asked", ASKED, charter(), tmp_path)
    monkeypatch.setattr("tactful.arrangers.top.Top.personal", True, raising=False)
    with pytest.raises(BadSettings, match="must not move what is sensitive"):
        recipe_of("asked", ASKED, charter(), tmp_path)


def test_nothing_sensitive_is_ever_suggested() -> None:
    busy = shop()
    busy.allow("ann", sensitive=tuple(charter().sensitive))
    titles = {item.title for item in HIDDEN.values()}
    for item in HIDDEN.values():
        for person in (None, "ann"):
            for typed in (item.title, item.title[:5], item.title.split()[-1]):
                assert not titles & set(searching.suggest(busy.engine, person, "asked", typed, 50))


def test_suggestions_are_the_same_for_everybody_but_children() -> None:
    busy = shop()
    busy.allow("ann")
    busy.allow("kim", child=True)
    busy.does("ann", "liked", "the-mysterious-island")
    for typed in ("a", "the", "jul", "sci"):
        plain = searching.suggest(busy.engine, None, "reranked", typed, 20)
        assert searching.suggest(busy.engine, "ann", "reranked", typed, 20) == plain
        adults = {item.title for item in shop_items() if item.audience not in ("children", "everyone")}
        assert not adults & set(searching.suggest(busy.engine, "kim", "reranked", typed, 50))


# ------------------------------------------------------------------------------------------------------- scores of one's own


def ranked(
    place: str, items: list[str], scores: list[float] | None, person: str | None = None, at: Shop = SHOP
) -> list[str]:
    return items_in(at.decide(person, Ask(place, items=items, scores=scores, limit=len(items))))


LIST = ["emma", "walden", "the-mysterious-island", "dracula", "the-time-machine"]


def test_scores_of_ones_own_are_the_order_where_nothing_else_is_known() -> None:
    for place in ("half", "own", "theirs"):
        assert ranked(place, LIST, [1, 5, 2, 0, 3]) == [
            "walden",
            "the-time-machine",
            "the-mysterious-island",
            "emma",
            "dracula",
        ]
        assert ranked(place, LIST, None) == LIST


def test_the_declared_share_decides_between_the_callers_order_and_the_persons() -> None:
    busy = shop()
    busy.allow("ann")
    busy.does("ann", "liked", "around-the-world-in-eighty-days")
    scores = [1.0, 0.9, 0.0, 0.8, 0.0]
    theirs = ranked("theirs", LIST, scores, "ann", busy)
    assert theirs[:3] == ["emma", "walden", "dracula"]
    own = ranked("own", LIST, scores, "ann", busy)
    assert own == ranked("own", LIST, None, "ann", busy)
    assert own[0] == "the-mysterious-island"
    assert ranked("half", LIST, scores, "ann", busy)[0] == "the-mysterious-island"


@given(st.lists(st.floats(0, allow_infinity=False, allow_nan=False), min_size=5, max_size=5), st.floats(1e-3, 1e3))
def test_only_the_proportion_of_scores_counts(scores: list[float], times: float) -> None:
    order = ranked("half", LIST, scores)
    assert sorted(order) == sorted(LIST)
    best = max(scores)
    assert best == 0 or scores[LIST.index(order[0])] >= best * 0.999
    small = [score / (best or 1) for score in scores]
    assert ranked("half", LIST, [score * times for score in small]) == ranked("half", LIST, small)


def test_unknown_items_and_items_given_twice_do_no_harm() -> None:
    assert ranked("half", ["gone", "emma", "walden", "emma"], [9, 1, 2, 8]) == ["walden", "emma"]


def test_an_item_in_a_language_of_its_own_is_found_by_its_name() -> None:
    small = Shop([Item(id="a", title="Война и мир")], {"search": PLAIN_SEARCH})
    assert items_in(look("ВОЙНА", at=small).answer) == ["a"]
