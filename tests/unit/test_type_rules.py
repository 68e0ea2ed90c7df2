"""A type that nothing can have, or a filling that would pass for a fact, does not load; the message names file, line, field and fix."""

from pathlib import Path

import pytest

from tactful.domain.charter import Charter, Type
from tactful.domain.errors import BadCharter
from tactful.settings import read_charter
from tests.shop import template

TEXT = template("charter.toml").replace(
    'traits = ["interests", "avoid", ',
    'traits = ["interests", "avoid", "height", "birth_year", "birth_date", "child", "when", ',
)
HEAD = "\n[data.told.types]\n"


def read(tmp_path: Path, types: str, head: str = HEAD, text: str = TEXT) -> Charter:
    path = tmp_path / "charter.toml"
    path.write_text(text + head + types + "\n", encoding="utf-8")
    return read_charter(path)


def test_of_a_date_of_birth_the_year_alone_may_be_kept(tmp_path: Path) -> None:
    for type_ in ("date", "birth_year"):
        assert read(tmp_path, f'birth_date = {{ type = "{type_}" }}').data["told"].types["birth_date"].type == type_


def test_types_are_read(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        'height = { type = "amount", unit = "cm", least = 50, most = 260.5, fresh_days = 365, fill = "170 cm" }\n'
        'interests = { type = "list", one_of = ["sea", "war"], fill = ["sea"] }\n'
        'when = { type = "date", least = "1900-01-01" }',
    )
    assert loaded.data["told"].types["height"] == Type(
        "amount", "cm", least=50, most=260.5, fresh_days=365, fill="170 cm"
    )
    assert loaded.fills == (("told", "height", "170 cm"), ("told", "interests", ["sea"]))
    assert loaded.types_of_verb == {} and ("told", "when") in loaded.types_of_trait


# (a line of [data.told.types], the field that is named, a word of the reason, a word of the fix)
WRONG = {
    "no such trait": ('weight = { type = "amount", unit = "kg" }', "weight", "keeps nothing called so", "Add it to traits"),
    "no such type": ('height = { type = "length" }', "height.type", "'length'", "amount, list"),
    "no unit": ('height = { type = "amount" }', "height.unit", "not a unit", "m, mm, cm"),
    "no such unit": ('height = { type = "amount", unit = "furlong" }', "height.unit", "'furlong'", "m, mm, cm"),
    "no such currency": ('height = { type = "money", unit = "eur" }', "height.unit", "not a currency", "ISO 4217"),
    "a unit of text": ('height = { type = "text", unit = "cm" }', "height.unit", "has no unit", "amount"),
    "a list of money": ('interests = { type = "list", of = "money" }', "interests.of", "'money'", "text, language"),
    "least of a country": ('height = { type = "country", least = 1 }', "height.least", "has no least", "Delete"),
    "least is text": ('height = { type = "number", least = "1" }', "height.least", "text", "Write it as"),
    "least is no date": ('when = { type = "date", least = "1.1.1900" }', "when.least", "mistaken", "Write it as"),
    "least above most": ('height = { type = "number", least = 2, most = 1 }', "height.least", "more than the most", "Exchange"),
    "one number of": ('height = { type = "number", one_of = ["1"] }', "height.one_of", "cannot be chosen", "least and most"),
    "stale before it is fresh": ('height = { type = "number", fresh_days = -1 }', "height.fresh_days", "not a time", "how many days"),
    "filled with nothing it can be": ('height = { type = "amount", unit = "cm", most = 260, fill = "9 m" }', "height.fill", "out of range", "as it is kept"),
    "filled otherwise than kept": ('height = { type = "amount", unit = "cm", fill = 170 }', "height.fill", "'170 cm'", "as it is kept"),
    "an assumed child": ('child = { type = "yes_no", fill = false }', "child.fill", "assumed to be a child", "Delete"),
    "an assumed age": ('birth_year = { type = "birth_year", fill = 1990 }', "birth_year.fill", "assumed to be a child", "Delete"),
    "a child of text": ('child = { type = "text" }', "child.type", "protects children", "yes_no"),
    "a birthday of text": ('birth_date = { type = "text" }', "birth_date.type", "protects children", '"date"'),
    "a typo": ('height = { type = "number", lest = 2 }', "height.lest", "unknown field", "'least'"),
    "a wrong type": ('height = { type = "number", fresh_days = "long" }', "height.fresh_days", "expected `int`", "docs"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_says_where_why_and_what_to_do(wrong: str, tmp_path: Path) -> None:
    line, field, reason, fix = WRONG[wrong]
    with pytest.raises(BadCharter) as raised:
        read(tmp_path, line)
    facts = raised.value.facts
    assert facts["field"] == f"data.told.types.{field}"
    assert reason in facts["why"] and fix in facts["fix"]
    assert facts["line"] == (TEXT + HEAD).count("\n") + 1


@pytest.mark.parametrize(
    ("changed", "head", "line", "field", "reason"),
    [
        ('category = "user.demographic.religious_belief"\nsensitive = "faith"', HEAD, 'interests = { type = "list", fill = ["x"] }', "data.told.types.interests.fill", "nothing sensitive is ever assumed"),
        ('category = "user.demographic.profile"\nsensitive = "money"', HEAD, 'interests = { type = "list", fill = ["x"] }', "data.told.types.interests.fill", "nothing sensitive is ever assumed"),
        ("", "\n[data.opinions.types]\n", 'value = { type = "number", fill = 3 }', "data.opinions.types.value.fill", "never made up"),
        ("", "\n[data.opinions.types]\n", 'value = { type = "number", fresh_days = 3 }', "data.opinions.types.value.fresh_days", "stays true"),
        ("", "\n[data.opinions.types]\n", 'value = { type = "text" }', "data.opinions.types.value.type", "is a number"),
        ("", "\n[data.opinions.types]\n", 'stars = { type = "number" }', "data.opinions.types.stars", "keeps nothing called so"),
    ],
)  # fmt: skip
def test_filling_is_for_what_was_told_and_is_not_sensitive(
    changed: str, head: str, line: str, field: str, reason: str, tmp_path: Path
) -> None:
    text = TEXT.replace('category = "user.demographic.profile"', changed) if changed else TEXT
    with pytest.raises(BadCharter) as raised:
        read(tmp_path, line, head, text)
    assert raised.value.facts["field"] == field and reason in raised.value.facts["why"]


@pytest.mark.parametrize("kind", ["obtained", "inferred"])
def test_what_was_not_told_is_not_filled(kind: str, tmp_path: Path) -> None:
    with pytest.raises(BadCharter, match="is not filled"):
        read(
            tmp_path,
            'interests = { type = "list", fill = ["x"] }',
            text=TEXT.replace('kind = "told"', f'kind = "{kind}"'),
        )


def test_the_example_in_the_docs_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "charter.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    text = TEXT.replace('"height"', '"height", "budget", "language", "size"')
    loaded = read(tmp_path, example, "\n", text)
    assert loaded.data["told"].types["height"].fresh_days == 365
    assert loaded.data["opinions"].types["value"].most == 5
