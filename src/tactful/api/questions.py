"""What a person may ask about a page: why is this one not there, and what would it be with the dial lower?"""

from typing import Any

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from tactful.api import shapes
from tactful.api.answers import decision_out, dial_of, languages_of
from tactful.api.routes import ask_of, asks_of, saying
from tactful.api.service import of
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.flow.why_not import WhyNot, in_words

Req = Request[Any, Any, Any]


@post("/v1/preview", status_code=200)
async def preview(request: Req, data: shapes.PreviewRequest) -> shapes.DecideResponse:
    """The page as it would be with the person's dial at a lower level. Nothing is written, and no receipt kept."""
    service = of(request)
    key = service.key(request, "decide")
    asks, level = asks_of(service, data), dial_of(data.dial) or Dial.off
    if (data.page is None) == (not asks):
        raise BadInput(
            field="page", why="one of page and placements is wanted", fix="Name a declared page, or placements"
        )
    person = service.who(request, key, data.person, data.anonymous)
    languages = languages_of(data.language)
    page = None if data.page is None else Ask(data.page, exclude=data.exclude, languages=languages, market=data.market)
    answers = service.engine.preview(person, level, page or asks, data.context)
    said = saying(service, data)
    return shapes.DecideResponse([decision_out(answer, said) for answer in answers])


@post("/v1/why-not", status_code=200)
async def why_not(request: Req, data: shapes.WhyNotRequest) -> shapes.WhyNotResponse:
    """Why an item is not shown, worked out by deciding once more. Whoever may ask for the decision may ask this.

    What is not available now is as unknown as what there never was.
    """
    service = of(request)
    key = service.key(request, "decide")
    person = service.who(request, key, data.person, data.anonymous)
    found = service.engine.why_not(person, ask_of(data.placement, []), data.item, data.context, data.on_page)
    words, catalogue = service.languages.speak(data.language), service.engine.shelf().catalogue
    if (
        found.kind != "shown"
        and not catalogue.permitted_at(catalogue.rows([data.item]), service.engine.shell.now()).all()
    ):
        found = WhyNot(data.item, "unknown")  # that there will be such a thing, or was, is not for everybody
    return shapes.WhyNotResponse(in_words(found, catalogue, words), found, words.language)


QUESTIONS: list[HTTPRouteHandler] = [preview, why_not]
