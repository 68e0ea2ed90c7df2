"""The routes of the API."""

import logging
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from msgspec import structs

from tactful.api import shapes
from tactful.api.service import of
from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, NoKey, NotAllowed, TooLarge, TooManyItems, UnknownReceipt
from tactful.domain.receipt import Receipt
from tactful.domain.values.impossible import Impossible
from tactful.domain.values.words import language
from tactful.engine import Answer, must_be_durable
from tactful.flow.explain import label, sentence, what_if
from tactful.flow.present import presentation

Req = Request[Any, Any, Any]
log = logging.getLogger("tactful")
SELLER_MOST = 256
"""Longest name of a seller, in characters."""
GZIP_MAGIC = b"\x1f\x8b"


@post("/v1/decide", status_code=200)
async def decide(request: Req, data: shapes.DecideRequest) -> shapes.DecideResponse:
    """Choose for the placements of one page."""
    service = of(request)
    key = service.key(request, "decide")
    most = service.limits.placements
    if len(data.placements) > most:
        why = f"the page has {len(data.placements)} placements, the most is {most}"
        raise BadInput(field="placements", why=why, fix="Ask for fewer, or raise limits.placements in tactful.toml")
    person = service.who(request, key, data.person, data.anonymous)
    languages = languages_of(data.language)
    asks = [
        structs.replace(_ask(one, data.exclude), languages=languages, market=data.market) for one in data.placements
    ]
    answers = await _answered(service.engine.decide(person, asks, data.context))
    return shapes.DecideResponse([decision_out(answer, data.texts) for answer in answers])


@post("/v1/decide/page", status_code=200)
async def page(request: Req, data: shapes.PageRequest) -> shapes.PageResponse:
    """Choose for a whole page whose rows stand in the person's own order."""
    service = of(request)
    key = service.key(request, "decide")
    person = service.who(request, key, data.person, data.anonymous)
    languages = languages_of(data.language)
    answers = service.engine.page(person, data.page, data.context, data.exclude, languages, data.market)
    return page_out(data.page, await _answered(answers), data.texts)


def page_out(name: str, answers: Sequence[Answer], texts: bool = False) -> shapes.PageResponse:
    """A page as the client gets it. texts: whether the items' texts come along."""
    rows, personal = [], False
    for answer in answers:
        out, placed = decision_out(answer, texts), answer.receipt.placed
        value = placed.value if placed is not None else 0.0
        personal = personal or (placed is not None and placed.personal)
        words = answer.decision.recipe.placement.words
        rows.append(shapes.PageRow(**structs.asdict(out), words=words, value=value))
    return shapes.PageResponse(name, personal, rows)


@post("/v1/rank", status_code=200)
async def rank(request: Req, data: shapes.RankRequest) -> shapes.RankResponse:
    """Put the caller's own candidates in the person's order. The answer names them only: the caller has the rest."""
    service = of(request)
    key = service.key(request, "decide")
    if len(data.items) > service.limits.rank_items:
        raise TooManyItems(count=len(data.items), most=service.limits.rank_items)
    person = service.who(request, key, data.person, data.anonymous)
    ask = Ask(data.placement, items=data.items, limit=len(data.items))
    answer = (await _answered(service.engine.decide(person, [ask], data.context)))[0]
    receipt, catalogue = answer.receipt, answer.catalogue
    items = [shapes.RankedItem(shown.item, sentence(shown, catalogue), shown.odds) for shown in receipt.shown]
    held = receipt.verdict == "hold"
    return shapes.RankResponse(receipt.placement, receipt.id, label(receipt), receipt.personal, held, items)


def _ask(one: str | shapes.PlacementAsk, exclude: list[str]) -> Ask:
    if isinstance(one, str):
        return Ask(one, exclude=exclude)
    return Ask(one.placement, item=one.item, exclude=[*exclude, *one.exclude], limit=one.limit)


async def _answered(answers: list[Answer]) -> list[Answer]:
    """The answers, once those that must not be lost are on disk."""
    for answer in answers:
        if must_be_durable(answer):
            await answer.durable
        for fault in answer.receipt.faults:
            log.warning("placement %s: %s", answer.receipt.placement, fault)
    return answers


def languages_of(text: str) -> tuple[str, ...]:
    """The languages of a list with commas, as BCP 47 writes them. Raises BadInput."""
    try:
        return tuple(language(tag.strip()) for tag in text.split(",") if tag.strip())
    except Impossible as mistake:
        why, _, fix = str(mistake).partition("; ")
        raise BadInput(field="language", why=why, fix=fix[:1].upper() + fix[1:]) from None


def decision_out(answer: Answer, texts: bool = False) -> shapes.DecisionOut:
    """A decision as the client gets it. texts: whether the items' texts come along."""
    receipt, catalogue, ask = answer.receipt, answer.catalogue, answer.decision.ask
    items = []
    for shown, row in zip(receipt.shown, answer.decision.slots.rows.tolist(), strict=True):
        item = catalogue.item(row)
        look = presentation(item, shown.variant, ask.languages, ask.market)
        items.append(
            shapes.ShownItem(
                item.id, look.title, item.kind, item.attributes, look.price, sentence(shown, catalogue), shown.odds,
                look.variant, look.asset, look.language, look.text if texts else "",
            )
        )  # fmt: skip
    return shapes.DecisionOut(
        receipt.placement, receipt.id, label(receipt), receipt.personal, receipt.verdict == "hold", items
    )


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


def dial_of(name: str | None) -> Dial | None:
    """The level called so. Raises BadInput."""
    if name is None:
        return None
    if name not in Dial.__members__:
        raise BadInput(field="dial", why=f"{name!r} is no level", fix=f"Use one of {', '.join(Dial.__members__)}")
    return Dial[name]


def sellers_of(answers: Mapping[str, bool]) -> dict[str, bool]:
    """Answers about sellers that can be written down. Raises BadInput for a name that no seller can have."""
    for name in answers:
        if not 0 < len(name) <= SELLER_MOST or name != name.strip():
            raise BadInput(
                field="sellers",
                why=f"a seller's name has 1 to {SELLER_MOST} characters, and no space around it",
                fix="Write it as it stands with the data",
            )
    return dict(answers)


def consent_out(consent: Consent) -> shapes.ConsentResponse:
    """A consent as the client gets it."""
    return shapes.ConsentResponse(
        consent.dial.name, consent.dial.words, sorted(consent.granted), sorted(consent.refused), sorted(consent.sensitive),
        consent.version, sorted(consent.refused_sellers),
    )  # fmt: skip


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
async def get_receipt(request: Req, receipt: str) -> shapes.ReceiptResponse:
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
    return receipt_out(found, service.engine.shelf().catalogue)


def receipt_out(receipt: Receipt, catalogue: Catalogue) -> shapes.ReceiptResponse:
    """A receipt with its sentences."""
    reasons = []
    for shown in receipt.shown:
        item = catalogue.get(shown.item)
        title = item.title if item else shown.item
        reasons.append(shapes.Reason(shown.item, title, sentence(shown, catalogue), what_if(shown, catalogue)))
    return shapes.ReceiptResponse(label(receipt), reasons, receipt)


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
        try:
            inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            plain = inflater.decompress(body, most + 1)
        except zlib.error as mistake:
            raise BadInput(
                field="body", why=f"it begins like gzip but is not ({mistake})", fix="Send it again, plain or zipped"
            ) from None
        body = plain
    if len(body) > most:
        raise TooLarge(field="body", size=len(body), unit="bytes", most=most, fix="Send it in smaller batches")
    return body


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
