"""Text, languages, countries, yes and no: one way to write each."""

import unicodedata
from functools import cache

from tactful.domain.values import names
from tactful.domain.values.impossible import Impossible, shape
from tactful.domain.values.numbers import WHOLE_MOST

TEXT_MOST = 1024
"""The longest text, in characters."""

_YES, _NO = frozenset({"true", "yes", "y", "on", "1"}), frozenset({"false", "no", "n", "off", "0"})
# Signs that turn the order of what follows: they make a text look like another.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def text(value: object, most: int = TEXT_MOST) -> str:
    """Text in Unicode's composed form (NFC), without control characters; a whole number is taken as its digits. Raises Impossible."""
    if isinstance(value, int) and not isinstance(value, bool) and -WHOLE_MOST <= value < WHOLE_MOST:
        return str(value)
    if not isinstance(value, str):
        raise Impossible(f"it is {shape(value)}, not text; send text")
    if len(value) > 4 * most:  # composing shortens, but not so much
        raise Impossible(f"it has {len(value)} characters, the most is {most}; send less")
    plain = value if value.isprintable() else "".join(map(_printable, value))
    plain = unicodedata.normalize("NFC", plain).strip()
    if not plain:
        raise Impossible("it is empty; leave it out, or send null to take it back")
    if len(plain) > most:
        raise Impossible(f"it has {len(plain)} characters, the most is {most}; send less")
    return plain


def _printable(sign: str) -> str:
    if sign in "\t\n\r":
        return " "
    return "" if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs") else sign


def yes_no(value: object) -> bool:
    """Yes or no, as it is or in a word of English. Raises Impossible."""
    if isinstance(value, bool):
        return value
    said = str(value).strip().casefold() if isinstance(value, str | float) or value in (0, 1) else ""
    said = said.removesuffix(".0")
    if said in _YES or said in _NO:
        return said in _YES
    raise Impossible("it is neither yes nor no; send true or false")


@cache
def _languages() -> frozenset[str]:
    longer = (group.split(".") for group in names.LONGER_LANGUAGES.split())
    return frozenset(names.LANGUAGES.split()) | {start + end for start, ends in longer for end in ends}


@cache
def _renamed() -> dict[str, str]:
    return dict(pair.split("=") for pair in names.RENAMED.split())


@cache
def _countries() -> dict[str, str]:
    """Two letters by three and by two, and the United Kingdom as it calls itself."""
    by_three = dict(pair.split("=") for pair in names.COUNTRIES.split())
    return {**by_three, **{two: two for two in by_three.values()}, "UK": "GB"}


@cache
def _rest() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    return frozenset(names.SCRIPTS.split()), frozenset(names.AREAS.split()), frozenset(names.VARIANTS.split())


def country(value: object) -> str:
    """A country in the two letters of ISO 3166-1. Raises Impossible."""
    found = _countries().get(value.strip().upper()) if isinstance(value, str) and len(value) < 16 else None
    if found is None:
        raise Impossible("it is no country; send the two letters of ISO 3166-1, such as DE")
    return found


def language(value: object) -> str:
    """A language as BCP 47 writes it: "EN_us" is "en-US", "iw" is "he". Raises Impossible for anything not in its registry."""
    if not isinstance(value, str) or len(value) > 64 or not value.isascii():
        raise Impossible("it is no language; send a tag of BCP 47, such as en-GB")
    first, *rest = value.strip().replace("_", "-").lower().split("-")
    if first == "zh" and rest and len(rest[0]) == 3 and rest[0] in _languages():
        first = rest.pop(0)  # zh-yue is what yue was called once
    first = _renamed().get(first, first)
    if first not in _languages():
        raise Impossible("its language is not in the registry of BCP 47; send a tag such as en-GB")
    return "-".join([first, *_subtags(rest)])


def _subtags(rest: list[str]) -> list[str]:
    """Script, region, variants: each once, in this order."""
    scripts, areas, variants = _rest()
    found: list[str] = []
    stage = 0
    for part in rest:
        if stage < 1 and part.title() in scripts:
            stage, part = 1, part.title()
        elif stage < 2 and (part in areas or (len(part) == 2 and part.upper() in _countries())):
            stage, part = 2, part if part in areas else _countries()[part.upper()]
        elif part in variants and part not in found:
            stage = 3
        else:
            raise Impossible(
                "it has a part after the language that is not in the registry of BCP 47; send language, script and region only"
            )
        found.append(part)
    return found
