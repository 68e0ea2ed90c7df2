"""What the catalogue looks up by attribute and by condition stays true as items change."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.catalogue import Catalogue, pack
from tactful.domain.conditions import Condition
from tactful.domain.item import Item, Price

MOODS = st.lists(st.sampled_from(["calm", "dark", "funny"]), max_size=3)
CHANGES = st.lists(st.tuples(st.integers(0, 39), MOODS, st.integers(0, 9)), max_size=4)
DARK = Condition.of_setting({"mood": {"$in": ["dark"]}, "price.amount": {"$lt": 5}})


def item(row: int, moods: list[str], price: int) -> Item:
    return Item(id=f"i{row}", title="I", attributes={"mood": moods}, price=Price(price))


def looked_up(catalogue: Catalogue) -> tuple[dict[str, list[int]], list[int]]:
    having = {mood: rows.tolist() for mood, rows in catalogue.having("mood").items() if len(rows)}
    return having, catalogue.meeting(DARK).tolist()


def by_hand(items: dict[int, Item]) -> tuple[dict[str, list[int]], list[int]]:
    having: dict[str, list[int]] = {}
    meeting = []
    for row, one in sorted(items.items()):
        for mood in dict.fromkeys(one.values("mood")):
            having.setdefault(mood, []).append(row)
        if "dark" in one.values("mood") and one.price is not None and one.price.amount < 5:
            meeting.append(row)
    return having, meeting


@given(st.lists(st.tuples(MOODS, st.integers(0, 9)), min_size=40, max_size=40), st.lists(CHANGES, max_size=3))
def test_an_index_is_kept_up_as_items_come_and_change(first: list[tuple[Any, int]], batches: list[Any]) -> None:
    items = {row: item(row, *one) for row, one in enumerate(first)}
    catalogue = Catalogue.of(list(items.values()))
    seen = [(catalogue, dict(items), looked_up(catalogue))]
    for version, batch in enumerate(batches, 100):
        fresh = {row: item(row, moods, price) for row, moods, price in batch}
        new = len(items)
        fresh[new] = item(new, ["dark"], 1)
        items.update(fresh)
        catalogue = catalogue.with_items([(row, pack(one)) for row, one in fresh.items()], version)
        seen.append((catalogue, dict(items), looked_up(catalogue)))
    for state, of, found in seen:
        assert found == by_hand(of)
        assert looked_up(state) == found, "an older state is not disturbed by a newer one"


def test_an_index_is_kept_and_not_made_anew() -> None:
    catalogue = Catalogue.of([item(row, ["dark"], 1) for row in range(40)])
    known = catalogue.having("mood")["dark"]
    assert catalogue.having("mood")["dark"] is known
    more = catalogue.with_items([(3, pack(item(3, ["calm"], 1)))], 2)
    assert more._indexes.keys() == catalogue._indexes.keys()
    many = catalogue.with_items([(row, pack(item(row, ["calm"], 1))) for row in range(20)], 3)
    assert not many._indexes, "where much changes at once, it is made anew when asked for"
    assert many.having("mood")["calm"].tolist() == list(range(20))


def test_an_item_answers_by_its_fields_and_its_attributes() -> None:
    facts = Item(
        id="dune", title="Dune", kind="book", attributes={"author": "Herbert", "kind": "novel"}, price=Price(9.5)
    ).facts()
    assert (facts["id"], facts["author"], facts["kind"], facts["price"]) == (
        "dune", "Herbert", "novel", {"amount": 9.5, "currency": "EUR"},
    )  # fmt: skip
