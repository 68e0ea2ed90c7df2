"""Making an installation."""

from importlib.resources import files
from pathlib import Path

from tactful.api.access import Access
from tactful.stores.sqlite import create


def install(home: Path) -> dict[str, str]:
    """Write the settings, the charter, the keys and the empty stores. Answers with the keys, which cannot be read again."""
    home.mkdir(parents=True, exist_ok=True)
    for name in ("charter.toml", "tactful.toml"):
        target = home / name
        if not target.exists():
            target.write_text((files("tactful.templates") / name).read_text(encoding="utf-8"), encoding="utf-8")
    create(home / "data")
    return Access.create(home / "access.json")
