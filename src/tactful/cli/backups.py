"""`tactful backup` and `tactful restore`: an installation in two folders, what is sealed and what opens it, each with a manifest."""

import hashlib
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from tactful import __version__
from tactful.cli.show import as_json
from tactful.domain.errors import BadInput, NotInitialised
from tactful.settings import read_settings
from tactful.stores.durable import DRAFT, sync_file, sync_folder, write_whole
from tactful.stores.sqlite import copies
from tactful.stores.sqlite.copies import DATA, KEYS, MASTER_KEY
from tactful.stores.sqlite.files import disk_errors

MANIFEST, UNFINISHED = "manifest.json", "unfinished"
ACCESS, LISTS, MODELS = "access.json", "lists", "models"
_UNFINISHED = b"Tactful is making a backup here, or was interrupted. Whatever else is in this folder is replaced.\n"


class Part(Struct, frozen=True):
    """A file of a backup. size: bytes."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What a backup holds. Written last: without it, the backup was interrupted.

    holds: data or keys. backup: the same for two folders made together. installation: which one it is of. made: ms since 1970.
    """

    holds: str
    backup: str
    installation: str
    made: int
    tactful: str
    counters: dict[str, int]
    files: dict[str, Part]


class Made(Struct, frozen=True):
    """What `tactful backup` made. bytes: of both folders. keys: "" if they were left out."""

    backup: str
    folder: str
    keys: str
    files: int
    bytes: int


def back_up(home: Path, folder: Path, keys: Path | None, progress: copies.Progress) -> Made:
    """Copy an installation while it goes on. Raises NotInitialised, BadInput, StoreBusy, StoreFull, StoreReadOnly, StoreBroken.

    Models first, then data.db, then keys.db: so the catalogue fits the models, and no data is newer than its key.
    """
    settings = read_settings(home)
    data = home / "data"
    if not (data / DATA).exists():
        raise NotInitialised(path=home)
    _apart(data, folder, keys)
    named = {"charter": settings.charter, "taxonomy": settings.taxonomy}
    for setting, file in named.items():
        if Path(file).is_absolute() or ".." in Path(file).parts:
            why = f"{file} lies outside of {home}"
            raise BadInput(field=setting, why=why, fix="Move it into the installation, and name it in tactful.toml")
    installation, name, made = copies.fingerprint(copies.read_master(data)), secrets.token_hex(8), _now()
    with disk_errors():
        for place in filter(None, (folder, keys)):
            _begin(place)
        for file in ("tactful.toml", *named.values()):
            if file != settings.taxonomy or (home / file).exists():
                _copy(home / file, folder / file)
        for path in sorted((home / LISTS).glob("*.json")):
            _copy(path, folder / LISTS / path.name)
        _copy_models(home / MODELS, folder / MODELS)
        copies.copy_database(data / DATA, folder / DATA, progress)
        held = [_seal(folder, "data", name, installation, made)]
        if keys is not None:
            copies.copy_database(data / KEYS, keys / KEYS, progress)
            for source in (data / MASTER_KEY, home / ACCESS):
                if source.exists():  # the master key may be in the environment
                    _copy(source, keys / source.name)
            held.append(_seal(keys, "keys", name, installation, made))
            _finish(keys)
        _finish(folder)
    parts = [part for manifest in held for part in manifest.files.values()]
    size = sum(part.size for part in parts)
    return Made(name, str(folder.resolve()), str(keys.resolve()) if keys else "", len(parts), size)


def read_backup(folder: Path, holds: str) -> Manifest:
    """A backup, once it is certain that all of it is there as it was written. Raises BadInput."""
    if (folder / UNFINISHED).exists() or not (folder / MANIFEST).exists():
        why = "it was interrupted" if (folder / UNFINISHED).exists() else f"there is no {MANIFEST} in it"
        raise BadInput(field=str(folder), why=f"this is no whole backup: {why}", fix="Choose another one")
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as mistake:
        why = f"{MANIFEST} cannot be read ({mistake})"
        raise BadInput(field=str(folder), why=why, fix="Choose another backup") from None
    if manifest.holds != holds:
        fix = "Give the data's folder first, and the keys' folder with --keys"
        raise BadInput(field=str(folder), why=f"this is a backup of the {manifest.holds}, not of the {holds}", fix=fix)
    for name, part in manifest.files.items():
        path = folder / name
        if not path.is_file() or _part(path) != part:
            what = "changed, or was cut short" if path.is_file() else "is missing"
            raise BadInput(field=str(path), why=f"it {what} since the backup was made", fix="Choose another backup")
    return manifest


def now_words(made: int) -> str:
    """Milliseconds since 1970, as a person reads it (UTC)."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(made / 1000))


# ------------------------------------------------------------------------------------------------------------------ inside


def _apart(data: Path, folder: Path, keys: Path | None) -> None:
    places = [place.resolve() for place in (folder, keys) if place is not None]
    for place in places:
        if place == data.resolve() or place.is_relative_to(data.resolve()):
            raise BadInput(field=str(place), why="this is the data folder itself", fix="Choose a folder elsewhere")
    if len(places) == 2 and (places[0].is_relative_to(places[1]) or places[1].is_relative_to(places[0])):
        why = "keys next to what they open protect nothing, and a destroyed key would live on with its data"
        raise BadInput(field="--keys", why=why, fix="Choose a folder elsewhere, best on another disk")


def _begin(folder: Path) -> None:
    """An empty folder, marked as unfinished. What an interrupted backup left is cleared away; nothing else is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = folder / UNFINISHED
    if marker.is_file() and marker.read_bytes() == _UNFINISHED:  # it was empty when that was written: all else is ours
        for old in folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
            elif old != marker:
                old.unlink()
    elif any(path.name != UNFINISHED + DRAFT for path in folder.iterdir()):
        fix = "Choose a folder that is empty or not there yet"
        raise BadInput(field=str(folder), why="there is something in it", fix=fix)
    write_whole(marker, _UNFINISHED)
    sync_folder(folder.parent)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)
    sync_file(target)
    sync_folder(target.parent)


def _copy_models(source: Path, target: Path) -> None:
    """The current models. current.json is read first: versions never change once it names them."""
    pointer = source / "current.json"
    if not pointer.exists():
        return
    content = pointer.read_bytes()
    for name, version in msgspec.json.decode(content, type=dict[str, str]).items():
        for file in sorted((source / name / version).iterdir()):
            _copy(file, target / name / version / file.name)
    write_whole(target / pointer.name, content)


def _seal(folder: Path, holds: str, backup: str, installation: str, made: int) -> Manifest:
    """Write down what a finished folder holds. Raises StoreBroken if the copied database is not sound."""
    counters = copies.counters(folder / (DATA if holds == "data" else KEYS))
    files = {str(path.relative_to(folder)): _part(path) for path in _files(folder)}
    manifest = Manifest(holds, backup, installation, made, __version__, counters, files)
    write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


def _finish(folder: Path) -> None:
    (folder / UNFINISHED).unlink()
    sync_folder(folder)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in (folder / UNFINISHED, folder / MANIFEST):
            yield path


def _part(path: Path) -> Part:
    with path.open("rb") as file:
        return Part(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _now() -> int:
    return time.time_ns() // 1_000_000


def show_backup(made: Made, machine: bool) -> None:
    """Say what was made."""
    if machine:
        as_json(made)
        return
    click.echo(f"Backed up {made.files:,} files, {made.bytes / 1e6:.1f} MB, into {made.folder}.")
    if made.keys:
        click.echo(
            f"The keys are in {made.keys}. Keep them apart, and for a shorter time: who has both can read everything."
        )
    else:
        click.secho(
            "Without keys: alone, this backup cannot be read by anybody. Add --keys FOLDER, elsewhere.", fg="yellow"
        )


def show_progress(name: str, done: int, pages: int) -> None:
    """For people at a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r{name}: {100 * done // max(pages, 1)} %", nl=done >= pages, err=True)
