"""Values: one form for each, whatever way they are written; what is impossible says why, and never what was said."""

import json
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.domain.charter import Type
from tactful.domain.values import PIECE_TYPES, TYPES, Impossible, cleaned, magnitude
from tactful.domain.values.money import _decimals
from tactful.domain.values.units import UNITS
from tactful.domain.values.words import _countries, _languages
from tests.shop import NOW


def clean(type_: str, value: Any, beside: Any = None, **more: Any) -> Any:
    return cleaned(Type(type_, **more), value, NOW, beside)


def why(type_: str, value: Any, beside: Any = None, **more: Any) -> str:
    with pytest.raises(Impossible) as raised:
        clean(type_, value, beside, **more)
    return str(raised.value)


# ----------------------------------------------------------------------------------------------------------------- any value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.text(st.characters(), max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(("value", "unit", "currency", "amount")), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NEARLY = st.sampled_from((
    "5 ft 11 in", "5'11\"", "1.80 m", "1,80 m", "180", "-0", "1e3", "1,234", "1.234,5", "12.90 EUR", "€ 5", "5 usd", "USD5.00", "$5",
    "2024-02-29", "2023-02-29", "20240229", "24-02-29", "2024-02-29T24:00", "2024-02-29T10:00:00+14:00", "0001-01-01T00:00+05:00",
    "9999-12-31T23:59:59.999-05:00", "1714600000", "en_us", "zh-Hant-TW", "iw", "en-", "-", "de-1901-1901", "sl-rozaj", "UK", "yes", "1.0",
    "e\u0301", "\u212b", "a\u202eb", "\u0000", " \u0301", "\ud800", "İ", "ß", "\u0958", {"value": 1, "unit": "m"}, {"amount": "5,00", "currency": "eur"},
    {"value": {"value": 1}}, [["a"]], ["a", "a", "A"], 1e308, 2**63, 2**63 - 1, -(2**63), 1990, 1990.0, 1.5, 0.1 + 0.2,
))  # fmt: skip
UNITED = st.sampled_from(sorted(UNITS))


@st.composite
def kinds(draw: Any) -> Type:
    type_ = draw(st.sampled_from(TYPES))
    unit = draw(UNITED) if type_ == "amount" else draw(st.sampled_from(("", "EUR", "JPY"))) if type_ == "money" else ""
    return Type(type_, unit, draw(st.sampled_from(PIECE_TYPES)))


LOOKS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "moment": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "language": re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-\d{3})?(-[a-z0-9]{4,8})*"),
    "country": re.compile(r"[A-Z]{2}"),
    "money": re.compile(r"-?\d+(\.\d+)? [A-Z]{3}"),
    "amount": re.compile(r"-?\d+(\.\d+)? \S+"),
}


def is_one(kind: Type, value: object) -> bool:
    """Whether a value is of its type, said once more in other words than the cleaner's."""
    match kind.type, value:
        case _, None:
            return True
        case "text", str():
            return 0 < len(value) <= 1024 and unicodedata.is_normalized("NFC", value) and value == value.strip() \
                and not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value)  # fmt: skip
        case "number", int() | float():
            return not isinstance(value, bool) and abs(value) < float("inf") and abs(value) == abs(value)
        case "whole", int():
            return not isinstance(value, bool) and -(2**63) <= value < 2**63
        case "birth_year", int():
            return 1895 <= value <= 2025
        case "yes_no", bool():
            return True
        case "list", list():
            return (
                len(value) <= 100
                and len(set(value)) == len(value)
                and all(is_one(Type(kind.of), piece) for piece in value)
            )
        case "date" | "moment", str() if LOOKS[kind.type].fullmatch(value):
            return datetime.fromisoformat(value).year >= 1
        case name, str():
            return bool(LOOKS[name].fullmatch(value))
    return False


@settings(max_examples=400)
@given(kinds(), JSON | NEARLY, st.none() | st.sampled_from(("EUR", "usd", "?", 7)))
def test_any_json_for_any_type_is_of_that_type_or_has_a_reason_and_cleaning_twice_changes_nothing(
    kind: Type, value: Any, beside: Any
) -> None:
    try:
        found = cleaned(kind, value, NOW, beside)
    except Impossible as mistake:
        assert "; " in str(mistake), "the reason names the fix"
        return
    assert is_one(kind, found), found
    assert cleaned(kind, found, NOW) == found
    assert type(cleaned(kind, found, NOW)) is type(found)
    json.dumps(found, allow_nan=False)


@given(kinds(), st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=12, max_size=20))
def test_reasons_never_repeat_what_was_said(kind: Type, secret: str) -> None:
    for value in (secret, [[secret]], {"value": secret, "unit": secret, "currency": secret}):
        try:
            cleaned(kind, value, NOW, secret)
        except Impossible as mistake:
            assert secret not in str(mistake)


def test_null_takes_back_what_was_said_whatever_the_type() -> None:
    assert [clean(type_, None, unit="cm") for type_ in TYPES] == [None] * len(TYPES)


# ------------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("written", "number"),
    [(5, 5), (5.0, 5), ("5,00", 5), ("5.00", 5), (" 5 ", 5), ("1 234,5", 1234.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1'234.5", 1234.5),
     ("1\u202f234,5", 1234.5), ("−3", -3), ("1,234,567", 1_234_567), ("1.234.567", 1_234_567), ("0,125", 0.125), ("1234,567", 1234.567), ("1e3", 1000)],
)  # fmt: skip
def test_a_number_is_one_value_however_it_is_written(written: Any, number: float) -> None:
    found = clean("number", written)
    assert found == number
    assert isinstance(found, int) == float(number).is_integer()


@pytest.mark.parametrize(
    "written",
    ["1,234", "12,345", "1,2,3", "1.2.3", "12 34", "five", "", "٣", "0x10", "nan", "inf", True, [], {}, "1e999"],
)
def test_what_could_be_two_numbers_is_none(written: Any) -> None:
    assert "send it as" in why("number", written)


def test_ranges_and_wholes() -> None:
    assert clean("whole", "7.0", least=0, most=7) == 7
    assert "fraction" in why("whole", 7.5)
    assert "the most is 7" in why("whole", 8, most=7)
    assert "the least is 0" in why("number", -0.001, least=0)
    assert clean("text", "abc", most=3) == "abc" and "the most is 3 characters" in why("text", "abcd", most=3)
    assert "the least is 2 pieces" in why("list", ["a"], least=2)
    assert clean("date", "2024-01-01", least="2024-01-01") == "2024-01-01"
    assert "the least is 2024-01-01" in why("date", "2023-12-31", least="2024-01-01")
    assert "the most is 260 cm" in why("amount", "3 m", unit="cm", most=260)
    assert "the most is 100" in why("money", "100.01 EUR", most=100)
    assert magnitude("180.5 cm") == Decimal("180.5") and magnitude(3) == 3


# --------------------------------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("written", "unit", "kept"),
    [("5 ft 11 in", "cm", "180.34 cm"), ("5'11\"", "cm", "180.34 cm"), ("5′11″", "cm", "180.34 cm"), ("5'11", "cm", "180.34 cm"), ("1.80 m", "cm", "180 cm"),
     ("1,80 m", "cm", "180 cm"), ("1 m 80 cm", "cm", "180 cm"), (180, "cm", "180 cm"), ("180", "cm", "180 cm"), ({"value": 1.8, "unit": "M"}, "cm", "180 cm"),
     ({"value": "71", "unit": "inches"}, "cm", "180.34 cm"), ("1 mile", "km", "1.609344 km"), ("26.2 mi", "km", "42.1648128 km"), ("11 st 4 lb", "kg", "71.66759446 kg"),
     ("150lbs", "kg", "68.0388555 kg"), ("1 h 30 min", "min", "90 min"), ("1 hour, 30 minutes", "min", "90 min"), ("90 s", "min", "1.5 min"), ("75 cl", "ml", "750 ml"),
     ("212 °F", "°C", "100 °C"), ("-40 C", "°F", "-40 °F"), ("98.6F", "°C", "37 °C"), ("100 km/h", "m/s", "27.7777777778 m/s"), ("60 mph", "km/h", "96.56064 km/h"),
     ("100 kcal", "kJ", "418.4 kJ"), ("1000 sqft", "m2", "92.90304 m2")],
)  # fmt: skip
def test_amounts_come_in_the_charters_unit(written: Any, unit: str, kept: str) -> None:
    assert clean("amount", written, unit=unit) == kept


@pytest.mark.parametrize(
    ("written", "words"),
    [("80 kg", "it is a mass, not a length"), ("5 parsecs", "known unit; send it with one of m, mm, cm"), ("11 in 5 ft", "large to small"), ("5 ft -2 in", "do not add up"),
     ("5 ft 3 ft", "large to small"), ({"value": 5}, "without value and unit"), ({"value": 5, "unit": 7}, "unit is not known"), (True, "yes or no"), ([180], "a list"),
     ("1,234 m", "thousands"), ("1e30 m", "known unit"), (1e30, "nothing measures so much"), ("m", "known unit"), ("", "known unit"), ("9" * 65, "too long")],
)  # fmt: skip
def test_amounts_that_are_none_say_why(written: Any, words: str) -> None:
    assert words in why("amount", written, unit="cm")


@given(st.decimals(-(10**7), 10**7, places=4), UNITED, UNITED)
def test_a_conversion_there_and_back_is_the_same(number: Decimal, one: str, other: str) -> None:
    if UNITS[one].dimension != UNITS[other].dimension:
        return
    there = clean("amount", f"{number} {one}", unit=other)
    back = magnitude(clean("amount", there, unit=one))
    size = max(
        abs(number), abs(magnitude(there)) * UNITS[other].times / UNITS[other].over / UNITS[one].times * UNITS[one].over
    )
    assert abs(back - number) <= max(Decimal("1e-10") * (size + 500), Decimal("1e-10"))


# --------------------------------------------------------------------------------------------------------------------- money


@pytest.mark.parametrize(
    ("written", "beside", "kept"),
    [("5 EUR", None, "5.00 EUR"), (5.0, "EUR", "5.00 EUR"), ("5,00", "€", "5.00 EUR"), ("€5", None, "5.00 EUR"), ("EUR 5.5", None, "5.50 EUR"), ("1.234,50 €", None, "1234.50 EUR"),
     ({"amount": 5, "currency": "eur"}, None, "5.00 EUR"), (1200, "JPY", "1200 JPY"), ("1.5", "KWD", "1.500 KWD"), (0.1 + 0.2, "EUR", "0.30 EUR"), (-3, "usd", "-3.00 USD"),
     (-0.0, "EUR", "0.00 EUR"), ("5 EUR", "EUR", "5.00 EUR")],
)  # fmt: skip
def test_money_is_exact_and_has_its_currency(written: Any, beside: Any, kept: str) -> None:
    assert clean("money", written, beside) == kept


@pytest.mark.parametrize(
    ("written", "beside", "words"),
    [(5, None, "it has no currency"), ("$5", None, "stands for several"), ("5 XYZ", None, "ISO 4217"), (5, "euros", "ISO 4217"), ("12.345 EUR", None, "more than the 2 decimals of EUR"),
     (12.345, "EUR", "more than the 2 decimals"), (1.5, "JPY", "more than the 0 decimals"), ("5 EUR", "USD", "two currencies"), ("EUR 5 USD", None, "two currencies"),
     ("XAU 5", None, "ISO 4217"), (True, "EUR", "yes or no"), ("EUR", None, "not an amount"), ("1,234 EUR", None, "thousands"), ({}, "EUR", "nothing"), (10**15, "JPY", "nothing costs so much")],
)  # fmt: skip
def test_money_that_is_none_says_why(written: Any, beside: Any, words: str) -> None:
    assert words in why("money", written, beside)


def test_nothing_is_converted_and_a_declared_currency_is_the_only_one() -> None:
    assert clean("money", 5, unit="EUR") == "5.00 EUR"
    assert "no rates to convert by" in why("money", "5 USD", unit="EUR")


def test_currencies_have_the_decimals_of_iso_4217() -> None:
    places = _decimals()
    assert {places[code] for code in ("EUR", "USD", "GBP", "CHF", "AFN")} == {2}
    assert [places[code] for code in ("JPY", "KRW", "CLP", "ISK", "VND", "XOF")] == [0] * 6
    assert [places[code] for code in ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")] == [3] * 7
    assert len(places) == 168 and "XAU" not in places and "XXX" not in places


# ------------------------------------------------------------------------------------------------------- days, moments, years


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024-02-29", "2024-02-29"),
        (" 20240229 ", "2024-02-29"),
        ("2024-05-01T23:59:59+02:00", "2024-05-01"),
        ("0001-01-01", "0001-01-01"),
    ],
)
def test_days(written: str, kept: str) -> None:
    assert clean("date", written) == kept


@pytest.mark.parametrize(
    ("written", "words"),
    [("2023-02-29", "no such day"), ("2024-02-30", "no such day"), ("2024-13-01", "no such day"), ("24-02-29", "the century, can be mistaken"), ("01/02/2024", "day and month"),
     ("1.2.24", "day and month"), ("2024-2-9", "not a date of ISO 8601"), ("yesterday", "not a date"), (20240229, "a number"), ("2024-05-01T25:00", "no such day or time"), ("２０２４-05-01", "not a date")],
)  # fmt: skip
def test_days_that_are_none_say_why(written: Any, words: str) -> None:
    assert words in why("date", written)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()), st.booleans())
def test_a_moment_is_the_same_in_any_zone(at: datetime, zoned: bool) -> None:
    seconds = at.utcoffset().total_seconds()  # type: ignore[union-attr]
    if seconds % 60:
        return  # zones of before there were any
    kept = clean("moment", at.isoformat())
    assert datetime.fromisoformat(kept) == at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def test_moments_are_counted_or_written() -> None:
    assert (
        clean("moment", 1_714_600_000)
        == clean("moment", 1_714_600_000_000)
        == clean("moment", "1714600000")
        == "2024-05-01T21:46:40.000Z"
    )
    assert clean("moment", "2024-05-01") == "2024-05-01T00:00:00.000Z"
    assert "calendars" in why("moment", 1e300) and "no such moment" in why("moment", "2024-05-01T25:00:00Z")
    assert "yes or no" in why("moment", True)


@pytest.mark.parametrize(
    ("written", "year"),
    [(1990, 1990), ("1990", 1990), (1990.0, 1990), ("1990-05-17", 1990), (2025, 2025), (1895, 1895)],
)
def test_birth_years(written: Any, year: int) -> None:
    assert clean("birth_year", written) == year


@pytest.mark.parametrize("written", [2026, 1894, 20012, "90", "90-05-17", 0, True, 1990.5, "in spring"])
def test_nobody_alive_was_born_in_the_future_or_more_than_130_years_ago(written: Any) -> None:
    why("birth_year", written)


# ------------------------------------------------------------------------------------------------------ languages and countries


@pytest.mark.parametrize(
    ("written", "kept"),
    [("EN_us", "en-US"), ("iw", "he"), ("in_ID", "id-ID"), ("zh-yue", "yue"), ("ZH-hant-tw", "zh-Hant-TW"), ("de-DE-1996", "de-DE-1996"), ("en-UK", "en-GB"),
     ("es-419", "es-419"), ("sr_latn_rs", "sr-Latn-RS"), ("tlh", "tlh"), (" fr ", "fr"), ("ca-valencia", "ca-valencia")],
)  # fmt: skip
def test_languages(written: str, kept: str) -> None:
    assert clean("language", written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "xx",
        "english",
        "en-XX",
        "en-EU",
        "en-US-GB",
        "en-Xxxx",
        "en-u-ca-gregory",
        "C",
        "",
        "en-",
        "-",
        "e",
        7,
        None or [],
        "en-US-1996-1996",
        "und",
        "ｅｎ",
    ],
)
def test_languages_that_nobody_registered_are_none(written: Any) -> None:
    assert "BCP 47" in why("language", written)


def test_countries() -> None:
    assert [clean("country", written) for written in ("de", "DEU", " uk ", "GB")] == ["DE", "DE", "GB", "GB"]
    for written in ("EU", "XX", "ZZ", "SU", "Germany", 49, True):
        assert "ISO 3166-1" in why("country", written)
    assert len(set(_countries().values())) == 249
    assert len(_languages()) > 8_000 and {"en", "de", "yue", "gsw"} <= _languages()


# ------------------------------------------------------------------------------------------------------------ words and lists


def test_text_is_composed_and_shows_what_it_is() -> None:
    assert clean("text", "e\u0301") == "\u00e9"
    assert clean("text", " a\tb\u0000\u202ec ") == "a bc"
    assert clean("text", "👩‍👩‍👧‍👦") == "👩‍👩‍👧‍👦", "a family stays together"
    assert clean("text", 12345) == "12345"
    for nothing in ("", " ", "\u0000", "\u202e"):
        assert "send null to take it back" in why("text", nothing)
    assert "the most is 1024" in why("text", "x" * 1025)
    assert clean("text", "M", one_of=("s", "m", "l")) == "m"
    assert "send one of s, m, l" in why("text", "xl", one_of=("s", "m", "l"))


def test_lists_hold_each_thing_once() -> None:
    assert clean("list", ["Sea", "sky", "SEA"], one_of=("sea", "sky")) == ["sea", "sky"]
    assert clean("list", "de_at", of="language") == ["de-AT"]
    assert clean("list", [7, "7"]) == ["7"]
    assert clean("list", []) == []
    for wrong in ({}, True, 1.5, [None], [[]], ["x" * 257], ["a"] * 101):
        why("list", wrong)


@pytest.mark.parametrize(
    ("written", "yes"),
    [(True, True), ("Yes", True), (1, True), ("on", True), (0, False), ("FALSE", False), ("n", False), (0.0, False)],
)
def test_yes_and_no(written: Any, yes: bool) -> None:
    assert clean("yes_no", written) is yes


def test_neither_yes_nor_no() -> None:
    for written in ("maybe", 2, [], "", {}, 0.5):
        assert "true or false" in why("yes_no", written)
