"""The bytes of a request → its messages, each still undecoded. What a body is shows in its content; clients mislabel it."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput

BATCH = 'Send {"batch": [message, ...]}'
ONE = 'Send one message: {"userId": ..., "event": ..., "properties": {...}}'
BOM = b"\xef\xbb\xbf"


class Batch(Struct, frozen=True):
    """Messages, and what holds for each of them unless it says otherwise itself.

    kind: the type that the address says they are, "" if each says its own. sent_at: by the client's clock. context: merged into each.
    """

    messages: list[msgspec.Raw]
    kind: str = ""
    sent_at: datetime | None = None
    write_key: str = ""
    context: dict[str, Any] = {}

    @property
    def rudder(self) -> bool:
        """Whether a client of RudderStack's made it: each of their messages says its `channel`, and theirs alone."""
        try:
            return bool(self.messages) and bool(_channel.decode(self.messages[0]).channel)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False


class _Envelope(Struct):
    """What surrounds the messages. A field of the wrong type is as good as missing: it must not cost the messages."""

    sentAt: Any = None
    writeKey: Any = None
    context: Any = None


class _BatchEnvelope(_Envelope, kw_only=True):
    batch: list[msgspec.Raw]


class _Channel(Struct):
    channel: Any = None


_batch = msgspec.json.Decoder(_BatchEnvelope)
_one = msgspec.json.Decoder(_Envelope)
_channel = msgspec.json.Decoder(_Channel)


def read_batch(body: bytes) -> Batch:
    """A body with a list called `batch`. Raises BadInput if it is not JSON, or has no such list."""
    envelope, _ = _decoded(_batch, body, BATCH, "batch")
    context = envelope.context if isinstance(envelope.context, dict) else {}
    return Batch(envelope.batch, "", moment(envelope.sentAt), _text(envelope.writeKey), context)


def read_one(body: bytes, kind: str) -> Batch:
    """A body that is one message, sent to the address of its type (`kind`). Raises BadInput if it is not JSON, or no object."""
    envelope, whole = _decoded(_one, body, ONE, "body")
    return Batch([msgspec.Raw(whole)], kind, moment(envelope.sentAt), _text(envelope.writeKey))


def moment(value: Any) -> datetime | None:
    """The moment that a text in ISO 8601 says, or None."""
    try:
        return msgspec.convert(value, datetime | None)
    except msgspec.ValidationError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes, fix: str, field: str) -> tuple[Any, bytes]:
    """The envelope, and the JSON that it was read from. Raises BadInput."""
    body = _json(body)
    try:
        try:
            return decoder.decode(body), body
        except msgspec.DecodeError:
            whole = _mended(body)
            if whole == body:
                raise
            return decoder.decode(whole), whole
    except msgspec.ValidationError as mistake:
        raise BadInput(field=field, why=str(mistake), fix=fix) from None
    except RecursionError:
        raise BadInput(field="body", why="it is nested too deeply", fix="Send flat properties") from None
    except msgspec.DecodeError as mistake:
        raise BadInput(field="body", why=f"it is not JSON ({mistake})", fix=fix) from None


_FORM = re.compile(rb"\s*(?:[\w.\-]{1,40}=)?(?:%7[bB]|\{)")


def _json(body: bytes) -> bytes:
    """The JSON inside a body: behind a byte order mark, or percent-encoded as a form sends it, with a name before it or without."""
    body = body.removeprefix(BOM)
    if body.lstrip()[:1] == b"{" or not _FORM.match(body):
        return body
    name, _, value = body.strip().partition(b"=")
    encoded = name if name.startswith(b"%") else value.partition(b"&")[0]
    return unquote_plus(encoded.decode("ascii", "replace"), errors="replace").encode()


_TEXT_OR_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b', re.DOTALL)
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\."
)


def _mended(body: bytes) -> bytes:
    """What clients send that is not quite JSON, and would cost a whole batch.

    One that cuts a text in the middle of an emoji sends half a character, which no text can hold: it becomes U+FFFD. Python's `json`
    writes numbers that are none (`NaN`, `Infinity`): they become null.
    """
    return _TEXT_OR_NUMBER.sub(_mended_part, body)


def _mended_part(part: "re.Match[bytes]") -> bytes:
    found = part.group()
    return _ESCAPES.sub(_without_half_characters, found) if found[:1] == b'"' else b"null"


def _without_half_characters(escape: "re.Match[bytes]") -> bytes:
    found = escape.group()
    return b"\\ufffd" if len(found) == 6 else found
