"""A mistake in tactful.toml is named with its file, its line, its field, and what would mend it."""

from pathlib import Path

import pytest

from tactful.domain.errors import BadInput, BadSettings, NotInitialised
from tactful.settings import line_of, read_settings
from tactful.wire import read_home
from tests.shop import template

TEXT = template("tactful.toml")


def home_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "tactful.toml").write_text(text, encoding="utf-8")
    (tmp_path / "charter.toml").write_text(template("charter.toml"), encoding="utf-8")
    return tmp_path


def test_the_template_loads(tmp_path: Path) -> None:
    home = read_home(home_with(tmp_path, TEXT))
    assert set(home.recipes) == {"home", "related", "discover", "popular", "search"}
    assert list(home.recipes["home"].guards)[:3] == ["sensitive", "children", "availability"]
    assert home.settings.limits.rank_items == 1000


def test_the_charters_guards_come_first_and_cannot_be_loosened_by_a_placement(tmp_path: Path) -> None:
    text = TEXT.replace(
        'guards = [{ use = "already_have" }]', 'guards = [{ use = "children", audiences = ["adults"] }]', 1
    )
    related = read_home(home_with(tmp_path, text)).recipes["related"]
    assert related.guards["children"].audiences == ("children", "everyone")  # type: ignore[attr-defined]


# (what is replaced in the template, by what, the field that is named, a word of the message, a word on the line that is named)
EDITS = {
    "unknown strategy": ('12\nstrategy = { use = "popular" }', '12\nstrategy = { use = "populer" }', "placements.popular.strategy", "There are: blend", "populer"),
    "unknown guard": ('{ use = "already_have" }, ', '{ use = "already_had" }, ', "placements.home.guards", "There are: already_have", "already_had"),
    "unknown arranger": ('arranger = { use = "top" }', 'arranger = { use = "topp" }', "placements.home.arranger", "There are: calibrated", "topp"),
    "unknown part of a blend": ('{ weight = 1.0, strategy = { use = "item_transitions" } },\n    { weight = 0.2, strategy = { use = "similar" } },\n    { weight = 0.3', '{ weight = 1.0, strategy = { use = "magic" } },\n    { weight = 0.3', "placements.home.strategy", "'magic'", ""),
    "no use": ('12\nstrategy = { use = "popular" }', "12\nstrategy = { most = 3 }", "placements.popular.strategy", "needs `use`", "most"),
    "unknown setting of a plug-in": ('share = 0.2', 'chance = 0.2', "placements.discover.arranger.chance", "unknown field `chance`", "chance"),
    "wrong setting of a plug-in": ('most = 5, days', 'most = "5", days', "placements.home.guards.most", "expected `int`", "most"),
    "a number of a plug-in that makes no sense": ('share = 0.2', 'share = 1.2', "placements.discover.arranger.share", "it is 1.2; use a number from 0 to 1", "share = 1.2"),
    "a number of a part that makes no sense": ('12\nstrategy = { use = "popular" }', '12\nstrategy = { use = "fallback", of = [{ use = "popular", most = 0 }] }', "placements.popular.strategy.most", "use a number from 1", "most = 0"),
    "a strategy of nothing": ('12\nstrategy = { use = "popular" }', '12\nstrategy = { use = "blend", of = [] }', "placements.popular.strategy.of", "name at least one", "of = []"),
    "unknown purpose": ('limit = 12\nstrategy = { use = "popular" }', 'limit = 12\nstrategy = { use = "popular" }\n[placements.x]\npurpose = "fun"\nstrategy = { use = "popular" }', "placements.x.purpose", "'fun'", "fun"),
    "limit too high": ('limit = 8', 'limit = 800', "placements.related.limit", "800", "limit = 800"),
    "limit of nothing": ('limit = 8', 'limit = 0', "placements.related.limit", "1 to 200", "limit = 0"),
    "no such surface": ('limit = 8', 'limit = 8\nsurface = "billboard"', "placements.related.surface", "private, shared", "billboard"),
    "a typo in a placement": ('limit = 8', 'limt = 8', "placements.related.limt", "'limit'", "limt"),
    "a typo in the server": ('port = 8000', 'prt = 8000', "server.prt", "'port'", "prt"),
    "a wrong type in a placement": ('limit = 8', 'limit = "eight"', "placements.related.limit", "expected `int`", "eight"),
    "a wrong type in the server": ('port = 8000', 'port = "http"', "server.port", "expected `int`", "http"),
    "something missing": ('12\nstrategy = { use = "popular" }', '12', "placements.popular.strategy", "missing required field `strategy`", "[placements.popular]"),
    "broken": ('port = 8000', 'port = = 8000', "syntax", "Correct the TOML", "port = ="),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_mistake_names_file_line_field_and_fix(edit: str, tmp_path: Path) -> None:
    old, new, field, words, on_the_line = EDITS[edit]
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with pytest.raises(BadSettings) as raised:
        read_home(home_with(tmp_path, text))
    facts, message = raised.value.facts, str(raised.value)
    assert facts["field"] == field
    assert words in message
    assert str(tmp_path / "tactful.toml") in message
    assert facts["fix"]
    assert on_the_line in text.splitlines()[facts["line"] - 1]


def test_two_placements_that_train_one_model_differently_are_told_so(tmp_path: Path) -> None:
    text = TEXT.replace('12\nstrategy = { use = "popular" }', '12\nstrategy = { use = "popular", half_life_days = 7 }')
    with pytest.raises(BadInput, match="two placements train it"):
        read_home(home_with(tmp_path, text))


def test_a_folder_that_holds_no_installation_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised, match="tactful init"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("field", "line"),
    [("a", 1), ("t.b", 3), ("t.c.d", 5), ("t.c", 4), ("t.missing", 2), ("u.v", 6), ("w.x.y", 8), ("nothing", 1)],
)
def test_the_line_of_a_field(field: str, line: int) -> None:
    text = 'a = 1\n[t]\nb = 2\n[t.c]\nd = 3\nu.v = 4\n# c\n["w".x]\n'
    assert line_of(text.replace("u.v", "u.v", 1), field) == (line if field != "u.v" else 1)


# -------------------------------------------------------------------------------------------------------- bases and pages

BASED = """
[recipes.picks]
purpose = "personalise"
limit = 7
strategy = { use = "popular" }
arranger = { use = "diverse", attribute = "author", most = 1 }

[placements.one]
base = "picks"

[placements.two]
base = "one"
limit = 3
"""


def test_a_base_lies_under_a_placement_and_a_base_of_a_base_under_both(tmp_path: Path) -> None:
    recipes = read_home(home_with(tmp_path, TEXT + BASED)).recipes
    assert (recipes["one"].placement.limit, recipes["two"].placement.limit) == (7, 3)
    assert recipes["one"].arranger == recipes["two"].arranger
    assert recipes["one"].fingerprint != recipes["two"].fingerprint


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        ('[placements.x]\nbase = "nothing"', "placements.x.base", "There|picks|'nothing'"),
        ('[placements.x]\nbase = "y"\n[placements.y]\nbase = "x"', "placements.x.base", "x → y → x leads back"),
        ('[placements.x]\nbase = "picks"\nlimit = "9"', "placements.x.limit", "expected `int`"),
        ('[pages.front]\nrows = ["one", "nowhere"]', "pages.front.rows", "no placement is called 'nowhere'"),
        ('[pages.front]\nrows = ["one", { placement = "one" }]', "pages.front.rows", "twice"),
        ('[pages.front]\nrows = ["one"]\nshow = 2', "pages.front.rows", "shows 2"),
        (
            '[placements.x]\nbase = "picks"\nbatch = "weekly"',
            "placements.x.batch",
            "keeps no inferred trait 'weekly'. Add it to a .* kind = 'inferred'.$",
        ),
        (
            '[placements.x]\nbase = "picks"\npurpose = "sell"',
            "placements.x.purpose",
            "no purpose 'sell'. Use one of .*personalise",
        ),
        ('[placements.x]\nbase = "picks"\nfallback = { use = "populer" }', "placements.x.fallback", "There are"),
    ],
)
def test_mistakes_in_bases_and_pages_are_named(text: str, field: str, why: str, tmp_path: Path) -> None:
    home = home_with(tmp_path, TEXT + BASED + text)
    with pytest.raises(BadSettings, match=why) as raised:
        read_home(home)
    assert field in str(raised.value)
    assert ("Correct `use`" in str(raised.value)) == ("use =" in text)
    line = line_of((home / "tactful.toml").read_text(), field)
    assert f"tactful.toml:{line}" in str(raised.value) or f"line {line}" in str(raised.value)
