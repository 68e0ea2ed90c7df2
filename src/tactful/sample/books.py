"""The sample bookshop: real public-domain books, read from `books.toml` beside this file."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal, get_args

import msgspec

Mood = Literal["calm", "dark", "funny", "hopeful", "thrilling", "sad", "wondering"]
Level = Literal["easy", "medium", "hard"]
Audience = Literal["children", "everyone", "adults"]
Subject = Literal[
    "adventure",
    "children",
    "cookery",
    "drama",
    "fairy-tales",
    "faith",
    "history",
    "horror",
    "medicine",
    "mystery",
    "nature",
    "philosophy",
    "poetry",
    "politics",
    "psychology",
    "romance",
    "satire",
    "science-fiction",
    "sea",
    "travel",
    "war",
]
Look = Literal["drawing", "type", "pattern"]
Sensitivity = Literal["health", "pregnancy", "faith", "sexuality", "politics", "money"]


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One book of the shop. The closed vocabularies are types, so a misspelt word in the TOML fails on reading."""

    id: str
    """Slug of the title, unique in the catalogue."""
    title: str
    """English title."""
    author: str
    """Name as usually printed; books by one author carry the same string."""
    year: int
    """Year of first publication, or the customary date for older works; negative means BC."""
    language: str
    """Language the book was written in, as a BCP 47 code."""
    subjects: tuple[Subject, ...]
    """What it is about, two to four, the most telling first."""
    mood: Mood
    """The prevailing tone."""
    reading_level: Level
    """How hard it is to read."""
    pages: int
    """Length of a common edition, rounded."""
    price: float
    """Price in EUR, tax included; made up."""
    text: str
    """Our own description, one or two sentences, at most 200 characters."""
    audience: Audience
    """Whom it is for; simulated children only meet books for "children"."""
    sensitivity: tuple[Sensitivity, ...] = ()
    """What an interest in this book could betray about its reader; empty for most books."""
    series: str = ""
    """Name of the series it belongs to; empty for a book that stands alone."""
    part: int = 0
    """Place in its series, counted from 1 (some parts may not be in the shop); 0 for a book that stands alone."""
    variants: tuple[Look, ...] = get_args(Look)
    """Covers it may carry besides its usual one: styles of `tactful.web.covers`."""


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book: tuple[Book, ...]


@cache
def _catalogue() -> tuple[Book, ...]:
    text = resources.files(__package__).joinpath("books.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Catalogue).book


def books() -> list[Book]:
    """All books of the shop, in the order of the file; a new list at each call, so the caller may reorder it."""
    return list(_catalogue())
