"""The power proof: cut the power at any moment, and what was acknowledged is there, once, and opens; what was forgotten is gone.

The real writer, keys and eraser run on a disk that keeps for certain only what was synced (see `power`). What was
acknowledged is noted outside. After each cut the folder is opened again with the standard library's SQLite, and everything in
it is compared with the notes. Groups of commands are applied as the writer process applies them; its socket is not part of this.
"""

import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from msgspec import structs

from tactful.contracts import LATER, NOW, change, link, piece, receipt, record
from tactful.domain.errors import NotInitialised, TactfulError
from tactful.domain.item import Item
from tactful.domain.note import Note
from tactful.ports import Ack, Stores
from tactful.stores.sqlite import create, files, open_sqlite
from tactful.stores.sqlite.commands import Command
from tactful.stores.sqlite.keys import Keys
from tactful.stores.sqlite.logs import stores
from tactful.stores.sqlite.master import read_master
from tactful.stores.sqlite.reader import Reader
from tactful.stores.sqlite.writer import Writer
from tests.crash import power
from tests.crash.proofs import note

SEED = 20_261_121
PEOPLE = ("ann", "bob", "cid", "dee")
SOON = NOW + 5
Token = tuple[str, str, str]  # what kind of thing, whose, which


class Group:
    """A link that gathers commands and applies them as one group, as the writer process does."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.commands = writer, list[Command]()

    def send(self, command: Command, finish: Callable[[Any], Any], settled: Any = None) -> Ack[Any]:
        self.commands.append(command)
        if settled is not None:
            settled(None)
        return Ack(None)

    def apply(self) -> list[object]:
        commands, self.commands = self.commands, []
        return self.writer.apply(commands)

    def flush(self) -> None:
        """Nothing is under way."""

    admit = flush

    def close(self) -> None:
        self.writer.close()


class Notes:
    """What must be there, and what may be: kept outside of the disk.

    sure: acknowledged. open: groups under way at the cut: all of each or nothing. loose: things that may have gone, one by one.
    due: things whose time is up at SOON.
    """

    def __init__(self) -> None:
        self.sure: set[Token] = set()
        self.open: list[set[Token]] = []
        self.loose: set[Token] = set()
        self.due: set[Token] = set()
        self.acknowledged = 0
        self.number = 0

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def of(self, person: str) -> set[Token]:
        return {token for token in self.sure if token[1] == person}

    def wrong(self, found: Counter[Token]) -> list[str]:
        """What breaks a promise, given what was found; then the notes go on from what was found."""
        there = set(found)
        wrong = [f"lost: {token}" for token in sorted(self.sure - there)]
        wrong += [f"twice: {token}" for token, count in sorted(found.items()) if count > 1]
        for group in self.open:
            if group & there and not group <= there:
                wrong.append(f"half there: {sorted(group & there)}, not {sorted(group - there)}")
        allowed = self.sure.union(self.loose, *self.open)
        wrong += [f"came back, or came from nowhere: {token}" for token in sorted(there - allowed)]
        self.sure, self.open, self.loose = there, [], set()
        return wrong


def contents(stores: Stores, receipts: int) -> Counter[Token]:
    """All that a folder holds, as it can be read with its keys."""
    found: Counter[Token] = Counter()
    for person in PEOPLE:
        found.update(("event", person, event.id) for _, event in stores.events.read(person))
        found.update(("consent", person, made.source) for made in stores.consents.read(person))
        found.update(("link", person, made.name) for made in stores.links.read(person))
    for number in range(1, receipts + 1):
        kept = stores.receipts.get(f"n{number}")
        found.update([("receipt", kept.person or "", kept.id)] if kept is not None else [])
    for _, kept_note in stores.receipts.notes(0, 1_000_000):
        person, _, name = kept_note.placement.rpartition("\n")
        found.update([("note", person, name)])
    found.update(("piece", kept.person, kept.id) for kept in stores.quarantine.pieces())
    for _, packed in stores.items.since(0):
        found.update([("item", "", str(_item_id(packed)))])
    return found


def _item_id(packed: bytes) -> str:
    from tactful.domain.catalogue import unpack

    return unpack(packed).id


def unreadable(folder: Path) -> list[str]:
    """Rows without the key that sealed them, and what SQLite itself finds wrong."""
    wrong = []
    for name in (files.DATA, files.KEYS, files.TOMBSTONES):
        with closing(sqlite3.connect(folder / name)) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
            wrong += [f"{name}: {verdict}"] if verdict != "ok" else []
    keys = Keys(folder, read_master(folder))
    with closing(sqlite3.connect(folder / files.DATA)) as db:
        for table, entry in (("event", "data"), ("consent", "':consent'"), ("link", "':links'"), ("receipt", "':receipts'"), ("note", "':receipts'"), ("quarantine", "':quarantine'")):  # fmt: skip
            rows = db.execute(f"SELECT person, {entry}, sealed FROM {table} WHERE person IS NOT NULL").fetchall()
            wrong += [f"unreadable: a row of {table}" for who, data, box in rows if keys.open((who, data), box) is None]
    keys.close()
    return wrong


# ----------------------------------------------------------------------------------------------------------- what is done


def noted(name: str, person: str | None) -> Note:
    """The note of a receipt, which says here whose it is."""
    return structs.replace(Note.of(receipt(name, person), 1.0), placement=f"{person or ''}\n{name}")


def mixed(stores: Stores, notes: Notes, dice: random.Random) -> set[Token]:
    """Ask for a few things of all kinds; what they leave behind if they are kept."""
    made: set[Token] = set()
    for _ in range(dice.randint(1, 4)):
        person, name = dice.choice(PEOPLE), notes.name()
        match dice.choice(("event", "event", "due", "consent", "link", "receipt", "nobody's", "item", "piece")):
            case "event" | "due" as kind:
                names = [name, *(notes.name() for _ in range(dice.choice((0, 0, 3, 30))))]
                data = dice.choice(("history", "told"))
                keep_until = SOON if kind == "due" else LATER
                stores.events.append([record(person, *names, data=data, keep_until=keep_until)])
                made |= (tokens := {("event", person, one) for one in names})
                notes.due |= tokens if kind == "due" else set()
            case "consent":
                stores.consents.append([(person, change(name))])
                made.add(("consent", person, name))
            case "link":
                stores.links.append([link(person, "")])
                if ("link", person, person) not in notes.sure:
                    made.add(("link", person, person))
            case "receipt":
                stores.receipts.append(receipt(name, person), LATER, note=noted(name, person))
                made |= {("receipt", person, name), ("note", person, name)}
            case "nobody's":
                stores.receipts.append(receipt(name, None), LATER, note=noted(name, None))
                made |= {("receipt", "", name), ("note", "", name)}
            case "item":
                stores.items.put([Item(id=name, title="t" * dice.randint(1, 3000))])
                made.add(("item", "", name))
            case "piece":
                stores.quarantine.put([piece(name, person)])
                made.add(("piece", person, name))
    return made


def turn(group: Group, stores: Stores, disk: power.Disk, notes: Notes, dice: random.Random) -> None:
    """One group of commands, or one forgetting or purge; noted as acknowledged if the power was still there afterwards."""
    what = dice.random()
    gone: set[Token] = set()
    made: set[Token] = set()
    if what < 0.08:
        person = dice.choice(PEOPLE)
        stores.events.forget(person)
        gone = notes.of(person)
    elif what < 0.13:
        stores.quarantine.purge(SOON)
        gone = notes.due & notes.sure
    else:
        made = mixed(stores, notes, dice)
    outcomes = group.apply()
    assert not any(isinstance(outcome, TactfulError) for outcome in outcomes) or disk.dead, outcomes
    if not disk.dead:
        notes.acknowledged += len(outcomes)
        notes.sure = (notes.sure | made) - gone
    elif made:
        notes.open.append(made - notes.sure)
    elif gone:
        notes.sure -= gone
        if what < 0.08:
            notes.open.append(gone)
        else:
            notes.loose |= gone


class Trial:
    """One installation, cut off again and again. weak: leave the syncing of commits out, to show that it is found."""

    def __init__(self, dice: random.Random, monkeypatch: pytest.MonkeyPatch, weak: str = "") -> None:
        self.dice, self.monkeypatch, self.weak = dice, monkeypatch, weak
        self.folder = Path(
            tempfile.mkdtemp(prefix="tactful-power-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        )
        self.notes = Notes()
        self.pages = dice.choice((4, 30, 16_000))  # so that logs are moved into the databases while it runs too

    def on_disk(self, cut_at: int, work: Callable[[power.Disk], None]) -> power.Disk:
        """Do something on the disk until it is done and the power was cut; then look at what is left of it."""
        disk = power.Disk(self.folder, self.dice, cut_at)
        power.current.append(disk)
        try:
            with self.monkeypatch.context() as patched:
                patched.setattr(files, "_connect", self._adapter)
                patched.setattr("os.fsync", disk.fsync)
                work(disk)
                while not disk.dead:
                    disk._tick()
        finally:
            power.current.clear()
            disk.close()
        disk.after()
        return disk

    def _adapter(self, path: Path) -> power.Adapter:
        if self.weak == path.name:
            return _Tuned(path, ("synchronous = FULL", "synchronous = NORMAL"))
        return _Tuned(path, ("wal_autocheckpoint = 16000", f"wal_autocheckpoint = {self.pages}"))

    def begin(self) -> bool:
        """Make the installation, perhaps not for the first time. Whether the power stayed on long enough."""
        made = []

        def making(disk: power.Disk) -> None:
            create(self.folder)
            made.append(not disk.dead)

        self.on_disk(self.dice.choice((self.dice.randint(1, 150), 10_000)), making)
        if made == [True]:
            open_sqlite(self.folder).close()
        return made == [True]

    def work(self, cut_at: int) -> None:
        """Write until the power is cut."""

        def writing(disk: power.Disk) -> None:
            lock = files.take_lock(self.folder)
            assert lock is not None
            group = Group(Writer(self.folder, lock, clock=lambda: NOW))
            master = read_master(self.folder)
            ports = stores(group, Reader(self.folder, master), master)
            while not disk.dead:
                turn(group, ports, disk, self.notes, self.dice)
            ports.close()

        self.on_disk(cut_at, writing)

    def judge(self) -> list[str]:
        """Open what is left, and compare it with the notes."""
        ports = open_sqlite(self.folder)
        try:
            found = contents(ports, self.notes.number)
        finally:
            ports.close()
        return self.notes.wrong(found) + unreadable(self.folder)

    def close(self) -> None:
        shutil.rmtree(self.folder)


class _Tuned(power.Adapter):
    """A database with another setting than the product's."""

    def __init__(self, path: Path, change: tuple[str, str]) -> None:
        super().__init__(path)
        self._change = change

    def executescript(self, script: str) -> None:
        super().executescript(script.replace(*self._change))


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Trial]]:
    """Makes trials, and clears them away."""
    made: list[Trial] = []

    def make(dice: random.Random, weak: str = "") -> Trial:
        made.append(Trial(dice, monkeypatch, weak))
        return made[-1]

    yield make
    for trial in made:
        trial.close()


def run(rounds: int, make: Callable[..., Trial], weak: str = "", seed: int = SEED) -> tuple[int, list[str]]:
    """So many power cuts, in creation and in writing; commands acknowledged, and what was found wrong."""
    dice, wrong, acknowledged = random.Random(seed), [], 0
    trial = None
    for number in range(rounds):
        if trial is None or dice.random() < 0.1:
            trial = make(dice, weak)
            if not trial.begin():
                with pytest.raises(TactfulError) if not whole(trial.folder) else _nothing():
                    open_sqlite(trial.folder).close()
                create(trial.folder)  # whatever was left of the first attempt, the second one succeeds
        before = trial.notes.acknowledged
        trial.work(dice.randint(1, 400))
        acknowledged += trial.notes.acknowledged - before
        wrong += [f"round {number}: {one}" for one in trial.judge()]
    return acknowledged, wrong


def whole(folder: Path) -> bool:
    """Whether an interrupted creation got as far as to be complete."""
    try:
        open_sqlite(folder).close()
    except NotInitialised:
        return False
    return True


class _nothing:
    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.prove
def test_no_power_cut_loses_or_halves_or_revives_anything(
    trials: Callable[..., Trial], scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, rounds = time.monotonic(), scale(12, 500)
    acknowledged, wrong = run(rounds, trials)
    seconds = time.monotonic() - began
    print(f"{rounds} power cuts, {acknowledged:,} commands acknowledged, {len(wrong)} wrong, {seconds:.0f} s")
    if request.config.getoption("--prove"):
        version = f"SQLite {apsw.sqlitelibversion()} writes, {sqlite3.sqlite_version} reads"
        note(f"power: cuts after which all was there, once, and opened ({version})", rounds, len({one.partition(':')[0] for one in wrong}), seconds)  # fmt: skip
        note("power: commands acknowledged and kept", acknowledged, sum("lost" in one for one in wrong), seconds)
    assert not wrong, wrong[:10]
    assert acknowledged > 5 * rounds


@pytest.mark.parametrize("weak", ["data.db", "keys.db", "tombstones.db"])
def test_the_proof_has_teeth(trials: Callable[..., Trial], weak: str) -> None:
    """Without syncing each commit of any one of the three, something is found."""
    for attempt in range(40):
        _, wrong = run(5, trials, weak, SEED + attempt)
        if wrong:
            return
    pytest.fail(f"40 times five power cuts, and {weak} could do without synchronous=FULL")
