"""The feed: what was kept about people, in the order in which the writer kept it, with their names."""

from tactful.domain.consent import NOBODY, Consent, ConsentChange
from tactful.domain.receipt import Receipt
from tactful.ports import Entry, Page
from tactful.stores.sqlite.reader import Content, Reader


class SqliteFeed:
    """Reads on from a number. The order is the order of the commits, since one process numbers and writes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def head(self) -> int:
        """See `ports.Feed`."""
        return self._reader.meta("seq")

    def after(self, number: int, most: int) -> Page:
        """See `ports.Feed`. What people allow is read after the rows, so that it is never older than they are."""
        rows, until = self._reader.feed(number, most)
        said = {person: self._reader.said(person) for person in {person for _, person, _ in rows}}
        # Somebody without a single change left was forgotten since the rows were read.
        entries = [_entry(seq, person, content, said[person]) for seq, person, content in rows if said[person]]
        return Page(tuple(entries), until)


def _entry(number: int, person: bytes, content: Content, said: list[tuple[int, ConsentChange]]) -> Entry:
    before, name = NOBODY, ""
    if isinstance(content, ConsentChange):
        before = Consent.of(change for seq, change in said if seq < number)
    if isinstance(content, Receipt):
        name = content.person or ""
    name = name or next((change.person for _, change in reversed(said) if change.person), person.hex())
    return Entry(number, name, content, Consent.of(change for _, change in said), before)
