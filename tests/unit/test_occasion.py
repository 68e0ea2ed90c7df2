"""When it is for somebody: by the zone that they say, never by a clock."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.occasion import DAYPARTS, SEASONS, WEEKDAYS, Occasion, occasion


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "context", "want"),
    [
        (ms(2026, 1, 5, 4, 59), {}, Occasion("night", "monday", "workday", "winter", 4)),
        (ms(2026, 1, 5, 5), {}, Occasion("morning", "monday", "workday", "winter", 5)),
        (ms(2026, 7, 4, 11), {}, Occasion("afternoon", "saturday", "weekend", "summer", 11)),
        (ms(2026, 4, 5, 17), {}, Occasion("evening", "sunday", "weekend", "spring", 17)),
        (ms(2026, 10, 7, 22), {}, Occasion("night", "wednesday", "workday", "autumn", 22)),
        (ms(2026, 12, 1, 0), {}, Occasion("night", "tuesday", "workday", "winter", 0)),
        (ms(2026, 7, 4, 23), {"timezone": "Europe/Berlin"}, Occasion("night", "sunday", "weekend", "summer", 1)),
        (ms(2026, 7, 4, 23), {"utc_offset": -600}, Occasion("afternoon", "saturday", "weekend", "summer", 13)),
        (ms(2026, 7, 4, 11), {"timezone": "No/Where"}, Occasion("afternoon", "saturday", "weekend", "summer", 11)),
        (ms(2026, 7, 4, 11), {"timezone": "../../etc/passwd"}, Occasion("afternoon", "saturday", "weekend", "summer", 11)),
        (ms(2026, 7, 4, 11), {"timezone": 7, "utc_offset": 1e9}, Occasion("afternoon", "saturday", "weekend", "summer", 11)),
    ],
)  # fmt: skip
def test_when_it_is(at: int, context: dict[str, Any], want: Occasion) -> None:
    assert occasion(at, context) == want


def test_the_recipe_says_where_if_the_page_does_not() -> None:
    at = ms(2026, 7, 4, 23)
    assert occasion(at, {}, "Asia/Tokyo") == Occasion("morning", "sunday", "weekend", "summer", 8)
    assert occasion(at, {"utc_offset": 0}, "Asia/Tokyo") == Occasion("night", "saturday", "weekend", "summer", 23)


def test_of_no_time_nothing_is_said() -> None:
    assert occasion(0, {"timezone": "Europe/Berlin"}) is None


@given(st.integers(1, 4_000_000_000_000), st.integers(-14 * 60, 14 * 60), st.booleans())
def test_every_moment_is_some_occasion(at: int, offset: int, southern: bool) -> None:
    found, other = (occasion(at, {"utc_offset": offset}, southern=side) for side in (southern, not southern))
    assert found is not None and other is not None
    local = datetime.fromtimestamp(at / 1000, timezone(timedelta(minutes=offset)))
    assert found.daypart in DAYPARTS and found.weekday == WEEKDAYS[local.weekday()] and found.hour == local.hour
    assert abs(SEASONS.index(found.season) - SEASONS.index(other.season)) == 2
