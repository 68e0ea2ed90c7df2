"""Lists made ahead: for those who let us remember, in their ledger, and asked about consent once more when they are opened."""

import random
from typing import Any

import pytest
from msgspec import structs

from tactful.batch import NOTHING_KNOWN, fill, placements_in
from tactful.domain.charter import Data
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput
from tests.flow.test_off import a_life
from tests.shop import DAY, SENSITIVE, Shop, charter, learned_models, placement

LISTS = Data("the lists that we make for you", "user.behavior", "inferred", ("personalise",), 14, traits=("weekly",))
TASTE = {"use": "similar", "attributes": ["author", "subjects", "mood"]}
GUARDS = ({"use": "already_have", "verbs": ["viewed", "bought", "liked"]},)


def shop() -> Shop:
    rules = structs.replace(charter(), data={**charter().data, "lists": LISTS})
    weekly = placement(TASTE, limit=8, batch="weekly", guards=GUARDS, fallback={"use": "popular"})
    return Shop(models=learned_models(), rules=rules, placements={"weekly": weekly, "home": placement("popular")})


def filled(made: Shop) -> Any:
    return fill(made.engine, made.engine.recipe("weekly"))


def shown(made: Shop, person: str | None) -> list[str]:
    return [one.item for one in made.decide(person, "weekly").receipt.shown]


def kept(made: Shop, person: str) -> Any:
    return made.engine.profile(person).inferred.get("weekly")


def test_a_list_is_kept_in_the_ledger_shown_in_its_order_and_says_so() -> None:
    made = shop()
    made.allow("ann")
    made.does("ann", "liked", "dracula", "frankenstein")
    assert filled(made).made == 1
    trait = kept(made, "ann")
    assert (trait.data, trait.purposes) == ("lists", ("personalise",))
    receipt = made.decide("ann", "weekly").receipt
    assert [one.item for one in receipt.shown] == trait.value
    assert {one.contributions[0].source.kind for one in receipt.shown} == {"inferred"}
    assert receipt.personal
    made.does("ann", "liked", "the-time-machine")  # the list stays what it was, but what she met meanwhile goes
    made.does("ann", "viewed", trait.value[0])
    assert shown(made, "ann")[: len(trait.value) - 1] == trait.value[1:]


def test_lists_are_made_for_those_who_let_us_remember_and_of_whom_something_is_known() -> None:
    made = shop()
    for person, dial in {"ann": Dial.remember, "bob": Dial.visit, "cid": Dial.off, "new": Dial.remember}.items():
        made.allow(person, dial)
        made.does(person, "liked", *(() if person == "new" else ("dracula",)))
    made.allow("kid", child=True)
    made.allow("dan", Dial.remember, "learn")
    result = filled(made)
    assert result.made == 1
    assert result.left_out[NOTHING_KNOWN] >= 2
    assert [person for person in ("ann", "bob", "cid", "new", "kid", "dan") if kept(made, person)] == ["ann"]


@pytest.mark.parametrize(
    "change", [{"dial": Dial.off}, {"dial": Dial.visit}, {"purposes": {"personalise": False}}, {"child": True}]
)
def test_consent_is_asked_again_when_a_list_is_opened(change: dict[str, Any]) -> None:
    made = shop()
    made.allow("ann")
    made.does("ann", "liked", "dracula")
    filled(made)
    made.change("ann", **change)
    receipt = made.decide("ann", "weekly").receipt
    assert not any(piece.source.kind == "inferred" for one in receipt.shown for piece in one.contributions)
    if change != {"dial": Dial.visit} and "child" not in change:
        assert [one.item for one in receipt.shown] == shown(made, None)


def test_what_a_guard_takes_away_today_is_not_shown_though_it_is_on_the_list() -> None:
    for seed in range(15):
        made = shop()
        a_life(random.Random(seed), made, "ann")
        filled(made)
        made.change("ann", sensitive=dict.fromkeys(made.charter.sensitive, False))
        assert not set(shown(made, "ann")) & set(SENSITIVE)


def test_a_list_ends_with_its_time_and_with_the_person() -> None:
    made = shop()
    made.allow("ann")
    made.does("ann", "liked", "dracula")
    filled(made)
    made.clock.now += 15 * DAY
    assert "inferred" not in {
        p.source.kind for one in made.decide("ann", "weekly").receipt.shown for p in one.contributions
    }
    made.clock.now -= 15 * DAY
    for ack in made.engine.forget("ann"):
        ack.wait()
    assert kept(made, "ann") is None
    assert filled(made).made == 0


def test_a_placement_that_decides_at_once_has_no_lists_to_make() -> None:
    made = shop()
    assert [recipe.name for recipe in placements_in(made.engine)] == ["weekly"]
    with pytest.raises(BadInput, match="batch"):
        placements_in(made.engine, ("home",))
