"""A decision opened step by step, for whoever runs the house: what a receipt says, in the order in which it came about."""

from datetime import UTC, datetime

from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Placed, Removal
from tactful.domain.receipt import Receipt, Shown
from tactful.domain.words import Words
from tactful.flow.wording import label, sentence, what_if

SPEAKS = {
    "history": "What the person did",
    "told": "What the person told",
    "obtained": "What others told about the person",
    "inferred": "What was concluded about the person",
    "item": "The item that the page is about",
    "context": "What goes on around the person",
    "popular": "What many chose",
    "assumed": "What the charter assumes where nothing is known",
    "default": "The placement's own list",
    "query": "The words that were searched for",
    "curated": "A list made by hand",
    "new": "Being new",
}
"""By kind of source: what spoke for items."""


class Part(Struct, frozen=True):
    """What one kind of source added. share: of all that the receipt names, 0 to 1; items: how many it spoke for."""

    words: str
    share: float
    items: int
    personal: bool


class Taken(Struct, frozen=True):
    """What one guard took away. named: the best of it by title."""

    by: str
    why: str
    count: int
    named: tuple[str, ...]
    personal: bool


class Slot(Struct, frozen=True):
    """One item in its place. rank: its place among the permitted items before arranging, 0 for one from the placement's own list."""

    place: int
    title: str
    rank: int
    odds: float
    score: float
    why: str
    what_if: str

    @property
    def moved(self) -> int:
        """By how many places the arranger moved it up (above 0) or down."""
        return self.rank - self.place if self.rank else 0


class Steps(Struct, frozen=True):
    """A receipt, as the page shows it. opened, unopened, assumed: data and traits in words. known: whether it names a person."""

    id: str
    at: str
    placement: str
    purpose: str
    surface: str
    known: bool
    placed: Placed | None
    dial: str
    versions: tuple[tuple[str, str], ...]
    opened: tuple[str, ...]
    unopened: tuple[str, ...]
    assumed: tuple[str, ...]
    withheld: tuple[tuple[str, int, str], ...]
    proposed: int
    parts: tuple[Part, ...]
    permitted: int
    taken: tuple[Taken, ...]
    slots: tuple[Slot, ...]
    held: bool
    label: str
    personal: bool
    faults: tuple[str, ...]


def steps_of(receipt: Receipt, catalogue: Catalogue, charter: Charter, words: Words) -> Steps:
    """The steps of one decision."""
    called = {name: entry.words for name, entry in charter.data.items()}
    purpose = charter.purposes.get(receipt.purpose)
    return Steps(
        id=receipt.id,
        at=f"{moment(receipt.at):%-d %B %Y, %H:%M:%S} UTC",
        placement=receipt.placement,
        purpose=purpose.words if purpose is not None else receipt.purpose,
        surface=receipt.surface,
        known=receipt.person is not None,
        placed=receipt.placed,
        dial=Dial(receipt.dial).words,
        versions=_versions(receipt),
        opened=tuple(called.get(name, name) for name in receipt.opened),
        unopened=tuple(called.get(name, name) for name in receipt.allowed if name not in receipt.opened),
        assumed=receipt.assumed,
        withheld=tuple((called.get(one.data, one.data), one.count, one.why) for one in receipt.withheld),
        proposed=receipt.proposed,
        parts=_parts(receipt),
        permitted=receipt.permitted,
        taken=tuple(_taken(one, catalogue) for one in receipt.removed),
        slots=tuple(_slot(place, one, catalogue, words) for place, one in enumerate(receipt.shown, 1)),
        held=receipt.verdict == "hold",
        label=label(receipt, words),
        personal=receipt.personal,
        faults=receipt.faults,
    )


def moment(at: int) -> datetime:
    """A time (ms since 1970) as a date, in UTC: the house may stand anywhere."""
    return datetime.fromtimestamp(at / 1000, UTC)


def _versions(receipt: Receipt) -> tuple[tuple[str, str], ...]:
    return (
        ("recipe", receipt.recipe),
        ("charter", receipt.charter),
        ("catalogue", str(receipt.catalogue)),
        *((f"model {name}", version) for name, version in sorted(receipt.models.items())),
    )


def _parts(receipt: Receipt) -> tuple[Part, ...]:
    amounts: dict[str, float] = {}
    items: dict[str, int] = {}
    for shown in receipt.shown:
        for kind in {piece.source.kind for piece in shown.contributions}:
            items[kind] = items.get(kind, 0) + 1
        for piece in shown.contributions:
            amounts[piece.source.kind] = amounts.get(piece.source.kind, 0.0) + piece.amount
    whole = sum(amounts.values()) or 1.0
    strongest = sorted(amounts, key=lambda kind: (-amounts[kind], kind))
    return tuple(
        Part(SPEAKS.get(kind, kind), amounts[kind] / whole, items[kind], kind in PERSONAL) for kind in strongest
    )


def _taken(removal: Removal, catalogue: Catalogue) -> Taken:
    named = tuple(_title(name, catalogue) for name in removal.items)
    return Taken(removal.by, removal.why, removal.count, named, removal.personal)


def _slot(place: int, shown: Shown, catalogue: Catalogue, words: Words) -> Slot:
    why, more = sentence(shown, catalogue, words), what_if(shown, catalogue, words)
    return Slot(place, _title(shown.item, catalogue), shown.rank, shown.odds, shown.score, why, more)


def _title(item: str, catalogue: Catalogue) -> str:
    found = catalogue.get(item)
    return found.title if found is not None else item
