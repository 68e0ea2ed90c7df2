"""Rows of books as the engine chose them, with the reasons that it had: what every page shows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.event import Value
from tactful.domain.item import Item
from tactful.domain.receipt import Receipt
from tactful.domain.view import View
from tactful.domain.words import Words
from tactful.engine import Answer, Engine
from tactful.flow.wording import label, sentence, what_if
from tactful.web.stock import Stock, stock_of
from tactful.web.visitor import Req, Visitor, shop_of

PURPOSE, SURFACE = "personalise", "private"
MENU_MOST = 6
"""Shelves that the menu names; the rest stand on a page of their own."""


class Card(Struct, frozen=True):
    """A book as a page shows it. cover: which of its covers, "" for the usual one. fresh: it was not there a moment ago."""

    item: Item
    cover: str = ""
    why: str = ""
    what_if: str = ""
    fresh: bool = False


class Row(Struct, frozen=True):
    """A row of books: what it is, the label that the decision earned, and the receipt that explains it ("" if none is kept)."""

    name: str
    words: str
    label: str
    receipt: str
    personal: bool
    cards: list[Card]


class Menu(Struct, frozen=True):
    """Shelves in the order of this visit. personal: something about the visitor moved them; receipt: why."""

    shelves: list[str]
    personal: bool
    receipt: str


def stock(request: Req, visitor: Visitor) -> Stock:
    """The books that the visitor may see."""
    engine = shop_of(request).engine
    return stock_of(engine.shelf().catalogue, engine.charter, visitor.child, engine.shell.now())


def view_of(engine: Engine, visitor: Visitor) -> View:
    """What the visitor allows to be read, now, on a page that only they see. Empty for somebody unknown."""
    if visitor.person is None:
        return View(purpose=PURPOSE, surface=SURFACE)
    profile, catalogue = engine.profile(visitor.person), engine.shelf().catalogue
    return engine.view(profile, visitor.consent, PURPOSE, SURFACE, engine.shell.now(), catalogue)


def row_of(engine: Engine, answer: Answer, words: Words) -> Row:
    """An answer of the engine, as a row."""
    receipt = answer.receipt
    heading, cards = engine.recipe(receipt.placement).placement.words, cards_of(receipt, answer.catalogue, words)
    return Row(receipt.placement, heading, label(receipt, words), receipt.id, receipt.personal, cards)


def cards_of(receipt: Receipt, catalogue: Catalogue, words: Words) -> list[Card]:
    """The books of a receipt, each with its reason."""
    pairs = [(shown, catalogue.get(shown.item)) for shown in receipt.shown]
    return [
        Card(item, shown.variant, sentence(shown, catalogue, words), what_if(shown, catalogue, words))
        for shown, item in pairs
        if item is not None and item.kind == "book"
    ]


def rows(
    engine: Engine, visitor: Visitor, asks: Iterable[Ask], context: Mapping[str, Value] | None = None
) -> dict[str, Row]:
    """The rows of a page, by placement: those that this shop has a recipe for, and that have something to show."""
    known = [ask for ask in asks if ask.placement in engine.recipes]
    found = [row_of(engine, answer, visitor.words) for answer in engine.decide(visitor.person, known, context)]
    return {row.name: row for row in found if row.cards}


def page_rows(engine: Engine, visitor: Visitor, name: str, context: Mapping[str, Value] | None = None) -> list[Row]:
    """The rows of a declared page, in this visitor's order."""
    return [
        row
        for answer in engine.page(visitor.person, name, context)
        if (row := row_of(engine, answer, visitor.words)).cards
    ]


def menu(engine: Engine, visitor: Visitor, shelves: Stock) -> Menu:
    """The shelves that the books picked for this visit stand in, the most called for first; then the largest."""
    found: Counter[str] = Counter()
    personal, receipt = False, ""
    if "menu" in engine.recipes:
        answer = engine.decide(visitor.person, [Ask("menu")])[0]
        personal, receipt = answer.receipt.personal, answer.receipt.id
        for place, shown in enumerate(answer.receipt.shown):
            item = answer.catalogue.get(shown.item)
            for subject in () if item is None or not personal else item.values("subjects"):
                found[subject] += len(answer.receipt.shown) - place
    wanted = [subject for subject, _ in found.most_common() if subject in shelves.sayable]
    rest = [subject for subject in shelves.largest if subject not in wanted and subject in shelves.sayable]
    return Menu([*wanted, *rest][:MENU_MOST], personal, receipt)


def preview(engine: Engine, visitor: Visitor, name: str, level: Dial) -> list[Row]:
    """A page as it would be with the dial at another level. Nothing of it is kept: no receipt, no exposure."""
    return [row_of(engine, answer, visitor.words) for answer in engine.preview(visitor.person, level, name)]


def marked(row: Row, before: Sequence[str]) -> Row:
    """The row with those books marked that were not among the ones before."""
    cards = [structs.replace(card, fresh=card.item.id not in before) for card in row.cards]
    return structs.replace(row, cards=cards)


def told_list(engine: Engine, visitor: Visitor, trait: str) -> list[str]:
    """What the visitor told us under this name, as a list."""
    found: Any = None
    if visitor.person is not None:
        told = engine.profile(visitor.person).declared.get(trait)
        found = told.value if told else None
    if found is None:
        return []
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def muted_words(what: str, books: Stock) -> str:
    """What somebody wants less of, in words; "" for what is not in this shop, or would say something private about them."""
    attribute, _, value = what.partition(":")
    if attribute == "item":
        found = books.get(value)
        return found.title if found else ""
    if attribute == "subjects":
        return value if value in books.sayable else ""
    return value if attribute == "author" and value in books.values("author") else ""
