"""The two-minute quiz: five questions, each answer counts at once, each can be skipped, gone back to, or taken back."""

import re
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput
from tactful.engine import Engine
from tactful.web.pages import go, missing, page
from tactful.web.rows import marked, row_of, stock, told_list
from tactful.web.stock import Stock
from tactful.web.visitor import Req, Visitor, refuse_forged, shop_of, tell, visitor_of

COVERS = 6
"""Covers to pick from at once."""
REACTING = 6
"""Books in the row that shows what the answers changed."""
MOODS = {
    "calm": "Calm", "dark": "Dark", "funny": "Funny", "hopeful": "Hopeful", "sad": "Sad",
    "thrilling": "Thrilling", "wondering": "Full of wonder",
}  # fmt: skip
LENGTHS = {
    "short": "Short: an evening or two",
    "medium": "In between: a week or so",
    "long": "Long: to live in for a while",
}


class Question(Struct, frozen=True):
    """One step. trait: what the answer is kept as; most: answers that may be given, 0 for as many as there are."""

    trait: str
    words: str
    hint: str
    most: int = 0


QUESTIONS = (
    Question(
        "covers", "Which of these would you open first?", "Pick as many as you like. We note what they are about."
    ),
    Question("moods", "What mood are you in for?", "One or more."),
    Question("length", "Short or long?", "Pick one.", most=1),
    Question("origins", "Stories from where?", "By the language they were written in. All our books are in English."),
    Question("interests", "What do you like to read about?", "What you picked so far is ticked."),
)
"""Asked in this order. The first has no trait of its own: what the covers are about is added to `interests`."""
RECEIPT = re.compile(r"[A-Za-z0-9_-]{1,64}")
CLEARABLE = ("interests", "moods", "length", "origins")
"""Traits that the quiz fills."""


def choices(question: Question, books: Stock, more: int = 0) -> dict[str, str]:
    """What can be answered: value → words. more: which six covers."""
    if question.trait == "covers":
        samples = books.samples
        start = more * COVERS % max(len(samples), 1)
        return {item.id: item.title for item in (samples[start:] + samples)[: min(COVERS, len(samples))]}
    if question.trait == "moods":
        return {mood: MOODS.get(mood, mood.capitalize()) for mood in books.values("mood")}
    if question.trait == "length":
        return LENGTHS
    if question.trait == "origins":
        return {language: language for language in books.values("language")}
    return {subject: subject.capitalize() for subject in books.sayable}


@get("/quiz")
async def begin(request: Req) -> Response[Any]:
    """What the quiz is; with the dial at Off, what it would need."""
    visitor = visitor_of(request)
    if visitor.child:
        return missing(request, visitor, "The quiz is for grown-ups: we keep nothing about children.")
    return page(request, visitor, "quiz_start.html", count=len(QUESTIONS))


@get("/quiz/{step:int}")
async def ask(request: Req, step: int) -> Response[Any]:
    """One question, and the row that the answers so far make. The step after the last shows the row alone."""
    visitor, engine = visitor_of(request), shop_of(request).engine
    if visitor.child or not 1 <= step <= len(QUESTIONS) + 1:
        return missing(request, visitor, "There is no such question.")
    if visitor.dial < Dial.told:
        return go("/quiz")
    row = row_of(engine, engine.decide(visitor.person, [Ask("home", limit=REACTING)])[0], visitor.words)
    before = _before(engine, visitor, request.query_params.get("was", ""))
    row = row if before is None else marked(row, before)
    noted = {one: told_list(engine, visitor, one) for one in CLEARABLE}
    if step > len(QUESTIONS):
        return page(request, visitor, "quiz_end.html", row=row, noted=noted)
    more = request.query_params.get("more", "")
    number = int(more) if more.isdigit() and len(more) < 3 else 0
    question = QUESTIONS[step - 1]
    return page(
        request, visitor, "quiz.html", step=step, count=len(QUESTIONS), question=question, row=row, more=number,
        choices=choices(question, stock(request, visitor), number), ticked=noted.get(question.trait, []),
        noted=noted, fresh=sum(card.fresh for card in row.cards) if before is not None else None,
    )  # fmt: skip


def _before(engine: Engine, visitor: Visitor, receipt: str) -> list[str] | None:
    """The books of the row before the last answer, by its receipt."""
    found = engine.stores.receipts.get(receipt) if receipt else None
    if found is None or found.person != visitor.person:
        return None
    return [shown.item for shown in found.shown]


@post("/quiz/{step:int}")
async def answer(request: Req, step: int) -> Redirect:
    """Take an answer, and go on to the next question."""
    refuse_forged(request)
    visitor, engine = visitor_of(request), shop_of(request).engine
    if not 1 <= step <= len(QUESTIONS):
        raise BadInput(field="step", why="there is no such question", fix="Begin at the first")
    form, question, books = await request.form(), QUESTIONS[step - 1], stock(request, visitor)
    said = [str(one) for one in form.getall("pick", [])]
    if question.trait == "covers":
        liked = [subject for item in books.some(said) for subject in item.values("subjects")[:2]]
        value = list(dict.fromkeys([*told_list(engine, visitor, "interests"), *liked]))
        traits = {"interests": [one for one in value if one in books.sayable]}
    else:
        known = choices(question, books)
        traits = {question.trait: [one for one in dict.fromkeys(said) if one in known][: question.most or None]}
    kept = await tell(engine, visitor, traits)
    if not kept:
        return go("/quiz", "unkept")
    was = str(form.get("was", ""))
    return go(f"/quiz/{step + 1}?was={was}" if RECEIPT.fullmatch(was) else f"/quiz/{step + 1}")
