"""Finding items by words: what is found, in which order, with which mistakes mended; and that nothing typed is ever syntax."""

import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tactful.stores.search as module
from tactful.contracts import SearchIndexContract
from tactful.domain.catalogue import Catalogue
from tactful.domain.errors import SearchNotReady
from tactful.domain.item import Item, Text
from tactful.domain.spelling import Vocabulary, distances, words_of
from tactful.domain.topics import Topic
from tactful.ports import SearchIndex
from tactful.stores.search import WORDS, WordIndex
from tactful.stores.words import Words, drop_words
from tests.shop import SEED, catalogue, shop_items

BOOKS = catalogue()
FINDER = WordIndex().over(BOOKS)


class TestContract(SearchIndexContract):
    def over(self, catalogue: Catalogue) -> SearchIndex:
        return WordIndex().over(catalogue)


def found(query: str, most: int = 20, finder: SearchIndex = FINDER, known: Catalogue = BOOKS) -> list[str]:
    """Ids of what is found, best first."""
    return [known.ids[row] for row, _ in finder.find(query, most)]


def changed(known: Catalogue, *items: Item) -> Catalogue:
    """The catalogue after these items were put."""
    from tactful.domain.catalogue import pack

    rows = {item.id: known.index.get(item.id) for item in items}
    fresh = iter(range(len(known), len(known) + len(items)))
    return known.with_items(
        [(next(fresh) if (row := rows[item.id]) is None else row, pack(item)) for item in items], known.version + 1
    )


# ------------------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Twenty Thousand Leagues", ["twenty", "thousand", "leagues"]),
        ("Jane Eyre, by Charlotte Brontë", ["jane", "eyre", "by", "charlotte", "bronte"]),
        ("Die Leiden des jungen Werthers: Straße", ["die", "leiden", "des", "jungen", "werthers", "strasse"]),
        ("don't", ["don", "t"]),
        ("ΟΔΥΣΣΕΙΑ Ἰλιάς", ["οδυσσεια", "ιλιασ"]),
        ("İstanbul Ⅻ ﬁn", ["istanbul", "xii", "fin"]),
        ("snake_case 1984!", ["snake", "case", "1984"]),
        ('\ud800 \x00 \u200b "*^:()-', []),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words


def plainly(one: str, other: str) -> int:
    """The distance by its definition, for comparing with."""
    table = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            cost = one[i - 1] != other[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


SHORT_WORDS = st.text("abcé", min_size=1, max_size=8)


@given(SHORT_WORDS, st.lists(SHORT_WORDS, min_size=1, max_size=20))
def test_mistakes_are_counted_as_defined(word: str, others: list[str]) -> None:
    letters = np.array([[ord(one) for one in other.ljust(9, "\0")] for other in others], np.uint32)
    lengths = np.array([len(other) for other in others])
    counted = distances(np.array([ord(one) for one in word], np.uint32), letters, lengths)
    assert counted.tolist() == [plainly(word, other) for other in others]


@given(st.sets(st.text("abcdef", min_size=1, max_size=10), min_size=1, max_size=60), st.text("abcdef", max_size=10))
def test_the_nearest_word_is_the_nearest_of_all(words: set[str], word: str) -> None:
    """No word is overlooked by the rule that saves comparing most of them."""
    nearest = Vocabulary(sorted(words), [1] * len(words)).nearest(word)
    within = 2 if len(word) >= 8 else 1
    least = min(plainly(word, other) for other in words)
    if len(word) < 4 or least > within:
        assert nearest is None
    else:
        assert nearest is not None
        assert plainly(word, nearest) == least


def test_among_equally_near_words_the_first_letter_and_then_frequency_decide() -> None:
    known = Vocabulary(["house", "mouse", "hours"], [2, 50, 9])
    assert known.nearest("housse") == "house"
    assert known.nearest("rouse") == "mouse"
    assert Vocabulary(["whale", "whole"], [1, 5]).nearest("whxle") == "whole"


# ---------------------------------------------------------------------------------------------------------- typing mistakes

TYPOS = [
    ("wuthring heights", "wuthering heights"),  # a letter too few
    ("frankenstien", "frankenstein"),  # two swapped
    ("draculla", "dracula"),  # one too many
    ("robinson cruzoe", "robinson crusoe"),  # a wrong one
    ("sherlok holmes", "sherlock holmes"),
    ("jurney to the cntre", "journey to the centre"),
    ("dickens chritsmas", "dickens christmas"),
    ("FRANKENSTIEN!", "frankenstein"),
    ("tolstoj", "tolstoy"),
    ("emma", "emma"),
    ("dostoyevsky karamasov", "dostoevsky karamazov"),
]


@pytest.mark.parametrize(("typed", "meant"), TYPOS)
def test_typing_mistakes_are_mended_and_said(typed: str, meant: str) -> None:
    assert FINDER.mend(typed).lower() == meant
    assert found(typed)
    assert found(typed)[0] == found(meant)[0]


@pytest.mark.parametrize(
    "typed", ["the war of the worlds", "Brontë", "qq", "1894", "xylographically", "", "  ", "%", "verne "]
)
def test_what_is_right_or_cannot_be_mended_stays_as_it_was_typed(typed: str) -> None:
    assert FINDER.mend(typed) == typed


def spoiled(word: str, dice: random.Random) -> str:
    """A word with one typing mistake somewhere after its first letter."""
    place = dice.randrange(1, len(word) - 1)
    letter = dice.choice("etaoinsr")
    return dice.choice([
        word[:place] + word[place + 1 :], word[:place] + letter + word[place:], word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
    ])  # fmt: skip


def test_an_item_is_found_by_any_word_of_its_title_and_mostly_with_a_mistake_in_a_longer_one() -> None:
    dice, tried, hits = random.Random(SEED), 0, 0
    for item in shop_items()[::4]:
        for word in words_of(item.title):
            assert item.id in found(f"{word} ", 10_000), f"{item.title!r} is not found by {word!r}"
            if len(word) >= 5:
                tried += 1
                hits += item.id in found(f"{spoiled(word, dice)} ", 10_000)
    assert tried > 100
    assert hits / tried >= 0.9


# ----------------------------------------------------------------------------------------------------------- what is found


def test_the_title_counts_more_than_the_author_and_the_author_more_than_the_text() -> None:
    known = Catalogue.of([
        Item(id="text", title="One", text="a whale, seen from afar"),
        Item(id="subject", title="Two", attributes={"subjects": ["whale", "sea"]}),
        Item(id="author", title="Three", attributes={"author": "Whale"}),
        Item(id="in title", title="The Whale and the Sea", text="nothing"),
        Item(id="title", title="Whale"),
        Item(id="none", title="Herring"),
    ])  # fmt: skip
    assert found("whale", finder=WordIndex().over(known), known=known) == [
        "title",
        "in title",
        "author",
        "subject",
        "text",
    ]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("emma", "emma"),
        ("the time machine", "the-time-machine"),
        ("verne island", "the-mysterious-island"),
        ("holmes adventures", "the-adventures-of-sherlock-holmes"),
        ("twenty thousand lea", "twenty-thousand-leagues-under-the-seas"),
    ],
)
def test_what_was_meant_comes_first(query: str, first: str) -> None:
    assert found(query)[0] == first


MANY = Item(
    id="war", title="Война и мир", language="ru", texts={"en": Text("War and Peace", "A war"), "de": Text("", "Ein Krieg")},
    topics=("world/russia",),
)  # fmt: skip


@pytest.mark.parametrize("query", ["война", "war and peace", "krieg", "russia", "the whole world"])
def test_an_item_is_found_in_all_its_languages_and_by_its_topics_and_those_above(query: str) -> None:
    known = Catalogue.of([MANY, Item(id="other", title="Herring")])
    finder = WordIndex(topics={"world": Topic(words="the whole world")}).over(known)
    assert found(f"{query} ", finder=finder, known=known) == ["war"]
    assert [one.lower() for one in finder.suggest(query, 3)][:1] == [query] or query in ("krieg", "война")


def test_the_title_that_was_typed_counts_in_any_language() -> None:
    known = Catalogue.of([Item(id="longer", title="War and Peace and other stories"), MANY])
    assert found("war and peace", finder=WordIndex().over(known), known=known) == ["war", "longer"]


def test_other_words_for_topics_are_read_anew(tmp_path: Path) -> None:
    known = Catalogue.of([MANY])
    assert found("tsars", finder=WordIndex(tmp_path / WORDS).over(known), known=known) == []
    told = {"world/russia": Topic(words="the land of the tsars")}
    assert found("tsars", finder=WordIndex(tmp_path / WORDS, topics=told).over(known), known=known) == ["war"]


def test_the_last_word_may_be_unfinished_until_a_space_ends_it() -> None:
    assert "frankenstein" in found("franken")
    assert "frankenstein" not in found("franken ")


def test_all_words_are_wanted_and_where_nothing_has_all_some_will_do() -> None:
    both = found("verne sea")
    assert both
    assert all("Verne" in BOOKS.item(BOOKS.index[one]).values("author")[0] for one in both)
    assert set(found("verne zyzzyva")) == set(found("verne ")) != set()


def test_a_word_that_nearly_everything_has_finds_nothing_where_the_others_are_nowhere() -> None:
    assert found("the ")
    assert found("the zyzzyva of xylography ") == []


def test_frequent_words_alone_and_beside_rare_ones_find_as_rare_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rare = {query: set(found(query, 10_000)) for query in ("sea ", "verne sea ", "the adventure")}
    monkeypatch.setattr(module, "OFTEN", 10)
    for query, ids in rare.items():
        assert set(found(query, 10_000)) == ids


def test_frequent_words_find_titles_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OFTEN", 0)
    known = Catalogue.of(
        [*(Item(id=f"t{n}", title="Other", text="sea") for n in range(30)), Item(id="sea", title="The Sea")]
    )
    assert found("sea ", 1, WordIndex().over(known), known) == ["sea"]


@given(st.text(max_size=60))
def test_nothing_typed_breaks_the_search(query: str) -> None:
    FINDER.find(query, 5)
    FINDER.suggest(query, 5)
    assert FINDER.mend(query) == query or words_of(FINDER.mend(query))


SYNTAX = [
    '"',
    '""',
    "*",
    "^",
    "(",
    ")",
    "{title}",
    ":",
    "-",
    "+",
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    ",",
    ";",
    "'",
    "--",
    "\x00",
    "rank",
]


@given(st.lists(st.one_of(st.sampled_from(SYNTAX), st.sampled_from(["emma", "sea"])), max_size=12))
def test_syntax_is_never_taken_for_syntax(pieces: list[str]) -> None:
    """A query finds what its bare words find: signs neither narrow nor widen it. The words of the syntax are words like others."""
    typed = " ".join(pieces)
    assert FINDER.find(typed + " ", 10_000) == FINDER.find(" ".join(words_of(typed)) + " ", 10_000)


def test_not_does_not_take_away() -> None:
    assert "emma" in found("emma NOT austen ")
    assert "emma" in found("author:austen -emma ")


# --------------------------------------------------------------------------------------------------------------- changes


def test_what_is_put_is_found_at_once_and_what_it_was_before_no_more() -> None:
    index = WordIndex()
    known = Catalogue.of([Item(id="a", title="Herring"), Item(id="b", title="Cod")])
    assert found("herring", finder=index.over(known), known=known) == ["a"]
    later = changed(known, Item(id="a", title="Mackerel"), Item(id="c", title="Herring soup"))
    assert found("herring ", finder=index.over(later), known=later) == ["c"]
    assert found("mackerel ", finder=index.over(later), known=later) == ["a"]
    assert found("herring ", finder=index.over(known), known=known) == [], "an older state has no row of the new one"


def test_workers_share_a_file_and_what_is_there_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / WORDS
    assert found("emma", finder=WordIndex(path).over(BOOKS))
    monkeypatch.setattr(Words, "_columns", lambda *_: pytest.fail("it was read again"))
    assert found("emma", finder=WordIndex(path).over(BOOKS))


def test_other_attributes_to_search_are_read_anew(tmp_path: Path) -> None:
    path = tmp_path / WORDS
    assert "the-mysterious-island" in found("verne", finder=WordIndex(path).over(BOOKS))
    assert "the-mysterious-island" not in found("verne ", finder=WordIndex(path, ["subjects"]).over(BOOKS))
    assert "the-mysterious-island" in found("verne", finder=WordIndex(path, ["author"]).over(BOOKS))


def test_who_comes_late_with_an_older_state_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    path = tmp_path / WORDS
    known = Catalogue.of([Item(id="a", title="Herring")])
    later = changed(known, Item(id="a", title="Mackerel"))
    assert found("mackerel", finder=WordIndex(path).over(later), known=later)
    WordIndex(path).over(known).find("herring", 1)
    assert found("mackerel", finder=WordIndex(path).over(later), known=later)


@pytest.mark.parametrize("content", [b"no database at all, " * 500, b""])
def test_a_file_that_is_broken_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / WORDS
    path.write_bytes(content)
    assert found("emma", finder=WordIndex(path).over(BOOKS))
    assert path.read_bytes().startswith(b"SQLite format 3")


def test_a_file_of_another_schema_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / WORDS
    WordIndex(path).over(BOOKS).find("emma", 1)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    assert found("emma", finder=WordIndex(path).over(BOOKS))


def test_where_no_file_can_be_memory_does(tmp_path: Path) -> None:
    assert found("emma", finder=WordIndex(tmp_path / "no such folder" / WORDS).over(BOOKS))


def test_a_dropped_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / WORDS
    WordIndex(path).over(BOOKS).find("emma", 1)
    drop_words(path)
    assert not list(tmp_path.iterdir())
    assert found("emma", finder=WordIndex(path).over(BOOKS))


def test_a_large_catalogue_is_read_beside_what_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: the first search says so, later ones go by the state before until the new one is there."""
    monkeypatch.setattr(module, "AT_ONCE", 1)
    waiting = []
    index = WordIndex(tmp_path / WORDS, later=waiting.append)
    known = Catalogue.of([Item(id="a", title="Herring"), Item(id="b", title="Cod")])
    for _ in range(2):
        with pytest.raises(SearchNotReady, match="2 items"):
            index.over(known).find("herring", 1)
    assert len(waiting) == 1
    waiting.pop()()
    assert found("herring", finder=index.over(known), known=known) == ["a"]
    later = changed(known, Item(id="c", title="Herring soup"))
    assert found("herring", finder=index.over(later), known=later) == ["a"]
    waiting.pop()()
    assert set(found("herring", finder=index.over(later), known=later)) == {"a", "c"}


def test_a_word_that_another_worker_has_read_since_is_not_mended_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    first = WordIndex(tmp_path / WORDS, later=lambda work: work())
    known = Catalogue.of([Item(id="a", title="Herring"), Item(id="b", title="Cod")])
    first.over(known).find("cod", 1)
    first._later = lambda work: None
    later = changed(known, Item(id="c", title="Herrings"))
    WordIndex(tmp_path / WORDS, later=lambda work: work()).over(later).find("cod", 1)
    assert first.over(later).mend("herrings ") == "herrings "


# ----------------------------------------------------------------------------------------------------------- suggestions


@pytest.mark.parametrize(
    ("prefix", "suggested"),
    [
        ("jul", "Jules Verne"),
        ("frankens", "Frankenstein"),
        ("sci", "science-fiction"),
        ("mary she", "Mary Shelley"),
        ("bront", "Charlotte Brontë"),
    ],
)
def test_titles_authors_and_subjects_are_suggested(prefix: str, suggested: str) -> None:
    assert any(one.startswith(suggested) for one in FINDER.suggest(prefix, 8))


def test_suggestions_come_from_what_is_permitted_alone() -> None:
    verne = [row for row in range(len(BOOKS)) if BOOKS.item(row).values("author") == ("Jules Verne",)]
    assert FINDER.suggest("jules v", 8, lambda rows: ~np.isin(rows, verne)) == []
    assert FINDER.suggest("jules v", 8, lambda rows: np.isin(rows, verne[:1])) == ["Jules Verne"]


def test_every_suggestion_goes_on_from_what_was_typed() -> None:
    for item in shop_items()[::7]:
        for cut in (1, 2, 4, 7):
            typed = item.title[:cut]
            for one in FINDER.suggest(typed, 8):
                assert any(word.startswith(words_of(typed)[-1]) for word in words_of(one)), (typed, one)
