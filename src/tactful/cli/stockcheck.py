"""What is wrong with a catalogue, or soon will be."""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from tactful.domain.catalogue import ALWAYS, AUDIENCE_CODE, Catalogue
from tactful.domain.charter import Charter
from tactful.domain.variants import alive

_EXAMPLES = 3


class Finding(Struct, frozen=True):
    """Something that was looked for. mend: it should be mended; otherwise it is only said. examples: ids, or topics."""

    what: str
    count: int
    mend: bool
    examples: tuple[str, ...]
    fix: str


def examine(catalogue: Catalogue, charter: Charter, now: int) -> list[Finding]:
    """What there is to say of a catalogue. now: milliseconds since 1970."""
    rows = np.arange(len(catalogue), dtype=np.int32)
    unknown = unknown_topics(catalogue)
    unheard = sorted({name for topic in charter.topics.values() for name in topic.sensitivity} - set(charter.sensitive))
    over, early, out = catalogue.shuts <= now, catalogue.opens > now, catalogue.stock == 0

    def those(what: str, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]", mend: bool, fix: str) -> Finding:
        found = rows[mask].tolist()
        return Finding(
            what, len(found), mend and bool(found), tuple(catalogue.ids[row] for row in found[:_EXAMPLES]), fix
        )

    expired = [row for row in rows[catalogue.varied].tolist() if _all_over(catalogue, row, now)]
    return [
        Finding("can be shown now", int(np.count_nonzero(catalogue.permitted_at(rows, now) & ~out)), False, (), ""),
        those("not available", ~catalogue.available, False, ""),
        those("window not open yet", early, False, ""),
        those("window is over", over, False, "Renew available_until, or leave it out"),
        those("sold out", out, False, "The guard `stock` keeps them back"),
        Finding("all variants are over", len(expired), bool(expired), _named(catalogue, expired), "Renew or remove them; meanwhile the item itself is shown"),
        _of_topics(catalogue, unknown),
        those("sensitive beyond the charter", (catalogue.sensitivity >> 31) == 1, True, "Nobody can turn them on: declare [sensitive.NAME] in the charter"),
        Finding("topics with such a category", len(unheard), bool(unheard), tuple(unheard[:_EXAMPLES]), "Declare [sensitive.NAME] in the charter"),
        those("nobody says for whom", catalogue.audience == AUDIENCE_CODE["unrated"], False, "Children are not shown them"),
    ]  # fmt: skip


def unknown_topics(catalogue: Catalogue) -> dict[str, int]:
    """Topics that the taxonomy does not declare, with how many items each has; none where there is no taxonomy."""
    declared = catalogue.taxonomy.topics
    if not declared:
        return {}
    counts = np.bincount(catalogue.topics, minlength=len(catalogue.topic_sets.all())).tolist()
    found: dict[str, int] = {}
    for together, count in zip(catalogue.topic_sets.all(), counts, strict=True):
        for topic in together:
            if count and topic not in declared:
                found[topic] = found.get(topic, 0) + count
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _of_topics(catalogue: Catalogue, unknown: dict[str, int]) -> Finding:
    fix = "Declare them in taxonomy.toml: what is not declared is only as sensitive as what it lies below"
    return Finding("unknown topics", sum(unknown.values()), bool(unknown), tuple(unknown)[:_EXAMPLES], fix)


def _named(catalogue: Catalogue, rows: Iterable[int]) -> tuple[str, ...]:
    return tuple(catalogue.ids[row] for row in rows)[:_EXAMPLES]


def _all_over(catalogue: Catalogue, row: int, now: int) -> bool:
    return not any(alive(None, one.available_until, now) for one in catalogue.item(row).variants)


def standing(catalogue: Catalogue, row: int, now: int) -> str:
    """Whether an item can be shown now, in words, and what its topics make of it."""
    opens, shuts = int(catalogue.opens[row]), int(catalogue.shuts[row])
    if not catalogue.available[row]:
        says = "It is not available."
    elif now < opens:
        says = f"It is not available before {_day(opens)}."
    elif now >= shuts:
        says = f"It is not available since {_day(shuts)}."
    elif catalogue.stock[row] == 0:
        says = "It is sold out."
    else:
        says = "It can be shown" + (f" until {_day(shuts)}." if shuts != ALWAYS.max else ".")
    bits = int(catalogue.sensitivity[row])
    named = [name for place, name in enumerate(catalogue.categories) if bits >> place & 1]
    named += ["a category that the charter does not know"] * (bits >> 31)
    return says + (f" Sensitive: {', '.join(named)}." if named else "")


def _day(at: int) -> str:
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="minutes")
    except (ValueError, OverflowError):
        return "a time beyond all calendars"
