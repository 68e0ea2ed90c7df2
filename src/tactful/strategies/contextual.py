"""What fits the moment: the time, the device, the weather, the country. Knows nothing of the person, so it serves everybody alike.

`fits = { daypart.evening = { mood = ["calm"] }, weather.rain = { subjects = ["sea"] }, place.DE = { language = ["de"] } }`: in the
evening, items whose attribute `mood` is `calm`. Among items that fit, all weigh the same; blend it with `popular` or others to order them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Rows
from tactful.domain.decision import NO_EVIDENCE, Ask, Evidence, Source
from tactful.domain.event import Value
from tactful.domain.occasion import DAYPARTS, SEASONS, WEEKDAYS, occasion, zone_named
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy

COARSE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""A country (ISO 3166-1) or one of its regions (ISO 3166-2). Where a person is more exactly is nobody's business here."""
VALUES: dict[str, tuple[str, ...]] = {
    "daypart": tuple(DAYPARTS),
    "weekday": (*WEEKDAYS, "workday", "weekend"),
    "season": SEASONS,
    "device": (),
    "weather": (),
    "place": (),
}
"""What of the context counts, and the values it can have; () where the page says what it likes."""


class Fits:
    """What fits when: (of the context, its value) → the attribute values of items. Immutable."""

    __slots__ = ("of",)

    def __init__(self, of: Mapping[tuple[str, str], tuple[tuple[str, tuple[str, ...]], ...]]) -> None:
        self.of = dict(of)

    @staticmethod
    def of_setting(raw: Any) -> "Fits":
        """As it stands in a recipe. Raises ValueError that names what is wrong and the fix."""
        found = {}
        for what, cases in _table(raw, "fits").items():
            if what not in VALUES:
                raise ValueError(f"{what}: it is nothing of the context. There are {', '.join(VALUES)}")
            for value, wanted in _table(cases, what).items():
                _check_value(what, value)
                found[what, value] = tuple(
                    (attribute, _words(values, f"{what}.{value}.{attribute}"))
                    for attribute, values in _table(wanted, f"{what}.{value}").items()
                )
        return Fits(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fits) and self.of == other.of

    def __hash__(self) -> int:
        return hash(frozenset(self.of.items()))

    def __repr__(self) -> str:
        return f"Fits({self.of!r})"


def _table(raw: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError(f'{at}: it needs a table, as in daypart.evening = {{ mood = ["calm"] }}')
    return raw


def _words(raw: Any, at: str) -> tuple[str, ...]:
    values = [raw] if isinstance(raw, str) else raw
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{at}: it needs the values of the attribute, as a list of texts")
    return tuple(values)


def _check_value(what: str, value: str) -> None:
    if what == "place" and not COARSE.fullmatch(value):
        raise ValueError(
            f"place.{value}: only a country (DE) or a region of one (DE-BY) may count. Nothing finer is looked at"
        )
    if VALUES[what] and value not in VALUES[what]:
        raise ValueError(f"{what}.{value}: there is no such {what}. There are {', '.join(VALUES[what])}")


class Contextual(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """fits: what of the context → its value → attribute → values of items that fit. `daypart` (morning, afternoon, evening, night), `weekday`
    (its name, or workday, weekend) and `season` come from the time; `device` and `weather` from the page's context as they are;
    `place` from its `country` (DE) or `region` (DE-BY). zone: where it is, if the page says neither `timezone` nor `utc_offset`.
    southern: whether the seasons are those of the south.
    """

    fits: Fits
    zone: str = ""
    southern: bool = False

    def __post_init__(self) -> None:
        if self.zone and zone_named(self.zone) is None:
            raise ValueError(f"there is no time zone {self.zone!r}; use a name such as Europe/Berlin")

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """Each thing of the context speaks for the items that fit it: together for 1, shared alike."""
        speaking = [
            (Source("context", what, how=value), rows)
            for what, value in self._around(ask.at, ask.context)
            if len(rows := self._fitting(what, value, shelf.catalogue))
        ]
        if not speaking:
            return NO_EVIDENCE
        lengths = [len(rows) for _, rows in speaking]
        base = np.repeat([1.0 / len(speaking) / length for length in lengths], lengths)
        source = np.repeat(np.arange(len(speaking), dtype=np.int32), lengths)
        return single(
            np.concatenate([rows for _, rows in speaking]),
            base.astype(np.float32),
            [one for one, _ in speaking],
            source,
        )

    def _around(self, at: int, context: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """What of the context is known and has something to say, with its value."""
        now = occasion(at, context, self.zone, self.southern)
        known = [("device", context.get("device")), ("weather", context.get("weather"))]
        known += [("place", place) for place in (context.get("country"), context.get("region")) if _is_coarse(place)]
        if now is not None:
            known += [("daypart", now.daypart), ("weekday", now.weekday), ("weekday", now.days), ("season", now.season)]
        for what, value in known:
            if isinstance(value, str) and (what, value) in self.fits.of:
                yield what, value

    def _fitting(self, what: str, value: str, catalogue: Catalogue) -> Rows:
        """The items that have one of the values of any of the attributes."""
        parts = [
            rows
            for attribute, values in self.fits.of[what, value]
            for wanted in values
            if (rows := catalogue.having(attribute).get(wanted)) is not None
        ]
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int32)


def _is_coarse(place: Value) -> bool:
    return isinstance(place, str) and COARSE.fullmatch(place) is not None
