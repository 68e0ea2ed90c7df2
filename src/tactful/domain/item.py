"""Everything that can be shown: a film, a headline, a menu entry, a lesson, a discount."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field, structs

Attribute = str | int | float | bool | list[str]

AUDIENCES = ("children", "everyone", "adults", "unrated")


class Price(Struct, frozen=True):
    """A list price, the same for everyone. amount: in the currency's main unit; currency: ISO 4217."""

    amount: float
    currency: str = "EUR"


class Text(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Title and text in one language; "" takes the item's own."""

    title: str = ""
    text: str = ""


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Another presentation of the same item: a cover, a headline, a clip. What it leaves out is as the item says.

    asset: what the client shows, as text (an address) or named pieces. style: by which recipes prefer it. weight: which goes first among
    equals; one of 0 is shown only where a recipe prefers it. context: where it fits, name → value (daypart = evening), all of it. language: of its words ("": any).
    available_from, available_until: as of an item; its own expiry. audience, sensitivity: on top of the item's.
    """

    id: str
    title: str = ""
    text: str = ""
    asset: str | dict[str, Attribute] = ""
    style: str = ""
    weight: float = 1.0
    context: dict[str, Attribute] = field(default_factory=dict)
    language: str = ""
    audience: str = ""
    sensitivity: tuple[str, ...] = ()
    available_from: int | None = None
    available_until: int | None = None


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that can be shown.

    attributes: facts that make items alike (author, genre). text: what it is about. vectors: named embeddings of any length
    (`text`, `image`, `sound`). sensitivity: the charter's sensitive categories that an interest in it would betray.
    audience: who it suits; children are shown only what says so. available: can be shown at all. available_from, available_until: it can
    be shown from the one on and before the other, milliseconds since 1970. stock: how many there are; None: not counted.
    language: of title and text (BCP 47). texts: the same in other languages. topics: ids of the taxonomy, from which it inherits.
    variants: other presentations of it. price: the list price. prices: further price lists (a market, a currency, a channel), of which the
    caller names one; never a person's. since: when it first came into the catalogue, milliseconds since 1970; 0: nobody knows.
    """

    id: str
    title: str
    kind: str = "item"
    attributes: dict[str, Attribute] = field(default_factory=dict)
    text: str = ""
    price: Price | None = None
    available: bool = True
    sensitivity: tuple[str, ...] = ()
    audience: str = "unrated"
    vectors: dict[str, list[float]] = field(default_factory=dict)
    available_from: int | None = None
    available_until: int | None = None
    stock: int | None = None
    language: str = ""
    texts: dict[str, Text] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    prices: dict[str, Price] = field(default_factory=dict)
    since: int = 0

    def values(self, attribute: str) -> tuple[str, ...]:
        """The attribute's values as text, several or none."""
        return values_in(self.attributes, attribute)

    @property
    def titles(self) -> tuple[str, ...]:
        """What it is called: its own title, then those in other languages."""
        return tuple(dict.fromkeys([self.title, *(one.title for one in self.texts.values() if one.title)]))

    def price_in(self, market: str) -> Price | None:
        """The price of a price list; where the item has none of that name, its list price. Knows no person."""
        return self.prices.get(market, self.price)

    def facts(self) -> dict[str, Any]:
        """What conditions may ask of it: its fields by name, the price as `price.amount` and `price.currency`, and its attributes by
        theirs; an attribute called like a field stands in the field's place."""
        fields = structs.asdict(self)
        fields["price"] = None if self.price is None else structs.asdict(self.price)
        return {**fields, **self.attributes}


def values_in(attributes: Mapping[str, Attribute], name: str) -> tuple[str, ...]:
    """An attribute's values as text, several or none."""
    value = attributes.get(name)
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (str(value),)
