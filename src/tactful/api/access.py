"""Who may do what: scoped keys, hashed at rest, and signed person tokens."""

import base64
import binascii
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput, NoKey, NotAllowed, NotInitialised
from tactful.stores.durable import write_new, write_whole

SCOPES = ("write", "decide", "items", "consent", "receipts", "admin", "feed", "owner")
SCOPES_OF_0_1 = SCOPES[:6]
"""A secret key of version 0.1 may do everything, so it may also do what came later."""
PUBLIC = ("write", "decide")
"""A public key sits in browsers and apps, where everybody can read it: it speaks for nobody in particular."""


PERSON = "tactful"
"""For whom the token of a person is."""
OWNER = "tactful owner"
"""For whom the token of a session on the owner's page is; a person's token is for another."""
LOOK_S = 1.0
"""How often a running server looks whether the keys were changed, in seconds."""
log = logging.getLogger("tactful")


class Key(Struct, frozen=True, omit_defaults=True):
    """A key as it is kept. hash: SHA-256 of the key, which has 256 random bits and so needs no slow hash. trusted: may name people.

    granted: purposes that people whom this key names, and who never said anything here, agreed to elsewhere, as the operator vouches;
    source: where they did; it stands in each one's proof of consent.
    """

    name: str
    hash: str
    scopes: tuple[str, ...]
    trusted: bool
    granted: tuple[str, ...] = ()
    source: str = ""

    def may(self, scope: str) -> bool:
        """Whether it has the scope."""
        return scope in self.scopes or self.scopes == SCOPES_OF_0_1


class Ticket(Struct, frozen=True):
    """A link that opens the owner's page once. hash: SHA-256 of what it says. key: by whose right. until: ms since 1970."""

    hash: str
    key: str
    until: int


class Stored(Struct, frozen=True):
    """access.json."""

    token_secret: str
    keys: list[Key]
    tickets: list[Ticket] = []


class Access:
    """Keys and tokens of an installation.

    path: the file, if changes to it are to be taken up while serving, at most `LOOK_S` later. clock: seconds, for that alone.
    """

    def __init__(self, stored: Stored, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._looked, self._state = clock(), _state(path)
        self._take(stored)

    def _take(self, stored: Stored) -> None:
        self._secret = bytes.fromhex(stored.token_secret)
        self._keys = {key.hash: key for key in stored.keys}

    def _look(self) -> None:
        """Take up the file if it is another one by now. One that cannot be read leaves the keys as they were, and says so in the log."""
        if self._path is None or self._clock() - self._looked < LOOK_S:
            return
        self._looked, state = self._clock(), _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._take(_stored(self._path))
        except (OSError, ValueError) as error:
            log.warning("access.json could not be read, the keys stay as they were: %s", error)

    @staticmethod
    def create(path: Path) -> dict[str, str]:
        """Make a public and a secret key, keep their hashes, and hand out the keys: they cannot be read again."""
        given = {"public": f"pk_{secrets.token_urlsafe(32)}", "secret": f"sk_{secrets.token_urlsafe(32)}"}
        keys = [
            Key("public", _hash(given["public"]), PUBLIC, False),
            Key("secret", _hash(given["secret"]), SCOPES, True),
        ]
        write_new(path, _packed(Stored(secrets.token_hex(32), keys)))
        return given

    @staticmethod
    def read(path: Path) -> "Access":
        """The access rules of an installation, kept up to date with the file. Raises NotInitialised."""
        return Access(_stored(path), path)

    @staticmethod
    def keys(path: Path) -> list[Key]:
        """The keys of an installation, oldest first. Raises NotInitialised."""
        return _stored(path).keys

    @staticmethod
    def add(
        path: Path, name: str, scopes: tuple[str, ...], trusted: bool, granted: tuple[str, ...] = (), source: str = ""
    ) -> str:
        """Make a key, keep its hash, and hand out the key: it cannot be read again. Raises BadInput for a key that must not be."""
        _check(name, scopes, trusted, granted, source)
        given = f"{'sk' if trusted else 'pk'}_{secrets.token_urlsafe(32)}"
        with _changing(path) as stored:
            if any(key.name == name for key in stored.keys):
                raise BadInput(field="NAME", why=f"there is a key {name!r} already", fix="Choose another name")
            stored.keys.append(Key(name, _hash(given), scopes, trusted, granted, source))
        return given

    @staticmethod
    def remove(path: Path, name: str) -> None:
        """Let a key open nothing any more. Raises BadInput if there is none of that name."""
        with _changing(path) as stored:
            found = [key for key in stored.keys if key.name == name]
            if not found:
                names = ", ".join(key.name for key in stored.keys) or "none"
                raise BadInput(field="NAME", why=f"there is no key {name!r}", fix=f"There are: {names}")
            stored.keys.remove(found[0])

    def key(self, authorization: str, scope: str, body_key: str | None = None) -> Key:
        """The key that came with a request, from the header (Bearer, or Basic as user name) or from the body.

        Raises NoKey, or NotAllowed if it lacks the scope.
        """
        self._look()
        sent = body_key or _from_header(authorization)
        found = self._keys.get(_hash(sent)) if sent else None
        if found is None:
            raise NoKey
        if not found.may(scope):
            raise NotAllowed(
                why=f"The key {found.name!r} lacks the scope {scope!r}", fix="Use a secret key, on your server"
            )
        return found

    # --------------------------------------------------------------------------------------------------- the owner's page

    @staticmethod
    def ticket(path: Path, key: str, until: int) -> str:
        """What a link must bring to open the owner's page once, by the right of the key called so. until: ms since 1970. Raises BadInput."""
        given = secrets.token_urlsafe(32)
        with _changing(path) as stored:
            if not any(one.name == key and one.may("owner") for one in stored.keys):
                fix = "Make one with `tactful key add NAME --scopes owner,receipts`"
                raise BadInput(field="key", why=f"there is no key {key!r} that may open the owner's page", fix=fix)
            stored.tickets.append(Ticket(_hash(given), key, until))
        return given

    def enter(self, sent: str, now: int) -> Key:
        """The key by whose right a ticket opens the owner's page. It is used up by this. now: ms since 1970. Raises NoKey."""
        wanted = _hash(sent)
        # Whoever guesses need not make us write.
        if self._path is None or all(one.hash != wanted for one in _stored(self._path).tickets):
            raise NoKey
        with _changing(self._path) as stored:
            found = [one for one in stored.tickets if one.hash == wanted and one.until > now]
            stored.tickets[:] = [one for one in stored.tickets if one.hash != wanted and one.until > now]
            keys = [key for one in found for key in stored.keys if key.name == one.key and key.may("owner")]
        if not keys:
            raise NoKey
        return keys[0]

    def session(self, key: Key, until: int) -> str:
        """A token (JWT, HS256) by which a browser proves that somebody signed in with this key. until: ms since 1970."""
        import jwt

        return jwt.encode({"sub": key.hash, "exp": until // 1000, "aud": OWNER}, self._secret, "HS256")

    def owner(self, token: str, now: int) -> tuple[Key, int]:
        """(the key of a session, until when it is good, ms since 1970). Raises NoKey if it is forged or over, or the key is gone."""
        import jwt

        self._look()
        try:
            claims = jwt.decode(token, self._secret, ["HS256"], audience=OWNER, options={"verify_exp": False})
        except jwt.InvalidTokenError:
            raise NoKey from None
        key, until = self._keys.get(claims.get("sub", "")), claims.get("exp", 0) * 1000
        if key is None or not key.may("owner") or until <= now:
            raise NoKey
        return key, until

    def token(self, person: str, now: int, seconds: int = 3600, audience: str | None = None) -> str:
        """A token (JWT, HS256) by which a client proves that it acts for a person. now: ms since 1970. audience: for whom else's use it is,
        where it is to prove something else; it is good for nothing but that."""
        import jwt

        return jwt.encode(
            {"sub": person, "exp": now // 1000 + seconds, "aud": audience or PERSON}, self._secret, "HS256"
        )

    def person(self, token: str, now: int, audience: str | None = None) -> str | None:
        """The person of a token, or None for no token. Raises NotAllowed if it is forged, out of date, or for another audience."""
        if not token:
            return None
        import jwt

        try:
            claims = jwt.decode(
                token, self._secret, ["HS256"], audience=audience or PERSON, options={"verify_exp": False}
            )
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


def _check(name: str, scopes: tuple[str, ...], trusted: bool, granted: tuple[str, ...], source: str) -> None:
    """Whether such a key may be. Raises BadInput."""
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise BadInput(field="NAME", why="it is empty, too long or not printable", fix="Use 1 to 64 characters")
    may = SCOPES if trusted else PUBLIC
    for scope in scopes or ("",):
        if scope not in may:
            raise BadInput(
                field="scopes", why=f"{scope!r} is none that it may have", fix=f"Use some of {', '.join(may)}"
            )
    if granted and not trusted:
        why = "a public key speaks for nobody in particular, so it cannot vouch for what people agreed to"
        raise BadInput(field="granted", why=why, fix="Make a secret key, for your server")
    if granted and not 0 < len(source) <= 100:
        why = "consent given elsewhere needs its proof, in 1 to 100 characters"
        raise BadInput(
            field="source", why=why, fix='Say where people agreed, such as --source "terms of 2025, section 4"'
        )


def _stored(path: Path) -> Stored:
    if not path.exists():
        raise NotInitialised(path=path.parent)
    return msgspec.json.decode(path.read_bytes(), type=Stored)


def _state(path: Path | None) -> tuple[int, int, int]:
    """Which file lies there: (number, time of change in ns, size); zeros if none does."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        found = None
    return (0, 0, 0) if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)


@contextmanager
def _changing(path: Path) -> Iterator[Stored]:
    """The file's content, to be changed in the block and written back whole; one at a time."""
    import fcntl

    if not path.exists():
        raise NotInitialised(path=path.parent)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # on the folder: the file itself is replaced
        stored = _stored(path)
        yield stored
        write_whole(path, _packed(stored))
    finally:
        os.close(folder)


def _packed(stored: Stored) -> bytes:
    return json.dumps(msgspec.to_builtins(stored), indent=1).encode()


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
