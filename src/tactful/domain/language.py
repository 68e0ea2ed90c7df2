"""In which language something is said, if not in the one that was asked for."""

from collections.abc import Iterable, Sequence

from tactful.domain.item import Item, Text


def chain(asked: Iterable[str]) -> tuple[str, ...]:
    """The languages to try, best first: each one asked for, then the same with less and less said of it ("de-AT", "de").

    The lookup of RFC 4647, section 3.4.
    """
    found: dict[str, None] = {}
    for tag in filter(None, asked):
        parts = tag.split("-")
        while parts:
            if len(parts[-1]) > 1:  # a single letter only announces what follows it
                found["-".join(parts)] = None
            parts.pop()
    return tuple(found)


def nearest(names: Sequence[str], tried: Iterable[str]) -> str | None:
    """Which of these languages to take, given those to try (`chain`): "de" is served by "de-AT" too, if "de" is not there."""
    for tag in tried:
        if tag in names:
            return tag
        near = next((name for name in names if name.startswith(tag + "-")), None)
        if near is not None:
            return near
    return None


def said(item: Item, tried: Iterable[str]) -> tuple[str, Text]:
    """(language, title and text) of an item in the first language to try that it has; else its own."""
    found = nearest([item.language, *item.texts], tried) if item.texts else None
    if found is None or found == item.language:
        return item.language, Text(item.title, item.text)
    other = item.texts[found]
    return found, Text(other.title or item.title, other.text or item.text)
