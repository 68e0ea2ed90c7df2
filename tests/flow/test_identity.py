"""One person on two devices is one, two people on one device are two, and nobody's consent leaks into anybody's."""

import random
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs

from tactful.domain.consent import Consent, Dial
from tactful.domain.event import Arrival, Inferred, Obtained
from tactful.domain.identity import ADDED, ALIAS, CHOSEN, CONFIRMED, DEVICE, UNLINKED, Link, Owners, member
from tactful.domain.profile import Profile
from tactful.flow.gate import allows
from tactful.ports import Record
from tactful.wire import interactions_in
from tests.crash.proofs import note
from tests.shop import DAY, EVERYTHING, MINUTE, NOW, Shop, open_shop
from tests.shop import act as an_act

ITEMS = tuple(f"thing-{number}" for number in range(12))


def names_in(number: int) -> tuple[list[str], list[str]]:
    """Three devices and two people of a history of their own."""
    return [f"anon:{number}-{device}" for device in "xyz"], [f"{number}-{person}" for person in ("ada", "bob")]


# ------------------------------------------------------------------------------------------------- ten thousand histories


def history(dice: random.Random, devices: Sequence[str], people: Sequence[str]) -> list[Arrival | Link]:
    """Six events: acts of devices and of people, logins, old names, and devices that are given up."""
    found: list[Arrival | Link] = []
    for number in range(6):
        at, name = NOW - DAY + dice.randrange(6) * 1000, f"event-{number}"
        device, person = dice.choice(devices), dice.choice(people)
        match dice.choice(["acts", "acts", "acts", "signs in", "signs in", "tells", "gives up", "was"]):
            case "acts":
                who = dice.choice([device, device, person])
                found.append(
                    Arrival(id=name, person=who, name="viewed", at=at, verb="viewed", items=(dice.choice(ITEMS),))
                )
            case "signs in":
                found.append(Arrival(id=name, person=person, name="identify", at=at, also=(device,)))
            case "tells":
                traits = {"interests": [dice.choice(ITEMS)]}
                found.append(
                    Arrival(id=name, person=dice.choice([device, person]), name="identify", at=at, traits=traits)
                )
            case "gives up":
                found.append(Link(name, at, device, person, DEVICE, UNLINKED))
            case "was":
                alias = dice.choice([device, *[other for other in people if other != person]])
                found.append(Arrival(id=name, person=person, name="alias", at=at, also=(alias,), alias=True))
    return found


def consent_of(dice: random.Random) -> dict[str, Any]:
    """An answer: seldom nothing at all."""
    dial = dice.choice([Dial.off, Dial.visit, Dial.remember, Dial.remember, Dial.remember])
    return {"dial": dial, "purposes": {purpose: dice.random() < 0.7 for purpose in EVERYTHING}}


def lived(shop: Shop, events: Sequence[Arrival | Link]) -> None:
    """Everything comes in, one after the other."""
    for event in events:
        if isinstance(event, Link):
            shop.engine.people.refresh()
            shop.engine.people.keep([event])
        else:
            shop.engine.take([event]).wait()


def renamed(profile: Profile) -> tuple[Any, ...]:
    """A profile without the numbers of its records."""
    return profile.observed, profile.declared, profile.obtained, profile.inferred


def seen_by(shop: Shop, person: str) -> tuple[Any, ...]:
    """Everything that can be read of a person, for any purpose."""
    engine, now = shop.engine, shop.clock.now
    engine.people.refresh()
    who = engine.people.who(person, now)
    profile, consent = engine.people.profile(who), engine.people.effective(who)
    views = [engine.view(profile, consent, purpose, "private", now, engine.shelf().catalogue) for purpose in EVERYTHING]
    return who, renamed(profile), [(view.history(), view.value("interests")) for view in views]


@pytest.mark.prove
def test_any_order_gives_the_same_profile_and_no_event_leaves_its_consent(
    scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, histories = time.monotonic(), scale(600, 10_000)
    one, other = Shop(), Shop()
    dice = random.Random(20_261_121)
    linked = shared = 0
    for number in range(histories):
        devices, people = names_in(number)
        answers = {name: consent_of(dice) for name in (*devices, *people)}
        events = history(dice, devices, people)
        for shop, order in ((one, events), (other, dice.sample(events, len(events)))):
            for name, answer in answers.items():
                shop.change(name, **answer)
            lived(shop, order)
        came_under = {event.id: event.person for event in events if isinstance(event, Arrival)}
        for name in (*people, *devices):
            found = seen_by(one, name)
            assert found == seen_by(other, name), (number, name, events)
            linked += any(came_under[act.id] != found[0] for act in found[1][0])
            for purpose, (acts, _) in zip(EVERYTHING, found[2], strict=True):
                for act in acts:
                    for party in (came_under[act.id], found[0]):
                        consent = one.engine.consent(party)
                        assert consent.dial > Dial.off and allows(purpose, one.charter, consent), (number, act, party)
        shared += len({people[0], people[1]} & {seen_by(one, name)[0] for name in people}) == 2
        owners = [
            {act.id for act in seen_by(one, name)[1][0]}
            for name in {seen_by(one, name)[0] for name in (*people, *devices)}
        ]
        assert sum(map(len, owners)) == len(set().union(*owners)), f"an act belongs to two people: {number}"
    assert linked > 100 and shared > 100, "the histories did what they were meant to"
    if request.config.getoption("--prove"):
        name = "identity: histories that give the same profile in any order, each event under its own consent"
        note(name, histories, 0, time.monotonic() - began)


# ------------------------------------------------------------------------------------------------------------ by example


@pytest.fixture
def shop() -> Shop:
    """A shop in which two people and two devices allow everything."""
    shop = open_shop()
    for name in ("ada", "bob", "anon:phone", "anon:tablet"):
        shop.allow(name)
    return shop


def signs_in(shop: Shop, person: str, device: str, at: int, name: str = "") -> None:
    shop.engine.take(
        [Arrival(id=name or f"{person}-{device}-{at}", person=person, name="identify", at=at, also=(device,))]
    ).wait()


def acts(shop: Shop, person: str) -> list[str]:
    """What is known to have been done by a person, by item."""
    return [act.item for act in shop.engine.profile(person).observed]


def test_one_person_on_two_devices_is_one(shop: Shop) -> None:
    shop.does("anon:phone", "viewed", "a", at=NOW - 5000)
    shop.does("anon:tablet", "viewed", "b", at=NOW - 4000)
    signs_in(shop, "ada", "anon:phone", NOW - 3000)
    signs_in(shop, "ada", "anon:tablet", NOW - 3000)
    shop.does("anon:tablet", "viewed", "c", at=NOW - 2000)
    shop.does("ada", "viewed", "d", at=NOW - 1000)
    assert acts(shop, "ada") == ["a", "b", "c", "d"]
    assert acts(shop, "anon:phone") == acts(shop, "anon:tablet") == [], "who sits in front of a device proves nothing"


def test_two_people_on_one_device_are_two(shop: Shop) -> None:
    shop.does("anon:phone", "viewed", "a", at=NOW - 9000)
    signs_in(shop, "ada", "anon:phone", NOW - 8000)
    shop.does("anon:phone", "viewed", "b", at=NOW - 7000)
    signs_in(shop, "bob", "anon:phone", NOW - 6000)
    shop.does("anon:phone", "viewed", "c", at=NOW - 5000)
    assert acts(shop, "ada") == ["a", "b"] and acts(shop, "bob") == ["c"]


def test_what_is_unlinked_goes_to_nobody_else(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 8000)
    shop.does("anon:phone", "viewed", "b", at=NOW - 7000)
    signs_in(shop, "bob", "anon:phone", NOW - 6000)
    shop.engine.people.keep([Link("no", NOW, "anon:phone", "ada", DEVICE, UNLINKED)])
    assert acts(shop, "ada") == acts(shop, "bob") == []
    assert acts(shop, "anon:phone") == ["b"]


def test_the_stricter_answer_holds_until_the_person_confirms(shop: Shop) -> None:
    shop.change("anon:phone", dial=Dial.off)
    signs_in(shop, "ada", "anon:phone", NOW - 1000)
    shop.does("ada", "viewed", "a")
    people = shop.engine.people
    people.refresh()
    assert people.effective("ada").dial is Dial.off and list(people.held_back_by("ada")) == ["anon:phone"]
    assert not shop.decide("ada", "popular").receipt.personal
    people.keep([Link("yes", NOW - 500, "anon:phone", "ada", DEVICE, CONFIRMED)])
    own = structs.replace(people.consent("ada"), narrowed=NOW)  # what she took back on the phone stays taken back
    assert people.effective("ada") == own
    people.keep([Link("no", NOW, "anon:phone", "ada", DEVICE, UNLINKED)])
    assert people.effective("ada") == own, "what is concluded from here on needs no more than her own"
    shop.clock.now += 10
    signs_in(shop, "ada", "anon:phone", NOW + 10)
    assert people.effective("ada").dial is Dial.off, "who links again confirms again"


def test_a_device_that_was_never_asked_holds_nobody_back(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:new", NOW - 1000)
    shop.does("anon:new", "viewed", "a")
    assert acts(shop, "ada") == [], "nobody allowed anything on that device"
    assert shop.engine.people.effective("ada").dial is Dial.remember


def test_nobody_who_said_off_is_linked(shop: Shop) -> None:
    shop.change("ada", dial=Dial.off)
    problem = shop.engine.take([Arrival(id="in", person="ada", name="identify", also=("anon:phone",))]).wait()
    assert problem.refused == 1 and shop.stores.links.read("ada") == []


def test_old_names_lead_to_the_new_one_also_in_chains_and_circles(shop: Shop) -> None:
    for name in ("old", "older", "oldest"):
        shop.allow(name)
        shop.does(name, "viewed", name)
    for old, new in (("oldest", "older"), ("older", "old"), ("old", "ada")):
        shop.engine.take([Arrival(id=f"{old}-{new}", person=new, name="alias", also=(old,), alias=True)]).wait()
    assert sorted(acts(shop, "ada")) == ["old", "older", "oldest"]
    assert {shop.engine.people.who(name, NOW) for name in ("old", "older", "oldest", "ada")} == {"ada"}
    shop.engine.take([Arrival(id="round", person="oldest", name="alias", also=("ada",), alias=True)]).wait()
    assert {shop.engine.people.who(name, NOW) for name in ("old", "older", "oldest", "ada")} == {"ada"}
    assert sorted(acts(shop, "ada")) == ["old", "older", "oldest"]


def test_a_message_that_comes_twice_links_once(shop: Shop) -> None:
    arrival = Arrival(id="in", person="ada", name="identify", at=NOW - 5, also=("anon:phone",))
    first, again = (shop.engine.take([arrival]).wait() for _ in range(2))
    assert (first.stored, first.duplicate, again.stored, again.duplicate) == (1, 0, 0, 1)
    twice = Arrival(id="on", person="bob", name="identify", at=NOW - 5, also=("anon:phone",))
    both = shop.engine.take([twice, twice]).wait()
    assert (both.sent, both.stored, both.duplicate) == (2, 1, 1)


# --------------------------------------------------------------------------------------------------- accounts, and not me


def choose(shop: Shop, name: str, at: int) -> str:
    """From this moment on, somebody else of the account `home` is using it."""
    person = member("home", name) if name else "home"
    shop.engine.people.refresh()
    shop.engine.people.keep([Link(f"{name}-{at}", at, "home", person, "chosen")])
    return person


def test_several_people_share_an_account_each_under_their_own_consent(shop: Shop) -> None:
    shop.allow("home")
    shop.does("home", "viewed", "mum", at=NOW - 9000)
    kid = choose(shop, "kid", NOW - 8000)
    refused = shop.engine.take(
        [Arrival(id="k", person="home", name="viewed", verb="viewed", items=("x",), at=NOW - 7000)]
    ).wait()
    assert refused.refused == 1, "the account's consent is not the kid's"
    shop.allow(kid)
    shop.does("home", "viewed", "kid", at=NOW - 6000)
    choose(shop, "", NOW - 5000)
    shop.does("home", "viewed", "mum again", at=NOW - 4000)
    assert acts(shop, "home") == ["mum", "mum again"] and acts(shop, kid) == ["kid"]
    assert shop.engine.people.who("home", NOW - 5500) == kid and shop.engine.people.who("home", NOW) == "home"
    for ack in shop.engine.forget(kid):
        ack.wait()
    assert acts(shop, kid) == [] and acts(shop, "home") == ["mum", "mum again"]


def test_not_me_takes_back_a_visit_and_keeps_the_rest(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 2 * DAY)
    shop.does("anon:phone", "viewed", "mine", at=NOW - DAY)
    shop.does("anon:phone", "viewed", "guest", at=NOW - 60_000)
    shop.does("ada", "viewed", "guest too", at=NOW - 30_000)
    people, gap = shop.engine.people, shop.charter.visit_ms
    people.refresh()
    for ack in people.disown("ada", people.visit_start("ada", NOW, gap), NOW, "that"):
        ack.wait()
    assert acts(shop, "ada") == ["mine"]
    assert [event.item for _, event in shop.stores.events.read("anon:phone") if hasattr(event, "item")] == ["mine"]
    late = Arrival(id="late", person="ada", name="viewed", verb="viewed", items=("late",), at=NOW - 45_000)
    outcome = shop.engine.take([late]).wait()
    assert outcome.refused == 1 and "not theirs" in outcome.problems[0].why
    shop.does("ada", "viewed", "back", at=NOW)
    shop.clock.now += 1
    shop.does("ada", "viewed", "after", at=NOW + 1)
    assert acts(shop, "ada") == ["mine", "after"]


def test_a_visit_is_all_that_a_person_did_and_told_and_not_what_others_said_of_them(shop: Shop) -> None:
    people, gap = shop.engine.people, shop.charter.visit_ms
    signs_in(shop, "ada", "anon:phone", NOW - 2 * DAY)
    for name, at, interest in (("ada", 80, "sea"), ("anon:phone", 55, "war"), ("ada", 30, "sea")):
        told = Arrival(
            id=f"t{at}", person=name, name="identify", at=NOW - at * MINUTE, traits={"interests": [interest]}
        )
        shop.engine.take([told]).wait()
    assert shop.engine.profile("ada").observed == ()
    assert people.visit_start("ada", NOW, gap) == NOW - 80 * MINUTE, "also what was told over again since"
    others = [
        Inferred("i", NOW - 105 * MINUTE, "weekly", [], "insights", ("personalise",), "made at night"),
        Obtained("o", NOW - 105 * MINUTE, "income", 1, "bought", ("personalise",), "acme", "CC0", "contract"),
    ]
    for one in others:
        shop.stores.events.append([Record("ada", one.data, (one,), NOW + DAY)]).wait()
    assert people.visit_start("ada", NOW, gap) == NOW - 80 * MINUTE
    shop.does("ada", "viewed", "a", at=NOW - 110 * MINUTE)
    assert people.visit_start("ada", NOW, gap) == NOW - 110 * MINUTE


# -------------------------------------------------------------------------------------------------- what follows from it


def test_forgetting_a_person_forgets_their_devices_and_the_people_of_their_account(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 5000)
    shop.does("anon:phone", "viewed", "a", at=NOW - 4000)
    signs_in(shop, "bob", "anon:tablet", NOW - 5000)
    shop.does("anon:tablet", "viewed", "b", at=NOW - 4000)
    for ack in shop.engine.forget("ada"):
        ack.wait()
    assert shop.stores.events.read("anon:phone") == [] and shop.stores.consents.read("anon:phone") == []
    assert shop.stores.links.read("anon:phone") == [] and acts(shop, "bob") == ["b"]


def test_another_worker_sees_a_link_at_its_next_decision(shop: Shop) -> None:
    beside = Shop.beside(shop)
    shop.does("ada", "viewed", "own", at=NOW - 6000)
    shop.does("anon:phone", "viewed", "a", at=NOW - 5000)
    assert acts(beside, "ada") == ["own"]
    signs_in(shop, "ada", "anon:phone", NOW - 3000)
    assert acts(beside, "ada") == ["own", "a"]
    shop.does("anon:phone", "viewed", "b", at=NOW - 1000)
    assert acts(beside, "ada") == ["own", "a", "b"]
    shop.engine.people.keep([Link("no", NOW, "anon:phone", "ada", DEVICE, UNLINKED)])
    assert acts(beside, "ada") == ["own"]


def test_models_learn_from_one_person_not_from_two_names() -> None:
    apart, linked = open_shop(), open_shop()
    for shop in (apart, linked):
        books = [shop.engine.shelf().catalogue.item(row).id for row in range(4)]
        for name in ("ada", "anon:phone", "anon:tablet"):
            shop.allow(name)
        shop.does("anon:phone", "viewed", *books[:2], at=NOW - 5000)
        shop.does("ada", "viewed", *books[2:], at=NOW - 1000)
    signs_in(linked, "ada", "anon:phone", NOW - 3000)
    assert interactions_in(apart.engine).people == 2
    assert interactions_in(linked.engine).people == 1 and len(interactions_in(linked.engine).row) == 4
    signs_in(linked, "ada", "anon:tablet", NOW - 2000)
    linked.change("anon:tablet", purposes={"learn": False})
    assert interactions_in(linked.engine).people == 0, "the stricter answer holds for learning too"


def test_owners_by_example() -> None:
    links = [
        Link("1", 100, "d", "ada", DEVICE),
        Link("2", 200, "d", "bob", DEVICE),
        Link("3", 300, "d", "ada", DEVICE),
    ]
    owners = Owners("d", links)
    assert [owners.at(moment) for moment in (50, 100, 199, 200, 299, 300)] == ["ada", "ada", "ada", "bob", "bob", "ada"]
    assert Owners("d", [*links, Link("4", 10, "d", "eve", ALIAS)]).at(250) == "eve", "an old name was theirs all along"
    assert Owners("d", []).at(5) == "d" and not Owners("d", []).handed_on


def test_consents_are_never_widened_by_a_link() -> None:
    from tactful.flow.identity import strictest

    wide = Consent(Dial.remember, frozenset(EVERYTHING), child=False)
    narrow = Consent(Dial.visit, frozenset({"personalise"}), frozenset({"learn"}), child=True)
    for one, other in ((wide, narrow), (narrow, wide)):
        both = strictest(one, [other])
        assert both.dial is Dial.visit and both.granted == {"personalise"} and both.refused == {"learn"} and both.child


# ------------------------------------------------------------------------------------------- what somebody else may not do


def test_who_speaks_for_themselves_cannot_take_anothers_time_on_a_shared_device(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 9000)
    shop.does("anon:phone", "viewed", "hers", at=NOW - 8000)
    for name, alias in (("by alias", True), ("by an old login", False)):
        claim = Arrival(
            id=name, person="bob", name=name, at=NOW - 8999, also=("anon:phone",), alias=alias, trusted=False
        )
        shop.engine.take([claim]).wait()
        assert acts(shop, "ada") == ["hers"] and acts(shop, "bob") == []


def test_not_me_says_nothing_about_others_on_the_same_device(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 9000)
    shop.does("anon:phone", "viewed", "hers", at=NOW - 8000)
    signs_in(shop, "bob", "anon:phone", NOW - 7000)
    shop.does("anon:phone", "viewed", "his", at=NOW - 6000)
    shop.engine.people.refresh()
    for ack in shop.engine.people.disown("bob", 0, NOW, "that"):
        ack.wait()
    assert acts(shop, "bob") == [] and acts(shop, "ada") == ["hers"]


def test_confirming_makes_no_child_an_adult(shop: Shop) -> None:
    shop.tells("ada", child=True)
    shop.engine.take([Arrival(id="now", person="bob", name="alias", also=("ada",), alias=True)]).wait()
    shop.engine.people.refresh()
    shop.engine.people.keep([Link("yes", NOW, "ada", "bob", ALIAS, CONFIRMED)])
    assert shop.engine.people.effective("bob").child
    late = Arrival(id="late", person="bob", name="viewed", verb="viewed", items=("x",))
    assert shop.engine.take([late]).wait().refused == 1


def test_what_was_done_between_giving_a_device_up_and_taking_it_again_stays_the_devices(shop: Shop) -> None:
    signs_in(shop, "ada", "anon:phone", NOW - 9000)
    shop.engine.people.keep([Link("no", NOW - 8000, "anon:phone", "ada", DEVICE, UNLINKED)])
    shop.does("anon:phone", "viewed", "a stranger's", at=NOW - 7000)
    signs_in(shop, "ada", "anon:phone", NOW - 6000)
    shop.does("anon:phone", "viewed", "hers", at=NOW - 5000)
    assert acts(shop, "ada") == ["hers"]


def test_a_yes_that_was_on_its_way_does_not_undo_a_no_and_a_wrong_clock_delays_none(shop: Shop) -> None:
    def answers(name: str, at: int, given: bool) -> None:
        shop.engine.take([Arrival(id=name, person="ada", name="answer", at=at, says={"learn": given})]).wait()

    answers("no", NOW, False)
    answers("late yes", NOW - 3_600_000, True)
    assert "learn" in shop.engine.consent("ada").refused
    shop.clock.now += 5
    answers("new yes", shop.clock.now, True)
    assert "learn" in shop.engine.consent("ada").granted
    answers("no from 1970", 5, False)
    assert "learn" in shop.engine.consent("ada").refused


def test_what_was_not_kept_is_no_duplicate_when_it_comes_again(shop: Shop) -> None:
    shop.engine.people.link(Link("in", NOW - 5, "anon:phone", "ada", DEVICE))  # on its way, and lost
    signs_in(shop, "ada", "anon:phone", NOW - 5, "in")
    assert [link.id for link in shop.stores.links.read("ada")] == ["in"]


def test_many_devices_hold_nobody_up(shop: Shop) -> None:
    names = [f"anon:{number}" for number in range(1500)]
    shop.engine.take(
        [Arrival(id=name, person="ada", name="identify", at=NOW - 5, also=(name,)) for name in names]
    ).wait()
    shop.engine.people.refresh()
    assert shop.engine.people.effective("ada").dial is Dial.remember
    assert len(shop.engine.people.names("ada")) == 1501


# ------------------------------------------------------------------------------------------- several links at the same name


def renames(shop: Shop, old: str, new: str) -> None:
    shop.engine.take([Arrival(id=f"{old} is now {new}", person=new, name="alias", also=(old,), alias=True)]).wait()


def test_nothing_is_learned_from_a_child_whose_old_name_was_confirmed() -> None:
    shop = open_shop()
    for name in ("ada", "bob"):
        shop.allow(name)
    shop.does("bob", "viewed", shop.engine.shelf().catalogue.item(0).id)
    assert interactions_in(shop.engine).people == 1
    shop.tells("ada", child=True)
    renames(shop, "ada", "bob")
    shop.engine.people.keep([Link("yes", NOW, "ada", "bob", ALIAS, CONFIRMED)])
    assert shop.engine.people.effective("bob").child and interactions_in(shop.engine).people == 0


def test_a_login_under_an_old_name_does_not_hide_that_it_was_a_childs(shop: Shop) -> None:
    shop.tells("ada", child=True)
    renames(shop, "ada", "bob")
    signs_in(shop, "bob", "ada", NOW)
    shop.engine.people.keep([Link("yes", NOW, "ada", "bob", ALIAS, CONFIRMED)])
    assert shop.engine.people.effective("bob").child


def test_a_childs_name_that_became_anothers_says_nothing_of_whoever_used_it_as_a_device(shop: Shop) -> None:
    shop.tells("ada", child=True)
    signs_in(shop, "bob", "ada", NOW - 10)
    renames(shop, "ada", "eve")
    shop.engine.people.keep([Link("yes", NOW, "ada", "bob", DEVICE, CONFIRMED)])
    assert not shop.engine.people.effective("bob").child and shop.engine.people.effective("eve").child


def test_a_person_who_was_added_to_an_account_that_was_their_old_name_is_held_back_by_it_still(shop: Shop) -> None:
    shop.change("bob", dial=Dial.visit)
    renames(shop, "bob", "ada")
    shop.engine.people.keep([Link("in", NOW, "bob", "ada", ADDED)])
    assert list(shop.engine.people.held_back_by("ada")) == ["bob"]


def test_an_old_name_that_was_an_account_before_is_forgotten_with_the_person(shop: Shop) -> None:
    shop.does("bob", "viewed", "a", at=NOW - 5000)
    shop.engine.people.refresh()
    shop.engine.people.keep([Link("in", NOW - 4000, "bob", "ada", CHOSEN)])
    renames(shop, "bob", "ada")
    assert sorted(shop.engine.people.goes_with("ada")) == ["ada", "bob"]


# ------------------------------------------------------------------------------------------------- chains of old names


CHAIN = ("oldest", "older", "old", "ada")


def chained(shop: Shop) -> None:
    """Ada went by three names, one after the other."""
    for name in CHAIN:
        shop.allow(name)
    for old, new in pairwise(CHAIN):
        renames(shop, old, new)


def test_an_answer_under_the_oldest_name_reaches_the_person_and_every_name_between(shop: Shop) -> None:
    chained(shop)
    shop.change("oldest", purposes={"learn": False})
    assert all("learn" in shop.engine.consent(name).refused for name in CHAIN)
    renames(shop, "ada", "oldest")
    shop.change("older", purposes={"measure": False})
    assert all("measure" in shop.engine.consent(name).refused for name in CHAIN), "also where names lead round"


def test_what_a_message_answers_under_an_old_name_counts_for_the_rest_of_its_batch(shop: Shop) -> None:
    chained(shop)
    no = Arrival(id="no", person="oldest", name="answer", says=dict.fromkeys(EVERYTHING, False))
    late = Arrival(id="late", person="ada", name="viewed", verb="viewed", items=("a",))
    outcome = shop.engine.take([no, late]).wait()
    assert (outcome.stored, outcome.refused) == (1, 1), "the answer, and nothing that was done after it"


def test_no_yes_under_an_old_name_moves_a_dial_that_the_person_set_or_undoes_a_later_no(shop: Shop) -> None:
    renames(shop, "old", "ada")
    shop.change("ada", dial=Dial.visit, purposes={"learn": False})
    for more in ({"says": {"learn": True}, "at": NOW - 1000}, {"granted": {"learn": True}, "verb": "viewed"}):
        shop.engine.take([Arrival(id=str(more), person="old", name="late", items=("a",), **more)]).wait()
        assert shop.engine.consent("ada").dial is Dial.visit and "learn" in shop.engine.consent("ada").refused


@pytest.mark.parametrize("asked", CHAIN)
def test_forgetting_under_any_name_forgets_the_person_and_all_that_goes_with_them(shop: Shop, asked: str) -> None:
    chained(shop)
    signs_in(shop, "ada", "anon:phone", NOW - 5000)
    for name in (*CHAIN, "anon:phone", "bob"):
        shop.does(name, "viewed", f"by {name}", at=NOW - 4000)
    for ack in shop.engine.forget(asked):
        ack.wait()
    for name in (*CHAIN, "anon:phone"):
        assert shop.stores.events.read(name) == [] and shop.stores.consents.read(name) == [], name
    assert acts(shop, "bob") == ["by bob"]


def test_forgetting_under_an_old_name_takes_along_what_the_person_did_under_an_account(shop: Shop) -> None:
    shop.allow("home")
    kid = choose(shop, "kid", NOW - 8000)
    shop.allow(kid)
    renames(shop, "ada", kid)
    shop.stores.events.append([Record("home", "browsing", (an_act("kid's", NOW - 7000),), NOW + DAY)]).wait()
    for ack in shop.engine.forget("ada"):
        ack.wait()
    assert shop.stores.events.read("home") == [] and shop.engine.consent("home").version


def test_forgetting_somebody_spares_whoever_a_shared_name_became(shop: Shop) -> None:
    shop.allow("shared")
    signs_in(shop, "ada", "shared", NOW - 5000)
    renames(shop, "shared", "bob")
    shop.does("bob", "viewed", "his", at=NOW - 1000)
    for ack in shop.engine.forget("ada"):
        ack.wait()
    assert acts(shop, "bob") == ["his"]


def test_nothing_comes_in_under_an_old_name_of_somebody_who_is_off(shop: Shop) -> None:
    chained(shop)
    late = Arrival(id="late", person="oldest", name="viewed", verb="viewed", items=("a",))
    shop.change("ada", dial=Dial.off)
    assert shop.engine.consent("oldest").dial is Dial.remember, "it was answered under the new name only"
    refused = shop.engine.take([late]).wait()
    assert refused.refused == 1 and "'Off'" in refused.problems[0].why
    shop.change("ada", dial=Dial.visit)
    assert shop.engine.take([late]).wait().stored == 1


def test_an_answer_under_an_account_is_also_that_of_somebody_who_has_a_new_name_by_now(shop: Shop) -> None:
    shop.allow("home")
    kid = choose(shop, "kid", NOW - 8000)
    shop.allow(kid)
    renames(shop, kid, "ada")
    shop.engine.take([Arrival(id="no", person="home", name="answer", at=NOW, says={"learn": False})]).wait()
    assert ["learn" in shop.engine.consent(name).refused for name in (kid, "ada", "home")] == [True, True, False]


# -------------------------------------------------------------------------------------------------------- a no, and the reason


def disowned_visit(shop: Shop) -> None:
    """Ada says of the last minute that it was not her."""
    shop.does("ada", "viewed", "guest's", at=NOW - 30_000)
    shop.engine.people.refresh()
    for ack in shop.engine.people.disown("ada", NOW - 60_000, NOW, "that"):
        ack.wait()


def test_a_no_from_a_visit_that_was_disowned_counts_and_a_yes_does_not(shop: Shop) -> None:
    shop.change("ada", purposes={"measure": False})
    disowned_visit(shop)
    says = {"learn": False, "measure": True}
    outcome = shop.engine.take([Arrival(id="no", person="ada", name="answer", at=NOW - 20_000, says=says)]).wait()
    assert outcome.refused == 1 and "not theirs" in outcome.problems[0].why
    assert {"learn", "measure"} <= shop.engine.consent("ada").refused


@pytest.mark.parametrize("spoilt", [{"id": ""}, {"id": "x" * 300}, {"verb": "sneezed"}, {"verb": "viewed"}, {"at": 5}])
def test_a_no_in_a_message_that_cannot_be_used_counts_all_the_same(shop: Shop, spoilt: dict[str, Any]) -> None:
    arrival = Arrival(**{"id": "no", "person": "ada", "name": "answer", "says": {"learn": False}, **spoilt})
    assert shop.engine.take([arrival]).wait().quarantined == 1
    assert "learn" in shop.engine.consent("ada").refused
    shop.change("ada", purposes={"learn": True})
    shop.engine.take([structs.replace(arrival, items=("a",))]).wait()
    assert ("learn" in shop.engine.consent("ada").refused) == ("id" in spoilt), "sent again it is the same answer"


def test_a_no_of_nobody_is_not_written_down(shop: Shop) -> None:
    for name in ("", "anon:", "x" * 300):
        nobody = Arrival(id="no", person=name, name="answer", says={"learn": False})
        assert shop.engine.take([nobody]).wait().quarantined == 1
        assert shop.stores.consents.read(name) == []


def test_a_login_that_is_not_kept_says_the_true_reason(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason(person: str, **more: Any) -> str:
        arrival = Arrival(id="in", person=person, name="identify", also=("anon:new",), **more)
        outcome = shop.engine.take([arrival]).wait()
        assert outcome.refused == 1
        return outcome.problems[0].why

    assert "'Off'" in reason("nobody who answered")
    shop.change("bob", dial=Dial.off)
    assert "'Off'" in reason("bob") and "traits" in reason("bob", traits={"interests": ["sea"]})
    monkeypatch.setattr("tactful.engine.LINKS_MOST", 1)
    signs_in(shop, "ada", "anon:phone", NOW)
    assert "one for each device" in reason("ada")
