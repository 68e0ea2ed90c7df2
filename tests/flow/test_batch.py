"""Lists made ahead: for those who let us remember, in their ledger, and asked about consent once more when they are opened."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tactful.batch import NOTHING_KNOWN, fill, placements_in
from tactful.domain.charter import Data
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, BadSettings
from tactful.domain.event import Inferred, Interaction, Told
from tactful.domain.identity import CONFIRMED, DEVICE, LINKED, UNLINKED, Link
from tactful.domain.view import Withheld
from tactful.wire import recipe_of
from tests.flow.test_off import a_life
from tests.shop import DAY, NOW, SENSITIVE, Shop, charter, learned_models, placement

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


BACK: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a sensitive category": ({"sensitive": {"health": False}}, {"sensitive": {"health": True}}),
    "a purpose": ({"purposes": {"personalise": False}}, {"purposes": {"personalise": True}}),
    "the dial": ({"dial": Dial.visit}, {"dial": Dial.remember}),
    "a seller": ({"sellers": {"acme": False}}, {"sellers": {"acme": True}}),
    "being grown up": ({"child": True}, {"child": False}),
}


def on_the_list(made: Shop, person: str) -> bool:
    """Whether anything is shown because the list says so."""
    made.clock.now += 1000
    receipt = made.decide(person, "weekly").receipt
    return any(piece.source.kind == "inferred" for one in receipt.shown for piece in one.contributions)


@pytest.mark.parametrize(("less", "again"), BACK.values(), ids=BACK)
def test_a_list_does_not_outlive_what_it_may_stand_on_and_a_new_yes_does_not_bring_it_back(
    less: dict[str, Any], again: dict[str, Any]
) -> None:
    made = shop()
    made.allow("ann", sensitive=["health"])
    made.does("ann", "liked", *SENSITIVE[:2], "dracula")
    filled(made)
    assert on_the_list(made, "ann")
    made.change("ann", **less)
    assert not on_the_list(made, "ann")
    made.change("ann", **again)
    assert not on_the_list(made, "ann")
    held = made.engine.scene("ann").view("personalise", "private").withheld
    assert Withheld("lists", "it was made before the person allowed less", 1) in held
    made.clock.now += 1000
    assert filled(made).made == 1 and on_the_list(made, "ann"), "a list made since then is shown"


@pytest.mark.parametrize(
    "more", [{"sensitive": {"health": True}}, {"purposes": {"measure": True}}, {"dial": Dial.remember}]
)
def test_who_allows_more_keeps_their_list(more: dict[str, Any]) -> None:
    made = shop()
    made.allow("ann", Dial.remember, "personalise")
    made.does("ann", "liked", "dracula")
    filled(made)
    made.clock.now += 1000
    made.change("ann", **more)
    assert on_the_list(made, "ann")


def keeps(made: Shop, name: str, state: str, at: int) -> None:
    """Say that this device is Ann's, or is not."""
    made.engine.people.refresh()
    ack = made.engine.people.keep([Link(f"{state}-{at}", at, name, "ann", DEVICE, state)])
    assert ack is not None
    ack.wait()


def test_a_list_does_not_outlive_a_device_that_was_given_up_or_one_that_allows_less() -> None:
    made = shop()
    made.allow("ann")
    made.allow("anon:phone")
    made.does("anon:phone", "liked", "dracula")
    made.does("ann", "liked", "emma")
    keeps(made, "anon:phone", LINKED, made.clock.now)
    made.clock.now += 1000
    filled(made)
    assert on_the_list(made, "ann")
    keeps(made, "anon:phone", UNLINKED, made.clock.now)
    assert not on_the_list(made, "ann"), "what the phone did is not hers now"

    made.clock.now += 1000
    filled(made)
    assert on_the_list(made, "ann")
    made.change("anon:tablet", dial=Dial.remember, purposes={"personalise": True})
    made.clock.now += 1000
    keeps(made, "anon:tablet", LINKED, made.clock.now)
    assert not on_the_list(made, "ann"), "the tablet allows less, and she has not confirmed that it is hers"

    made.clock.now += 1000
    filled(made)
    assert on_the_list(made, "ann")
    made.change("anon:tablet", purposes={"learn": False})
    assert not on_the_list(made, "ann")
    keeps(made, "anon:tablet", CONFIRMED, made.clock.now)
    assert not on_the_list(made, "ann"), "that the tablet is hers does not undo what she said there"


def signs_in_on_a_strict_device(made: Shop) -> None:
    made.change("anon:tablet", dial=Dial.told, purposes={"personalise": True})
    keeps(made, "anon:tablet", LINKED, made.clock.now)


def withdraws_and_allows_it_again(made: Shop) -> None:
    for given in (False, True):
        made.change("ann", purposes={"personalise": given})


def is_forgotten(made: Shop) -> None:
    for ack in made.engine.forget("ann"):
        ack.wait()


def is_forgotten_and_comes_back(made: Shop) -> None:
    is_forgotten(made)
    made.clock.now += 1
    made.change("ann", dial=Dial.remember, purposes={"personalise": True})


MEANWHILE: dict[str, Callable[[Shop], None]] = {
    "turns the dial down": lambda made: made.change("ann", dial=Dial.visit),
    "withdraws": lambda made: made.change("ann", purposes={"personalise": False}),
    "withdraws, and allows it again": withdraws_and_allows_it_again,
    "turns out to be a child": lambda made: made.tells("ann", child=True),
    "deletes what they did": lambda made: takes_back(made, lambda one: isinstance(one, Interaction)),
    "signs in where less is allowed": signs_in_on_a_strict_device,
    "is forgotten": is_forgotten,
    "is forgotten and comes back": is_forgotten_and_comes_back,
}


@pytest.mark.parametrize("changes", MEANWHILE.values(), ids=MEANWHILE)
def test_no_list_is_kept_of_who_changed_their_mind_while_it_waited(changes: Callable[[Shop], None]) -> None:
    made = shop()
    made.allow("ann", Dial.remember, "personalise")
    made.allow("bob")
    for person in ("ann", "bob"):
        made.does(person, "liked", "dracula")

    def meanwhile(looked_at: int) -> None:
        if looked_at == 2:  # both lists are made, and wait
            changes(made)

    result = fill(made.engine, made.engine.recipe("weekly"), meanwhile)
    assert result.made == 1 and kept(made, "bob") is not None
    assert sum(result.left_out.values()) == 1, "who got none is counted, with the reason"
    assert not [one for _, one in made.stores.events.read("ann") if isinstance(one, Inferred)]


def takes_back(made: Shop, which: Any) -> None:
    for ack in made.engine.people.take_back("ann", which, made.clock.now, f"back-{made.clock.now}"):
        ack.wait()


@pytest.mark.parametrize("what", ["an act", "an answer"])
def test_a_list_goes_with_what_was_taken_back_unless_it_was_made_before(what: str) -> None:
    made = shop()
    made.allow("ann")
    made.does("ann", "liked", "dracula")
    made.clock.now += 1000
    filled(made)
    made.clock.now += 1000
    early = kept(made, "ann").id
    made.does("ann", "liked", "emma", at=NOW - DAY)  # before the list was made, and unknown to it
    made.tells("ann", interests=["sea"])
    gone = {"an act": lambda one: getattr(one, "item", "") == "emma", "an answer": lambda one: isinstance(one, Told)}[
        what
    ]
    made.clock.now += 1000
    filled(made)
    assert kept(made, "ann").id != early
    takes_back(made, gone)
    assert kept(made, "ann").id == early and on_the_list(made, "ann")
    takes_back(made, lambda one: isinstance(one, Interaction))
    assert kept(made, "ann") is None
    assert not [one for _, one in made.stores.events.read("ann") if isinstance(one, Inferred)], "nor is it kept"


def test_a_list_is_for_the_purpose_that_it_was_made_for_and_for_no_other() -> None:
    plain, lists = charter(), structs.replace(LISTS, purposes=("personalise", "advertise"))
    ads = structs.replace(plain.purposes["personalise"], words="We choose advertisements.")
    rules = structs.replace(plain, data={**plain.data, "lists": lists}, purposes={**plain.purposes, "advertise": ads})
    assert not [name for name, data in plain.data.items() if "advertise" in data.purposes], "no act is for advertising"
    weekly = placement(TASTE, limit=8, batch="weekly")
    advert = placement({"use": "kept_list", "trait": "weekly"}, purpose="advertise", limit=8)
    made = Shop(models=learned_models(), rules=rules, placements={"weekly": weekly, "ad": advert})
    made.allow("ann", Dial.remember, "personalise", "advertise")
    made.does("ann", "liked", "dracula")
    filled(made)
    assert kept(made, "ann").purposes == ("personalise",)
    assert made.decide("ann", "ad").receipt.shown == ()


@pytest.mark.parametrize(
    ("entry", "on", "wrong"),
    [
        ({}, {"surface": "shared"}, "surfaces = ['shared']"),
        ({"surfaces": ("private", "shared")}, {}, "surfaces = ['private']"),
        ({"surfaces": ("private", "shared")}, {"surface": "shared"}, "surfaces = ['shared']"),
        ({"purposes": ("measure",)}, {}, "is not for 'personalise'"),
    ],
)
def test_a_list_is_seen_where_it_was_made_for_and_nowhere_else(
    tmp_path: Path, entry: dict[str, Any], on: dict[str, Any], wrong: str
) -> None:
    (tmp_path / "tactful.toml").write_text('[placements.weekly]\nbatch = "weekly"\n', encoding="utf-8")
    rules = structs.replace(charter(), data={**charter().data, "lists": structs.replace(LISTS, **entry)})
    with pytest.raises(BadSettings, match=re.escape(wrong)):
        recipe_of("weekly", placement(TASTE, batch="weekly", **on), rules, tmp_path)


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
