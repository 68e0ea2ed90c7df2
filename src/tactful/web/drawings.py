"""The drawings on our book covers: one motif for each subject, as pieces of SVG, from colours, dice and the room there is."""

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

WIDTH, HEIGHT = 300, 450


class Palette(NamedTuple):
    """ground: the cover; ink: letters on it; accent and soft: for the drawing. Letters on the ground keep a contrast above 7."""

    ground: str
    ink: str
    accent: str
    soft: str


class Plate(NamedTuple):
    """The part of the cover that the drawing fills: top and bottom edge."""

    top: int
    bottom: int

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> int:
        """From edge to edge."""
        return self.bottom - self.top


PALETTES = {
    "deep": Palette("#12343b", "#f6e7cb", "#e1a95f", "#2d545e"),
    "night": Palette("#1d2233", "#f0ead8", "#d9b36c", "#3a4363"),
    "wine": Palette("#4a1525", "#f9e8d9", "#e08e79", "#6d2a3c"),
    "moss": Palette("#24382b", "#f3ecd6", "#c9b458", "#41614b"),
    "sand": Palette("#f0e2c4", "#3a2a1a", "#b5532f", "#dcc393"),
    "sky": Palette("#dfe8ea", "#1c3442", "#c8553d", "#aac4cd"),
    "rose": Palette("#f4ddd6", "#4b1f2d", "#a8324a", "#e3b5ab"),
    "slate": Palette("#2c2a2e", "#f1ece4", "#cf6b4d", "#524d55"),
    "leaf": Palette("#e6ead2", "#26391f", "#6b8f3c", "#c2cf9c"),
    "plum": Palette("#35223f", "#f4e9ee", "#d7a0b5", "#563a64"),
}

Motif = Callable[[Random, Palette, Plate], str]


def _sea(dice: Random, palette: Palette, plate: Plate) -> str:
    """Waves, and a sun or moon over them."""
    sun = f'<circle cx="{dice.randint(80, 220)}" cy="{plate.top + plate.height * 0.36:.0f}" r="{dice.randint(30, 46)}" fill="{palette.accent}"/>'
    rows = []
    for place in range(5):
        y = plate.top + plate.height * (0.42 + 0.13 * place)
        swell, shift = 9 + 2 * place, dice.randint(-40, 0)
        wave = f"M{shift} {y:.0f}" + f" q18 {-swell} 36 0 t36 0" * 6 + f" V{plate.bottom} H{shift} Z"
        rows.append(f'<path d="{wave}" fill="{palette.soft}" opacity="{0.35 + 0.13 * place:.2f}"/>')
    return sun + "".join(rows)


def _peaks(dice: Random, palette: Palette, plate: Plate) -> str:
    """Mountains one behind the other."""
    sun = f'<circle cx="{dice.randint(70, 230)}" cy="{plate.top + plate.height * 0.3:.0f}" r="{dice.randint(22, 36)}" fill="{palette.accent}"/>'
    rows = []
    for place, fill in enumerate((palette.soft, palette.accent, palette.soft)):
        base = plate.top + plate.height * (0.45 + 0.2 * place)
        points, x = [f"-20,{plate.bottom}"], -20
        while x < WIDTH + 40:
            points.append(f"{x},{base - dice.randint(0, 60) * plate.height / 300:.0f}")
            x += dice.randint(40, 75)
        points.append(f"{x},{plate.bottom}")
        rows.append(f'<polygon points="{" ".join(points)}" fill="{fill}" opacity="{(0.6, 0.55, 1.0)[place]}"/>')
    return sun + "".join(rows)


def _orbits(dice: Random, palette: Palette, plate: Plate) -> str:
    """Rings round a star, each with its planet."""
    x, y = dice.randint(110, 190), plate.middle
    parts = [f'<circle cx="{x}" cy="{y:.0f}" r="20" fill="{palette.accent}"/>']
    for ring in range(1, 6):
        radius, turn = 20 + ring * 27, dice.uniform(0, math.tau)
        parts.append(
            f'<circle cx="{x}" cy="{y:.0f}" r="{radius}" fill="none" stroke="{palette.soft}" stroke-width="2"/>'
        )
        fill = palette.accent if ring % 2 else palette.ink
        parts.append(
            f'<circle cx="{x + radius * math.cos(turn):.0f}" cy="{y + radius * math.sin(turn):.0f}" r="{dice.randint(4, 9)}" fill="{fill}"/>'
        )
    return "".join(parts)


def _moon(dice: Random, palette: Palette, plate: Plate) -> str:
    """A moon behind bare trees."""
    x, y, radius = dice.randint(120, 190), plate.top + plate.height * 0.42, min(78, plate.height * 0.3)
    parts = [f'<circle cx="{x}" cy="{y:.0f}" r="{radius:.0f}" fill="{palette.accent}"/>']
    at = -6
    while at < WIDTH:
        wide, lean = dice.randint(5, 15), dice.randint(-10, 10)
        parts.append(
            f'<path d="M{at} {plate.bottom} L{at + lean} {plate.top + dice.randint(0, 40)} h{wide * 0.45:.0f} L{at + wide} {plate.bottom} Z" '
            f'fill="{palette.soft}"/>'
        )
        at += wide + dice.randint(16, 40)
    return "".join(parts)


def _leaves(dice: Random, palette: Palette, plate: Plate) -> str:
    """A stem with leaves to both sides."""
    x = dice.randint(125, 175)
    parts = [
        f'<path d="M{x} {plate.bottom} Q{x + dice.randint(-26, 26)} {plate.middle:.0f} {x} {plate.top + 26}" stroke="{palette.soft}" stroke-width="5" fill="none"/>'
    ]
    steps = max(4, plate.height // 44)
    for place in range(steps):
        y = plate.bottom - 14 - place * (plate.height - 56) / steps
        for side in (-1, 1):
            length = dice.randint(58, 84) * (1 - 0.45 * place / steps)
            tip = f"{x + side * length:.0f} {y - length * 0.55:.0f}"
            bend = f"{x + side * length * 0.25:.0f} {y - length * 0.62:.0f}"
            back = f"{x + side * length * 0.72:.0f} {y + length * 0.06:.0f}"
            fill = palette.accent if (place + (side > 0)) % 3 == 0 else palette.soft
            parts.append(f'<path d="M{x} {y:.0f} Q{bend} {tip} Q{back} {x} {y:.0f} Z" fill="{fill}"/>')
    return "".join(parts)


def _arches(dice: Random, palette: Palette, plate: Plate) -> str:
    """Arches inside arches: a doorway, a stage."""
    parts = []
    wide, x = 244.0, WIDTH / 2
    fills = dice.choice((
        (palette.soft, palette.ground, palette.accent, palette.ground, palette.soft),
        (palette.accent, palette.ground, palette.soft, palette.accent),
        (palette.soft, palette.accent, palette.ground),
        (palette.accent, palette.soft, palette.ground, palette.soft, palette.ground, palette.accent),
    ))  # fmt: skip
    step = 96 / len(fills)
    for place, fill in enumerate(fills):
        half = wide / 2 - place * step
        top = plate.top + 20 + place * (step + 2)
        shoulder = min(top + half, plate.bottom)
        parts.append(
            f'<path d="M{x - half:.0f} {plate.bottom} V{shoulder:.0f} A{half:.0f} {half:.0f} 0 0 1 {x + half:.0f} {shoulder:.0f} V{plate.bottom} Z" fill="{fill}"/>'
        )
    parts.append(f'<circle cx="{x:.0f}" cy="{plate.bottom - dice.randint(30, 60)}" r="10" fill="{palette.accent}"/>')
    return "".join(parts)


def _rays(dice: Random, palette: Palette, plate: Plate) -> str:
    """A sun with its rays, half risen."""
    x, y = WIDTH / 2 + dice.randint(-40, 40), plate.bottom - 20
    rays, turn = 22, dice.uniform(0, 0.2)
    parts = []
    for place in range(rays):
        first, second = (turn + math.tau * (place + side) / rays for side in (0.0, 0.5))
        reach = 520
        points = f"{x:.0f},{y} {x + reach * math.cos(first):.0f},{y + reach * math.sin(first):.0f} {x + reach * math.cos(second):.0f},{y + reach * math.sin(second):.0f}"
        parts.append(f'<polygon points="{points}" fill="{palette.soft}" opacity=".8"/>')
    clip = f'<clipPath id="p"><rect y="{plate.top}" width="{WIDTH}" height="{plate.height}"/></clipPath>'
    disc = f'<circle cx="{x:.0f}" cy="{y}" r="{min(76, plate.height * 0.36):.0f}" fill="{palette.accent}"/>'
    return f'{clip}<g clip-path="url(#p)">{"".join(parts)}{disc}</g>'


def _rings(dice: Random, palette: Palette, plate: Plate) -> str:
    """Circles that meet: two minds, one thought."""
    y, radius = plate.middle + 6, min(82.0, plate.height * 0.36)
    apart = radius * dice.uniform(0.45, 0.75)
    parts = []
    for side, fill in ((-1, palette.soft), (1, palette.accent)):
        parts.append(
            f'<circle cx="{WIDTH / 2 + side * apart:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{fill}" opacity=".85"/>'
        )
    for place in range(1, 4):
        parts.append(
            f'<circle cx="{WIDTH / 2:.0f}" cy="{y:.0f}" r="{radius * 0.24 * place:.0f}" fill="none" stroke="{palette.ink}" stroke-width="1.5" opacity=".55"/>'
        )
    return "".join(parts)


def _pillars(dice: Random, palette: Palette, plate: Plate) -> str:
    """Uprights of uneven height: columns, ranks, years."""
    parts, x, wide = [], 28.0, 22.0
    count = 8
    gap = (WIDTH - 56 - count * wide) / (count - 1)
    for place in range(count):
        top = plate.top + plate.height * dice.uniform(0.18, 0.6)
        fill = palette.accent if place % 3 == dice.randrange(3) else palette.soft
        parts.append(
            f'<rect x="{x:.0f}" y="{top:.0f}" width="{wide:.0f}" height="{plate.bottom - top:.0f}" rx="11" fill="{fill}"/>'
        )
        x += wide + gap
    return "".join(parts)


def _tiles(dice: Random, palette: Palette, plate: Plate) -> str:
    """Quarter circles laid at random: a pattern to solve."""
    side = 60
    parts = []
    for row in range(math.ceil(plate.height / side)):
        for column in range(WIDTH // side):
            x, y = column * side, plate.bottom - (row + 1) * side
            fill = dice.choice((palette.soft, palette.soft, palette.accent, ""))
            if not fill or y < plate.top - side * 0.1:
                continue
            corner = dice.randrange(4)
            cx, cy = x + side * (corner % 2), y + side * (corner // 2)
            sx, sy = (1 if corner % 2 == 0 else -1) * side, (1 if corner // 2 == 0 else -1) * side
            sweep = 1 if sx * sy > 0 else 0
            parts.append(f'<path d="M{cx} {cy} h{sx} A{side} {side} 0 0 {sweep} {cx} {cy + sy} Z" fill="{fill}"/>')
    return "".join(parts)


LOOKS: dict[str, tuple[tuple[str, ...], Motif]] = {
    "adventure": (("sand", "deep", "sky"), _peaks),
    "cookery": (("leaf", "sand"), _leaves),
    "drama": (("wine", "plum", "rose"), _arches),
    "fairy tales": (("plum", "night", "rose"), _rays),
    "faith": (("night", "sky"), _arches),
    "history": (("sand", "slate", "moss"), _pillars),
    "horror": (("slate", "wine", "night"), _moon),
    "medicine": (("sky", "leaf"), _rings),
    "mystery": (("night", "slate", "deep"), _tiles),
    "nature": (("leaf", "moss"), _leaves),
    "philosophy": (("sky", "sand", "deep"), _rings),
    "poetry": (("rose", "leaf", "plum"), _leaves),
    "politics": (("slate", "wine"), _pillars),
    "psychology": (("plum", "rose", "sky"), _rings),
    "romance": (("rose", "wine", "plum"), _arches),
    "satire": (("sand", "sky", "rose"), _tiles),
    "science fiction": (("night", "deep", "plum"), _orbits),
    "sea": (("deep", "sky", "night"), _sea),
    "travel": (("sand", "sky", "moss"), _peaks),
    "war": (("slate", "moss"), _pillars),
}
ANY_LOOK: tuple[tuple[str, ...], Motif] = (("sand", "sky", "leaf"), _rays)


def look_of(subjects: Iterable[str]) -> tuple[tuple[str, ...], Motif]:
    """The palettes and the drawing of the first subject that has any."""
    return next((LOOKS[subject] for subject in subjects if subject in LOOKS), ANY_LOOK)
