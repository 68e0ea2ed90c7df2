"""Amazon Personalize's CSV files: interactions (USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, IMPRESSION), items, users."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from msgspec import structs

from tactful.connectors.csv import rows as csv_rows
from tactful.connectors.csv import table
from tactful.connectors.mapping import RAW_MOST, Columns
from tactful.connectors.verbs import USUAL, plain
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival, Interaction
from tactful.domain.item import Attribute, Item, Price
from tactful.ports import Quarantined

VERB_OF = {
    **USUAL, "watch": "finished", "watched": "finished", "detailpageviewed": "viewed", "productviewed": "viewed", "purchased": "bought",
    "orderplaced": "bought", "productadded": "added", "search": "searched",
}  # fmt: skip
"""What an EVENT_TYPE means, whatever its case and without spaces, hyphens and underscores: the usual names, and those of these files."""

_NO_ITEM = "it has no ITEM_ID, or not as many cells as the header"
_OWN = ("ITEM_ID", "PRICE", "CREATION_TIMESTAMP")
_TITLES = ("TITLE", "NAME", "ITEM_NAME", "PRODUCT_NAME")
_TEXTS = ("DESCRIPTION", "PRODUCT_DESCRIPTION", "TEXT")


def rows(path: Path, now: int, means: Mapping[str, str], always: str = "viewed") -> Iterator[Arrival | Quarantined]:
    """The interactions; a row with an IMPRESSION brings one more, of what was shown. Raises BadInput if a column is missing.

    means: further event types and their verbs. always: the verb where there is no EVENT_TYPE.
    """
    have = _header(path)
    verb, value, impression = (name if name in have else "" for name in ("EVENT_TYPE", "EVENT_VALUE", "IMPRESSION"))
    fields = ((impression, impression),) if impression else ()
    columns = Columns("USER_ID", "ITEM_ID", "TIMESTAMP", verb, value, always, fields=fields)
    known = {**VERB_OF, **{plain(name): meaning for name, meaning in means.items()}}
    for row in csv_rows(path, columns, now):
        if isinstance(row, Quarantined):
            yield row
            continue
        shown = str(row.fields.get(impression, "")) if impression else ""
        # An unknown type is left to `clean`, which says what verbs there are.
        meant = known.get(plain(row.verb), row.verb)
        yield structs.replace(row, verb=meant, fields={})
        if shown:
            items = tuple(dict.fromkeys(filter(None, shown.split("|"))))
            yield Arrival(
                id=f"{row.id}-shown", person=row.person, name="IMPRESSION", at=row.at, verb="shown", items=items
            )


def people(path: Path, declared: Iterable[str], now: int) -> Iterator[Arrival | Quarantined]:
    """What a users file says: the columns, in small letters, that the charter declares as told traits. Nothing if it declares none."""
    known = frozenset(declared)
    traits = tuple((name, name.lower()) for name in _header(path) if name.lower() in known)
    if traits:
        yield from csv_rows(path, Columns("USER_ID", "", "", traits=traits), now)


def items(path: Path) -> Iterator[Item | Quarantined]:
    """The items: price, title and description by their usual names, all else as attributes; `a|b` is a list."""
    read = table(path)
    header = next(read)[1]
    if "ITEM_ID" not in header:
        raise _missing("ITEM_ID", path, header)
    for line, cells, wrong in read:
        try:
            if wrong or len(cells) != len(header):
                raise ValueError(wrong or _NO_ITEM)
            yield _item(dict(zip(header, cells, strict=True)))
        except ValueError as mistake:
            where, raw = f"line {line}", ",".join(cells).encode(errors="surrogateescape")[:RAW_MOST]
            why = "it is not UTF-8; save the file as UTF-8" if isinstance(mistake, UnicodeError) else str(mistake)
            yield Quarantined(where, 0, "", raw, where, why)


def _item(row: dict[str, str]) -> Item:
    if not row["ITEM_ID"]:
        raise ValueError(_NO_ITEM)
    ",".join(row.values()).encode()
    title = next((row[name] for name in _TITLES if row.get(name)), row["ITEM_ID"])
    text = next((row[name] for name in _TEXTS if row.get(name)), "")
    try:
        price = Price(float(row["PRICE"])) if row.get("PRICE") else None
    except ValueError:
        raise ValueError("PRICE holds no number; write it like 4.5") from None
    attributes: dict[str, Attribute] = {
        name.lower(): value.split("|") if "|" in value else value
        for name, value in row.items()
        if value and name not in (*_OWN, *_TITLES, *_TEXTS)
    }
    return Item(id=row["ITEM_ID"], title=title, text=text, price=price, attributes=attributes)


def write(file: IO[str], acts: Iterable[tuple[str, Interaction]]) -> None:
    """Write acts as an interactions file; times in seconds since 1970, as Personalize wants them."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"))
    for person, act in acts:
        out.writerow((person, act.item, act.at // 1000, act.verb, "" if act.value is None else repr(act.value)))


def write_items(file: IO[str], things: Iterable[Item]) -> None:
    """Write items as an items file. Attributes go into one categorical column, since each catalogue has its own."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(("ITEM_ID", "TITLE", "KIND", "PRICE", "ATTRIBUTES", "DESCRIPTION"))
    for thing in things:
        values = [value.replace("|", " ") for name in thing.attributes for value in thing.values(name)]
        price = "" if thing.price is None else repr(thing.price.amount)
        out.writerow((thing.id, thing.title, thing.kind, price, "|".join(values), thing.text))


def write_people(file: IO[str], names: Iterable[str]) -> None:
    """Write a users file: who there is, and nothing about them."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(("USER_ID",))
    out.writerows((name,) for name in names)


def _header(path: Path) -> list[str]:
    return next(table(path))[1]


def _missing(name: str, path: Path, have: Iterable[str]) -> BadInput:
    return BadInput(
        field=f"column {name!r}", why=f"{path} has {', '.join(have) or 'none'}", fix="Personalize wants it so named"
    )
