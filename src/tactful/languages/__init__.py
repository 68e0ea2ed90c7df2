"""The words that people read: one TOML file per language, here and in an installation's folder `words/`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tactful.domain.words import PLAIN, Languages, Words, problems, required, tags
from tactful.settings import read_table, wrong

SHIPPED = Path(__file__).parent
TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read_languages(home: Path | None = None, default: str = "en") -> Languages:
    """The languages that come along, with what an installation adds or says otherwise. Raises BadSettings."""
    known: dict[str, Words] = {}
    for folder in (SHIPPED, *([home / "words"] if home else [])):
        # The less exact tag comes first, so that de-AT finds de.
        for path in sorted(folder.glob("*.toml"), key=lambda path: (path.stem.count("-"), path.stem)):
            _add(path, known)
    chosen = next((tag for tag in tags(default) if tag in known), None)
    if chosen is None:
        there = ", ".join(sorted(known))
        raise wrong(
            (home or Path()) / "tactful.toml", "language", f"there are no words for {default!r}",
            f"Use one of {there}, or write words/{default}.toml",
        )  # fmt: skip
    return Languages(chosen, known)


def _add(path: Path, known: dict[str, Words]) -> None:
    """Read one file on top of the same language, of the one that it narrows, or of nothing."""
    if not TAG.fullmatch(path.stem):
        raise wrong(path, "file name", f"{path.stem!r} is no language", "Name it by its tag: de.toml, de-AT.toml")
    tag = path.stem.lower()
    words = _read(path, tag)
    base = next((known[one] for one in tags(tag) if one in known), None)
    if base is None:
        for key in required():
            if key not in words.phrases:
                raise wrong(path, key, "it is missing", f"Say it; {SHIPPED / 'en.toml'} has it in English")
    known[tag] = words if base is None else base.with_more(tag, words)


def _read(path: Path, tag: str) -> Words:
    tables = read_table(path)
    plain: dict[str, Mapping[str, str]] = {}
    for name in PLAIN:
        plain[name] = table = dict(_flat(tables.pop(name, {}), name, path, dotted=False))
        for word, said in table.items():
            if not said.strip():
                raise wrong(path, f"{name}.{word}", "it is empty", "Say something, or leave it out")
    phrases = {key: phrase for name, table in tables.items() for key, phrase in _flat(table, name, path)}
    for key, why, fix in problems(phrases):
        raise wrong(path, key, why, fix)
    return Words(tag, phrases, **plain)


def _flat(table: Any, at: str, path: Path, dotted: bool = True) -> Iterator[tuple[str, str]]:
    """(key, text) of a table and of the tables in it; keys with where they stand, or bare."""
    if not isinstance(table, dict):
        raise wrong(path, at, "a table is wanted here", f"Write [{at}] and the phrases under it")
    for key, value in table.items():
        full = f"{at}.{key}"
        if isinstance(value, dict) and dotted:
            yield from _flat(value, full, path)
        elif isinstance(value, str):
            yield (full if dotted else key), value
        else:
            raise wrong(path, full, "a text is wanted here", "Put it in quotation marks")
