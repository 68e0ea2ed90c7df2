"""What is answered, in the shapes of the API. There is no HTTP here: the command line answers in the same way, without loading it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, structs

from tactful.api import shapes
from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Consent, Dial
from tactful.domain.errors import BadInput
from tactful.domain.item import Item
from tactful.domain.receipt import Receipt, Shown
from tactful.domain.values.impossible import Impossible
from tactful.domain.values.words import language
from tactful.domain.words import Words
from tactful.engine import Answer
from tactful.flow.present import presentation
from tactful.flow.wording import details, item_details, label, mutable, sentence, what_if

SELLER_MOST = 256
"""Longest name of a seller, in characters."""


def languages_of(text: str | None) -> tuple[str, ...]:
    """The languages of a list with commas, as BCP 47 writes them. What is not in its registry nobody speaks, so it is passed over."""
    found = []
    for tag in (text or "").split(","):
        with suppress(Impossible):
            found.append(language(tag.strip()))
    return tuple(found)


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


class Saying(Struct, frozen=True):
    """How to say why. depth: `none`, `sentence` or `details`. mute: attributes by which more of an item can be declined. data: what the
    charter calls each of its data entries. texts: whether the items' texts come along."""

    words: Words
    depth: str = "sentence"
    mute: tuple[str, ...] = ()
    data: Mapping[str, str] = {}
    texts: bool = False


def decision_out(answer: Answer, said: Saying) -> shapes.DecisionOut:
    """A decision as the client gets it."""
    receipt, catalogue, words = answer.receipt, answer.catalogue, said.words
    rows = answer.decision.slots.rows.tolist()
    items = [_shown_out(answer, shown, row, said) for shown, row in zip(receipt.shown, rows, strict=True)]
    whole = details(receipt, catalogue, words, said.data) if said.depth == "details" else None
    return shapes.DecisionOut(
        receipt.placement, receipt.id, label(receipt, words), receipt.personal, receipt.verdict == "hold", items,
        None if whole is None else shapes.MoreOfList(whole.read, whole.assumed, whole.withheld, whole.removed),
    )  # fmt: skip


def _shown_out(answer: Answer, shown: Shown, row: int, said: Saying) -> shapes.ShownItem:
    catalogue, ask = answer.catalogue, answer.decision.ask
    item = catalogue.item(row)
    look = presentation(item, shown.variant, ask.languages, ask.market)
    why = "" if said.depth == "none" else sentence(shown, catalogue, said.words)
    more = _more_why(shown, item, catalogue, said) if said.depth == "details" else None
    return shapes.ShownItem(
        item.id, look.title, item.kind, item.attributes, look.price, why, shown.odds, more,
        look.variant, look.asset, look.language, look.text if said.texts else "",
    )  # fmt: skip


def _more_why(shown: Shown, item: Item, catalogue: Catalogue, said: Saying) -> shapes.MoreWhy:
    more = item_details(shown, catalogue, said.words)
    return shapes.MoreWhy(more.what_if, more.reasons, more.chance, mutable(item, said.mute, catalogue, said.words))


def page_out(name: str, answers: Sequence[Answer], said: Saying) -> shapes.PageResponse:
    """A page as the client gets it."""
    rows, personal = [], False
    for answer in answers:
        out, placed = decision_out(answer, said), answer.receipt.placed
        value = placed.value if placed is not None else 0.0
        personal = personal or (placed is not None and placed.personal)
        words = answer.decision.recipe.placement.words
        rows.append(shapes.PageRow(**structs.asdict(out), words=words, value=value))
    return shapes.PageResponse(name, personal, rows)


def consent_out(consent: Consent) -> shapes.ConsentResponse:
    """A consent as the client gets it."""
    return shapes.ConsentResponse(
        consent.dial.name, consent.dial.words, sorted(consent.granted), sorted(consent.refused), sorted(consent.sensitive),
        consent.version, sorted(consent.refused_sellers),
    )  # fmt: skip


def receipt_out(receipt: Receipt, catalogue: Catalogue, said: Saying) -> shapes.ReceiptResponse:
    """What a receipt says, in words, at this depth."""
    words = said.words
    reasons = []
    for shown in receipt.shown:
        item = catalogue.get(shown.item)
        title = item.title if item else shown.item
        more = "" if said.depth == "sentence" else what_if(shown, catalogue, words)
        reasons.append(shapes.Reason(shown.item, title, sentence(shown, catalogue, words), more))
    return shapes.ReceiptResponse(
        label(receipt, words), reasons, receipt if said.depth == "full" else None,
        None if said.depth == "sentence" else details(receipt, catalogue, words, said.data), words.language,
    )  # fmt: skip
