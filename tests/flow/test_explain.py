"""What is said is true: take the stated reason away, decide again, and see what was said come to pass."""

from collections.abc import Callable

import numpy as np
import pytest
from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.item import Item
from tactful.domain.receipt import Receipt
from tactful.domain.view import View
from tactful.flow import explain
from tactful.flow.wording import sentence, what_if
from tactful.languages import read_languages
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy
from tactful.sample.readers import readers
from tests.deletion import Tally, cases
from tests.shop import DAY, NOW, PLAIN, Shop, open_shop, placement


@pytest.mark.prove
@pytest.mark.parametrize("placement", ["home", "discover"])
def test_take_the_reason_away_and_the_item_falls(placement: str, scale: Callable[[int, int], int]) -> None:
    tally = Tally.of(cases(open_shop(), scale(500, 5_000), Ask(placement)))
    print(f"\n{placement}: {tally.words}")
    assert tally.reasons > 1_000
    assert tally.share >= 0.985


@pytest.mark.prove
@pytest.mark.parametrize("placement", ["home", "discover"])
def test_the_place_it_would_have_had_is_the_place_it_has(placement: str, scale: Callable[[int, int], int]) -> None:
    """Exactly, among the items that were permitted. (Without the reason a guard may permit others too: what is no longer had
    can be offered again. That is no part of what is said.)"""
    right, wrong = 0, []
    for case in cases(open_shop(), scale(300, 3_000), Ask(placement)):
        said, really = case.shown.without, case.really
        if said is None if really is None else said is not None and really[0] <= said <= really[1]:
            right += 1
        else:
            wrong.append(case)
    print(f"\n{placement}: exact in {right:,} of {right + len(wrong):,}")
    assert wrong == []
    assert right > 1_000


def test_a_reason_that_would_lift_the_item_is_not_the_one_stated() -> None:
    """`a` speaks most for the second item, but for the first even more: without `a` the second would rise. It stands where it
    does because of `b`."""
    receipt = explained({"a": {"first": 5.0, "second": 2.1}, "b": {"second": 2.0}, "c": {"third": 2.3}})
    first, second, third = receipt.shown
    assert [shown.item for shown in receipt.shown] == ["first", "second", "third"]
    assert (first.contributions[0].source.key, first.without) == ("a", None)
    assert [piece.source.key for piece in second.contributions] == ["b", "a"]
    assert second.without == 3
    assert (third.contributions[0].source.key, third.without) == ("c", None)


def test_where_each_thing_alone_could_go_they_are_the_reason_together() -> None:
    """Without `a`, or without `b`, the first item would still be first: it is there because of both."""
    first, second = explained({"a": {"first": 2.0}, "b": {"first": 1.9}, "c": {"second": 1.5}}).shown
    assert (first.item, first.stated, first.without) == ("first", 2, None)
    assert [piece.source.key for piece in first.contributions] == ["a", "b"]
    assert (second.item, second.stated) == ("second", 1)
    words = read_languages().speak("en")
    catalogue = Catalogue.of([Item(id=name, title=name.title()) for name in ("a", "b", "first")])
    assert sentence(first, catalogue, words).endswith("There is also “B”.")
    assert what_if(first, catalogue, words) == "Without “A” and “B” it would not have come up at all."


def test_where_everything_personal_could_go_what_is_not_personal_is_stated() -> None:
    receipt = explained({"a": {"first": 2.0}, "popular": {"first": 1.5, "second": 1.0}})
    first = receipt.shown[0]
    assert (first.contributions[0].source.kind, first.stated, first.without) == ("popular", 1, None)
    assert receipt.personal


# ---------------------------------------------------------------------------------------------------------------- sums and shares


@pytest.mark.parametrize("placement", ["home", "related", "discover", "popular"])
def test_the_evidence_adds_up_to_the_score(placement: str) -> None:
    shop = open_shop()
    for reader in readers(20, 12, NOW):
        shop.live(reader)
        scored = shop.decide(
            reader.id, Ask(placement, item=PLAIN[0] if placement == "related" else None)
        ).decision.scored
        evidence, total = scored.evidence, dict.fromkeys(scored.rows.tolist(), 0.0)
        for row, base, source in zip(
            evidence.rows.tolist(), evidence.base.tolist(), evidence.source.tolist(), strict=True
        ):
            total[row] += base * float(evidence.weight[source])
        assert list(total.values()) == pytest.approx(scored.scores.tolist(), rel=1e-9)


def test_contributions_are_shares_of_the_score_biggest_first_after_the_stated_one() -> None:
    shop = open_shop()
    for reader in readers(30, 13, NOW):
        shop.live(reader)
        for shown in shop.decide(reader.id).receipt.shown:
            amounts = [piece.amount for piece in shown.contributions]
            assert all(piece.share == pytest.approx(piece.amount / shown.score) for piece in shown.contributions)
            assert all(amount > 0 for amount in amounts)
            assert sum(piece.share for piece in shown.contributions) <= 1 + 1e-9
            assert amounts[1:] == sorted(amounts[1:], reverse=True)
            if len(amounts) < explain.CONTRIBUTIONS_NAMED:
                assert sum(amounts) == pytest.approx(shown.score)


# ----------------------------------------------------------------------------------------------------------------- the receipt


def test_a_receipt_says_under_which_consent_it_was_made() -> None:
    """Also where the person allows all and nothing is known of them yet."""
    shop = open_shop()
    shop.allow("ada")
    receipt: Receipt = shop.decide("ada").receipt
    assert (receipt.person, receipt.dial, receipt.consent_version) == ("ada", 3, 1)


def test_a_thing_is_told_apart_from_its_namesakes() -> None:
    """An item called `seldom` is not rarity, and one called `interests` is not what the person told us."""
    names = ("seldom", "interests", "default", "other")
    items = [Item(id=name, title=name.title(), attributes={"about": "sea"}) for name in names]
    items += [Item(id=f"x{number}", title=f"X{number}") for number in range(6)]
    recipe = {"use": "blend", "of": [{"strategy": {"use": name}} for name in ("similar", "interests", "popular")]}
    shop = Shop(items, {"home": placement(recipe)})
    shop.train()
    shop.allow("ada")
    shop.does("ada", "viewed", "seldom", at=NOW - DAY)
    first = shop.decide("ada").receipt.shown[0]
    assert {(piece.source.kind, piece.source.key) for piece in first.contributions} == {
        ("history", "seldom"),
        ("popular", "seldom"),
    }
    shop.does("ada", "viewed", "interests", at=NOW)
    shop.tells("ada", interests=["sea"])
    keys = {
        (piece.source.kind, piece.source.key)
        for shown in shop.decide("ada").receipt.shown
        for piece in shown.contributions
    }
    assert {("history", "interests"), ("told", "interests")} <= keys


class Fixed(Strategy, Struct, frozen=True):
    """Says what it is given: for each thing in the history, how much it speaks for each item."""

    amounts: dict[str, dict[str, float]]

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        pieces = [
            (row, place, amount)
            for place, by_item in enumerate(self.amounts.values())
            for row, amount in by_item.items()
        ]
        rows = shelf.catalogue.rows(item for item, _, _ in pieces)
        amounts = np.array([amount for _, _, amount in pieces], np.float32)
        said = {"popular": Source("popular", "popular")}
        sources = [said.get(key, Source("history", key, "browsing", "viewed")) for key in self.amounts]
        return single(rows, amounts, sources, np.array([place for _, place, _ in pieces], np.int32))


def explained(amounts: dict[str, dict[str, float]]) -> Receipt:
    """The receipt of a decision in which each thing speaks so much for each item."""
    names = dict.fromkeys([*amounts, *(item for by_item in amounts.values() for item in by_item)])
    shop = Shop([Item(id=name, title=name.title()) for name in names], {"home": placement()})
    recipe = shop.engine.recipes["home"]
    shop.engine.recipes = {"home": structs.replace(recipe, strategy=Fixed(amounts))}
    shop.allow("ada")
    return shop.decide("ada").receipt
