"""A charter that breaks a hard rule does not load, and says where, why, and what to do."""

import re
from pathlib import Path

import pytest

from tactful.domain.catalogue import Catalogue
from tactful.domain.charter import Charter
from tactful.domain.errors import BadCharter
from tactful.domain.item import Item
from tactful.domain.rules import problems
from tactful.domain.view import SURFACES
from tactful.settings import read_charter
from tests.shop import charter, template

TEXT = template("charter.toml")


def read(tmp_path: Path, text: str) -> Charter:
    path = tmp_path / "charter.toml"
    path.write_text(text, encoding="utf-8")
    return read_charter(path)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_template_loads_and_profiles_nobody_by_default(tmp_path: Path) -> None:
    loaded = read(tmp_path, TEXT)
    assert list(problems(loaded)) == []
    assert loaded == charter()
    assert all(purpose.basis == "consent" for purpose in loaded.purposes.values())
    assert all(data.surfaces == ("private",) for data in loaded.data.values())
    assert set(loaded.of_verb.values()) <= set(loaded.data)


# (what is replaced in the template, by what, the field that is named, a word of the reason, a word of the fix)
EDITS = {
    "no words": ('words = "We use it to choose what to show you."', 'words = " "', "purposes.personalise.words", "empty", "ten-year-old"),
    "unknown use": ('"personalize.content.profiled"', '"please.people"', "purposes.personalise.use", "'please.people'", "Try 'personalize.content'"),
    "selling": ('"functional.service.improve"', '"third_party_sharing"', "purposes.learn.use", "sell or share", "Delete this purpose"),
    "advertising for others": ('"functional.service.improve"', '"marketing.advertising.third_party.targeted"', "purposes.learn.use", "sell or share", "Delete"),
    "no such basis": ('use = "functional.service.improve"\nbasis = "consent"', 'use = "functional.service.improve"\nbasis = "because"', "purposes.learn.basis", "'because'", "legitimate_interest"),
    "choosing without consent": ('use = "personalize.content.profiled"\nbasis = "consent"', 'use = "personalize.content.profiled"\nbasis = "legitimate_interest"', "purposes.personalise.basis", "needs their consent", 'basis = "consent"'),
    "no such kind": ('kind = "told"', 'kind = "heard"', "data.told.kind", "'heard'", "observed, told"),
    "no such category": ('"user.demographic.profile"', '"user.dreams"', "data.told.category", "'user.dreams'", "Try 'user.behavior"),
    "raw voice": ('"user.demographic.profile"', '"user.biometric.voice"', "data.told.category", "never kept", "Delete this entry"),
    "about children": ('"user.demographic.profile"', '"user.childrens"', "data.told.category", "never kept", "Delete this entry"),
    "passwords": ('"user.demographic.profile"', '"user.authorization.password"', "data.told.category", "never kept", "Delete this entry"),
    "sensitive, not said so": ('"user.demographic.profile"', '"user.demographic.religious_belief"', "data.told.sensitive", "is sensitive", "Name the [sensitive.*]"),
    "money, not said so": ('"user.demographic.profile"', '"user.financial.credit_card"', "data.told.sensitive", "is sensitive", "Name the [sensitive.*]"),
    "sensitive in name only": ('kind = "told"', 'kind = "told"\nsensitive = "secrets"', "data.told.sensitive", "no [sensitive.secrets]", "Declare it"),
    "kept for no time": ("retention_days = 365", "retention_days = 0", "data.browsing.retention_days", "not a time", "at least 1"),
    "unknown purpose": ('purposes = ["personalise"]', 'purposes = ["fun"]', "data.told.purposes", "no [purposes.fun]", "Declare it"),
    "for nothing": ('purposes = ["personalise"]', "purposes = []", "data.told.purposes", "empty", "name a purpose"),
    "no such surface": ('kind = "told"', 'kind = "told"\nsurfaces = ["billboard"]', "data.told.surfaces", "'billboard'", ", ".join(SURFACES)),
    "no such verb": ('"clicked"]', '"sniffed"]', "data.browsing.verbs", "'sniffed'", "viewed"),
    "a verb kept twice": ('"clicked"]', '"bought"]', "data.purchases", "[data.browsing]", "one entry only"),
    "verbs where nothing is observed": ('kind = "told"', 'kind = "told"\nverbs = ["searched"]', "data.told.verbs", "'told'", "observed"),
    "traits where nothing is told": ('verbs = ["rated"', 'traits = ["mood"]\nverbs = ["rated"', "data.opinions.traits", "'observed'", "told"),
    "sensitive guard off": ('["sensitive", "children", "availability"]', '["children", "availability"]', "guards_always", "'sensitive'", "cannot be switched off"),
    "children guard off": ('["sensitive", "children", "availability"]', '["sensitive"]', "guards_always", "'children'", "cannot be switched off"),
    "children of twelve": ("age = 16", "age = 12", "children.age", "12", "age of consent"),
    "children see what is for adults": ('audiences = ["children", "everyone"]', 'audiences = ["children", "adults"]', "children.audiences", "'adults'", "children"),
    "children see what nobody rated": ('audiences = ["children", "everyone"]', 'audiences = ["unrated"]', "children.audiences", "'unrated'", "children"),
    "a visit without end": ("visit_minutes = 30 ", "visit_minutes = 100000 ", "visit_minutes", "100000", "30"),
    "a wrong type": ("retention_days = 365", 'retention_days = "a year"', "data.browsing.retention_days", "expected `int`", "docs"),
    "a wrong type at the top": ("visit_minutes = 30 ", 'visit_minutes = "half an hour" ', "visit_minutes", "expected `int`", "docs"),
    "a wrong type in a list": ('verbs = ["shown", "viewed", "clicked"]', 'verbs = ["shown", 7]', "data.browsing.verbs", "expected `str`", "docs"),
    "something missing": ('category = "user.demographic.profile"\n', "", "data.told.category", "missing required field `category`", "docs"),
    "a typo at the top": ("visit_minutes", "visit_minuts", "visit_minuts", "unknown field", "'visit_minutes'"),
    "a typo in a table": ("unknown_age_is_child = false", "unknown_age_is_chld = false", "children.unknown_age_is_chld", "unknown field", "'unknown_age_is_child'"),
    "a typo in a named table": ("retention_days = 365", "retention_dys = 365", "data.browsing.retention_dys", "unknown field", "'retention_days'"),
    "a typo in a purpose": ('use = "functional.service.improve"\nbasis =', 'use = "functional.service.improve"\nbassis =', "purposes.learn.bassis", "unknown field", "'basis'"),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_broken_rule_names_file_line_field_reason_and_fix(edit: str, tmp_path: Path) -> None:
    old, new, field, why, fix = EDITS[edit]
    assert TEXT.count(old) == 1, "the edit must hit one place of the template"
    text = TEXT.replace(old, new)
    with pytest.raises(BadCharter) as raised:
        read(tmp_path, text)
    facts, message = raised.value.facts, str(raised.value)
    assert facts["field"] == field
    assert why in facts["why"]
    assert fix in facts["fix"]
    assert str(tmp_path / "charter.toml") in message
    assert f"line {facts['line']}" in message
    assert not re.search(r"[.?!]\.|\{|\}", message), "one full stop is enough"
    table, _, leaf = field.rpartition(".")
    line = text.splitlines()[facts["line"] - 1]
    assert line.startswith((leaf, f"[{table}]", f"[{field}]")), f"line {facts['line']} is {line!r}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('operator = "Your organisation"', "operator = "),
        ("[purposes.learn]", "[purposes.learn"),
        ('contact = "', 'contact = "\x01'),
    ],
)
def test_broken_toml_has_its_line(old: str, new: str, tmp_path: Path) -> None:
    with pytest.raises(BadCharter) as raised:
        read(tmp_path, TEXT.replace(old, new))
    assert raised.value.facts["field"] == "syntax"
    assert abs(raised.value.facts["line"] - line_of(TEXT, old)) <= 1


def test_toml_that_ends_in_the_middle_has_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(BadCharter) as raised:
        read(tmp_path, TEXT + '\n[data.more]\nwords = """never closed\n')
    assert abs(raised.value.facts["line"] - (TEXT.count("\n") + 3)) <= 2


def test_a_file_that_is_not_utf_8_says_so_and_where(tmp_path: Path) -> None:
    (tmp_path / "charter.toml").write_bytes(TEXT.encode().replace(b"Your organisation", b"Caf\xe9"))
    with pytest.raises(BadCharter, match="UTF-8") as raised:
        read_charter(tmp_path / "charter.toml")
    assert raised.value.facts["line"] == line_of(TEXT, "Your organisation")


def test_a_charter_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadCharter, match="`tactful init`"):
        read_charter(tmp_path / "charter.toml")


def test_sensitive_categories_are_as_many_as_can_be_told_apart(tmp_path: Path) -> None:
    """Each has a bit of 32, one of which stands for what the charter does not know."""

    def with_categories(count: int) -> str:
        return TEXT + "".join(f'\n[sensitive.s{number}]\nwords = "x"\n' for number in range(count - 6))

    most = read(tmp_path, with_categories(31))
    names = list(most.sensitive)
    known = Catalogue.of([Item(id=name, title="I", sensitivity=(name,)) for name in [*names, "unknown"]], most.proxies)
    assert known.telling(names) == {"unknown"}
    assert known.telling(names[:-1]) == {names[-1], "unknown"}
    with pytest.raises(BadCharter, match="31"):
        read(tmp_path, with_categories(32))
