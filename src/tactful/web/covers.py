"""Book covers, drawn: an SVG from title, author and subjects, the same each time. No script, no style sheet, no foreign font.

A book has one usual cover and, for whoever wants a choice, one in each of the `STYLES`.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from random import Random
from typing import get_args
from xml.sax.saxutils import escape

from tactful.sample.books import Look
from tactful.web.drawings import HEIGHT, PALETTES, WIDTH, Motif, Palette, Plate, look_of
from tactful.web.ornaments import ornament_of

STYLES = get_args(Look)
"""drawing: the drawing over the whole cover, the title on a label. type: letters alone. pattern: an ornament repeated."""

SERIF = "Iowan Old Style, Palatino Linotype, Palatino, Georgia, DejaVu Serif, serif"
SANS = "Avenir Next, Segoe UI, Helvetica Neue, Arial, DejaVu Sans, sans-serif"
MARGIN = 28
SMALL = frozenset(["A", "AN", "AND", "AS", "AT", "BY", "FOR", "FROM", "IN", "OF", "ON", "OR", "THE", "TO", "WITH"])
"""Words that carry little, and may stand small."""
CELL = 50
"""Side of the square that one ornament has to itself."""


def cover(title: str, author: str, subjects: Iterable[str], style: str = "") -> str:
    """The cover as SVG text. style: one of `STYLES`; empty for the usual cover. Raises ValueError for any other."""
    if style and style not in STYLES:
        raise ValueError(f"style: there is no cover called {style!r}; use one of {', '.join(STYLES)}")
    return _cover(title, author, tuple(subjects), style)


@lru_cache(maxsize=2000)
def _cover(title: str, author: str, subjects: tuple[str, ...], style: str) -> str:
    dice = Random(zlib.crc32(f"{title}|{author}".encode()))
    names, motif = look_of(subjects)
    usual = dice.randrange(len(names))
    # Each style takes the next palette, so that two covers of a book differ in colour too.
    turn = STYLES.index(style) + 1 if style else 0
    palette = PALETTES[names[(usual + turn) % len(names)]]
    if style == "drawing":
        inside = _labelled(dice, palette, motif, title, author)
    elif style == "type":
        inside = _lettered(palette, title, author)
    elif style == "pattern":
        inside = _patterned(palette, subjects, title, author)
    else:
        inside = _usual(dice, palette, motif, title, author)
    label = escape(f"{title} by {author}", {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{label}"><clipPath id="c"><rect width="{WIDTH}" height="{HEIGHT}"/></clipPath>'
        f'<g clip-path="url(#c)"><rect width="{WIDTH}" height="{HEIGHT}" fill="{palette.ground}"/>{inside}'
        # The fold beside the spine: what makes a picture into a book.
        f'<rect width="10" height="{HEIGHT}" fill="#000" opacity=".16"/><rect x="10" width="2" height="{HEIGHT}" fill="#fff" opacity=".14"/>'
        "</g></svg>"
    )


# ---------------------------------------------------------------------------------------------------------------- the usual


def _usual(dice: Random, palette: Palette, motif: Motif, title: str, author: str) -> str:
    lines, size = _set_title(title)
    block = len(lines) * size * 1.14
    body = _bands if dice.random() < 0.5 else _poster
    return body(dice, palette, motif, lines, size, block, author)


def _poster(
    dice: Random, palette: Palette, motif: Motif, lines: list[str], size: int, block: float, author: str
) -> str:
    """Title above, author under it, the drawing filling what is left down to the edge."""
    top = 54 + size * 0.7
    under = top + block - size * 0.2
    plate = Plate(int(under + 48), HEIGHT)
    return (
        motif(dice, palette, plate)
        + _letters(lines, size, top, palette.ink)
        + _author(author, under + 16, palette.ink)
        + f'<rect x="{MARGIN}" y="30" width="34" height="4" fill="{palette.accent}"/>'
    )


def _bands(dice: Random, palette: Palette, motif: Motif, lines: list[str], size: int, block: float, author: str) -> str:
    """The drawing above, a plain band with the title below."""
    band = int(HEIGHT - block - 84)
    return (
        motif(dice, palette, Plate(0, band))
        + f'<rect y="{band}" width="{WIDTH}" height="{HEIGHT - band}" fill="{palette.ground}"/>'
        + f'<rect x="{MARGIN}" y="{band - 2}" width="{WIDTH - 2 * MARGIN}" height="3" fill="{palette.accent}"/>'
        + _letters(lines, size, band + 26 + size * 0.7, palette.ink)
        + _author(author, HEIGHT - 26, palette.ink)
    )


# ----------------------------------------------------------------------------------------------------------- three other looks


def _labelled(dice: Random, palette: Palette, motif: Motif, title: str, author: str) -> str:
    """The drawing over the whole cover, title and author on a paper label near the foot."""
    lines, size = _set_title(title, room=206, largest=30)
    high = len(lines) * size * 1.14 + 66
    drawing = motif(dice, palette, Plate(0, HEIGHT))
    return drawing + _label(palette.ink, palette.ground, palette.accent, lines, size, author, HEIGHT - high - 34, high)


def _patterned(palette: Palette, subjects: Iterable[str], title: str, author: str) -> str:
    """An ornament over the whole cover in rows that are half a step apart, title and author on a field in the middle."""
    draw = ornament_of(subjects)
    strong, faint = draw(palette.accent, palette.soft), draw(palette.soft, palette.accent)
    parts = []
    for row in range(HEIGHT // CELL + 1):
        for column in range(-1, WIDTH // CELL + 1):
            x = column * CELL + CELL // 2 + CELL // 2 * (row % 2)
            parts.append(
                f'<g transform="translate({x} {row * CELL})">{strong if (row + column) % 2 == 0 else faint}</g>'
            )
    lines, size = _set_title(title, room=206, largest=30)
    high = len(lines) * size * 1.14 + 66
    field = _label(palette.ground, palette.ink, palette.accent, lines, size, author, (HEIGHT - high) / 2, high)
    return "".join(parts) + field


def _label(paper: str, ink: str, edge: str, lines: list[str], size: int, author: str, top: float, high: float) -> str:
    """A framed field with the title and the author in the middle of it."""
    x, wide, middle = 26, WIDTH - 52 + 6, WIDTH / 2 + 3
    first = top + 24 + size * 0.78
    rows = "".join(
        f'<tspan x="{middle:.0f}" y="{first + place * size * 1.14:.0f}">{escape(line)}</tspan>'
        for place, line in enumerate(lines)
    )
    small = min(14.0, 14 * 220 / max(1.0, len(author) * 8.7))
    return (
        f'<rect x="{x}" y="{top:.0f}" width="{wide}" height="{high:.0f}" fill="{paper}"/>'
        f'<rect x="{x + 6}" y="{top + 6:.0f}" width="{wide - 12}" height="{high - 12:.0f}" fill="none" stroke="{edge}" stroke-width="2"/>'
        f'<text font-family="{SERIF}" font-size="{size}" font-weight="600" text-anchor="middle" fill="{ink}">{rows}</text>'
        f'<text x="{middle:.0f}" y="{top + high - 21:.0f}" font-family="{SANS}" font-size="{small:.1f}" letter-spacing=".6" '
        f'text-anchor="middle" fill="{ink}">{escape(author)}</text>'
    )


def _lettered(palette: Palette, title: str, author: str) -> str:
    """Letters alone: each line of the title as wide as the cover, and its initial, very large, in what room is left."""
    wide, y = WIDTH - 2 * MARGIN, 76.0
    rows = []
    for line, size in _stacked(title):
        y += size * 0.74
        # Set to its width exactly, whatever the font; one or two letters are left as they are.
        across = min(wide, 0.74 * size * len(line))
        fit = f' textLength="{across:.0f}" lengthAdjust="spacingAndGlyphs"' if len(line) > 2 else ""
        rows.append(
            f'<text x="{MARGIN}" y="{y:.0f}" font-family="{SANS}" font-size="{size:.1f}" font-weight="700" fill="{palette.ink}"{fit}>'
            f"{escape(line)}</text>"
        )
        y += size * 0.3
    initial = ""
    if HEIGHT - y > 130:
        # Cut by the edge on purpose. The soft colour keeps it behind the title, which it never touches.
        initial = (
            f'<text x="{WIDTH - 14}" y="{HEIGHT + 6}" font-family="{SERIF}" font-size="{(HEIGHT - y) * 1.22:.0f}" font-weight="600" '
            f'text-anchor="end" fill="{palette.soft}" aria-hidden="true">{escape(_initial(title))}</text>'
        )
    rule = f'<rect x="{MARGIN}" y="58" width="{wide}" height="5" fill="{palette.accent}"/>'
    return initial + rule + _author(author, 44, palette.ink) + "".join(rows)


def _full(line: str) -> float:
    """The size at which a line in capitals is about as wide as the cover."""
    return (WIDTH - 2 * MARGIN) / (0.64 * len(line))


def _stacked(title: str) -> list[tuple[str, float]]:
    """The title in capitals as (line, size), in lines as short as the height allows. Small words alone are set small."""
    for most in range(9, 60):
        lines = _filled(title.upper().split(), most)
        sizes = [min(34.0 if set(line.split()) <= SMALL else 72.0, _full(line)) for line in lines]
        if sum(sizes) * 1.04 <= HEIGHT - 100:
            return list(zip(lines, sizes, strict=True))
    return [(title.upper()[:60], _full(title[:60]))]


def _filled(words: list[str], most: int) -> list[str]:
    """Words in lines of at most so many letters, save where one word is longer."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _initial(title: str) -> str:
    """The first letter of the first word that is not an article."""
    words = [word for word in title.split() if word.lower() not in ("the", "a", "an")] or title.split() or [" "]
    return next((letter for letter in words[0] if letter.isalnum()), words[0][0]).upper()


# ------------------------------------------------------------------------------------------------------------------ letters


def _letters(lines: list[str], size: int, top: float, ink: str) -> str:
    rows = "".join(
        f'<tspan x="{MARGIN}" y="{top + place * size * 1.14:.0f}">{escape(line)}</tspan>'
        for place, line in enumerate(lines)
    )
    return f'<text font-family="{SERIF}" font-size="{size}" font-weight="600" fill="{ink}">{rows}</text>'


def _author(author: str, y: float, ink: str) -> str:
    wide = len(author) * 9.6
    size = 15 if wide <= WIDTH - 2 * MARGIN else 15 * (WIDTH - 2 * MARGIN) / wide
    return (
        f'<text x="{MARGIN}" y="{y:.0f}" font-family="{SANS}" font-size="{size:.1f}" letter-spacing=".8" fill="{ink}" opacity=".92">'
        f"{escape(author)}</text>"
    )


def _set_title(title: str, room: int = WIDTH - 52, largest: int = 38) -> tuple[list[str], int]:
    """The title broken into lines, as large as fits: (lines, size). Widths are guessed on the wide side, as fonts differ."""
    for size in (38, 34, 31, 28, 25, 22):
        if size > largest:
            continue
        lines = _wrapped(title, room / (size * 0.66))
        if lines is not None and len(lines) <= (3 if size > 28 or (largest < 38 and size > 22) else 4):
            return lines, size
    return _wrapped(title[:90], room / 13, split=True) or [title[:20]], 19


def _wrapped(title: str, most: float, split: bool = False) -> list[str] | None:
    """Lines of at most so many letters, about even; None if a word is longer than a line and may not be split."""
    words = title.split()
    if split:
        words = [word[start : start + int(most)] for word in words for start in range(0, len(word), int(most))]
    if any(len(word) > most for word in words):
        return None
    return _filled(words, int(most))
