"""The lake: what people did on days that are over, as Parquet files for analysis, under pseudonyms of its own.

Derived, never the truth: it can be deleted and made anew, belongs in no backup, and is rewritten once somebody withdraws or is
forgotten. The manifest says up to which change of consent or forgetting it is true. Needs the extra `lake` (DuckDB).
"""

import fcntl
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from tactful.domain.charter import Charter
from tactful.domain.consent import Consent
from tactful.domain.errors import BadInput, MissingExtra, StoreBroken
from tactful.domain.event import Interaction
from tactful.domain.identity import Owners
from tactful.flow.gate import DAY
from tactful.flow.identity import behind, owner_of
from tactful.flow.release import kept_back
from tactful.ports import Stores
from tactful.stores.durable import sync_file, sync_folder

DEADLINE_MS = DAY
"""A withdrawal or a forgetting is out of the lake within this time, in milliseconds: a day."""
ROWS_AT_ONCE = 1_000_000
"""Rows held in memory while days are written."""

FILE, MANIFEST, LOCK, UNFINISHED = "events.parquet", "manifest.json", ".lock", ".tmp"

_COPY = """
COPY (
    SELECT person, id, make_timestamp("at" * 1000) AS "at", make_timestamp(kept * 1000) AS kept, verb, item, data,
           string_split(purposes, ',') AS purposes, CASE WHEN isnan(value) THEN NULL ELSE value END AS value
    FROM rows
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""
_COUNT = "SELECT data, count(*) FROM read_parquet('{path}', hive_partitioning = false) GROUP BY data ORDER BY data"


class Row(NamedTuple):
    """One event as it lies in the lake. person, id: keyed hashes; at, kept: ms since 1970. Ordered, so that files are."""

    person: str
    at: int
    id: str
    kept: int
    verb: str
    item: str
    data: str
    purposes: str
    value: float


class Day(Struct, frozen=True):
    """What a day's file holds: rows by data entry, and a digest of them that does not depend on their order."""

    counts: dict[str, int]
    digest: str


class Manifest(Struct, frozen=True):
    """What the lake holds. changed: it is true up to this change of consent or forgetting. at: when it was brought up to date, in ms."""

    purposes: tuple[str, ...] = ()
    charter: str = ""
    changed: int = -1
    at: int = 0
    days: dict[str, Day] = {}
    withheld: dict[str, int] = {}


class Finding(Struct, frozen=True):
    """What `check` found out about one day: rows by data entry in the store, as they may be there now, and in the file."""

    day: str
    store: dict[str, int]
    lake: dict[str, int]
    due: bool


class Lake:
    """The lake in a folder. key: 32 secret bytes, without which nothing in it can be joined with the database."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = folder, key

    @property
    def manifest(self) -> Manifest:
        """What the lake holds; of a folder without a readable manifest: nothing."""
        try:
            return msgspec.json.decode((self.folder / MANIFEST).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.DecodeError):
            return Manifest()

    def stale(self, stores: Stores, charter: Charter, now: int) -> bool:
        """Whether there may be something to do. Cheap; a day that is over, or a day gone by, counts as something."""
        held = self.manifest
        return (
            held.changed != stores.consents.version()
            or held.charter != _fingerprint(charter)
            or now // DAY > held.at // DAY
        )

    def bring_up_to_date(
        self, stores: Stores, charter: Charter, purposes: Sequence[str], now: int, new_days: bool = True
    ) -> list[str]:
        """Write the days that are over and not in the lake yet, and rewrite those that changed; answers with the days touched.

        purposes: events leave for those of these that they came with and the person allows now. Interrupted anywhere, the next call
        finishes it. Raises MissingExtra, BadInput.
        """
        source = _Source(stores, charter, purposes, self._key, now)
        with self._alone():
            held, wanted = self._usable(source), source.survey()
            days = {day: one for day, one in wanted.items() if new_days or day in held.days}
            kept = {
                day: one for day, one in days.items() if held.days.get(day) == one and self._counted(day) == one.counts
            }
            changed = sorted(days.keys() - kept.keys())
            gone = sorted({path.name[4:] for path in self.folder.glob("day=*")} - days.keys())
            # Until all is done the manifest vouches for what stays as it is alone.
            self._write(Manifest(source.purposes, source.charter, -1, held.at, kept))
            for day in gone:
                shutil.rmtree(self.folder / f"day={day}")
            for group in _groups(changed, days):
                kept |= self._write_days(group, source)
            self._write(Manifest(source.purposes, source.charter, source.changed, now, kept, source.withheld))
        return sorted({*changed, *gone})

    def check(self, stores: Stores, charter: Charter, now: int) -> list[Finding]:
        """Each day that is over: what the store says may be in the lake, and what DuckDB finds there. Raises MissingExtra."""
        held = self.manifest
        source = _Source(stores, charter, held.purposes, self._key, now)
        wanted = source.survey()
        found = []
        for day in sorted({*wanted, *held.days, *(path.name[4:] for path in self.folder.glob("day=*"))}):
            counts = self._counted(day)
            want = wanted.get(day, Day({}, ""))
            due = want != held.days.get(day, Day({}, "")) or counts != want.counts
            found.append(Finding(day, want.counts, counts, due))
        return found

    # -------------------------------------------------------------------------------------------------------------- files

    def _usable(self, source: "_Source") -> Manifest:
        """What is there already, once the leavings of a crash are gone. Made for other purposes, it is made anew."""
        for left in self.folder.rglob(f"*{UNFINISHED}"):
            left.unlink()
        held = self.manifest
        return held if held.purposes == source.purposes else Manifest(at=held.at)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(field=str(self.folder), why="the lake is being written", fix="Try again later") from None
            yield

    def _file(self, day: str) -> Path:
        return self.folder / f"day={day}" / FILE

    def _write(self, manifest: Manifest) -> None:
        path = self.folder / MANIFEST
        fresh = path.with_name(MANIFEST + UNFINISHED)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        _replace(fresh, path)

    def _write_days(self, days: Sequence[str], source: "_Source") -> dict[str, Day]:
        """Read these days from the store and write their files; a day that turns out to be empty has none."""
        rows: dict[str, list[Row]] = {day: [] for day in days}
        for day, row in source.rows():
            if day in rows:
                rows[day].append(row)
        written = {}
        for day, mine in rows.items():
            if mine:
                self._file(day).parent.mkdir(mode=0o700, exist_ok=True)
                fresh = self._file(day).with_name(FILE + UNFINISHED)
                _write_parquet(fresh, sorted(mine))
                _replace(fresh, self._file(day))
                written[day] = _day_of(mine)
            else:
                shutil.rmtree(self.folder / f"day={day}", ignore_errors=True)
        return written

    def _counted(self, day: str) -> dict[str, int]:
        """Rows by data entry, as DuckDB finds them; none in a file that is lost or cannot be read."""
        if not self._file(day).exists():
            return {}
        try:
            with _duckdb() as db:
                return dict(db.execute(_COUNT.format(path=_quoted(self._file(day)))).fetchall())
        except StoreBroken:
            return {}


class _Source:
    """What of the store may lie in the lake, for these purposes, at this moment."""

    def __init__(self, stores: Stores, charter: Charter, purposes: Sequence[str], key: bytes, now: int) -> None:
        self._stores, self._charter, self._now = stores, charter, now
        self.purposes = tuple(sorted(set(purposes)))
        for purpose in self.purposes:
            if purpose not in charter.purposes:
                known = ", ".join(charter.purposes) or "none"
                raise BadInput(field="purpose", why=f"the charter has no {purpose!r}", fix=f"Use some of {known}")
        self.changed = stores.consents.version()  # before anything is read: what changes meanwhile is noticed later
        self.charter = _fingerprint(charter)
        self.withheld: dict[str, int] = {}
        self._person = hashlib.blake2b(key=key, person=b"lake person", digest_size=16)
        self._id = hashlib.blake2b(key=key, person=b"lake event", digest_size=16)
        self._catalogue = charter.empty_catalogue().with_items(stores.items.since(0), stores.items.version())

    def survey(self) -> dict[str, Day]:
        """What each day that is over would hold; and, in `withheld`, what would not leave."""
        counts: dict[str, Counter[str]] = {}
        sums: Counter[str] = Counter()
        for day, row in self.rows():
            counts.setdefault(day, Counter())[row.data] += 1
            sums[day] += _number(row)
        return {day: Day(dict(sorted(counts[day].items())), _digest(sums[day])) for day in sorted(counts)}

    def rows(self) -> Iterator[tuple[str, Row]]:
        """(day, row) of all events that may be there, whose day of arrival (UTC) is over."""
        withheld: Counter[str] = Counter()
        consents = {name: Consent.of(changes) for name, changes in self._stores.consents.everybody()}
        links = dict(self._stores.links.everybody())
        owners = {name: Owners(name, of) for name, of in links.items()}
        today = self._now // DAY

        def owners_of(name: str) -> Owners:
            return owners.get(name) or Owners(name, ())

        for name, events in self._stores.events.people():
            said = behind(name, owners_of, lambda one: links.get(one, ()), lambda one: consents.get(one, Consent()))
            telling = self._catalogue.telling(frozenset.intersection(*(one.sensitive for one in said)))
            for event in events:
                if not isinstance(event, Interaction) or (event.kept or event.at) // DAY >= today:
                    continue
                why = [kept_back(event, use, said, self._charter, self._now, telling) for use in self.purposes]
                if owner_of(name, event.at, owners_of) is None:
                    why = ["it was disowned" for _ in why]
                uses = [use for use, reason in zip(self.purposes, why, strict=True) if reason is None]
                if uses:
                    yield _date(event.kept or event.at), self._row(name, event, uses)
                elif why:
                    withheld[str(why[0])] += 1
        self.withheld = dict(sorted(withheld.items()))

    def _row(self, name: str, event: Interaction, purposes: Sequence[str]) -> Row:
        person, number = self._person.copy(), self._id.copy()
        person.update(name.encode())
        number.update(f"{name} {event.id}".encode())
        value = float("nan") if event.value is None else event.value
        return Row(
            person.hexdigest(), event.at, number.hexdigest(), event.kept or event.at, event.verb, event.item, event.data,
            ",".join(purposes), value,
        )  # fmt: skip


def _fingerprint(charter: Charter) -> str:
    return hashlib.blake2b(msgspec.json.encode(charter), digest_size=8).hexdigest()


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _number(row: Row) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _digest(total: int) -> str:
    return f"{total % (1 << 128):032x}"


def _day_of(rows: Sequence[Row]) -> Day:
    counts = Counter(row.data for row in rows)
    return Day(dict(sorted(counts.items())), _digest(sum(map(_number, rows))))


def _groups(days: Sequence[str], sizes: dict[str, Day]) -> Iterator[list[str]]:
    """Days together as long as their rows fit into memory; each group is one pass over the store."""
    group: list[str] = []
    held = 0
    for day in days:
        size = sum(sizes[day].counts.values())
        if group and held + size > ROWS_AT_ONCE:
            yield group
            group, held = [], 0
        group.append(day)
        held += size
    if group:
        yield group


def _replace(fresh: Path, path: Path) -> None:
    """Put a finished file in the place of another: whoever looks sees the old one or the new one, also after a power cut."""
    sync_file(fresh)
    fresh.chmod(0o600)
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def _duckdb() -> Iterator[Any]:
    """DuckDB in memory: it fetches nothing from outside, spills nothing to disk, and works in one thread, so that files are the same."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtra(what="The lake", extra="lake") from None
    settings: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": 1}
    db = duckdb.connect(config=settings)
    try:
        db.execute("SET temp_directory = ''")
        yield db
    except duckdb.Error as error:
        raise StoreBroken(why=f"the lake, DuckDB says {type(error).__name__}") from error
    finally:
        db.close()


def _write_parquet(path: Path, rows: Sequence[Row]) -> None:
    import numpy as np

    columns: dict[str, Any] = {}
    for place, name in enumerate(Row._fields):
        kind: Any = {"at": np.int64, "kept": np.int64, "value": np.float64}.get(name, object)
        columns[name] = np.array([row[place] for row in rows], kind)
    with _duckdb() as db:
        db.register("rows", columns)
        db.execute(_COPY.format(path=_quoted(path)))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
