"""Who may do what: scoped keys, hashed at rest, and signed person tokens."""

import base64
import binascii
import hashlib
import json
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput, NoKey, NotAllowed, NotInitialised
from tactful.stores.durable import write_new

SCOPES = ("write", "decide", "items", "consent", "receipts", "admin", "feed")
SCOPES_OF_0_1 = SCOPES[:6]
"""A secret key of version 0.1 may do everything, so it may also do what came later."""
PUBLIC = ("write", "decide")
"""A public key sits in browsers and apps, where everybody can read it: it speaks for nobody in particular."""


class Key(Struct, frozen=True):
    """A key as it is kept. hash: SHA-256 of the key, which has 256 random bits and so needs no slow hash. trusted: may name people."""

    name: str
    hash: str
    scopes: tuple[str, ...]
    trusted: bool


class Stored(Struct, frozen=True):
    """access.json."""

    token_secret: str
    keys: list[Key]


class Access:
    """Keys and tokens of an installation."""

    def __init__(self, stored: Stored) -> None:
        self._secret = bytes.fromhex(stored.token_secret)
        self._keys = {key.hash: key for key in stored.keys}

    @staticmethod
    def create(path: Path) -> dict[str, str]:
        """Make a public and a secret key, keep their hashes, and hand out the keys: they cannot be read again."""
        given = {"public": f"pk_{secrets.token_urlsafe(32)}", "secret": f"sk_{secrets.token_urlsafe(32)}"}
        keys = [
            Key("public", _hash(given["public"]), PUBLIC, False),
            Key("secret", _hash(given["secret"]), SCOPES, True),
        ]
        text = json.dumps(msgspec.to_builtins(Stored(secrets.token_hex(32), keys)), indent=1)
        write_new(path, text.encode())
        return given

    @staticmethod
    def read(path: Path) -> "Access":
        """The access rules of an installation. Raises NotInitialised."""
        if not path.exists():
            raise NotInitialised(path=path.parent)
        return Access(msgspec.json.decode(path.read_bytes(), type=Stored))

    def key(self, authorization: str, scope: str, body_key: str | None = None) -> Key:
        """The key that came with a request, from the header (Bearer, or Basic as user name) or from the body.

        Raises NoKey, or NotAllowed if it lacks the scope.
        """
        sent = body_key or _from_header(authorization)
        found = self._keys.get(_hash(sent)) if sent else None
        if found is None:
            raise NoKey
        if scope not in found.scopes and found.scopes != SCOPES_OF_0_1:
            raise NotAllowed(
                why=f"The key {found.name!r} lacks the scope {scope!r}", fix="Use a secret key, on your server"
            )
        return found

    def token(self, person: str, now: int, seconds: int = 3600) -> str:
        """A token (JWT, HS256) by which a client proves that it acts for a person. now: ms since 1970."""
        import jwt

        return jwt.encode({"sub": person, "exp": now // 1000 + seconds, "aud": "tactful"}, self._secret, "HS256")

    def person(self, token: str, now: int) -> str | None:
        """The person of a token, or None for no token. Raises NotAllowed if it is forged or out of date."""
        if not token:
            return None
        import jwt

        try:
            claims = jwt.decode(token, self._secret, ["HS256"], audience="tactful", options={"verify_exp": False})
        except jwt.InvalidTokenError:
            raise NotAllowed(
                why="The person token is not one of ours", fix="Ask for one with POST /v1/tokens"
            ) from None
        if claims.get("exp", 0) * 1000 < now:
            raise NotAllowed(why="The person token is out of date", fix="Ask for a new one with POST /v1/tokens")
        person = claims.get("sub")
        if not isinstance(person, str) or not person:
            raise BadInput(field="token", why="it names nobody", fix="Ask for one with POST /v1/tokens")
        return person


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _from_header(authorization: str) -> str:
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
