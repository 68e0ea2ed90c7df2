"""Amounts with a unit: "5 ft 11 in" and {"value": 1.8, "unit": "m"} → "180 cm", in the unit that the charter names.

Factors are exact by definition (the international yard and pound of 1959; ISO 80000). Gallons, pints and fluid ounces are left out:
they differ from country to country, and the name does not say which is meant.
"""

import re
from decimal import Decimal
from functools import cache
from itertools import pairwise

from msgspec import Struct

from tactful.domain.values.impossible import Impossible, shape
from tactful.domain.values.numbers import LONGEST, exact, in_digits, typed_plainly

SIGNIFICANT = 12
"""Digits that a converted amount keeps."""
MOST = Decimal(10) ** 15


class Unit(Struct, frozen=True):
    """One unit. In the dimension's first unit, x of it are x · times / over + plus."""

    name: str
    dimension: str
    times: Decimal = Decimal(1)
    over: Decimal = Decimal(1)
    plus: Decimal = Decimal(0)


# name: (dimension, times, over, plus, other names)
_TABLE: dict[str, tuple[str, str, str, str, str]] = {
    "m": ("length", "1", "1", "0", "metre metres meter meters"),
    "mm": ("length", "0.001", "1", "0", "millimetre millimetres millimeter millimeters"),
    "cm": ("length", "0.01", "1", "0", "centimetre centimetres centimeter centimeters"),
    "km": ("length", "1000", "1", "0", "kilometre kilometres kilometer kilometers"),
    "in": ("length", "0.0254", "1", "0", 'inch inches " ″'),
    "ft": ("length", "0.3048", "1", "0", "foot feet ' ′"),
    "yd": ("length", "0.9144", "1", "0", "yard yards"),
    "mi": ("length", "1609.344", "1", "0", "mile miles"),
    "kg": ("mass", "1", "1", "0", "kilogram kilograms kilo kilos"),
    "g": ("mass", "0.001", "1", "0", "gram grams"),
    "mg": ("mass", "0.000001", "1", "0", "milligram milligrams"),
    "t": ("mass", "1000", "1", "0", "tonne tonnes"),
    "oz": ("mass", "0.028349523125", "1", "0", "ounce ounces"),
    "lb": ("mass", "0.45359237", "1", "0", "lbs pound pounds"),
    "st": ("mass", "6.35029318", "1", "0", "stone stones"),
    "s": ("time", "1", "1", "0", "sec secs second seconds"),
    "ms": ("time", "0.001", "1", "0", "millisecond milliseconds"),
    "min": ("time", "60", "1", "0", "mins minute minutes"),
    "h": ("time", "3600", "1", "0", "hr hrs hour hours"),
    "d": ("time", "86400", "1", "0", "day days"),
    "wk": ("time", "604800", "1", "0", "week weeks"),
    "l": ("volume", "1", "1", "0", "litre litres liter liters"),
    "ml": ("volume", "0.001", "1", "0", "millilitre millilitres milliliter milliliters"),
    "cl": ("volume", "0.01", "1", "0", "centilitre centilitres centiliter centiliters"),
    "m2": ("area", "1", "1", "0", "m² m^2 sqm"),
    "ft2": ("area", "0.09290304", "1", "0", "ft² ft^2 sqft"),
    "m/s": ("speed", "1", "1", "0", ""),
    "km/h": ("speed", "1000", "3600", "0", "kph kmh"),
    "mph": ("speed", "0.44704", "1", "0", ""),
    "°C": ("temperature", "1", "1", "0", "c celsius ºc"),
    "°F": ("temperature", "5", "9", "-17.777777777777777777777777778", "f fahrenheit ºf"),
    "kJ": ("energy", "1", "1", "0", "kilojoule kilojoules"),
    "kcal": ("energy", "4.184", "1", "0", "kilocalorie kilocalories"),
}
UNITS: dict[str, Unit] = {
    name: Unit(name, dimension, Decimal(times), Decimal(over), Decimal(plus))
    for name, (dimension, times, over, plus, _) in _TABLE.items()
}


@cache
def _names() -> dict[str, Unit]:
    """Every way to write a unit, in small letters."""
    return {way.casefold(): UNITS[name] for name, row in _TABLE.items() for way in (name, *row[4].split())}


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """One piece (number, unit), and a whole amount of one or more pieces."""
    ways = "|".join(sorted(map(re.escape, _names()), key=len, reverse=True))
    piece = rf"([+-]?(?:[0-9][0-9.,]*|\.[0-9]+))\s*({ways})(?![a-z²^/])"
    return re.compile(piece, re.I), re.compile(rf"{piece}(?:\s*(?:,|and)?\s*{piece})*", re.I)


_SINGLE = re.compile(r"([+-]?[0-9.,]+)\s*(\S+)")
"""What nearly all amounts look like; the long pattern is for the others."""
_FEET = re.compile(r"""([0-9]+)\s*['′]\s*([0-9]+(?:\.[0-9]+)?)""")


def unit_of(name: object) -> Unit:
    """The unit called so. Raises Impossible."""
    found = _names().get(typed_plainly(name).casefold()) if isinstance(name, str) else None
    if found is None:
        raise Impossible(f"its unit is not known; send one of {', '.join(UNITS)}")
    return found


def amount(value: object, unit: str) -> str:
    """The amount in this unit, with the unit, so that it means the same whatever the charter says later. A bare number is in it already.

    Raises Impossible.
    """
    target = UNITS[unit]
    number = _rounded(_in(target, value))
    if abs(number) >= MOST:
        raise Impossible(f"nothing measures so much; send it in {unit}")
    return f"{in_digits(number)} {unit}"


def _in(target: Unit, value: object) -> Decimal:
    if isinstance(value, dict):
        if not {"value", "unit"} <= value.keys():
            raise Impossible('it is an object without value and unit; send {"value": 1.8, "unit": "m"}')
        return _convert([(exact(value["value"]), unit_of(value["unit"]))], target)
    if not isinstance(value, str):
        if isinstance(value, bool | list) or value is None:
            raise Impossible(f'it is {shape(value)}, not an amount; send "1.8 m", or a number in {target.name}')
        return exact(value)
    if len(value) > LONGEST:
        raise Impossible(f'it is too long for an amount; send "1.8 m", or a number in {target.name}')
    text = typed_plainly(value)
    feet = _FEET.fullmatch(text)  # 5'11 leaves the inches unsaid
    if feet is not None:
        return _convert([(exact(feet[1]), UNITS["ft"]), (exact(feet[2]), UNITS["in"])], target)
    single = _SINGLE.fullmatch(text)
    if single is not None and (unit := _names().get(single[2].casefold())) is not None:
        return _convert([(exact(single[1]), unit)], target)
    piece, whole = _patterns()
    if whole.fullmatch(text):
        return _convert([(exact(number), _names()[way.casefold()]) for number, way in piece.findall(text)], target)
    if text[-1:].isdigit():
        return exact(text)
    raise Impossible(f"it is not an amount with a known unit; send it with one of {', '.join(_alike(target))}")


def _convert(pieces: list[tuple[Decimal, Unit]], target: Unit) -> Decimal:
    for number, unit in pieces:
        if unit.dimension != target.dimension:
            raise Impossible(f"it is a {unit.dimension}, not a {target.dimension}; send it in {target.name}")
        if len(pieces) > 1 and (number < 0 or unit.dimension == "temperature"):
            raise Impossible(f"several pieces do not add up here; send one number in {target.name}")
    sizes = [unit.times / unit.over for _, unit in pieces]
    if any(smaller >= larger for larger, smaller in pairwise(sizes)):
        raise Impossible(f"its pieces do not go from large to small; send one number in {target.name}")
    if len(pieces) == 1 and pieces[0][1] is target:
        return pieces[0][0]
    first = sum((number * unit.times / unit.over + unit.plus for number, unit in pieces), Decimal(0))
    return (first - target.plus) * target.over / target.times


def _rounded(number: Decimal) -> Decimal:
    if not number or number.adjusted() < -SIGNIFICANT:  # what conversion leaves of nothing
        return Decimal(0)
    return round(number, SIGNIFICANT - 1 - number.adjusted())


def _alike(unit: Unit) -> list[str]:
    return [name for name, other in UNITS.items() if other.dimension == unit.dimension]
