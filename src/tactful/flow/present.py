"""How a chosen item is presented: which variant, in which words, at which price."""

from collections.abc import Collection, Sequence

from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.item import Attribute, Item, Price
from tactful.domain.language import chain, said
from tactful.domain.receipt import Receipt
from tactful.domain.variants import variant_of
from tactful.domain.view import Moment
from tactful.flow.decide import Decision


class Presentation(Struct, frozen=True):
    """What the client shows of an item. variant: its id, or "". language: of the title; "" if nobody says."""

    variant: str
    title: str
    text: str
    language: str
    asset: str | dict[str, Attribute]
    price: Price | None


def with_variants(
    receipt: Receipt, decision: Decision, moment: Moment, catalogue: Catalogue, audiences: Collection[str] | None
) -> Receipt:
    """The receipt with the variant of each slot. audiences: what may be shown; None: everything."""
    rows = decision.slots.rows
    if not catalogue.varied[rows].any():
        return receipt
    languages, choice = chain(decision.ask.languages), decision.recipe.placement.variant
    shown = []
    for one, row in zip(receipt.shown, rows.tolist(), strict=True):
        found = variant_of(
            catalogue.item(row), now=moment.now, context=moment.context, languages=languages, audiences=audiences,
            sensitive=moment.sensitive, choice=choice,
        )  # fmt: skip
        shown.append(one if found is None else structs.replace(one, variant=found.id))
    return structs.replace(receipt, shown=tuple(shown))


def presentation(item: Item, variant: str, languages: Sequence[str] = (), market: str = "") -> Presentation:
    """What to show of an item. variant: the one on the receipt. languages: as asked for. market: whose price list.

    A variant's own words come first; where it has none, the item's in the nearest language.
    """
    language, words = said(item, chain(languages))
    chosen = next((one for one in item.variants if variant and one.id == variant), None)
    price = item.price_in(market)
    if chosen is None:
        return Presentation("", words.title, words.text, language, "", price)
    if chosen.title and chosen.language:
        language = chosen.language
    title, text = chosen.title or words.title, chosen.text or words.text
    return Presentation(chosen.id, title, text, language, chosen.asset, price)
