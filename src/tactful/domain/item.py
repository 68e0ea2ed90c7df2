"""Everything that can be shown: a film, a headline, a menu entry, a lesson, a discount."""

from typing import Any

from msgspec import Struct, field, structs

Attribute = str | int | float | bool | list[str]

AUDIENCES = ("children", "everyone", "adults", "unrated")


class Price(Struct, frozen=True):
    """A list price, the same for everyone. amount: in the currency's main unit; currency: ISO 4217."""

    amount: float
    currency: str = "EUR"


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that can be shown.

    attributes: facts that make items alike (author, genre). text: what it is about. vectors: named embeddings of any length
    (`text`, `image`, `sound`). sensitivity: the charter's sensitive categories that an interest in it would betray.
    audience: who it suits; children are shown only what says so. available: can be shown at all.
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

    def values(self, attribute: str) -> tuple[str, ...]:
        """The attribute's values as text, several or none."""
        value = self.attributes.get(attribute)
        if value is None:
            return ()
        return tuple(value) if isinstance(value, list) else (str(value),)

    def facts(self) -> dict[str, Any]:
        """What conditions may ask of it: its fields by name, the price as `price.amount` and `price.currency`, and its attributes by
        theirs; an attribute called like a field stands in the field's place."""
        fields = structs.asdict(self)
        fields["price"] = None if self.price is None else structs.asdict(self.price)
        return {**fields, **self.attributes}
