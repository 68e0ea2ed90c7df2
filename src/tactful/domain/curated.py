"""Lists picked by hand. Anybody may propose an item; what a curator approved is shown, in order, from its first day to its last."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from msgspec import Struct, field, structs

from tactful.domain.errors import BadInput

APPROVED, PROPOSED, REJECTED = STATES = ("approved", "proposed", "rejected")


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An item of a list. state: `approved` (shown), `proposed` (waits for the curator), `rejected` (not shown, not proposed again).

    words: why it was picked, for the curator. by: who proposed it; judged_by: who approved or rejected it. from, until: its first and its last day
    (UTC, as 2026-12-24); left out: always.
    """

    item: str
    state: str = APPROVED
    words: str = ""
    by: str = ""
    judged_by: str = ""
    start: date | None = field(name="from", default=None)
    until: date | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state is {self.state!r}; use one of {', '.join(STATES)}")
        if self.start and self.until and self.until < self.start:
            raise ValueError(f"until ({self.until}) is before from ({self.start})")

    def on(self, at: int) -> bool:
        """Whether it may be shown at this time (ms since 1970): approved, and within its days."""
        day = datetime.fromtimestamp(at / 1000, UTC).date()
        return self.state == APPROVED and (self.start or day) <= day <= (self.until or day)

    def over(self, at: int) -> bool:
        """Whether its last day is past at this time (ms since 1970)."""
        return self.until is not None and self.until < datetime.fromtimestamp(at / 1000, UTC).date()


class CuratedList(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A list. words: what it is, for people. curator: who answers for it. entries: in the order in which they are shown."""

    words: str = ""
    curator: str = ""
    entries: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        names = [entry.item for entry in self.entries]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands in it twice; leave one of the two out")

    def showing(self, at: int) -> tuple[Entry, ...]:
        """What may be shown at this time (ms since 1970), in order."""
        return tuple(entry for entry in self.entries if entry.on(at))

    def entry(self, item: str) -> Entry | None:
        """The entry of an item, whatever its state."""
        return next((entry for entry in self.entries if entry.item == item), None)

    def propose(self, entry: Entry) -> "CuratedList":
        """With an item that waits for the curator, at the end. Raises BadInput if it is there already, or was rejected."""
        known = self.entry(entry.item)
        if known is not None:
            fix = "A curator may still approve it" if known.state == REJECTED else "Nothing needs to be done"
            raise BadInput(field=entry.item, why=f"it is in the list already, {known.state}", fix=fix)
        return self._with((*self.entries, structs.replace(entry, state=PROPOSED)))

    def add(self, entry: Entry, first: bool = False) -> "CuratedList":
        """With an item that is approved at once, at the end or first; one that is there already is replaced."""
        rest = tuple(other for other in self.entries if other.item != entry.item)
        made = structs.replace(entry, state=APPROVED)
        return self._with((made, *rest) if first else (*rest, made))

    def judge(self, item: str, state: str, by: str = "") -> "CuratedList":
        """With an item approved or rejected. Raises BadInput if it is not in the list."""
        self._there(item)
        return self._with(
            tuple(
                structs.replace(entry, state=state, judged_by=by) if entry.item == item else entry
                for entry in self.entries
            )
        )

    def remove(self, item: str) -> "CuratedList":
        """Without an item. Raises BadInput if it is not in the list."""
        self._there(item)
        return self._with(tuple(entry for entry in self.entries if entry.item != item))

    def _there(self, item: str) -> None:
        if self.entry(item) is None:
            raise BadInput(
                field=item,
                why="it is not in the list",
                fix="`tactful list show` says what is; `tactful list add` adds it",
            )

    def _with(self, entries: tuple[Entry, ...]) -> "CuratedList":
        return structs.replace(self, entries=entries)


Lists = Mapping[str, CuratedList]
"""The lists of an installation, by name."""
