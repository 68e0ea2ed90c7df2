"""Words come from files: a mistake in one is named with file, line, key and fix; an installation says things its own way."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.errors import BadSettings
from tactful.domain.words import problems, tags
from tactful.languages import SHIPPED, read_languages
from tactful.wire import read_home
from tests.shop import template
from tests.unit.test_settings import home_with


def written(tmp_path: Path, text: str, name: str = "de.toml") -> Path:
    """An installation with this file of words."""
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_de_at_falls_back_to_de_and_what_nobody_speaks_to_the_usual_one(tmp_path: Path) -> None:
    found = read_languages(written(tmp_path, '[why]\nnew = "Das ist neu herin."\n', "de-AT.toml"))
    assert found.speak("de-AT").say("why.new") == "Das ist neu herin."
    assert found.speak("DE_at").say("why.new") == "Das ist neu herin."
    assert found.speak("de-AT").say("why.nothing") == found.speak("de").say("why.nothing")
    assert found.speak("de-CH").say("why.new") == "Es ist neu hier."
    assert found.speak("fr-CA").language == found.speak().language == "en"
    assert read_languages(default="de").speak("fr").language == "de"


@pytest.mark.parametrize(
    ("tag", "tried"),
    [
        ("", ()),
        ("de", ("de",)),
        ("de-AT-1996", ("de-at-1996", "de-at", "de")),
        ("PT_br", ("pt-br", "pt")),
        ("en-a-x-GB", ("en-a-x-gb", "en")),
        ("de-AT, en", ("de-at", "de", "en")),
    ],
)
def test_less_and_less_is_said_of_a_language(tag: str, tried: tuple[str, ...]) -> None:
    assert tags(tag) == tried


def test_an_installation_says_some_things_its_own_way(tmp_path: Path) -> None:
    text = '[why]\npopular = "Das nehmen gerade viele mit."\n[values]\nsea = "die {See}"\n[data]\nbrowsing = "dein Blick"\n[guard]\nmine = "so ist es"\n[alike]\nvoice = "Auch dies liest {value}."\n'
    words = read_languages(written(tmp_path, text)).speak("de")
    assert words.say("why.popular") == "Das nehmen gerade viele mit."
    assert words.say("why.told", value=words.value("sea")) == "Du hast uns gesagt, dass du die {See} magst."
    assert words.data["browsing"] == "dein Blick"
    assert words.say("guard.mine") == "so ist es"
    assert words.say("alike.voice", value="Anna") == "Auch dies liest Anna."
    assert read_languages().speak("de").value("sea") == "Meer"


MISTAKES = {
    "an unknown key": ('[why]\n\npopuler = "x"\n', "line 3, why.populer: there is no such key. Use one of default"),
    "an unknown table": ('[wy]\npopular = "x"\n', "line 2, wy.popular: there is no such key. Use one of why"),
    "a placeholder missing": ('[why]\ntold = "Du magst es."\n', "line 2, why.told: it must name {value}, each at least once, and nothing else. It says 'Du magst es.'"),
    "a placeholder too many": ('[why]\nnew = "Neu: {title}"\n', "line 2, why.new: it must name nothing in braces"),
    "one that reaches inside": ('[why]\ntold = "{value.__class__}"\n', "line 2, why.told: it must name {value}"),
    "one with a form": ('[why]\ntold = "{value!r:>99}"\n', "line 2, why.told: it must name {value}"),
    "a number for a name": ('[why]\ntold = "{0}"\n', "line 2, why.told: it must name {value}"),
    "a loose brace": ('[why]\ntold = "{value"\n', "line 2, why.told: its braces are wrong"),
    "nothing said": ('[why]\nnew = " "\n', "line 2, why.new: it is empty. Say something"),
    "no text": ("[why]\nnew = 3\n", "line 2, why.new: a text is wanted here. Put it in quotation marks"),
    "no table": ('why = "x"\n', "why: a table is wanted here"),
    "broken": ("[why\n", "line 1, syntax"),
    "no word for a value": ('[values]\nsea = ""\n', "line 2, values.sea: it is empty"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_line_key_and_fix(mistake: str, tmp_path: Path) -> None:
    text, message = MISTAKES[mistake]
    with pytest.raises(BadSettings) as caught:
        read_languages(written(tmp_path, text))
    assert message in str(caught.value)
    assert f"{tmp_path}/words/de.toml" in str(caught.value)


def test_a_new_language_must_say_everything(tmp_path: Path) -> None:
    whole = (SHIPPED / "en.toml").read_text(encoding="utf-8")
    home = written(tmp_path, whole.replace('new = "It is new here."\n', ""), "fr.toml")
    with pytest.raises(
        BadSettings, match=r"fr\.toml, line \d+, why\.new: it is missing\. Say it; .*en\.toml has it in English"
    ):
        read_languages(home)
    (home / "words" / "fr.toml").write_text(whole.replace("It is new here.", "C'est nouveau."), encoding="utf-8")
    assert read_languages(home).speak("fr-CA").say("why.new") == "C'est nouveau."


def test_a_file_is_named_by_its_language(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="'my words' is no language"):
        read_languages(written(tmp_path, "", "my words.toml"))


def test_the_usual_language_must_be_spoken(tmp_path: Path) -> None:
    home = home_with(
        tmp_path,
        template("tactful.toml").replace('charter = "charter.toml"', 'charter = "charter.toml"\nlanguage = "fr"'),
    )
    with pytest.raises(
        BadSettings, match=r"tactful\.toml, line 4, language: there are no words for 'fr'\. Use one of de, en"
    ):
        read_home(home)
    text = (home / "tactful.toml").read_text().replace('"fr"', '"de-AT"')
    (home / "tactful.toml").write_text(text)
    assert read_home(home).languages.speak().language == "de"


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=5))
def test_no_phrase_breaks_the_check(phrases: dict[str, str]) -> None:
    """Whatever somebody writes, it is named, or it can be said."""
    phrases = {f"guard.{key}": phrase for key, phrase in phrases.items()}
    bad = {key for key, _, _ in problems(phrases)}
    for key, phrase in phrases.items():
        if key not in bad:
            assert phrase.format_map({})
