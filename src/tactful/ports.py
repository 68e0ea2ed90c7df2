"""What the core needs from outside: places to keep things, and parts that choose.

Ports speak the words of the domain. Whatever holds something personal has a `forget`. The suites in `contracts/` say, as tests,
what each must do; an implementation of your own inherits the suite as its test.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from tactful.domain.catalogue import Catalogue, Mask, Rows
from tactful.domain.consent import NOBODY, Consent, ConsentChange
from tactful.domain.curated import Lists
from tactful.domain.decision import Ask, Evidence, Slots
from tactful.domain.errors import NoModel, OldModel
from tactful.domain.event import VERBS, Event
from tactful.domain.identity import Link
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.domain.receipt import Receipt
from tactful.domain.view import Moment, View

T = TypeVar("T")

# ---------------------------------------------------------------------------------------------------------------- keeping


VISIT = "visit"
"""The data entry under which a store keeps the current visit of people at the dial's level `visit`. It goes when the visit ends:
once none of the person's records under it is due to be kept any longer."""


class Record(Struct, frozen=True, array_like=True):
    """Events of one person, kept together under one data entry, so that they can be sealed together and forgotten together.

    keep_until: milliseconds since 1970, when it must be gone.
    """

    person: str
    data: str
    events: tuple[Event, ...]
    keep_until: int


class Quarantined(Struct, frozen=True, array_like=True):
    """Something that came in and could not be used. raw: as it came; field, why: what was wrong. person: "" if nobody could be named.

    format: what raw is: `arrival`, or the connector that can read it again ("": nobody can). trusted, proven: for whom its sender could
    speak (anybody; one person by a token): taking it in again proves no more than that.
    """

    id: str
    at: int
    person: str
    raw: bytes
    field: str
    why: str
    format: str = ""
    trusted: bool = False
    proven: str = ""


class Ack(Generic[T]):
    """A promise that a write is durable and visible: `wait()` where blocking is fine, `await` it in a server."""

    def __init__(self, value: T) -> None:
        self.value = value

    def wait(self) -> T:
        """The outcome, once durable. Raises what went wrong."""
        return self.value

    def __await__(self) -> Generator[Any, Any, T]:
        return self.value
        yield  # makes this a generator, so that `await` works on what is already there


class EventLog(Protocol):
    """Where events are kept, in the order they came, each message of a person once."""

    def append(self, records: Sequence[Record]) -> Ack[frozenset[tuple[str, str]]]:
        """Keep records. Answers with (person, event id) of those that the person already had: duplicates, not kept again."""

    def head(self, person: str) -> int:
        """The number of the person's last record; 0 if there is none. Cheap: it is asked before every decision."""

    def read(self, person: str, after: int = 0) -> list[tuple[int, Event]]:
        """The person's events in records numbered above `after`, with the number, in the order they came."""

    def people(self) -> Iterator[tuple[str, list[Event]]]:
        """Everybody, with their events, for learning. Names are pseudonyms, stable within the installation, in sorted order."""

    def forget(self, person: str, events: Collection[str] | None = None) -> Ack[None]:
        """Leave nothing of the person; or, of the person, nothing of the events with these ids, which still count as seen."""


class ConsentLog(Protocol):
    """Where consent is kept: every change, as proof."""

    def append(self, changes: Sequence[tuple[str, ConsentChange]]) -> Ack[None]:
        """Keep changes, each with the person who made it; the person's name is written into the change."""

    def read(self, person: str) -> list[ConsentChange]:
        """The person's changes, in the order they came."""

    def version(self) -> int:
        """The number of the last change (or forgetting) of anybody. Cheap: caches of consent are good as long as it stays the same."""

    def everybody(self) -> Iterator[tuple[str, list[ConsentChange]]]:
        """Everybody's changes, under the same pseudonyms as in `EventLog.people`. `ConsentChange.person` has the name."""

    def forget(self, person: str) -> Ack[None]:
        """Leave nothing of the person."""


class LinkLog(Protocol):
    """Where it is kept who is who: links between names and people, as proof. Each link stands in the logs of both its names."""

    def append(self, links: Sequence[Link]) -> Ack[None]:
        """Keep links, each once at its name and once at its person (if that is another), together or not at all. A link that a name
        already has is not kept again. Moves `ConsentLog.version`, so that caches of who is who let go too."""

    def read(self, name: str) -> list[Link]:
        """The links that mention this name, in the order they came."""

    def everybody(self) -> Iterator[tuple[str, list[Link]]]:
        """Everybody's links, under the same pseudonyms as in `EventLog.people`; in the links too, names are pseudonyms."""

    def forget(self, person: str) -> Ack[None]:
        """Leave nothing of the person, not even in the links of others."""


NOTE_MS = 86_400_000
"""How long the note of a decision is kept, in milliseconds: a day, as a receipt that names nobody."""


class ReceiptLog(Protocol):
    """Where receipts are kept. Readable at once; durable within a tenth of a second, or at once if asked."""

    def append(self, receipt: Receipt, keep_until: int, feed: bool = False, note: Note | None = None) -> Ack[None]:
        """Keep a receipt. Need not be waited for. feed: give it a place in the feed, if it names a person. note: kept along with it,
        and forgotten with the person."""

    def get(self, receipt: str) -> Receipt | None:
        """The receipt, or None if there is none (any more)."""

    def noted(self) -> int:
        """The number of the last note ever kept; 0 if there was none. Cheap. Numbers only grow."""

    def notes(self, after: int, most: int) -> list[tuple[int, Note]]:
        """Notes numbered above `after`, at most so many, with their numbers, in the order in which they were kept. None: there are no more."""

    def forget(self, person: str) -> Ack[None]:
        """Leave nothing of the person."""


class ItemStore(Protocol):
    """Where the catalogue is kept."""

    def put(self, items: Sequence[Item]) -> Ack[int]:
        """Add or replace items, by id; answers with the catalogue's new version."""

    def version(self) -> int:
        """The catalogue's version. Cheap: it is asked before every decision."""

    def since(self, version: int) -> list[tuple[int, bytes]]:
        """(row, packed item) of all items put after that version. Rows are dense and never reused."""


QUARANTINE_MS = 7 * 86_400_000
"""How long a piece stays in quarantine, in milliseconds: seven days."""


class Quarantine(Protocol):
    """Where what could not be used waits for a fix, at most seven days."""

    def put(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        """Keep pieces."""

    def pieces(self) -> list[Quarantined]:
        """All pieces, oldest first."""

    def count(self) -> int:
        """How many pieces there are."""

    def drop(self, pieces: Sequence[Quarantined]) -> Ack[None]:
        """Let go of these pieces; what is not there (any more) is passed over. Of two that are the same, both go."""

    def purge(self, now: int) -> Ack[int]:
        """Drop whatever is due: quarantined pieces, receipts and records past their time. Answers with how many went."""

    def forget(self, person: str) -> Ack[None]:
        """Leave nothing of the person."""


class Entry(Struct, frozen=True):
    """Something that was kept, at its place in the feed.

    number: the sequence number, never given twice. person: the name; of logs older than 0.2 that do not hold it, the pseudonym.
    content: the events of one record, a change of consent, or a receipt. consent: what the person allows now; before: what they
    allowed when a change of consent was made (of other entries: nothing).
    """

    number: int
    person: str
    content: tuple[Event, ...] | ConsentChange | Receipt
    consent: Consent
    before: Consent = NOBODY


class Page(Struct, frozen=True):
    """A stretch of the feed. until: the number up to which it was looked through; what is above is still to be read."""

    entries: tuple[Entry, ...]
    until: int


class Feed(Protocol):
    """All that is kept about people, in the order in which it was kept, for passing it on.

    What was erased is not in it, nor is anything of people who never said what they allow.
    """

    def head(self) -> int:
        """The last number given. Cheap."""

    def after(self, number: int, most: int) -> Page:
        """What is numbered above `number`, at most so many entries, with the names of the people."""


def _nothing() -> None:
    """Stores that hold no files have nothing to let go of."""


class Stores(Struct, frozen=True):
    """All places to keep things, opened together.

    close: lets go of files and connections; nothing may be asked afterwards. glance: `with stores.glance():` makes the reads in the
    block see one state, and costs one look instead of several; keep it short, since it holds up the emptying of logs.
    admit: to be asked before taking in something large; raises TooBusy if more is under way than the disk keeps up with.
    """

    events: EventLog
    consents: ConsentLog
    receipts: ReceiptLog
    items: ItemStore
    quarantine: Quarantine
    links: LinkLog
    feed: Feed
    close: Callable[[], None] = _nothing
    glance: Callable[[], AbstractContextManager[None]] = nullcontext
    admit: Callable[[], None] = _nothing


# --------------------------------------------------------------------------------------------------------------- learning


class Model(Struct, frozen=True):
    """What `fit` makes: named arrays, and a manifest (data range, settings, code version, counts). Never a pickle."""

    name: str
    arrays: dict[str, NDArray[Any]]
    manifest: dict[str, Any] = field(default_factory=dict)
    version: str = ""


class ModelStore(Protocol):
    """Where models are kept. Arrays come back memory-mapped, so that workers share them."""

    def save(self, model: Model) -> str:
        """Keep a model and make it the current one of its name. Answers with its version."""

    def current(self) -> dict[str, str]:
        """The current version of each model, by name. Cheap."""

    def load(self, name: str, version: str) -> Model:
        """A model."""


class Interactions(Struct, frozen=True):
    """What people did, as columns of length m, ordered by person, then time. Only what each allowed to be learned from.

    person int32 (0..people-1), row int32 (catalogue row), at int64 (ms), verb int8 (index into VERBS), value float32 (nan: none).
    """

    person: NDArray[np.int32]
    row: NDArray[np.int32]
    at: NDArray[np.int64]
    verb: NDArray[np.int8]
    value: NDArray[np.float32]
    people: int

    def doing(self, verbs: Collection[str]) -> Interactions:
        """Those in which somebody did one of these."""
        return self.take(np.isin(self.verb, [VERBS.index(verb) for verb in sorted(verbs)]))

    def take(self, mask: NDArray[np.bool_]) -> Interactions:
        """Those that the mask bool[m] keeps."""
        return Interactions(
            self.person[mask], self.row[mask], self.at[mask], self.verb[mask], self.value[mask], self.people
        )


# --------------------------------------------------------------------------------------------------------------- choosing


class SearchIndex(Protocol):
    """Finds items by words. Derived from the catalogue; holds nothing about people."""

    def find(self, query: str, most: int) -> list[tuple[int, float]]:
        """(row, relevance above 0) of the items that match, best first. Mends typing mistakes. An empty query finds nothing.

        Raises SearchNotReady while it reads a large catalogue for the first time.
        """

    def mend(self, query: str) -> str:
        """The query as it is searched for, if a typing mistake in it is mended; otherwise as it came. Raises SearchNotReady."""

    def suggest(self, prefix: str, most: int, permit: Callable[[Rows], Mask] | None = None) -> list[str]:
        """Titles and attribute values of items with which the query could go on, likeliest first.

        permit: which of the rows int32[n] may be suggested; None suggests from all. Raises SearchNotReady.
        """


class ListStore(Protocol):
    """Where lists that people pick by hand are kept. Nothing personal is in them."""

    def stamp(self) -> Hashable:
        """Changes when a list does. Cheap."""

    def read(self) -> Lists:
        """All lists, by name. Raises BadInput."""


class Shelf(Struct, frozen=True):
    """What strategies choose from: one state of the catalogue, of the models and of the lists. Swapped whole, so a decision sees one state."""

    catalogue: Catalogue
    models: dict[str, Model]
    where: str = ""
    search: SearchIndex | None = None
    lists: Lists = {}

    def model(self, name: str, *needs: str) -> Model:
        """The model called so. needs: arrays or entries of its manifest that earlier versions did not write. Raises NoModel, or OldModel,
        which name the fix."""
        found = self.models.get(name)
        if found is None:
            raise NoModel(name=name, where=self.where or "memory")
        for need in needs:
            if need not in found.arrays and need not in found.manifest:
                raise OldModel(name=name, where=self.where or "memory", need=need)
        return found


class Strategy:
    """A way of choosing. A plug-in is one file in `strategies/` with one subclass that is also a frozen Struct: its fields are its settings."""

    model: str = ""
    """Name of the model it serves from; "" for a strategy that needs none."""

    def parts(self) -> Sequence[Strategy]:
        """Strategies that this one is made of."""
        return ()

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """What speaks for which items: a candidate's score is the sum of its evidence, so that reasons and score cannot differ.

        A score estimates the chance that this item is chosen next, so that strategies add up.
        """
        raise NotImplementedError

    def fit(self, interactions: Interactions, catalogue: Catalogue) -> Model:
        """Learn. Deterministic: the same interactions and catalogue give the same bytes."""
        raise NotImplementedError


class Guard:
    """A promise kept at decision time. A plug-in is one file in `guards/` with one subclass that is also a frozen Struct."""

    why: ClassVar[str] = ""
    """Why items are removed, in words."""

    personal: ClassVar[bool] = False
    """Whether it goes by what the person did: then a list it shortened is no longer the same for everyone."""

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """bool[n]: which of the rows int32[n] may be shown. A guard that fails permits nothing."""
        raise NotImplementedError


class Dice(Protocol):
    """Where chance comes from: passed in, never reached for. numpy's Generator and random.Random both fit."""

    def random(self) -> float:
        """A number in [0, 1)."""


class Arranger:
    """A way of filling the slots. A plug-in is one file in `arrangers/`."""

    personal: ClassVar[bool] = False
    """Whether it goes by what is known about the person: then the order is no longer the same for everyone."""

    def arrange(
        self, rows: Rows, scores: NDArray[np.float64], limit: int, catalogue: Catalogue, dice: Dice, moment: Moment
    ) -> Slots:
        """Fill at most `limit` slots from permitted rows int32[n], given best first with their scores float64[n].

        It draws only among these rows, and says with what odds it drew each, given the slots already filled.
        """
        raise NotImplementedError
