"""Taking data out: for moving elsewhere, whole and with consent; or acts for one purpose, of the people who allow it."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from msgspec import Struct

from tactful.cli.show import as_json, table
from tactful.connectors import csv, ndjson, parquet, personalize_csv, recbole, tactful
from tactful.domain.catalogue import unpack
from tactful.domain.consent import Consent, ConsentChange
from tactful.domain.errors import BadInput
from tactful.domain.event import Event, Interaction
from tactful.domain.identity import Link, Owners
from tactful.domain.item import Item
from tactful.domain.profile import UNKNOWN
from tactful.engine import Engine
from tactful.flow.fold import fold
from tactful.flow.identity import effective_for_all, owner_of, people_behind
from tactful.flow.release import kept_back

Links = Mapping[str, Sequence[Link]]

TEXT = ("tactful", "ndjson", "csv")
"""Formats that are one text, so that they can go to the standard output."""


class Report(Struct):
    """What went out, and what did not and why. people: those of whom something went out. unnamed: those whose name an older log does
    not tell, so that their pseudonym stands for it."""

    items: int = 0
    people: int = 0
    consents: int = 0
    links: int = 0
    events: int = 0
    unnamed: int = 0
    left_out: dict[str, int] = {}

    def leave_out(self, why: str, count: int = 1) -> None:
        """Count what stays."""
        self.left_out[why] = self.left_out.get(why, 0) + count

    def show(self, machine: bool, aside: bool) -> None:
        """Print it. aside: to the standard error, since the export itself goes to the standard output."""
        if machine and not aside:
            as_json(self)
            return
        names = ("items", "people", "consents", "links", "events")
        if not aside:
            table([[f"{getattr(self, name):,}" for name in names]], names)
        else:
            click.echo(", ".join(f"{getattr(self, name):,} {name}" for name in names), err=True)
        for why, count in sorted(self.left_out.items(), key=lambda entry: -entry[1]):
            click.echo(f"  {count:,} left out: {why}", err=aside)
        if self.unnamed:
            click.echo(
                f"  {self.unnamed:,} people answered before their names were kept with it: pseudonyms stand for them.",
                err=aside,
            )


class _Person(Struct, frozen=True):
    pseudonym: str
    changes: list[ConsentChange]
    events: list[Event]

    @property
    def name(self) -> str:
        """The name, or "" if the log is too old to tell."""
        return next((change.person for change in reversed(self.changes) if change.person), "")


def export_to(engine: Engine, kind: str, where: str, purpose: str, names: bool) -> Report:
    """Write the export. where: a file, or a folder for formats of several files; `-`: the standard output. Raises BadInput."""
    if where == "-" and kind not in TEXT:
        raise BadInput(field="FILE", why=f"{kind} cannot go to the standard output", fix="Name a file")
    report = Report()
    if kind == "tactful":
        if purpose or names:
            raise BadInput(
                field="--purpose", why="this export carries consent and names with it", fix="Leave out --purpose and --names"
            )  # fmt: skip
        with _opened(where) as file:
            _everything(engine, file, report)
        return report
    if purpose not in engine.charter.purposes:
        raise BadInput(
            field="--purpose",
            why=f"{kind} cannot carry consent, so only what people allow for a named purpose may go out",
            fix=f"Name one of {', '.join(engine.charter.purposes)}",
        )
    _WRITERS[kind](engine, where, _Acts(engine, purpose, names, report), report)
    return report


# -------------------------------------------------------------------------------------------------- everything, with consent


def _everything(engine: Engine, file: IO[str], report: Report) -> None:
    tactful.write_head(file, engine.charter.version)
    for thing in _items(engine, report):
        tactful.write(file, tactful.ItemLine(thing))
    for person in _people(engine):
        report.unnamed += not person.name
        report.people += 1
        name = person.name or person.pseudonym
        if person.changes:
            tactful.write(file, tactful.ConsentLine(name, person.changes))
            report.consents += len(person.changes)
        if person.name:
            _links(engine, file, person.name, report)
        for event in person.events:
            if isinstance(event, Interaction) and event.visit:
                report.leave_out("it is kept for one visit only")
            elif not person.changes:
                report.leave_out("no consent of this person is on record")
            else:
                tactful.write(file, tactful.EventLine(name, event))
                report.events += 1


def _links(engine: Engine, file: IO[str], name: str, report: Report) -> None:
    """Each link once: at its name, or at its person if nothing else is known of the name."""
    for link in engine.stores.links.read(name):
        if link.name == name or not engine.stores.consents.read(link.name):
            tactful.write(file, tactful.LinkLine(link))
            report.links += 1


def _items(engine: Engine, report: Report) -> Iterator[Item]:
    for _, packed in engine.stores.items.since(0):
        report.items += 1
        yield unpack(packed)


def _people(engine: Engine) -> Iterator[_Person]:
    """Everybody with their consent and their events: both logs go by pseudonym in order, so they are merged as they are read."""
    consents, events = engine.stores.consents.everybody(), engine.stores.events.people()
    said, did = next(consents, None), next(events, None)
    while said is not None or did is not None:
        pseudonym = min(one[0] for one in (said, did) if one is not None)
        changes: list[ConsentChange] = []
        acts: list[Event] = []
        if said is not None and said[0] == pseudonym:
            changes, said = said[1], next(consents, None)
        if did is not None and did[0] == pseudonym:
            acts, did = did[1], next(events, None)
        yield _Person(pseudonym, changes, acts)


# --------------------------------------------------------------------------------------------------- acts, for one purpose


class _Acts:
    """What people did, as the gate lets it be used for a purpose. Each comes with the person's pseudonym, or name if `names`."""

    def __init__(self, engine: Engine, purpose: str, names: bool, report: Report) -> None:
        self._engine, self._purpose, self._names, self._report = engine, purpose, names, report
        self.labels: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, Interaction]]:
        engine, report = self._engine, self._report
        catalogue, now = engine.shelf().catalogue, engine.shell.now()
        links = dict(engine.stores.links.everybody())
        consents = {name: Consent.of(changes) for name, changes in engine.stores.consents.everybody()}
        allowed = effective_for_all(consents, links)
        for person in _people(engine):
            profile = fold(UNKNOWN, [(1, event) for event in person.events])
            consent = Consent.of(person.changes)
            view = engine.view(profile, consent, self._purpose, "private", now, catalogue)
            history = view.history()
            kept = [act for act in history if not act.visit]
            for withheld in view.withheld:
                report.leave_out(withheld.why, withheld.count)
            if len(kept) < len(history):
                report.leave_out("it is kept for one visit only", len(history) - len(kept))
            if person.pseudonym in links:
                kept = list(self._not_refused(person.pseudonym, kept, links, allowed, now))
            if not kept:
                continue
            label = person.pseudonym
            if self._names:
                label, report.unnamed = person.name or label, report.unnamed + (not person.name)
            self.labels.append(label)
            report.people += 1
            for act in kept:
                report.events += 1
                yield label, act

    def _not_refused(
        self, name: str, acts: Iterable[Interaction], links: Links, allowed: Mapping[str, Consent], now: int
    ) -> Iterator[Interaction]:
        """Those acts that everybody whom the name belongs to lets out, as for the lake. allowed: what holds for each name."""
        engine, nobody = self._engine, Consent()

        def owners(one: str) -> Owners:
            return Owners(one, links.get(one, ()))

        said = [allowed.get(one, nobody) for one in people_behind(name, owners)]
        telling = engine.shelf().catalogue.telling(frozenset.intersection(*(one.sensitive for one in said)))
        for act in acts:
            why = kept_back(act, self._purpose, said, engine.charter, now, telling)
            if owner_of(name, act.at, owners) is None:
                why = "it was disowned"
            if why is None:
                yield act
            else:
                self._report.leave_out(why)


def _to_csv(engine: Engine, where: str, acts: _Acts, report: Report) -> None:
    with _opened(where) as file:
        csv.write(file, acts)


def _to_ndjson(engine: Engine, where: str, acts: _Acts, report: Report) -> None:
    with _opened(where) as file:
        ndjson.write(file, acts)


def _to_parquet(engine: Engine, where: str, acts: _Acts, report: Report) -> None:
    with _draft(Path(where)) as path:
        parquet.write(path, acts)


def _to_recbole(engine: Engine, where: str, acts: _Acts, report: Report) -> None:
    folder = _folder(where)
    with _opened(str(folder / f"{folder.name}.inter")) as file:
        for why, count in Counter(recbole.write(file, acts)).items():
            report.leave_out(why, count)
            report.events -= count
    with _opened(str(folder / f"{folder.name}.item")) as file:
        for why, count in Counter(recbole.write_items(file, _items(engine, report))).items():
            report.leave_out(why, count)
            report.items -= count


def _to_personalize(engine: Engine, where: str, acts: _Acts, report: Report) -> None:
    folder = _folder(where)
    with _opened(str(folder / "interactions.csv")) as file:
        personalize_csv.write(file, acts)
    with _opened(str(folder / "items.csv")) as file:
        personalize_csv.write_items(file, _items(engine, report))
    with _opened(str(folder / "users.csv")) as file:
        personalize_csv.write_people(file, acts.labels)


_WRITERS: dict[str, Callable[[Engine, str, _Acts, Report], None]] = {
    "csv": _to_csv, "ndjson": _to_ndjson, "parquet": _to_parquet, "recbole": _to_recbole, "personalize": _to_personalize,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------- files


@contextmanager
def _opened(where: str) -> Iterator[IO[str]]:
    """The file to write, readable by its owner alone, and there only once it is whole; or the standard output."""
    if where == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    with _draft(Path(where)) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` in the end. Raises BadInput if it cannot be written."""
    if path.is_dir():
        raise BadInput(field=str(path), why="it is a folder, and this format is one file", fix="Name a file in it")
    draft = path.with_name(f".{path.name}.draft")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        try:
            yield draft
            draft.chmod(0o600)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(field=str(path), why=error.strerror or str(error), fix="Name another file") from None


def _folder(where: str) -> Path:
    folder = Path(where)
    if folder.exists() and not folder.is_dir():
        raise BadInput(field=where, why="it is a file, and this format is several", fix="Name a folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(field=where, why=error.strerror or str(error), fix="Name another folder") from None
    return folder.resolve()
