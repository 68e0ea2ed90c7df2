"""Quarantine once more: what could not be used when it came may be usable now, after the charter or a connector was mended."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from tactful.connectors import segment
from tactful.connectors.segment_names import Meaning
from tactful.domain.errors import ClockMoved, StoreBusy
from tactful.domain.event import Arrival
from tactful.engine import Engine
from tactful.intake import Taken
from tactful.ports import QUARANTINE_MS, Quarantined

AT_ONCE = 500
"""Pieces taken in together, before those that succeeded leave quarantine."""

NOT_READ = "it cannot be read again; import the file, or send the message, once more"

Reader = Callable[[Quarantined, Meaning | None], tuple[list[Arrival], list[Quarantined]]]

_arrival = msgspec.json.Decoder(Arrival)


class Group(Struct, frozen=True):
    """Pieces that lie in quarantine for the same reason. format: of what came; first, last: when, and gone: when the last of them expires (ISO 8601)."""

    format: str
    field: str
    why: str
    count: int
    first: str
    last: str
    gone: str


class Replayed(Struct, frozen=True):
    """What became of the pieces: tried = stored + duplicate + refused + stayed. reasons: why those that stayed could not be used, with how many."""

    tried: int
    stored: int
    duplicate: int
    refused: int
    stayed: int
    reasons: dict[str, int]


def grouped(pieces: Sequence[Quarantined]) -> list[Group]:
    """The pieces by reason, the most frequent first. Nothing of what people said is in it."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for piece in pieces:
        field = "line" if piece.field.startswith("line ") else piece.field  # a file has a reason for each line
        groups.setdefault((piece.format, field, piece.why), []).append(piece.at)
    return [
        Group(*key, len(times), _day(min(times)), _day(max(times)), _day(max(times) + QUARANTINE_MS))
        for key, times in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))
    ]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def concerns(piece: Quarantined, field: str) -> bool:
    """Whether a piece lies there because of this field: `traits.height`, or `height` alone."""
    return field in (piece.field, piece.field.rpartition(".")[2])


def replay(engine: Engine, wanted: Callable[[Quarantined], bool], means: Meaning | None = None) -> Replayed:
    """clean → gate → append for the wanted pieces. What succeeds leaves quarantine, stored or refused; the rest stays until its seven days are over.

    means: what names mean in this installation now. What may not be kept is not kept in quarantine either, so a refusal counts as success. Raises StoreBusy, StoreFull, StoreBroken.
    """
    quarantine = engine.stores.quarantine
    with suppress(
        StoreBusy, ClockMoved
    ):  # held up by a long read, or by a clock in doubt: the next purge makes up for it
        quarantine.purge(engine.shell.now()).wait()  # what is due is not looked at any more
    pieces = [piece for piece in quarantine.pieces() if wanted(piece)]
    what: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for start in range(0, len(pieces), AT_ONCE):
        some, done = pieces[start : start + AT_ONCE], []
        for piece, taken in [
            (piece, _again(engine, piece, means)) for piece in some
        ]:  # all are sent before one is waited for
            if isinstance(taken, str):
                reasons[taken] += 1
                continue
            outcome = taken.wait()
            what.update(stored=outcome.stored, duplicate=outcome.duplicate, refused=outcome.refused)
            done.append(piece)
        quarantine.drop(done).wait()
    with suppress(StoreBusy, ClockMoved):
        quarantine.purge(engine.shell.now()).wait()  # keys that sealed only what has gone go too
    stayed = sum(reasons.values())
    return Replayed(len(pieces), what["stored"], what["duplicate"], what["refused"], stayed, dict(reasons))


def _again(engine: Engine, piece: Quarantined, means: Meaning | None) -> Taken | str:
    """On its way to the disk, or why it stays."""
    read = READERS.get(piece.format)
    if read is None:
        return NOT_READ
    try:
        arrivals, unusable = read(piece, means)
    except msgspec.DecodeError:  # kept by a version of ours that wrote arrivals otherwise
        return NOT_READ
    return engine.retake(arrivals, unusable, piece.at)


def _read_arrival(piece: Quarantined, means: Meaning | None) -> tuple[list[Arrival], list[Quarantined]]:
    """An arrival as `engine.take` set it aside."""
    arrival = _arrival.decode(piece.raw)
    room, _, name = piece.field.partition(".")
    if (room == "traits" and arrival.traits.get(name) is None) or (name == "value" and arrival.value is None):
        return [], [
            piece
        ]  # JSON has no infinity and no "not a number": what they became would be taken for something said
    return [arrival], []


READERS: dict[str, Reader] = {"arrival": _read_arrival, segment.FORMAT: segment.again}
"""Who can read a piece again, by its format."""
