"""What a person wants no more of, as keys: `attribute:value`, `topics:ID` for a topic and all below it, `item:ID` for one item."""

from collections.abc import Iterator

import numpy as np

from tactful.domain.catalogue import NO_ROWS, Catalogue, Rows
from tactful.domain.event import Value
from tactful.domain.item import Item

ITEM, TOPICS = "item", "topics"


def keys_in(value: Value) -> list[str]:
    """The keys that a trait's value lists."""
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def rows_of(key: str, catalogue: Catalogue) -> Rows:
    """The rows int32[n] of the items that a key fits. One that names nothing in the catalogue fits nothing."""
    attribute, _, value = key.partition(":")
    if attribute == ITEM:
        return catalogue.rows([value])
    if attribute == TOPICS:
        return np.flatnonzero(catalogue.about([value])).astype(np.int32)
    return catalogue.having(attribute).get(value, NO_ROWS)


def keys_of(item: Item, names: tuple[str, ...]) -> Iterator[str]:
    """The keys that fit an item, by these attributes; `topics` gives those of its topics, `item` its own."""
    for name in names:
        values = (item.id,) if name == ITEM else item.topics if name == TOPICS else item.values(name)
        yield from (f"{name}:{value}" for value in values)
