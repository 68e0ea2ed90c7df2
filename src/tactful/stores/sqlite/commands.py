"""What can be asked of the writer, what it answers, and how both cross the socket: 4 bytes of length, then MessagePack."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tactful.domain import errors
from tactful.domain.errors import BadInput, StoreBroken, TactfulError, TooLarge

FRAME_MOST = 64 * 1024 * 1024
"""The longest frame, in bytes."""


class Row(Struct, frozen=True, array_like=True, gc=False):
    """A record on its way in. person: pseudonym; messages: a keyed hash per event; events: packed, one by one."""

    person: bytes
    data: str
    keep_until: int
    messages: list[bytes]
    events: list[Raw]


class Piece(Struct, frozen=True, array_like=True, gc=False):
    """A piece on its way into quarantine. person: pseudonym, or NOBODY."""

    person: bytes
    keep_until: int
    packed: bytes


class Append(Struct, frozen=True, array_like=True, tag="append"):
    """Keep events. Answered with (row, event) numbers of duplicates."""

    rows: list[Row]


class AppendConsent(Struct, frozen=True, array_like=True, tag="consent"):
    """Keep changes of consent: (pseudonym, packed)."""

    changes: list[tuple[bytes, bytes]]


class AppendLink(Struct, frozen=True, array_like=True, tag="link"):
    """Keep links: (pseudonym, keyed hash of the link, pseudonym at its other end, packed)."""

    links: list[tuple[bytes, bytes, bytes, bytes]]


class AppendReceipt(Struct, frozen=True, array_like=True, tag="receipt"):
    """Keep a receipt. person: pseudonym; None: `packed` is sealed already, under the receipt's own id. id: its hash.

    feed: it gets a number of its own, if it names a person. note: packed, and when it goes (ms since 1970); empty: there is none.
    """

    id: bytes
    person: bytes | None
    keep_until: int
    packed: bytes
    feed: bool = False
    note: bytes = b""
    note_until: int = 0


class PutItems(Struct, frozen=True, array_like=True, tag="items"):
    """Add or replace items: (id, packed). Answered with the catalogue's version."""

    items: list[tuple[str, bytes]]


class PutQuarantine(Struct, frozen=True, array_like=True, tag="quarantine"):
    """Keep pieces that could not be used."""

    pieces: list[Piece]


class DropPieces(Struct, frozen=True, array_like=True, tag="drop"):
    """Let go of pieces in quarantine: (number, as sealed). A number that holds something else by now is passed over."""

    pieces: list[tuple[int, bytes]]


class Forget(Struct, frozen=True, array_like=True, tag="forget"):
    """Leave nothing of a person."""

    person: bytes


class ForgetEvents(Struct, frozen=True, array_like=True, tag="forget events"):
    """Leave nothing of a person's events with these ids."""

    person: bytes
    events: list[str]


class Purge(Struct, frozen=True, array_like=True, tag="purge"):
    """Drop whatever is due at this time (ms). Answered with how many rows went."""

    now: int


class Flush(Struct, frozen=True, array_like=True, tag="flush"):
    """Answered once everything that came before is durable."""


Command = (
    Append
    | AppendConsent
    | AppendLink
    | AppendReceipt
    | PutItems
    | PutQuarantine
    | DropPieces
    | Forget
    | ForgetEvents
    | Purge
    | Flush
)


class Call(Struct, frozen=True, array_like=True):
    """A command with the number by which the client knows its answer."""

    number: int
    command: Command


class Answer(Struct, frozen=True, array_like=True):
    """The answer to one call: a value, or the name of an error class with its facts."""

    number: int
    value: Any = None
    error: str = ""
    facts: dict[str, Any] = {}

    def failure(self) -> TactfulError | None:
        """The error as the writer raised it, if it did."""
        if not self.error:
            return None
        kind = getattr(errors, self.error, StoreBroken)
        return kind(**self.facts) if issubclass(kind, TactfulError) else StoreBroken(why=self.error)


def answer(number: int, outcome: object) -> Answer:
    """The answer that carries this outcome: a value, or a TactfulError."""
    if isinstance(outcome, TactfulError):
        return Answer(number, None, type(outcome).__name__, outcome.facts)
    return Answer(number, outcome)


_encode = msgspec.msgpack.Encoder().encode
decode_call = msgspec.msgpack.Decoder(Call).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def frame(message: Call | Answer) -> bytes:
    """The message as it goes over the socket. Raises TooLarge."""
    packed = _encode(message)
    if len(packed) > FRAME_MOST:
        raise TooLarge(
            field="the batch", size=len(packed), unit="bytes", most=FRAME_MOST, fix="Send it in several smaller batches"
        )
    return len(packed).to_bytes(4, "big") + packed


class Frames:
    """Cuts what arrives on a socket into messages."""

    def __init__(self) -> None:
        self._left = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now. Raises BadInput for a frame that cannot be one of ours."""
        left = self._left
        left += data
        place = 0
        while len(left) - place >= 4:
            end = place + 4 + int.from_bytes(left[place : place + 4], "big")
            if end - place - 4 > FRAME_MOST:
                raise BadInput(
                    field="frame",
                    why=f"{end - place - 4:,} bytes announced",
                    fix="Only Tactful may talk on this socket",
                )
            if len(left) < end:
                break
            yield bytes(left[place + 4 : end])
            place = end
        del left[:place]
