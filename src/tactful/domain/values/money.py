"""Money: an exact amount with its currency (ISO 4217), as text: "12.90 EUR". Nothing is ever converted: there are no rates here."""

import re
from decimal import Decimal
from functools import cache

from tactful.domain.values import names
from tactful.domain.values.impossible import Impossible, shape
from tactful.domain.values.numbers import LONGEST, exact, typed_plainly

SIGNS = {"€": "EUR", "₹": "INR", "₪": "ILS", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₫": "VND", "₸": "KZT", "₦": "NGN"}
"""Signs that stand for one currency only. $, £ and ¥ stand for several."""
MOST = Decimal(10) ** 15

_SIGN = "[A-Za-z]{3}|[^\\sA-Za-z0-9.,'+-]"
_WRITTEN = re.compile(rf"({_SIGN})?\s*([+-]?[0-9.,' ]*[0-9])\s*({_SIGN})?")
_FLOAT_NOISE = Decimal("1e-9")


@cache
def _decimals() -> dict[str, int]:
    """Decimals of each currency's minor unit."""
    named = {code: places for places, codes in names.DECIMALS.items() for code in codes.split()}
    return {code: named.get(code, 2) for code in names.CURRENCIES.split()}


def currency(name: object) -> str:
    """The code of a currency: "eur" and "€" are "EUR". Raises Impossible."""
    if isinstance(name, str):
        code = SIGNS.get(name.strip(), name.strip().upper())
        if code in _decimals():
            return code
        if name.strip() in ("$", "£", "¥"):
            raise Impossible("its sign stands for several currencies; send the code of ISO 4217, such as USD")
    raise Impossible("its currency is not one; send the code of ISO 4217, such as EUR")


def money(value: object, beside: object, declared: str) -> str:
    """The amount with its currency.

    beside: the currency as the event says it elsewhere (None: it does not). declared: the one that the charter keeps ("": any).
    Raises Impossible for an unknown currency, none at all, two that differ, or more decimals than the currency has.
    """
    said: object = None
    if isinstance(value, dict):
        said, value = value.get("currency"), value.get("amount", value.get("value"))
    if isinstance(value, str) and len(value) <= LONGEST:
        before, value, after = _taken_apart(value)
        said = _agreed(_agreed(said, before), after)
    code = _agreed(said, beside)
    if code is None:
        code = declared or None
    if code is None:
        raise Impossible('it has no currency; send "12.90 EUR", or currency beside it')
    if declared and code != declared:
        raise Impossible(f"it is not in {declared}, and there are no rates to convert by; send it in {declared}")
    if isinstance(value, bool | list | dict) or value is None:
        raise Impossible(f'it is {shape(value)}, not an amount of money; send "12.90 EUR"')
    return f"{_whole_minor_units(value, code)} {code}"


def _taken_apart(text: str) -> tuple[str | None, str, str | None]:
    found = _WRITTEN.fullmatch(typed_plainly(text))
    if found is None:
        raise Impossible('it is text that is not an amount of money; send "12.90 EUR"')
    before, number, after = found.groups()
    return before, number.strip(), after


def _agreed(one: object, other: object) -> str | None:
    """The currency that both name, or the only one that is named."""
    first = None if one is None else currency(one)
    second = None if other is None else currency(other)
    if first and second and first != second:
        raise Impossible("two currencies are named; send one")
    return first or second


def _whole_minor_units(value: object, code: str) -> str:
    amount, places = exact(value), _decimals()[code]
    if abs(amount) >= MOST:
        raise Impossible("nothing costs so much; send the amount in the currency's main unit")
    rounded = round(amount, places)
    # A float cannot hold most decimal fractions (0.1 + 0.2), so what is off by less than that was not said by anybody.
    noise = _FLOAT_NOISE * max(Decimal(1), abs(amount)) if isinstance(value, float) else Decimal(0)
    if abs(rounded - amount) > noise:
        raise Impossible(f"it has more than the {places} decimals of {code}; send it rounded")
    return format(abs(rounded) if rounded == 0 else rounded, f".{places}f")
