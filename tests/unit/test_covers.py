"""Book covers: each look is a picture of its own, legible, the same every time, whatever the title."""

import re
from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.cli.demonstration import item_of
from tactful.sample.books import Look, books
from tactful.web.covers import STYLES, cover
from tactful.web.drawings import HEIGHT, LOOKS, PALETTES, WIDTH, Palette
from tactful.web.ornaments import ORNAMENTS

LOOK_OF_ALL = ("", *STYLES)
SVG = "{http://www.w3.org/2000/svg}"


def light(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def read(svg: str) -> list[ElementTree.Element]:
    """The elements in the order in which they are painted."""
    return list(ElementTree.fromstring(svg).iter())


def letters(svg: str) -> list[ElementTree.Element]:
    """The texts that somebody is meant to read."""
    return [one for one in read(svg) if one.tag == f"{SVG}text" and not one.get("aria-hidden")]


def words_of(svg: str) -> str:
    return " ".join(
        "".join(one.itertext()) if len(one) < 2 else " ".join(row.text or "" for row in one) for one in letters(svg)
    )


def covers_of(title: str, author: str, subjects: tuple[str, ...]) -> dict[str, str]:
    return {style: cover(title, author, subjects, style) for style in LOOK_OF_ALL}


def test_every_book_has_covers_that_differ_from_each_other() -> None:
    for book in books():
        item = item_of(book)
        drawn = covers_of(book.title, book.author, item.values("subjects"))
        assert len(set(drawn.values())) == len(LOOK_OF_ALL)
        assert set(book.variants) <= set(drawn)


def test_the_looks_are_unlike_by_what_they_are_made_of() -> None:
    made = {
        style: [one.tag for one in read(svg)] for style, svg in covers_of("Emma", "Jane Austen", ("romance",)).items()
    }
    assert made["pattern"].count(f"{SVG}g") > 50
    assert max(made[style].count(f"{SVG}g") for style in ("", "drawing", "type")) == 1
    assert set(made["type"]) & {f"{SVG}path", f"{SVG}circle", f"{SVG}polygon"} == set()


def test_a_cover_is_the_same_each_time_and_another_for_another_book() -> None:
    for style in LOOK_OF_ALL:
        assert cover("Emma", "Jane Austen", ["romance"], style) == cover("Emma", "Jane Austen", ("romance",), style)
        assert cover("Emma", "Jane Austen", ["romance"], style) != cover(
            "Persuasion", "Jane Austen", ["romance"], style
        )


def test_a_style_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'neon'.*drawing, type, pattern"):
        cover("Emma", "Jane Austen", ["romance"], "neon")


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_letters_on_their_ground_keep_a_contrast_of_seven(palette: Palette) -> None:
    assert contrast(palette.ground, palette.ink) >= 7


@pytest.mark.parametrize("style", LOOK_OF_ALL)
def test_letters_stand_on_a_field_of_the_palette_they_belong_to(style: str) -> None:
    for book in books():
        field = ""
        for one in read(cover(book.title, book.author, item_of(book).values("subjects"), style)):
            # The last large plain field painted before a text is what the text stands on.
            if (
                one.tag == f"{SVG}rect"
                and one.get("fill", "none").startswith("#")
                and float(one.get("height", 0)) > 60 <= float(one.get("width", 0))
            ):
                field = one.get("fill", "") if one.get("opacity") is None else field
            if one.tag == f"{SVG}text" and not one.get("aria-hidden"):
                assert contrast(field, one.get("fill", "")) >= 7, (book.id, style)


@pytest.mark.parametrize("style", LOOK_OF_ALL)
def test_the_whole_title_of_every_book_is_there_inside_the_cover(style: str) -> None:
    for book in books():
        svg = cover(book.title, book.author, item_of(book).values("subjects"), style)
        shown = re.sub(r"\s", "", words_of(svg)).casefold()
        assert re.sub(r"\s", "", book.title).casefold() in shown, book.id
        assert re.sub(r"\s", "", book.author).casefold() in shown, book.id
        for one in letters(svg):
            size = float(one.get("font-size", 0))
            places = [row for row in one if row.get("y")] or [one]
            for row in places:
                assert size < float(row.get("y", 0)) + size * 0.25 and float(row.get("y", 0)) <= HEIGHT - 8, (
                    book.id,
                    style,
                )
                wide = float(one.get("textLength", 0)) or 0.62 * size * len(row.text or "")
                assert wide <= WIDTH - 40, (book.id, style, row.text)
            assert size >= 7.5, (book.id, style)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    st.text(max_size=60).map(lambda text: re.sub(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]", "", text)),
    st.sampled_from(LOOK_OF_ALL),
)
def test_any_title_and_author_give_a_picture_that_can_be_read(title: str, author: str, style: str) -> None:
    title = re.sub(r"[\ufffe\uffff]", "", title)
    picture = ElementTree.fromstring(cover(title, author, (), style))
    assert picture.get("aria-label") == re.sub(r"[\t\n\r]", " ", f"{title} by {author}")
    assert all(float(one.get("font-size", 1)) > 0 for one in picture.iter())


def test_every_subject_has_a_drawing_and_an_ornament() -> None:
    subjects = {subject for book in books() for subject in item_of(book).values("subjects")}
    assert subjects == set(LOOKS) == set(ORNAMENTS)
    assert len({draw("#111111", "#222222") for draw in ORNAMENTS.values()}) == len(ORNAMENTS)


def test_the_styles_are_those_that_a_book_may_name() -> None:
    assert set(STYLES) == set(get_args(Look))
