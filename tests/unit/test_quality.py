"""What the data is like, held against counts that a reader can do by hand, and against the sample shop."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from msgspec import structs

from tactful.cli.data_quality import attributes_used, look
from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter, Type
from tactful.domain.event import Arrival, Event, Interaction, Obtained, Told
from tactful.domain.item import Item
from tactful.learn.quality import Quality, SourceQuality, quality
from tests.shop import DAY, NOW, PLAIN, Shop, act, charter, crowd, open_shop, shop_items

PURPOSES = ("personalise",)


def rules() -> Charter:
    data = dict(charter().data)
    data["told"] = structs.replace(data["told"], types={"interests": Type("list", fresh_days=30, fill=["sea"])})
    data["bought"] = structs.replace(data["told"], kind="obtained", traits=("income",), types={})
    return structs.replace(charter(), data=data)


def told(name: str, value: Any, at: int) -> Told:
    return Told(f"{name}{at}", at, name, value, "told", PURPOSES)


def seen(*events: list[Event], items: tuple[Item, ...] = (), attributes: tuple[str, ...] = ()) -> Quality:
    people = ((f"p{number}", mine) for number, mine in enumerate(events))
    return quality(people, Catalogue.of(items or shop_items()[:3], {}), rules(), attributes, NOW)


def source(found: Quality, name: str, seller: str = "") -> SourceQuality:
    return next(one for one in found.sources if (one.source, one.seller) == (name, seller))


def test_where_there_is_nothing_there_is_nothing_to_say() -> None:
    found = seen()
    assert (found.people, found.sources) == (0, ())
    assert {(one.trait, one.share, one.filled) for one in found.traits} == {
        ("interests", 0, True),
        ("avoid", 0, False),
        ("muted", 0, False),
        ("languages", 0, False),
        ("income", 0, False),
    }


def test_completeness_counts_people_and_what_was_taken_back_does_not_count() -> None:
    found = seen(
        [told("interests", ["a"], NOW), told("avoid", ["b"], NOW)],
        [told("interests", ["a"], NOW - DAY), told("interests", None, NOW)],
        [told("interests", ["a"], NOW - 31 * DAY)],
        [act(PLAIN[0])],
    )
    interests = next(one for one in found.traits if one.trait == "interests")
    assert (interests.people, interests.share, interests.stale) == (2, 0.5, 0.5)
    assert source(found, "told").stale == 1 / 3
    assert source(found, "browsing").stale is None and source(found, "told").known is None


def test_sources_are_entries_and_sellers() -> None:
    bought = Obtained("o", NOW, "income", 5, "bought", PURPOSES, "Sellers Inc", "l", "consent")
    found = seen([bought, act(PLAIN[0])], [structs.replace(bought, seller="Others")])
    assert [(one.source, one.seller, one.people) for one in found.sources] == [
        ("bought", "Others", 1),
        ("bought", "Sellers Inc", 1),
        ("browsing", "", 1),
    ]


def test_freshness_is_told_in_ages_and_in_weeks() -> None:
    found = source(
        seen([act(PLAIN[0], NOW - day * DAY, id=str(day)) for day in (0, 1, 6, 7, 13, 14, 20, 50, 80, 90_000)]),
        "browsing",
    )
    assert (found.events, found.newest, found.week, found.week_before) == (10, NOW, 3, 2)
    assert (found.age_half, found.age_most) == (13, 80)


def test_the_same_act_again_within_two_seconds_most_likely_came_twice() -> None:
    def twice(apart: int, **changes: Any) -> int:
        one = act(PLAIN[0], NOW)
        return source(seen([one, structs.replace(one, id="again", at=NOW + apart, **changes)]), "browsing").doubled

    assert [twice(0), twice(2_000), twice(2_001)] == [1, 1, 0]
    assert [twice(0, item=PLAIN[1]), twice(0, verb="clicked")] == [0, 0]
    assert source(seen([act(PLAIN[0], NOW)], [act(PLAIN[0], NOW)]), "browsing").doubled == 0


def test_items_that_the_catalogue_does_not_know_and_items_that_are_there_twice() -> None:
    items = (
        Item(id="a", title="Dune: Part One", kind="film", attributes={"genres": ["sf"], "year": 2021}),
        Item(id="b", title="dune, part one ", kind="film", attributes={"genres": []}),
        Item(id="c", title="Dune: Part One", kind="book"),
        Item(id="d", title="…", kind="book"),
    )
    found = seen([act("a"), act("b", NOW - 5 * DAY), act("gone")], items=items)
    assert source(found, "browsing").known == 2 / 3
    assert (found.doubled_titles, found.examples) == (2, (("a", "b"),))
    assert found.attributes == {"genres": 0.25, "year": 0.25}
    assert seen(items=items, attributes=("genres", "author")).attributes == {"genres": 0.25, "author": 0.0}


def test_people_are_read_one_by_one() -> None:
    """However many there are: nobody is asked for before the one before is done with."""
    held: list[int] = []

    def people() -> Iterator[tuple[str, list[Event]]]:
        for number in range(50):
            mine: list[Event] = [act(PLAIN[number % 7], id=str(number))]
            held.append(number)
            yield str(number), mine
            mine.clear()  # whoever kept the list has nothing

    found = quality(people(), Catalogue.of(shop_items(), {}), charter(), (), NOW)
    assert (found.people, source(found, "browsing").events, len(held)) == (50, 50, 50)


def test_the_sample_shop() -> None:
    """Held against a count of its events that knows nothing of the report."""
    shop: Shop = open_shop(rules=rules())
    for reader in crowd(30):
        shop.live(reader)
    shop.tells(crowd(30)[0].id, interests=["sea"], avoid=3)
    shop.engine.take([Arrival(id="x", person=crowd(30)[0].id, name="identify", traits={"interests": {"a": 1}})]).wait()
    found, impossible = look(shop.engine)
    events = [event for _, mine in shop.stores.events.people() for event in mine]
    assert sum(one.events for one in found.sources) == len(events)
    acts = [event for event in events if isinstance(event, Interaction)]
    for one in found.sources:
        mine = [event for event in acts if event.data == one.source]
        assert one.known in (1.0, None)
        if mine:
            ages = sorted((NOW - event.at) // DAY for event in mine)
            assert one.newest == max(event.at for event in mine)
            assert one.week == sum(age < 7 for age in ages)
            assert all(younger <= older for younger, older in pairwise((one.age_half, one.age_most)))
    assert [(group.field, group.count) for group in impossible] == [("traits.interests", 1)]
    assert found.doubled_titles == 0
    assert set(attributes_used(shop.engine.recipes.values())) <= set(found.attributes)
