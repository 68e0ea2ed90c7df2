"""Which presentation of an item is shown: the first that is permitted and alive."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from tactful.domain.event import Value
from tactful.domain.item import Item, Variant
from tactful.domain.language import nearest


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """How a placement chooses among variants. prefer: styles or ids of variants, best first; the others come after them."""

    prefer: tuple[str, ...] = ()


UNDECIDED = Choice()


def alive(start: int | None, end: int | None, now: int) -> bool:
    """Whether a window is open: from its start on, and before its end. All in milliseconds since 1970."""
    return (start is None or start <= now) and (end is None or now < end)


def variant_of(
    item: Item,
    *,
    now: int,
    context: Mapping[str, Value],
    languages: Sequence[str] = (),
    audiences: Collection[str] | None = None,
    sensitive: Collection[str] = (),
    choice: Choice = UNDECIDED,
) -> Variant | None:
    """The variant to show, or None for the item itself. Goes by nothing about the person but what they turned on and whether they are a child.

    now: ms since 1970. languages: to try, best first (`language.chain`). audiences: what may be shown (None: everything, to a grown-up).
    sensitive: categories turned on. Among those permitted: what is preferred, then the nearer language, then what the context asks for
    most closely, then weight, then the item's order.
    """
    spoken = [*languages, item.language]

    def permitted(variant: Variant) -> bool:
        return (
            (variant.weight > 0 or variant.id in choice.prefer or variant.style in choice.prefer)
            and alive(variant.available_from, variant.available_until, now)
            and (audiences is None or not variant.audience or variant.audience in audiences)
            and all(category in sensitive for category in variant.sensitivity)
            and all(_fits(context.get(name), wanted) for name, wanted in variant.context.items())
            and (not variant.language or nearest([variant.language], spoken) is not None)
        )

    def order(variant: Variant) -> tuple[int, int, int, float]:
        names = [place for place, name in enumerate(choice.prefer) if name in (variant.id, variant.style)]
        language = next((n for n, tag in enumerate(spoken) if nearest([variant.language], [tag])), len(spoken))
        return (min(names, default=len(choice.prefer)), language, -len(variant.context), -variant.weight)

    return min(filter(permitted, item.variants), key=order, default=None)


def _fits(given: Value, wanted: object) -> bool:
    """Whether what the request says of the context is what is wanted, or one of several things wanted."""
    return given in wanted if isinstance(wanted, list) else given == wanted
