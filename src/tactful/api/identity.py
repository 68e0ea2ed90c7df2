"""Who is who: devices and old names of a person, the people of an account, "that was not me"."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct

from tactful.api.service import Service, of
from tactful.api.shapes import Name
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, NotAllowed
from tactful.domain.identity import ADDED, ALIAS, ANONYMOUS, CHOSEN, CONFIRMED, DEVICE, UNLINKED, Link, member
from tactful.engine import LINKS_MOST, ONE_FOR_EACH, TOO_MANY_LINKS
from tactful.people import Linked

Req = Request[Any, Any, Any]
Called = Annotated[str, Meta(max_length=64, pattern=r"^[^:]*$")]


class LinkRequest(Struct, forbid_unknown_fields=True):
    """A name and the person whose it is. name: `anon:` and a device's own id, or an old name. alias: theirs all along, not only from now on."""

    person: Name
    name: Name
    alias: bool = False


class PairRequest(Struct, forbid_unknown_fields=True):
    """A name and the person whose it is."""

    person: Name
    name: Name


class MemberRequest(Struct, forbid_unknown_fields=True):
    """One of the people who share an account. name: what they are called there, without a colon; "" for the account's own holder."""

    account: Name
    name: Called


class NotMeRequest(Struct, forbid_unknown_fields=True):
    """Whose visit is to be taken back, or on which device (`anon:...`). since: ms since 1970; left out: the visit that is going on."""

    person: Name
    since: Annotated[int, Meta(ge=0)] | None = None


class LinkedName(Struct):
    """A name that is the person's: since when (ms since 1970), by what it was proven, and the dial that was set under it.

    holds_back: what was answered under it holds for the person as well until they confirm that it is theirs.
    """

    name: str
    how: str
    since: int
    confirmed: bool
    source: str
    dial: str
    holds_back: bool


class IdentityResponse(Struct):
    """person: who was asked about; acting: who is acting under this name now; names: devices and old names; members: of this account."""

    person: str
    acting: str
    names: list[LinkedName]
    members: list[str]


class MemberResponse(Struct):
    """The person as they are called in every other request."""

    person: str
    members: list[str]


class Removed(Struct):
    """From when on (ms since 1970) the person's events were taken back."""

    since: int


@get("/v1/identity/{person:path}")
async def get_identity(request: Req, person: str) -> IdentityResponse:
    """The devices and old names of a person, and the people of their account."""
    person = person.removeprefix("/")
    service = of(request)
    service.own(request, person, "consent")
    return _identity(service, person)


@post("/v1/identity/link", status_code=200)
async def link(request: Req, data: LinkRequest) -> IdentityResponse:
    """A name is this person's. For your server; with the person's token for a device, and for nothing else."""
    service = of(request)
    _speaks_for(service, request, data.person, data.name)
    if data.name == data.person:
        raise BadInput(field="name", why="it is the person's own", fix="Send the device's or the old one")
    consent = service.engine.consent(data.person)
    if consent.version and consent.dial is Dial.off:
        raise NotAllowed(why="The person's dial stands at 'Off'", fix="Link nothing until they turn it up")
    if len(service.engine.people.links(data.person)) >= LINKS_MOST:
        raise BadInput(field="person", why=TOO_MANY_LINKS, fix=ONE_FOR_EACH)
    alias = data.alias and not data.name.startswith(ANONYMOUS)  # others may have used a device before
    return await _keep(service, data.person, data.name, ALIAS if alias else DEVICE, "linked")


@post("/v1/identity/unlink", status_code=200)
async def unlink(request: Req, data: PairRequest) -> IdentityResponse:
    """A name is not, or no longer, this person's: what came under it goes back to it, and to nobody else."""
    service = of(request)
    service.own(request, data.person, "consent")
    for how in _hows(service, data):
        kept = await _keep(service, data.person, data.name, how, UNLINKED)
    return kept


@post("/v1/identity/confirm", status_code=200)
async def confirm(request: Req, data: PairRequest) -> IdentityResponse:
    """The person confirms that a name is theirs: from now on their own answers alone hold."""
    service = of(request)
    service.own(request, data.person, "consent")
    return await _keep(service, data.person, data.name, _hows(service, data)[0], CONFIRMED)


@post("/v1/identity/add", status_code=200)
async def add(request: Req, data: MemberRequest) -> MemberResponse:
    """One more person shares this account; they have a profile and a consent of their own."""
    return await _member(request, data, ADDED)


@post("/v1/identity/choose", status_code=200)
async def choose(request: Req, data: MemberRequest) -> MemberResponse:
    """Who is using the account from now on: its events and decisions are theirs."""
    return await _member(request, data, CHOSEN)


@post("/v1/identity/not-me", status_code=200)
async def not_me(request: Req, data: NotMeRequest) -> Removed:
    """That was not me: a visit is taken back. Its events are deleted, and what still comes in of it is refused."""
    service = of(request)
    service.own(request, data.person, "consent")
    engine = service.engine
    now, gap = engine.shell.now(), engine.charter.visit_ms
    engine.people.refresh()
    person = engine.people.who(data.person, now)
    since = engine.people.visit_start(person, now, gap) if data.since is None else data.since
    if since > now:
        raise BadInput(field="since", why="it lies ahead", fix="Send milliseconds since 1970, or leave it out")
    for ack in engine.people.disown(person, since, now, engine.shell.name()):
        await ack
    return Removed(since)


async def _member(request: Req, data: MemberRequest, how: str) -> MemberResponse:
    service = of(request)
    service.own(request, data.account, "consent")
    person = member(data.account, data.name) if data.name else data.account
    if len(person) > 256:
        raise BadInput(
            field="name", why="with the account it is longer than 256 characters", fix="Choose a shorter one"
        )
    await _keep(service, person, data.account, how, "linked")
    return MemberResponse(person, service.engine.people.members(data.account))


async def _keep(service: Service, person: str, name: str, how: str, state: str) -> IdentityResponse:
    engine = service.engine
    engine.people.refresh()
    kept = engine.people.keep([Link(engine.shell.name(), engine.shell.now(), name, person, how, state, source="api")])
    if kept is not None:
        await kept
    engine.people.refresh()
    return _identity(service, person)


def _speaks_for(service: Service, request: Req, person: str, name: str) -> None:
    """A token may attach devices to its person; known names are for the server, or anybody could take over somebody's past."""
    if name.startswith(ANONYMOUS):
        service.own(request, person, "consent")
    elif not service.key(request, "consent").trusted:
        raise NotAllowed(why="Only your server can say that a known name is another's", fix="Use a secret key")


def _hows(service: Service, data: PairRequest) -> list[str]:
    """By which kinds of link the name is the person's; at least one. Raises BadInput."""
    engine = service.engine
    engine.people.refresh()
    hows = [how for how in engine.people.owners(data.name).hows(data.person) if how in (DEVICE, ALIAS)]
    if not hows:
        raise BadInput(
            field="name", why=f"{data.name!r} is not linked to this person", fix="GET /v1/identity/... lists what is"
        )
    return hows


def _identity(service: Service, person: str) -> IdentityResponse:
    engine = service.engine
    engine.people.refresh()
    held = engine.people.held_back_by(person)
    names = [_linked(one, one.name in held) for one in engine.people.linked(person) if one.how in (DEVICE, ALIAS)]
    acting = engine.people.who(person, engine.shell.now())
    return IdentityResponse(person, acting, names, engine.people.members(person))


def _linked(one: Linked, held: bool) -> LinkedName:
    return LinkedName(one.name, one.how, one.since, one.confirmed, one.source, one.dial.name, held)


IDENTITY: list[HTTPRouteHandler] = [get_identity, link, unlink, confirm, add, choose, not_me]
