"""What the counts of the house say: each a title, a sentence with the finding, a table, and a picture of the same numbers."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.consent import Dial
from tactful.measure.allowed import FEWEST, Allowed, tellable
from tactful.measure.house import HOUR, House, Spread
from tactful.web.counting import HOURS
from tactful.web.picture import Picture
from tactful.web.steps import moment

SERIES_MOST = 5
"""Placements with a colour of their own; further ones are drawn together."""
REST = "others"
ROWS_MOST = 12
"""Bars in a picture at most; the table has them all."""
NAME_MOST = 32
"""Characters of a name in a picture."""
FEW = f"fewer than {FEWEST}"


Missing = Sequence[tuple[str, int]]
"""Words that were searched for in vain, and how often, the most frequent first."""


class Finding(Struct, frozen=True):
    """name: in the address of its place on the page. heads, rows: the table. picture: None where there is nothing to draw."""

    name: str
    title: str
    says: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    picture: Picture | None = None
    alt: str = ""


def findings(
    house: House, since: int, spread: Spread, catalogue: Catalogue, allowed: Allowed, charter: Charter, missed: Missing
) -> list[Finding]:
    """All of them. since: from when on the house was counted, ms since 1970. missed: what was searched for in vain, and how often."""
    return [
        by_hour(house, since),
        personal(house),
        coverage(spread),
        most_shown(house, catalogue),
        guards(house),
        dials(allowed),
        purposes(allowed, charter),
        faults(house),
        searches(missed),
    ]


def by_hour(house: House, since: int) -> Finding:
    """When decisions were made, and for which placement."""
    totals = house.by_placement("decisions")
    hours = [since // HOUR + number for number in range(HOURS)]
    counts = {name: house.by_hour(name) for name in totals}
    own, grouped = list(totals)[:SERIES_MOST], list(totals)[SERIES_MOST:]
    order = (*own, *([REST] if grouped else []))
    rows = [(clock(hour), float(counts[name].get(hour, 0)), name) for hour in hours for name in own]
    rows += [
        (clock(hour), float(sum(counts[name].get(hour, 0) for name in grouped)), REST) for hour in hours if grouped
    ]
    sums = {hour: sum(count.get(hour, 0) for count in counts.values()) for hour in hours}
    busiest = max(hours, key=lambda hour: sums[hour])
    says = "Nothing was decided."
    if totals:
        says = f"{many(sum(sums.values()), 'decision')}; most in the hour from {clock(busiest)}: {sums[busiest]:,}."
    table = [
        (
            f"{moment(hour * HOUR):%a} {clock(hour)}",
            *(f"{counts[name].get(hour, 0):,}" for name in totals),
            f"{sums[hour]:,}",
        )
        for hour in hours
        if sums[hour]
    ]
    return Finding(
        "hours", "Decisions by hour", says, ("Hour (UTC)", *totals, "All"), tuple(table),
        Picture("columns", "hour (UTC)", "decisions", tuple(rows), order) if totals else None,
        "Columns: decisions in each hour, by placement.",
    )  # fmt: skip


def personal(house: House) -> Finding:
    """How much of it was personal, by placement; and how often nothing was left to show."""
    totals, own, empty = (house.by_placement(kind) for kind in ("decisions", "personal", "empty"))
    whole, part = house.total("decisions"), house.total("personal")
    says = "Nothing was decided."
    if whole:
        says = f"In {percent(part, whole)} of all decisions something about the person spoke for an item."
    rows = tuple(
        (name, f"{own.get(name, 0):,}", f"{count:,}", percent(own.get(name, 0), count), f"{empty.get(name, 0):,}")
        for name, count in totals.items()
    )
    return Finding(
        "personal", "How much was personal", says, ("Placement", "Personal", "All decisions", "Share", "Came up empty"), rows,
        bars("% of the decisions", {f"{short(name)}: {percent(own.get(name, 0), count)}": 100 * own.get(name, 0) / count for name, count in totals.items()}) if whole else None, "Bars: the share of personal decisions, by placement.",
    )  # fmt: skip


def coverage(spread: Spread) -> Finding:
    """How evenly places fall to items."""
    half = next((float(share) for share, part in spread.curve if part >= 0.5), 1.0)
    says = "Nothing was shown."
    if spread.shown:
        says = (
            f"{spread.shown:,} of {spread.items:,} items that can be had were chosen at least once ({percent(spread.shown, spread.items)}). "
            f"The {round(100 * (1 - half))}% chosen most fill half of all places. Gini {spread.gini:.2f} (0: all alike, 1: one has all)."
        )
    rows = [(f"{share:.0%}", f"{part:.1%}") for share, part in spread.curve[::4]]
    points = tuple((round(float(share), 4), round(float(part), 4), "") for share, part in spread.curve)
    return Finding(
        "coverage", "How much of the catalogue comes up", says, ("Items, least chosen first", "Have of all places"),
        tuple(rows) if spread.shown else (), Picture("curve", "items, least chosen first", "places they fill", points) if spread.shown else None,
        "Curve: the share of all places that the least chosen items have together. The dashed line is where all items have as many.",
    )  # fmt: skip


def most_shown(house: House, catalogue: Catalogue) -> Finding:
    """Which items fill most places."""
    found = house.by_item()
    items = {name: catalogue.get(name) for name in list(found)[:ROWS_MOST]}
    rows = [
        (item.title if item else name, f"{found[name]:,}", percent(found[name], house.total("items")))
        for name, item in items.items()
    ]
    says = f"{rows[0][0]} fills most places: {rows[0][1]}, {rows[0][2]} of all." if rows else "Nothing was shown."
    return Finding("most", "Chosen most", says, ("Item", "Places", "Of all places"), tuple(rows))  # fmt: skip


def guards(house: House) -> Finding:
    """What guards took away."""
    found, pairs = house.by_guard(), house.by_guard_and_placement()
    rows = tuple((by, placement, f"{count:,}") for (by, placement), count in pairs.items())
    says = "No guard took anything away."
    if found:
        first, count = next(iter(found.items()))
        says = f"{many(sum(found.values()), 'candidate')} taken away before choosing; {count:,} of them by {first}."
    placements = list(house.by_placement("decisions"))
    order = tuple(placements[:SERIES_MOST]) + ((REST,) if len(placements) > SERIES_MOST else ())
    named = list(found)[:ROWS_MOST]
    drawn: dict[tuple[str, str], float] = {}
    for (by, placement), count in pairs.items():
        kind = placement if placement in order else REST
        if by in named:
            drawn[by, kind] = drawn.get((by, kind), 0.0) + count
    rows_drawn = tuple(
        (f"{short(by)}: {found[by]:,}", drawn[by, kind], kind) for by in named for kind in order if (by, kind) in drawn
    )
    return Finding(
        "guards", "What guards took away", says, ("Guard", "Placement", "Candidates"), rows,
        Picture("bars", "candidates", "", rows_drawn, order) if found else None,
        "Bars: candidates taken away, by guard and placement.",
    )  # fmt: skip


def dials(allowed: Allowed) -> Finding:
    """Where people's dials stand."""
    told = {level.words: tellable(allowed.dials[level]) for level in reversed(Dial)}
    return _people(
        "dials", "Where the dials stand", "Level", told, "Bars: people and devices, by where their dial stands."
    )


def purposes(allowed: Allowed, charter: Charter) -> Finding:
    """What people say yes to."""
    told = {purpose.words: tellable(allowed.yes[name]) for name, purpose in charter.purposes.items()}
    return _people(
        "purposes", "What people said yes to", "Purpose", told, "Bars: people and devices that said yes, by purpose."
    )


def _people(name: str, title: str, head: str, told: Mapping[str, int | None], alt: str) -> Finding:
    rows = tuple((words, FEW if count is None else f"{count:,}") for words, count in told.items())
    counts = {words: float(count or 0) for words, count in told.items()}
    most = max(counts, key=lambda words: counts[words], default="")
    says = f"No group has {FEWEST} people or more, so no numbers are told."
    if most and counts[most]:
        says = f"Most: {most.rstrip('.')} ({counts[most]:,.0f} people or devices). Groups of {FEW} are not told apart from none."
    drawn = {f"{short(words)}: {said}": counts[words] for words, said in rows}
    picture = bars("people and devices", drawn) if any(counts.values()) else None
    return Finding(name, title, says, (head, "People and devices"), rows, picture, alt)


def faults(house: House) -> Finding:
    """What failed."""
    found = house.by_fault()
    rows = tuple((fault, f"{count:,}") for fault, count in found.items())
    says = "Nothing failed."
    if found:
        says = f"{many(house.total('faulty'), 'decision')} went on without a part that failed. A guard that fails permits nothing."
    return Finding("faults", "What failed", says, ("Part and mistake", "Decisions"), rows)


def searches(missed: Missing) -> Finding:
    """What was searched for in vain."""
    rows = tuple((words, f"{times:,}") for words, times in missed)
    says = "Nothing yet that at least five people searched for within a day, and nobody found."
    if rows:
        says = f"“{rows[0][0]}” most of all: {rows[0][1]} times in 90 days. Words count once five people used them; nobody’s names."
    return Finding("searches", "Searched for in vain", says, ("Searched for", "Times"), rows)


def bars(across: str, counts: Mapping[str, float]) -> Picture:
    """Lying bars of one colour, by what stands above each."""
    return Picture("bars", across, "", tuple((name, count, "") for name, count in list(counts.items())[:ROWS_MOST]))


def short(words: str) -> str:
    """Words that fit above a bar on a phone; the table has them whole."""
    words = words.rstrip(".")
    return words if len(words) <= NAME_MOST else f"{words[: NAME_MOST - 1].rstrip()}…"


def clock(hour: int) -> str:
    """An hour (since 1970) as it stands on a clock, in UTC."""
    return f"{moment(hour * HOUR):%H:%M}"


def percent(part: int, whole: int) -> str:
    """A share as people read it: never 0 % of something nor 100 % of not all."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "less than 1%"
    return "more than 99%" if 99 < share < 100 else f"{share:.0f}%"


def many(count: int, what: str) -> str:
    """`1 decision`, `2,000 decisions`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
