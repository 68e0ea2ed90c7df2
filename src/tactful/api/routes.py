"""The routes of the API."""

import gzip
import io
import logging
import zlib
from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import structs

from tactful.api import shapes
from tactful.api.answers import (
    Saying,
    consent_out,
    decision_out,
    dial_of,
    languages_of,
    page_out,
    receipt_out,
    sellers_of,
)
from tactful.api.service import Service, of
from tactful.domain.consent import ConsentChange
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, NoKey, NotAllowed, TooLarge, TooManyItems, UnknownPlacement, UnknownReceipt
from tactful.domain.note import without_words
from tactful.engine import Answer, must_be_durable
from tactful.flow.wording import label, sentence

Req = Request[Any, Any, Any]
InQuery = Annotated[str | None, Parameter(pattern=shapes.TAG, max_length=35)]
log = logging.getLogger("tactful")
GZIP_MAGIC = b"\x1f\x8b"
MEMBERS_MOST = 1_000
"""How many gzip members a body may be made of."""


@post("/v1/decide", status_code=200)
async def decide(request: Req, data: shapes.DecideRequest) -> shapes.DecideResponse:
    """Choose for the placements of one page."""
    service = of(request)
    key = service.key(request, "decide")
    asks = asks_of(service, data)
    person = service.who(request, key, data.person, data.anonymous)
    answers = await answered(service.engine.decide(person, asks, data.context))
    said = saying(service, data)
    return shapes.DecideResponse([decision_out(answer, said) for answer in answers])


def asks_of(service: Service, data: shapes.DecideRequest | shapes.PreviewRequest) -> list[Ask]:
    """What a page asks for. Raises BadInput if it is too much, and UnknownPlacement."""
    most = service.limits.placements
    if len(data.placements) > most:
        why = f"the page has {len(data.placements)} placements, the most is {most}"
        raise BadInput(field="placements", why=why, fix="Ask for fewer, or raise limits.placements in tactful.toml")
    for number, one in enumerate(data.placements):
        name, inside = (one, "") if isinstance(one, str) else (one.placement, ".placement")
        try:
            service.engine.recipe(name)
        except UnknownPlacement as mistake:
            raise UnknownPlacement(**mistake.facts, field=f"placements[{number}]{inside}") from None
    languages = languages_of(data.language)
    return [
        structs.replace(ask_of(one, data.exclude), languages=languages, market=data.market) for one in data.placements
    ]


@post("/v1/decide/page", status_code=200)
async def page(request: Req, data: shapes.PageRequest) -> shapes.PageResponse:
    """Choose for a whole page whose rows stand in the person's own order."""
    service = of(request)
    key = service.key(request, "decide")
    person = service.who(request, key, data.person, data.anonymous)
    languages = languages_of(data.language)
    answers = service.engine.page(person, data.page, data.context, data.exclude, languages, data.market)
    return page_out(data.page, await answered(answers), saying(service, data))


@post("/v1/rank", status_code=200)
async def rank(request: Req, data: shapes.RankRequest) -> shapes.RankResponse:
    """Put the caller's own candidates in the person's order, beginning from the caller's own scores if there are any.

    The answer names them only: the caller has the rest.
    """
    service = of(request)
    key = service.key(request, "decide")
    if len(data.items) > service.limits.rank_items:
        raise TooManyItems(count=len(data.items), most=service.limits.rank_items)
    if data.scores is not None and len(data.scores) != len(data.items):
        why = f"there are {len(data.scores)} scores for {len(data.items)} items"
        raise BadInput(field="scores", why=why, fix="Send one for each item, in the order of the items, or none at all")
    person = service.who(request, key, data.person, data.anonymous)
    ask = Ask(data.placement, items=data.items, limit=len(data.items), scores=data.scores)
    answer = (await answered(service.engine.decide(person, [ask], data.context)))[0]
    receipt, catalogue, words = answer.receipt, answer.catalogue, service.languages.speak(data.language)
    items = [
        shapes.RankedItem(shown.item, "" if data.explain == "none" else sentence(shown, catalogue, words), shown.odds)
        for shown in receipt.shown
    ]
    held = receipt.verdict == "hold"
    return shapes.RankResponse(receipt.placement, receipt.id, label(receipt, words), receipt.personal, held, items)


def ask_of(one: str | shapes.PlacementAsk, exclude: list[str]) -> Ask:
    if isinstance(one, str):
        return Ask(one, exclude=exclude)
    return Ask(one.placement, item=one.item, exclude=[*exclude, *one.exclude], limit=one.limit)


async def answered(answers: list[Answer]) -> list[Answer]:
    """The answers, once those that must not be lost are on disk."""
    for answer in answers:
        if must_be_durable(answer):
            await answer.durable
        for fault in answer.receipt.faults:
            log.warning("placement %s: %s", answer.receipt.placement, without_words(fault))
    return answers


def saying(
    service: Service, data: shapes.DecideRequest | shapes.PageRequest | shapes.PreviewRequest | shapes.SearchRequest
) -> Saying:
    """How this request wants it said."""
    entries = service.engine.charter.data
    return Saying(
        service.languages.speak(data.language), data.explain, service.mute,
        {name: entry.words for name, entry in entries.items()} if data.explain == "details" else {}, data.texts,
    )  # fmt: skip


@get("/v1/consent/{person:path}")
async def get_consent(request: Req, person: str) -> shapes.ConsentResponse:
    """What a person allows now."""
    person = person.removeprefix(
        "/"
    )  # a path, so that an id may hold slashes; Litestar hands it over with one in front
    service = of(request)
    service.own(request, person, "consent")
    return consent_out(service.engine.consent(person))


@put("/v1/consent/{person:path}")
async def put_consent(request: Req, person: str, data: shapes.ConsentRequest) -> shapes.ConsentResponse:
    """Change what a person allows. It counts from the next decision, on any worker."""
    person = person.removeprefix(
        "/"
    )  # a path, so that an id may hold slashes; Litestar hands it over with one in front
    service = of(request)
    service.own(request, person, "consent")
    charter = service.engine.charter
    for given, known in ((data.purposes, charter.purposes), (data.sensitive, charter.sensitive)):
        for name in given:
            if name not in known:
                raise BadInput(
                    field=name, why="the charter does not know it", fix=f"It knows {', '.join(known) or 'none'}"
                )
    change = ConsentChange(
        service.engine.shell.now(), data.source, charter.version, dial_of(data.dial), data.purposes, data.sensitive,
        sellers=sellers_of(data.sellers),
    )  # fmt: skip
    await service.engine.change_consent(person, change)
    return consent_out(service.engine.consent(person))


@delete("/v1/people/{person:path}", status_code=204)
async def forget(request: Req, person: str) -> None:
    """Forget a person: their keys are destroyed and their records deleted."""
    person = person.removeprefix(
        "/"
    )  # a path, so that an id may hold slashes; Litestar hands it over with one in front
    service = of(request)
    service.own(request, person, "admin")
    for ack in service.engine.forget(person):
        await ack


@get("/v1/receipts/{receipt:str}")
async def get_receipt(
    request: Req, receipt: str, language: InQuery = None, depth: shapes.Depth = "full"
) -> shapes.ReceiptResponse:
    """Open a receipt: yours, by your token; any, by a secret key; one that names nobody, by its id alone."""
    service = of(request)
    found = service.engine.stores.receipts.get(receipt)
    if found is None:
        raise UnknownReceipt(receipt=receipt)
    if found.person is not None:
        try:
            service.own(request, found.person, "receipts")
        except (NotAllowed, NoKey):
            raise UnknownReceipt(receipt=receipt) from None  # whether it exists is nobody else's business
    data = {name: entry.words for name, entry in service.engine.charter.data.items()}
    said = Saying(service.languages.speak(language), depth, data=data)
    return receipt_out(found, service.engine.shelf().catalogue, said)


@post("/v1/tokens", status_code=200)
async def token(request: Req, data: shapes.TokenRequest) -> shapes.TokenResponse:
    """A token by which a browser or an app proves that it acts for a person. For your server, with a secret key."""
    service = of(request)
    service.key(request, "admin")
    return shapes.TokenResponse(service.access.token(data.person, service.engine.shell.now(), data.seconds))


@get("/healthz")
async def health(request: Req) -> shapes.Health:
    """Whether this worker can serve: reads the store, names the models."""
    engine = of(request).engine
    shelf = engine.shelf()
    models = {name: model.version for name, model in shelf.models.items()}
    return shapes.Health(
        "ok" if models else "no model yet: run `tactful train`", len(shelf.catalogue), models, sorted(engine.recipes)
    )


def inflate(body: bytes, most: int) -> bytes:
    """The body, unzipped if it is zipped (told by its first bytes, since clients mislabel it). Raises TooLarge, BadInput."""
    if body[:2] == GZIP_MAGIC:
        body = _unzipped(body, most)
    if len(body) > most:
        raise TooLarge(field="body", size=len(body), unit="bytes", most=most, fix="Send it in smaller batches")
    return body


def _unzipped(body: bytes, most: int) -> bytes:
    """All members, one after the other (RFC 1952), up to one byte more than `most`. Raises BadInput for what is not whole."""
    pieces = body.count(GZIP_MAGIC + b"\x08")  # at least as many as there are: each costs time, however little is in it
    try:
        if pieces > MEMBERS_MOST:
            raise gzip.BadGzipFile(f"it comes in {pieces:,} pieces, the most is {MEMBERS_MOST:,}")
        return gzip.GzipFile(fileobj=io.BytesIO(body)).read(most + 1)
    except (OSError, EOFError, zlib.error) as mistake:
        why = f"it begins like gzip but is not, or not to its end ({mistake})"
        raise BadInput(field="body", why=why, fix="Send it again, plain or zipped as one whole") from None


def unreadable(mistake: Exception) -> str:
    """Why a body could not be read, in words."""
    if isinstance(mistake, RecursionError):
        return "it is nested too deeply"
    if isinstance(mistake, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {mistake.start})"
    return str(mistake)


ROUTES: list[HTTPRouteHandler] = [
    decide, page, rank, get_consent, put_consent, forget, get_receipt, token, health,
]  # fmt: skip
