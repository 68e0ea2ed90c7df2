"""What would change in the catalogue: which items of a delivery are new, changed or the same, and which are missing from it."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.errors import BadInput
from tactful.domain.item import Item
from tactful.domain.item_rules import Rejected, item_of, merged

NEW, CHANGED, SAME = "new", "changed", "same"


class Change(Struct, frozen=True):
    """What an item of the delivery is to the catalogue. item: as it would be kept. fields: which ones differ, of a changed one."""

    what: str
    item: Item
    fields: tuple[str, ...] = ()


class Restock:
    """A delivery of items, looked at one by one beside the catalogue as it is.

    now: ms since 1970. merge: what an item leaves out stays as it is; otherwise the item replaces what was there.
    """

    def __init__(self, catalogue: Catalogue, now: int, merge: bool = False) -> None:
        self.catalogue, self.now, self.merge = catalogue, now, merge
        self.named: dict[str, str] = {}
        """Where each item of the delivery stands, by id."""

    def look(self, where: str, came: Any) -> Change | Rejected:
        """What this piece of the delivery is, or what is wrong with it. An item that comes twice counts the first time."""
        known = self._known(came)
        try:
            item = item_of(merged(known, came) if self.merge and known is not None else came)
        except BadInput as mistake:
            facts = mistake.facts
            return Rejected(where, facts["field"] or "item", facts["why"], facts["fix"])
        before = self.named.setdefault(item.id, where)
        if before != where:
            return Rejected(where, "id", f"{item.id!r} stands in {before} already", "Keep one of the two")
        return change_of(self.catalogue, item, self.now)

    def missing(self) -> Iterator[Item]:
        """The available items that the delivery does not name."""
        for row, item in enumerate(self.catalogue.ids[: len(self.catalogue)]):
            if self.catalogue.available[row] and item not in self.named:
                yield self.catalogue.item(row)

    def _known(self, came: Any) -> Item | None:
        name = came.get("id") if isinstance(came, dict) else None
        return self.catalogue.get(name) if isinstance(name, str) else None


def change_of(catalogue: Catalogue, item: Item, now: int) -> Change:
    """What an item is to the catalogue as it is. now: ms since 1970."""
    item, known = catalogue.settled(item, now), catalogue.get(item.id)
    if known is None:
        return Change(NEW, item)
    fields = differing(known, item)
    return Change(CHANGED if fields else SAME, item, fields)


def differing(one: Item, other: Item) -> tuple[str, ...]:
    """The fields in which two items differ."""
    return tuple(name for name in Item.__struct_fields__ if getattr(one, name) != getattr(other, name))
