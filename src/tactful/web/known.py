"""What the shop knows about whoever is looking: to read, to correct, to delete, to take along."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput, NotAllowed
from tactful.domain.event import Event, Interaction, Obtained, Trait
from tactful.domain.profile import UNKNOWN, Profile
from tactful.engine import Engine
from tactful.flow.gate import allows
from tactful.web.pages import HEADERS, ago, done, go, page
from tactful.web.quiz import QUESTIONS, choices
from tactful.web.rows import muted_words, stock, told_list, view_of
from tactful.web.visitor import (
    CART_COOKIE,
    CHILD_COOKIE,
    Req,
    Visitor,
    drop_cookie,
    forget,
    hand_to_child,
    keep_child,
    keep_cookie,
    not_me,
    refuse_forged,
    shop_of,
    start_afresh,
    switch_purpose,
    take_back,
    tell,
    visitor_of,
)

HISTORY_SHOWN = 100
TRAIT_WORDS = {
    "interests": "You like to read about", "moods": "The mood you are in for", "length": "How long a book may be",
    "origins": "Where stories may come from", "muted": "You want less of", "weekly": "Picked for you ahead of time",
}  # fmt: skip


class Known(Struct, frozen=True):
    """One trait, as the page shows it: its name, what it is, its values in words, where it is from, when."""

    name: str
    words: str
    values: list[str]
    source: str
    when: str


@get("/you")
async def you(request: Req) -> Response[str]:
    """What the shop knows about whoever is looking, and the switches."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    if visitor.child:
        return page(request, visitor, "you_child.html", known=visitor.person is not None)
    catalogue, charter, now = engine.shelf().catalogue, engine.charter, engine.shell.now()
    books = stock(request, visitor)
    profile = UNKNOWN if visitor.person is None else engine.profile(visitor.person)
    changes = [] if visitor.person is None else engine.stores.consents.read(visitor.person)
    acts: Sequence[Interaction] = profile.observed
    return page(
        request, visitor, "you.html", known=visitor.person is not None and visitor.dial > Dial.off,
        count=len(acts), acts=[(done(act, catalogue.get(act.item)), act, ago(act.at, now)) for act in acts[::-1][:HISTORY_SHOWN]],
        muted=[(one, muted_words(one, books) or one) for one in told_list(engine, visitor, "muted")], answers=_answers(request, visitor, engine),
        inferred=_traits(profile.inferred, catalogue, now), obtained=_traits(profile.obtained, catalogue, now),
        switches=[(name, purpose.words, allows(name, charter, visitor.consent)) for name, purpose in charter.purposes.items()],
        changes=[(change, ago(change.at, now)) for change in changes[::-1]], data=list(charter.data.values()),
        held=view_of(engine, visitor).withheld, charter=charter,
    )  # fmt: skip


def _answers(request: Req, visitor: Visitor, engine: Engine) -> list[tuple[str, str, int, dict[str, str], list[str]]]:
    """The quiz, to be corrected: (trait, question, answers at most, all answers, those given)."""
    books = stock(request, visitor)
    return [
        (one.trait, TRAIT_WORDS[one.trait], one.most, choices(one, books), told_list(engine, visitor, one.trait))
        for one in QUESTIONS
        if one.trait in TRAIT_WORDS
    ]


def _traits(traits: Mapping[str, Trait], catalogue: Catalogue, now: int) -> list[Known]:
    found = []
    for name, trait in traits.items():
        values = trait.value if isinstance(trait.value, list) else [str(trait.value)]
        titles = [item.title if (item := catalogue.get(one)) else one for one in values]
        source = f"from {trait.seller}" if isinstance(trait, Obtained) else getattr(trait, "evidence", "")
        found.append(Known(name, TRAIT_WORDS.get(name, name.replace("_", " ")), titles, source, ago(trait.at, now)))
    return found


@get("/you/data.json")
async def take_along(request: Req) -> Response[bytes]:
    """All of it, to take along."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    person = None if visitor.handed else visitor.person
    profile = UNKNOWN if person is None else engine.profile(person)
    changes = [] if person is None else engine.stores.consents.read(person)
    body = msgspec.json.format(msgspec.json.encode(_all_of(profile, changes)), indent=1)
    headers = {
        **HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="what-the-shop-knows.json"',
    }
    return Response(body, media_type="application/json", headers=headers)


def _all_of(profile: Profile, changes: Sequence[Any]) -> dict[str, Any]:
    """Everything kept, by kind, each field by its name."""
    return {
        "told": [msgspec.structs.asdict(trait) for trait in profile.declared.values()],
        "observed": [msgspec.structs.asdict(act) for act in profile.observed],
        "obtained": [msgspec.structs.asdict(trait) for trait in profile.obtained.values()],
        "inferred": [msgspec.structs.asdict(trait) for trait in profile.inferred.values()],
        "allowed": [msgspec.structs.asdict(change) for change in changes],
    }


# ------------------------------------------------------------------------------------------------------- correcting, deleting


@post("/you/told")
async def correct(request: Req) -> Redirect:
    """Say again what one told: the answers of the quiz, all at once."""
    refuse_forged(request)
    visitor, books, form = visitor_of(request), stock(request, visitor_of(request)), await request.form()
    traits = {}
    for one in QUESTIONS:
        if one.trait in TRAIT_WORDS:
            known = choices(one, books)
            traits[one.trait] = [value for value in form.getall(one.trait, []) if value in known][: one.most or None]
    return go("/you", "saved" if await tell(shop_of(request).engine, visitor, traits) else "unkept")


@post("/you/delete")
async def delete(request: Req) -> Redirect:
    """Delete one thing: something done, by its id, or a trait of one kind, by its name."""
    refuse_forged(request)
    visitor, form = visitor_of(request), await request.form()
    act, kind, name = (str(form.get(field, "")) for field in ("act", "kind", "name"))
    if visitor.person is None or not (act or kind):
        raise NotAllowed(why="There is nothing to delete", fix="Use the buttons on the page")

    def which(event: Event) -> bool:
        if isinstance(event, Interaction):
            return bool(act) and event.id == act
        return not act and type(event).__name__.lower() == kind and name in ("", event.name)

    await take_back(shop_of(request).engine, visitor.person, which)
    return go("/you", "deleted")


@post("/you/purpose")
async def purpose(request: Req) -> Redirect:
    """Say yes or no to one purpose."""
    refuse_forged(request)
    form = await request.form()
    name = str(form.get("purpose", ""))
    if name not in shop_of(request).engine.charter.purposes:
        raise BadInput(field="purpose", why="the shop has no such purpose", fix="Use the switches on the page")
    await switch_purpose(request, visitor_of(request), name, form.get("on") == "yes")
    return go("/you", "saved")


@post("/you/not-me")
async def disown(request: Req) -> Redirect:
    """That was somebody else: take this visit back."""
    refuse_forged(request)
    visitor = visitor_of(request)
    if visitor.person is not None and not visitor.child:
        await not_me(shop_of(request).engine, visitor.person)
    return go("/you", "not-you")


@post("/you/afresh")
async def afresh(request: Req) -> Redirect:
    """Reset the taste of whoever asks; the dial stays where it is."""
    refuse_forged(request)
    visitor = visitor_of(request)
    response = go("/you", "afresh")
    if visitor.person is not None and not visitor.child:
        new = await start_afresh(shop_of(request).engine, visitor.person)
        keep_cookie(request, response, new, visitor.dial)
    return response


@post("/you/forget")
async def forget_me(request: Req) -> Redirect:
    """Forget whoever asks, at once."""
    refuse_forged(request)
    visitor = visitor_of(request)
    response = go("/you" if visitor.handed else "/", "" if visitor.handed else "forgotten")
    if visitor.person is not None and not visitor.handed:
        await forget(shop_of(request).engine, visitor.person)
        drop_cookie(response, CART_COOKIE)
    if not visitor.handed:
        drop_cookie(response)
    return response


@post("/you/child")
async def child(request: Req) -> Redirect:
    """A child is using this browser, or no longer."""
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    if (await request.form()).get("on") == "yes":
        response = go("/", "child")
        if not visitor.child:
            keep_child(request, response, await hand_to_child(engine))
            drop_cookie(response, CART_COOKIE)
        return response
    response = go("/", "" if visitor.child and not visitor.handed else "grown-up")
    if visitor.handed and visitor.person is not None:
        await forget(engine, visitor.person)
    drop_cookie(response, CHILD_COOKIE)
    drop_cookie(response, CART_COOKIE)
    return response
