"""Who may see the owner's page: nobody without a key, not even on the machine itself. One cookie, for two hours, for this page alone."""

from typing import Any, Protocol

from litestar import Response
from msgspec import Struct

from tactful.domain.errors import NoKey, NotAllowed
from tactful.domain.words import Languages
from tactful.engine import Engine
from tactful.stores.missed import Missed
from tactful.web.visitor import Req, refuse_forged

COOKIE = "owner"
PLACE = "/owner"
"""The address of the page. The cookie goes nowhere else."""
SESSION_MS = 2 * 3_600_000


class Key(Protocol):
    """A key, as far as this page needs to know."""

    @property
    def name(self) -> str:
        """How it is called."""

    @property
    def trusted(self) -> bool:
        """Whether it is a secret one."""

    def may(self, scope: str) -> bool:
        """Whether it has the scope."""


class Access(Protocol):
    """What knows the keys: see `tactful.api.access`."""

    def key(self, authorization: str, scope: str, body_key: str | None = None) -> Any:
        """The key, if it has the scope. Raises NoKey, NotAllowed."""

    def enter(self, sent: str, now: int) -> Any:
        """The key by whose right a ticket opens the page, once. Raises NoKey."""

    def session(self, key: Any, until: int) -> str:
        """A token for the cookie."""

    def owner(self, token: str, now: int) -> tuple[Any, int]:
        """(the key of a token, until when it is good). Raises NoKey."""


class House(Protocol):
    """What the pages need of the service that serves them: see `tactful.api.service`."""

    engine: Engine
    languages: Languages
    missed: Missed | None

    @property
    def access(self) -> Access:
        """The keys."""


class Owner(Struct, frozen=True):
    """Somebody signed in. key: the key's name. receipts: whether they may open receipts that name somebody. until: ms since 1970."""

    key: str
    receipts: bool
    until: int


def house_of(request: Req) -> House:
    """The service of this worker. By its name in the state, so that the pages need not know the API."""
    found: House = request.app.state["service"]
    return found


def owner_of(request: Req) -> Owner:
    """Whoever the cookie proves. Raises NoKey where it proves nobody (any more)."""
    token = request.cookies.get(COOKIE, "")
    house = house_of(request)
    key, until = house.access.owner(token, house.engine.shell.now())
    return Owner(key.name, key.may("receipts"), until)


def key_of(request: Req, sent: str) -> Key:
    """The key that was typed in. Raises NoKey, NotAllowed."""
    found: Key = house_of(request).access.key("", "owner", sent)
    if not found.trusted:
        raise NotAllowed(why="A public key opens no owner's page", fix="Use a secret key with the scope 'owner'")
    return found


def ours(request: Req) -> None:
    """Only our own pages may change anything. Raises NotAllowed."""
    try:
        refuse_forged(request)
    except NotAllowed:
        raise NotAllowed(why="This came from another site", fix=f"Open {PLACE} and press the button there") from None


def keep_cookie(request: Req, response: Response[Any], key: Key) -> None:
    """Give the browser its cookie. No script can read it, and no other site's link or form brings it along."""
    house = house_of(request)
    until = house.engine.shell.now() + SESSION_MS
    response.set_cookie(
        key=COOKIE, value=house.access.session(key, until), max_age=SESSION_MS // 1000, path=PLACE, httponly=True,
        samesite="strict", secure=request.url.scheme == "https",
    )  # fmt: skip


def drop_cookie(response: Response[Any]) -> None:
    """Take the cookie back."""
    response.delete_cookie(key=COOKIE, path=PLACE)


__all__ = ["PLACE", "NoKey", "Owner", "drop_cookie", "house_of", "keep_cookie", "key_of", "ours", "owner_of"]
