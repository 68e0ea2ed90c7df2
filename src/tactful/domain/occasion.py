"""When it is, for the person who asks: part of the day, day of the week, season. Worked out from a moment and a zone, never from a clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from msgspec import Struct

from tactful.domain.event import Value

DAYPARTS = {"morning": (5, 11), "afternoon": (11, 17), "evening": (17, 22), "night": (22, 29)}
"""From the one hour to the other, the night beyond midnight."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKEND = ("saturday", "sunday")
SEASONS = ("winter", "spring", "summer", "autumn")
"""Of three whole months each, as weather services count them; winter begins with December in the north."""
OFFSET_MOST = 14 * 60


class Occasion(Struct, frozen=True):
    """hour: 0 to 23. days: `weekend` or `workday`."""

    daypart: str
    weekday: str
    days: str
    season: str
    hour: int


def occasion(at: int, context: Mapping[str, Value], zone: str = "", southern: bool = False) -> Occasion | None:
    """When it is where the person is, or None if it is not said (at = 0).

    at: ms since 1970. context: may hold `timezone` (a name such as `Europe/Berlin`) or `utc_offset` (minutes east of Greenwich).
    zone: what to take otherwise; "" is UTC. southern: whether the seasons are those of the south.
    """
    if not at:
        return None
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(_zone(context, zone))
    hour = local.hour if local.hour >= 5 else local.hour + 24
    daypart = next(name for name, (start, end) in DAYPARTS.items() if start <= hour < end)
    weekday = WEEKDAYS[local.weekday()]
    season = SEASONS[(local.month % 12 // 3 + (2 if southern else 0)) % 4]
    return Occasion(daypart, weekday, "weekend" if weekday in WEEKEND else "workday", season, local.hour)


def _zone(context: Mapping[str, Value], otherwise: str) -> tzinfo:
    minutes = context.get("utc_offset")
    if isinstance(minutes, int | float) and not isinstance(minutes, bool) and abs(minutes) <= OFFSET_MOST:
        return timezone(timedelta(minutes=minutes))
    return zone_named(context.get("timezone")) or zone_named(otherwise) or UTC


def zone_named(name: Value) -> tzinfo | None:
    """The time zone of this name, or None if there is none. The table of zones is the machine's (or the package `tzdata`), read once a name."""
    if not isinstance(name, str) or not name or len(name) > 64:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such zone, or no name of one
        return None
