"""Making an installation."""

from importlib.resources import files
from pathlib import Path

from tactful.api.access import Access
from tactful.stores.durable import write_whole
from tactful.stores.sqlite import create


def install(home: Path) -> dict[str, str]:
    """Write the settings, the charter, the keys and the empty stores. Answers with the keys, which cannot be read again.

    tactful.toml comes last: what was interrupted is no installation yet, and is simply made again.
    """
    home.mkdir(parents=True, exist_ok=True)
    _write(home, "charter.toml")
    create(home / "data")
    if not (home / "tactful.toml").exists():
        (home / "access.json").unlink(missing_ok=True)  # of an attempt that was interrupted: nobody ever saw its keys
    given = Access.create(home / "access.json")
    _write(home, "tactful.toml")
    return given


def _write(home: Path, name: str) -> None:
    if not (home / name).exists():
        write_whole(home / name, (files("tactful.templates") / name).read_bytes(), 0o644)
