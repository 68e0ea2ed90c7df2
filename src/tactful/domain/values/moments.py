"""Days and moments: ISO 8601, and nothing that could be read in two ways."""

import re
from datetime import UTC, date, datetime, timedelta

from tactful.domain.values.impossible import Impossible, shape
from tactful.domain.values.numbers import exact, whole

OLDEST_YEARS = 130
"""Nobody alive was born longer ago."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_MIXED_UP = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{2}|[0-9]{4})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MOST = 10**11
"""Numbers from here on are milliseconds since 1970: as seconds they would lie in the year 5138."""


def day(value: object) -> str:
    """A day as 2024-05-17; of a moment, the day that is written in it. Raises Impossible."""
    if not isinstance(value, str):
        raise Impossible(f"it is {shape(value)}, not a date; send it as 2024-05-17")
    text = value.strip()
    if not text.isascii() or len(text) > 40 or not _DAY.match(text):
        raise Impossible(_unlike_a_day(text))
    try:
        return (date if _DAY.fullmatch(text) else datetime).fromisoformat(text).strftime("%Y-%m-%d").zfill(10)
    except ValueError:
        raise Impossible("there is no such day or time; send a day that exists, as 2024-05-17") from None


def _unlike_a_day(text: str) -> str:
    if _MIXED_UP.fullmatch(text):
        return "day and month, or the century, can be mistaken in it; send it as 2024-05-17"
    return "it is not a date of ISO 8601; send it as 2024-05-17"


def moment(value: object) -> str:
    """A moment as 2024-05-17T10:00:00.000Z, from ISO 8601 (without a zone: UTC) or from seconds or milliseconds since 1970.

    Raises Impossible.
    """
    if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]{9,}\s*", value):
        at = _written(value.strip())
    elif isinstance(value, int | float | str) and not isinstance(value, bool):
        at = _counted(value)
    else:
        raise Impossible(f"it is {shape(value)}, not a moment; send it as 2024-05-17T10:00:00Z")
    at = at.astimezone(UTC)
    return f"{at:%Y}".zfill(4) + f"{at:-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _written(text: str) -> datetime:
    if not text.isascii() or len(text) > 40 or not re.match(r"[0-9]{4}", text):
        raise Impossible(_unlike_a_day(text).replace("2024-05-17", "2024-05-17T10:00:00Z"))
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            return at.replace(tzinfo=UTC)
        at.astimezone(UTC)  # the first and the last day that there are may have no such moment elsewhere
        return at
    except (ValueError, OverflowError):
        raise Impossible("there is no such moment; send one that exists, as 2024-05-17T10:00:00Z") from None


def _counted(value: object) -> datetime:
    number = exact(value)
    ms = int(number if abs(number) >= _SECONDS_MOST else number * 1000)
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        raise Impossible("it lies beyond all calendars; send milliseconds since 1970") from None


def year(now: int) -> int:
    """The year of a moment. now: milliseconds since 1970."""
    return (_EPOCH + timedelta(milliseconds=now)).year


def full_years(born: str, now: int) -> int:
    """How many years have gone by since a day, as `day` gives it. now: milliseconds since 1970."""
    year, month, number = map(int, born.split("-"))
    today = _EPOCH + timedelta(milliseconds=now)
    return today.year - year - ((today.month, today.day) < (month, number))


def birth_year(value: object, now: int) -> int:
    """The year somebody was born in, from the year or the whole date; only the year is kept. Raises Impossible."""
    if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]{4}\s*", value):
        found = int(day(value)[:4])
    else:
        found = whole(exact(value))
    this = year(now)
    if not this - OLDEST_YEARS <= found <= this:
        raise Impossible(f"nobody alive was born then; send a year from {this - OLDEST_YEARS} to {this}")
    return found


def moment_ms(value: object) -> int:
    """A moment in milliseconds since 1970; see `moment`. Raises Impossible."""
    return (datetime.fromisoformat(moment(value)) - _EPOCH) // timedelta(milliseconds=1)
