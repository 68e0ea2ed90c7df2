"""Off means off: any two people of whom nothing may be read get the same, whatever is kept of them and whatever they once did."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.event import VERBS
from tactful.domain.receipt import Receipt
from tests.shop import DAY, NOW, PLAIN, SENSITIVE, Shop, items_in, open_shop, shop_items

EVERY_ITEM = tuple(item.id for item in shop_items())


def a_life(dice: random.Random, shop: Shop, person: str) -> None:
    """Somebody allows everything and does anything at all: also with sensitive books, also in this very visit."""
    shop.allow(person, sensitive=[name for name in shop.charter.sensitive if dice.random() < 0.3])
    for number in range(dice.randrange(1, 6)):
        at = NOW - dice.choice((dice.randrange(20 * 60_000), dice.randrange(90 * DAY)))
        items = dice.sample(EVERY_ITEM, dice.randrange(1, 8))
        shop.does(person, dice.choice(VERBS[:2] + VERBS[4:]) if number else "viewed", *items, at=at)
    if dice.random() < 0.5:
        shop.tells(person, interests=dice.sample(["sea", "horror", "faith", "medicine"], 2), avoid=["war"])


def turn_away(dice: random.Random, shop: Shop, person: str) -> None:
    """One of the ways to want nothing read."""
    away: list[dict[str, Any]] = [
        {"dial": Dial.off},
        {"purposes": {"personalise": False}},
        {"dial": Dial.off, "purposes": {"personalise": False, "learn": False, "measure": False}},
        {"dial": Dial.visit, "purposes": {"personalise": False}},
    ]
    shop.change(person, **dice.choice(away))


def an_ask(dice: random.Random) -> Ask:
    """A request for any placement: with exclusions, with a page's item, with items to rank."""
    exclude = dice.sample(EVERY_ITEM, dice.randrange(4))
    name = dice.choice(("home", "related", "discover", "popular", "rank"))
    if name == "related":
        return Ask(name, item=dice.choice(EVERY_ITEM), exclude=exclude)
    if name == "rank":
        items = dice.sample(EVERY_ITEM, 20)
        return Ask(dice.choice(("home", "popular", "discover")), items=items, limit=len(items), exclude=exclude)
    return Ask(name, exclude=exclude, context={"device": dice.choice(("phone", "desk"))}, limit=dice.choice((None, 3)))


def in_bytes(receipt: Receipt) -> bytes:
    return msgspec.json.encode(receipt)


def but_for_its_name_and_time(receipt: Receipt) -> bytes:
    """A receipt's bytes, without the two things that two receipts may differ in."""
    return msgspec.json.encode(msgspec.structs.replace(receipt, id="", at=0))


@pytest.mark.prove
def test_whoever_is_off_gets_what_a_stranger_gets(scale: Callable[[int, int], int]) -> None:
    shop, dice = open_shop(), random.Random(1)
    for number in range(scale(1_000, 10_000)):
        person, ask, seed = f"person-{number}", an_ask(dice), dice.random()
        a_life(dice, shop, person)
        turn_away(dice, shop, person)
        if dice.random() < 0.3:  # and what they do afterwards changes nothing either
            shop.does(person, "bought", *dice.sample(EVERY_ITEM, 3))
        theirs, strangers = (shop.decide(who, ask, seed, context={"hour": 9}) for who in (person, None))
        assert items_in(theirs) == items_in(strangers)
        assert but_for_its_name_and_time(theirs.receipt) == but_for_its_name_and_time(strangers.receipt)
        assert theirs.receipt.person is None
        assert person.encode() not in in_bytes(theirs.receipt)


@pytest.mark.prove
def test_any_two_children_get_the_same(scale: Callable[[int, int], int]) -> None:
    shop, dice = open_shop(), random.Random(2)
    shop.change("child-0", child=True)
    audience = {item.id: item.audience for item in shop_items()}
    for number in range(1, scale(500, 5_000)):
        person, ask, seed = f"child-{number}", an_ask(dice), dice.random()
        a_life(dice, shop, person)
        shop.change(person, child=True)
        theirs, others = (shop.decide(who, ask, seed) for who in (person, "child-0"))
        assert but_for_its_name_and_time(theirs.receipt) == but_for_its_name_and_time(others.receipt)
        assert theirs.receipt.person is None
        assert {audience[item] for item in items_in(theirs)} <= {"children", "everyone"}


def test_whole_pages_are_the_same_too() -> None:
    shop, dice = open_shop(), random.Random(3)
    page = ["home", "discover", Ask("related", item=PLAIN[0]), "popular"]
    for number in range(100):
        person = f"person-{number}"
        a_life(dice, shop, person)
        turn_away(dice, shop, person)
        theirs, strangers = (shop.page(who, page, number) for who in (person, None))
        assert [items_in(answer) for answer in theirs] == [items_in(answer) for answer in strangers]


def test_nothing_sensitive_is_shown_to_anyone_who_has_not_turned_it_on() -> None:
    shop, dice = open_shop(), random.Random(4)
    for number in range(100):
        person = f"person-{number}"
        a_life(dice, shop, person)
        shop.change(person, sensitive=dict.fromkeys(shop.charter.sensitive, False))
        for answer in shop.page(
            person, ["home", "discover", Ask("related", item=SENSITIVE[number % len(SENSITIVE)])], number
        ):
            assert set(items_in(answer)).isdisjoint(SENSITIVE)
            assert {
                piece.source.key
                for shown in answer.receipt.shown
                for piece in shown.contributions
                if piece.source.kind == "history"
            }.isdisjoint(SENSITIVE)


def test_a_strangers_receipt_says_nothing_about_anybody() -> None:
    shop = open_shop()
    shop.allow("ada")
    shop.does("ada", "bought", PLAIN[0], PLAIN[1])
    shop.change("ada", dial=Dial.off)
    receipt = shop.decide("ada").receipt
    assert (receipt.person, receipt.dial, receipt.consent_version) == (None, 0, 0)
    assert (receipt.allowed, receipt.opened, receipt.withheld, receipt.personal) == ((), (), (), False)
    assert not any(removal.personal for removal in receipt.removed)


def test_strangers_differ_by_chance_alone() -> None:
    """The dice are part of what must be equal: other dice, other items, where a placement explores."""
    shop = open_shop()
    drawn = {tuple(items_in(shop.decide(None, "discover", seed))) for seed in range(20)}
    assert len(drawn) > 10
    assert items_in(shop.decide(None, "discover", 5)) == items_in(shop.decide(None, "discover", 5))


def test_the_same_test_sees_the_difference_that_consent_makes() -> None:
    """Else the tests above would prove nothing."""
    shop, dice = open_shop(), random.Random(5)
    differ = 0
    for number in range(50):
        a_life(dice, shop, f"person-{number}")
        differ += items_in(shop.decide(f"person-{number}")) != items_in(shop.decide(None))
    assert differ > 40
