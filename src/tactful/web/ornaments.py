"""Small ornaments that are repeated over a book cover, one for each subject, drawn round the middle of a cell 48 wide and high."""

from collections.abc import Callable, Iterable

Ornament = Callable[[str, str], str]
"""From two colours, the leading one and the quiet one, to a piece of SVG."""


def _wave(main: str, quiet: str) -> str:
    """Scales of the sea: three arcs one inside the other."""
    return "".join(
        f'<path d="M{-reach} 10 A{reach} {reach} 0 0 1 {reach} 10" fill="none" stroke="{colour}" stroke-width="3"/>'
        for reach, colour in ((20, main), (13, quiet), (6, main))
    )


def _peak(main: str, quiet: str) -> str:
    """A mountain with snow."""
    return f'<path d="M-19 14 L0 -16 L19 14 Z" fill="{quiet}"/><path d="M-7 -5 L0 -16 L7 -5 L3 -1 L0 -5 L-3 -1 Z" fill="{main}"/>'


def _compass(main: str, quiet: str) -> str:
    """A star that points four ways."""
    return (
        f'<path d="M0 -20 L4 -4 L20 0 L4 4 L0 20 L-4 4 L-20 0 L-4 -4 Z" fill="{main}"/>'
        f'<path d="M-10 -10 L0 -3 L10 -10 L3 0 L10 10 L0 3 L-10 10 L-3 0 Z" fill="{quiet}"/>'
    )


def _lemon(main: str, quiet: str) -> str:
    """A slice of lemon."""
    spokes = "".join(
        f'<path d="M0 0 L{x} {y}" stroke="{quiet}" stroke-width="2.5"/>'
        for x, y in ((13, 0), (6.5, 11.3), (-6.5, 11.3), (-13, 0), (-6.5, -11.3), (6.5, -11.3))
    )
    return f'<circle r="17" fill="{main}"/><circle r="13.5" fill="none" stroke="{quiet}" stroke-width="2.5"/>{spokes}'


def _fan(main: str, quiet: str) -> str:
    """A fan, or the curtain of a stage."""
    folds = "".join(
        f'<path d="M0 15 L{x} {y}" stroke="{quiet}" stroke-width="2"/>'
        for x, y in ((-19, 1), (-12, -9), (0, -13), (12, -9), (19, 1))
    )
    return f'<path d="M0 16 L-21 1 A25 25 0 0 1 21 1 Z" fill="{main}"/>{folds}'


def _star(main: str, quiet: str) -> str:
    """A star with eight points and a small one inside."""
    return (
        f'<path d="M0 -19 L3.5 -7 L13 -13 L7 -3.5 L19 0 L7 3.5 L13 13 L3.5 7 L0 19 L-3.5 7 L-13 13 L-7 3.5 L-19 0 L-7 -3.5 L-13 -13 L-3.5 -7 Z" '
        f'fill="{main}"/><circle r="3.5" fill="{quiet}"/>'
    )


def _window(main: str, quiet: str) -> str:
    """A window with a pointed arch."""
    return (
        f'<path d="M-13 18 V-3 Q-13 -14 0 -20 Q13 -14 13 -3 V18 Z" fill="{quiet}"/>'
        f'<path d="M-8 15 V-2 Q-7 -8 -1.5 -12 V15 Z M8 15 V-2 Q7 -8 1.5 -12 V15 Z" fill="{main}"/>'
    )


def _laurel(main: str, quiet: str) -> str:
    """A wreath open at the top."""
    leaves = "".join(
        f'<ellipse cx="{side * x}" cy="{y}" rx="3.6" ry="7" transform="rotate({side * turn} {side * x} {y})" fill="{colour}"/>'
        for side in (-1, 1)
        for x, y, turn, colour in ((7, 14, 70, main), (14, 6, 35, quiet), (15, -5, 0, main), (10, -14, -32, quiet))
    )
    return leaves


def _night(main: str, quiet: str) -> str:
    """A thin moon and a star."""
    return (
        f'<path d="M3 -18 A18 18 0 0 0 3 18 A23 23 0 0 1 3 -18 Z" fill="{main}"/>'
        f'<path d="M10 -6 L12 -1.5 L16.5 0 L12 1.5 L10 6 L8 1.5 L3.5 0 L8 -1.5 Z" fill="{quiet}"/>'
    )


def _herb(main: str, quiet: str) -> str:
    """A healing flower: six petals."""
    petals = "".join(
        f'<ellipse cy="-11" rx="5" ry="8.5" fill="{main if turn % 120 else quiet}" transform="rotate({turn})"/>'
        for turn in range(0, 360, 60)
    )
    return f'{petals}<circle r="4" fill="{quiet}"/>'


def _keyhole(main: str, quiet: str) -> str:
    """A keyhole in its plate."""
    return (
        f'<path d="M0 -20 L15 -8 V9 L0 20 L-15 9 V-8 Z" fill="{quiet}"/>'
        f'<circle cy="-4" r="5.5" fill="{main}"/><path d="M-2.5 -2 L-5.5 11 H5.5 L2.5 -2 Z" fill="{main}"/>'
    )


def _sprig(main: str, quiet: str) -> str:
    """A twig with five leaves."""
    leaves = "".join(
        f'<path d="M0 {y} Q{side * 5} {y - 11} {side * 16} {y - 9} Q{side * 11} {y + 2} 0 {y} Z" fill="{colour}"/>'
        for y, side, colour in ((12, -1, main), (8, 1, quiet), (1, -1, quiet), (-3, 1, main))
    )
    return f'<path d="M0 20 V-8" stroke="{quiet}" stroke-width="2"/>{leaves}<path d="M0 -5 Q-6 -13 0 -21 Q6 -13 0 -5 Z" fill="{main}"/>'


def _spiral(main: str, quiet: str) -> str:
    """A thought that comes round: half circles that grow."""
    return (
        f'<path d="M0 0 a4 4 0 0 1 8 0 a8 8 0 0 1 -16 0 a12 12 0 0 1 24 0 a16 16 0 0 1 -32 0" transform="translate(-1 -1)" '
        f'fill="none" stroke="{main}" stroke-width="3" stroke-linecap="round"/><circle cx="3" cy="0" r="2.4" fill="{quiet}"/>'
    )


def _eye(main: str, quiet: str) -> str:
    """An open eye."""
    return f'<path d="M-21 0 Q0 -19 21 0 Q0 19 -21 0 Z" fill="{quiet}"/><circle r="8" fill="{main}"/><circle r="3" fill="{quiet}"/>'


def _quill(main: str, quiet: str) -> str:
    """A feather."""
    return (
        f'<g transform="rotate(32)"><path d="M0 -21 Q11 -8 5 10 L0 13 L-5 10 Q-11 -8 0 -21 Z" fill="{main}"/>'
        f'<path d="M0 -12 V22" stroke="{quiet}" stroke-width="2.2" stroke-linecap="round"/></g>'
    )


def _banner(main: str, quiet: str) -> str:
    """A flag on its pole."""
    return f'<path d="M-13 -19 V20" stroke="{quiet}" stroke-width="3"/><path d="M-12 -18 Q-3 -23 5 -17 T19 -17 V1 Q10 6 3 1 T-12 1 Z" fill="{main}"/>'


def _rose(main: str, quiet: str) -> str:
    """Two hearts, the smaller inside the larger."""
    heart = "M0 17 C-26 -2 -16 -20 0 -8 C16 -20 26 -2 0 17 Z"
    return f'<path d="{heart}" fill="{main}"/><path d="{heart}" transform="translate(0 -1) scale(.48)" fill="{quiet}"/>'


def _jester(main: str, quiet: str) -> str:
    """Lozenges of a jester's coat."""
    return (
        f'<path d="M0 -22 L11 -11 L0 0 L-11 -11 Z" fill="{main}"/><path d="M0 0 L11 11 L0 22 L-11 11 Z" fill="{main}"/>'
        f'<path d="M-11 -11 L0 0 L-11 11 L-22 0 Z M11 -11 L22 0 L11 11 L0 0 Z" fill="{quiet}"/>'
    )


def _planet(main: str, quiet: str) -> str:
    """A planet with its ring."""
    return f'<circle r="11" fill="{main}"/><ellipse rx="21" ry="6" fill="none" stroke="{quiet}" stroke-width="3" transform="rotate(-24)"/>'


def _chevron(main: str, quiet: str) -> str:
    """Three stripes on a sleeve."""
    return "".join(
        f'<path d="M-16 {y} L0 {y - 13} L16 {y}" fill="none" stroke="{colour}" stroke-width="5"/>'
        for y, colour in ((-1, main), (9, quiet), (19, main))
    )


ORNAMENTS: dict[str, Ornament] = {
    "adventure": _peak,
    "cookery": _lemon,
    "drama": _fan,
    "fairy tales": _star,
    "faith": _window,
    "history": _laurel,
    "horror": _night,
    "medicine": _herb,
    "mystery": _keyhole,
    "nature": _sprig,
    "philosophy": _spiral,
    "poetry": _quill,
    "politics": _banner,
    "psychology": _eye,
    "romance": _rose,
    "satire": _jester,
    "science fiction": _planet,
    "sea": _wave,
    "travel": _compass,
    "war": _chevron,
}


def ornament_of(subjects: Iterable[str]) -> Ornament:
    """The ornament of the first subject that has one."""
    return next((ORNAMENTS[subject] for subject in subjects if subject in ORNAMENTS), _star)
