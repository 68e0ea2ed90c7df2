"""Putting a backup back: what is sealed, what opens it, and forgetting again whoever was forgotten since."""

import os
import secrets
import shutil
from contextlib import closing
from pathlib import Path

import click
from msgspec import Struct

from tactful.cli.backups import ACCESS, MODELS, Manifest, now_words, read_backup
from tactful.cli.show import as_json
from tactful.deliver.ledger import Ledger
from tactful.domain.errors import BadInput
from tactful.stores.durable import write_whole
from tactful.stores.search import WORDS
from tactful.stores.sqlite import copies
from tactful.stores.sqlite.copies import DATA, KEYS, MASTER_KEY, TOMBSTONES
from tactful.stores.sqlite.master import MASTER_ENV, Master
from tactful.stores.words import drop_words


class Restored(Struct, frozen=True):
    """What `tactful restore` did. warnings: what the one who restores has to know."""

    home: str
    made: str
    keys_missing: int
    warnings: list[str]


def restore(home: Path, folder: Path, keys: Path | None, force: bool) -> Restored:
    """Put a backup in the place of an installation. Raises BadInput, StoreBusy, StoreFull, StoreReadOnly, StoreBroken.

    Nothing is changed before all of the backup is found whole and fitting. tombstones.db stays, and is carried out.
    """
    data = home / "data"
    held = read_backup(folder, "data")
    opening = None if keys is None else read_backup(keys, "keys")
    _fits(held, folder, opening, keys, data)
    _may_replace(home, force)
    warnings = _warnings(held, opening, data)
    sources = {DATA: folder / DATA}
    for name in (KEYS, MASTER_KEY):
        if opening is not None and keys is not None and name in opening.files:
            sources[name] = keys / name
    with copies.alone(data):
        copies.put_back(data, sources, lambda: _settings(home, folder, held, keys, opening))
        missing = copies.settle(data)
    if missing:
        warnings.append(
            f"keys.db is older than data.db: {missing:,} keys made in between are missing, and what they sealed cannot be read. "
            "Restore again with a newer backup of the keys, if there is one."
        )
    return Restored(str(home.resolve()), now_words(held.made), missing, warnings)


def show(restored: Restored, machine: bool) -> None:
    """Say what was done."""
    if machine:
        as_json(restored)
        return
    click.echo(f"{restored.home} is what it was at {restored.made}; whoever was forgotten since is forgotten again.")
    for warning in restored.warnings:
        click.secho(f"Mind: {warning}", fg="yellow", err=True)


def _fits(held: Manifest, folder: Path, opening: Manifest | None, keys: Path | None, data: Path) -> None:
    """Whether keys and data are of one installation, and the master key that will be there is the right one."""
    if opening is not None and opening.installation != held.installation:
        why = f"its keys are of another installation than {folder}"
        raise BadInput(field=str(keys), why=why, fix="Choose the backup of the keys that belongs to it")
    if opening is None and not (data / KEYS).exists():
        fix = "Give the folder of the keys with --keys"
        raise BadInput(field="--keys", why="there are no keys here that could open it", fix=fix)
    if MASTER_ENV not in os.environ and opening is not None and keys is not None and MASTER_KEY in opening.files:
        master = Master((keys / MASTER_KEY).read_bytes())
    else:
        master = copies.read_master(data)
    if copies.fingerprint(master) != held.installation:
        fix = f"Set {MASTER_ENV} to the one it was made with, or restore with --keys"
        raise BadInput(field=MASTER_KEY, why=f"it is not the one that {folder} was sealed under", fix=fix)


def _may_replace(home: Path, force: bool) -> None:
    there = (home / "tactful.toml").exists() or (home / "data" / DATA).exists()
    if there and not force and not copies.interrupted(home / "data"):
        fix = "Name another folder with --home, or add --force to replace what is there"
        raise BadInput(field=str(home), why="there is an installation already", fix=fix)


def _warnings(held: Manifest, opening: Manifest | None, data: Path) -> list[str]:
    found = []
    if not (data / TOMBSTONES).exists():
        found.append(
            f"There is no tombstones.db here, so nobody knows who was forgotten after {now_words(held.made)}. If it survived "
            f"elsewhere, put it into {data} and restore again with --force; otherwise forget them once more."
        )
    if opening is not None and opening.backup != held.backup:
        found.append(
            f"The keys are from another backup ({now_words(opening.made)}) than the data ({now_words(held.made)})."
        )
    return found


def _settings(home: Path, folder: Path, held: Manifest, keys: Path | None, opening: Manifest | None) -> None:
    """Everything but the databases; the pointer to the current models after the models."""
    for name in sorted(held.files, key=lambda name: name.endswith("current.json")):
        if name == DATA:
            continue
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(home / name, (folder / name).read_bytes(), 0o600 if name.startswith(MODELS) else 0o644)
    if not any(name.startswith(MODELS) for name in held.files):
        shutil.rmtree(home / MODELS, ignore_errors=True)  # trained on another catalogue than the one that comes back
    if keys is not None and opening is not None and ACCESS in opening.files:
        write_whole(home / ACCESS, (keys / ACCESS).read_bytes())
    drop_words(home / WORDS)  # of the catalogue that was here
    for note in (home / "imports").glob("*.json"):
        note.unlink(missing_ok=True)  # an interrupted import would go on after rows that are not here any more
    deliveries = home / "data" / "deliveries.db"
    if deliveries.exists():
        with closing(Ledger(deliveries)) as ledger:
            ledger.restored(held.counters.get("seq", 0), secrets.token_hex(4))
