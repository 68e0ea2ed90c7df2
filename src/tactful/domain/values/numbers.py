"""Numbers as people and programs write them → exact decimals. What can be read in two ways is not read at all."""

import math
import re
from decimal import Decimal

from tactful.domain.values.impossible import Impossible, shape

LONGEST = 64
"""The longest number, in characters."""
WHOLE_MOST = 1 << 63
"""Whole numbers from here on no store can hold as a number."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_COMMA = re.compile(r"[+-]?([0-9]+),([0-9]+)")
_GROUPED = (
    (re.compile(r"[+-]?[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?"), " '"),
    (re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}"), "."),
    (re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}"), ","),
)
_TYPOGRAPHIC = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'", "\u2212": "-"})


def typed_plainly(text: str) -> str:
    """The text with the signs of typographers (thin spaces, a long minus) as a keyboard has them, its ends trimmed."""
    return text.translate(_TYPOGRAPHIC).strip()


def exact(value: object) -> Decimal:
    """A number, or text that can be read as one in one way only: "12.5", "12,5", "1 234,50", "1.234,50". Raises Impossible."""
    match value:
        case bool():
            pass
        case int() if -WHOLE_MOST <= value < WHOLE_MOST:
            return Decimal(value)
        case float() if math.isfinite(value):
            return Decimal(repr(value))
        case int() | float():
            raise Impossible("it is too large to be kept; send a number below 2^63")
        case str() if len(value) <= LONGEST:
            return Decimal(_digits(typed_plainly(value)))
    raise Impossible(f"it is {shape(value)}, not a number; send it as 12.5")


def _digits(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    for pattern, separators in _GROUPED:
        if pattern.fullmatch(text):
            for sign in separators:
                text = text.replace(sign, "")
            return text.replace(",", ".")
    comma = _COMMA.fullmatch(text)
    if comma is None:
        raise Impossible("it is text that is not a number; send it as 12.5")
    whole, rest = comma.groups()
    if len(rest) == 3 and len(whole) <= 3 and whole[0] != "0":
        raise Impossible("its comma may mean thousands or a fraction; send it as 1234 or 1.234")
    return text.replace(",", ".")


def kept(number: Decimal) -> int | float:
    """A number as it is kept: 5, 5.0 and "5,00" are one value. Raises Impossible for what is too large."""
    if abs(number) < WHOLE_MOST and number == number.to_integral_value():
        return int(number)
    found = float(number)
    if not math.isfinite(found):
        raise Impossible("it is too large to be kept; send a number below 2^63")
    return found


def whole(number: Decimal) -> int:
    """A whole number. Raises Impossible."""
    if number != number.to_integral_value():
        raise Impossible("it has a fraction; send a whole number")
    if not -WHOLE_MOST <= number < WHOLE_MOST:
        raise Impossible("it is too large to be kept; send a number below 2^63")
    return int(number)


def in_digits(number: Decimal) -> str:
    """The number without exponent and without idle zeros: "180", "0.5", "-3.25"."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
