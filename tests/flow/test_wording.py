"""What people read: plain, in both languages, and never a lie."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
import textstat
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Dial
from tactful.domain.decision import PERSONAL, Ask, Removal, Source
from tactful.domain.event import VERBS
from tactful.domain.item import Item
from tactful.domain.mutes import rows_of
from tactful.domain.receipt import Contribution, Receipt, Shown
from tactful.domain.topics import Topic
from tactful.domain.view import Withheld
from tactful.domain.words import OPEN, SHAPES, Words
from tactful.engine import Answer
from tactful.flow.wording import (
    REASONS,
    details,
    item_details,
    label,
    mutable,
    muted,
    ordinal,
    removed,
    sentence,
    what_if,
    withheld,
)
from tactful.ports import Arranger
from tactful.sample.readers import readers
from tests.shop import DE, EN, NOW, PLAIN, SENSITIVE, Shop, catalogue, items_in, open_shop, placement

BOTH = pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
CONTEXT = {
    key: [*(phrase.split(".")[2] for phrase in EN.phrases if phrase.startswith(f"context.{key}.")), "something else"]
    for key in ("daypart", "weekday", "device", "weather", "season", "place", "different", "mood of the day")
}
HOWS = {
    "history": ("", "similar", "together", "continue", "left", "session", "different", "unheard of"),
    "item": ("", "similar", "together", "unheard of"),
    "popular": ("", "seldom", "trending", "unheard of"),
    "told": ("sea", "different", ""),
    "obtained": ("sea", ""),
    "inferred": ("sea", "list", ""),
    "assumed": ("sea", ""),
    "query": ("", "given"),
    "curated": ("Best of the sea.", ""),
    "new": ("",),
    "default": ("",),
    "unheard of": ("",),
}  # fmt: skip


def source(draw: random.Random) -> Source:
    """Any source that a strategy can give, and some that none does yet."""
    kind = draw.choice([*HOWS, "context"])
    if kind == "context":
        key = draw.choice(list(CONTEXT))
        return Source(kind, key, how=draw.choice(CONTEXT[key]))
    key = draw.choice([*PLAIN[:40], "gone"]) if kind in ("history", "item") else draw.choice(["interests", "sea", ""])
    return Source(kind, key, "browsing", draw.choice(VERBS) if kind == "history" else "", draw.choice(HOWS[kind]))


def shown(draw: random.Random) -> Shown:
    """An item with one to three different reasons."""
    drawn = {(one.kind, one.key): one for one in (source(draw) for _ in range(draw.randint(1, 3)))}
    pieces = tuple(Contribution(one, 1.0, 1.0 / len(drawn)) for one in drawn.values())
    without = draw.choice([None, draw.randint(2, 400)])
    stated = draw.randint(1, len(pieces)) if all(piece.source.kind in PERSONAL for piece in pieces) else 1
    return Shown(draw.choice(PLAIN[:40]), 1.0, draw.choice([1.0, draw.random()]), 1, pieces, without, stated=stated)


def explanations(words: Words, number: int) -> Iterator[str]:
    """What people can read of one thing: the sentence with its what-if, and each line of the details."""
    draw = random.Random(4)
    for _ in range(number):
        one = shown(draw)
        more = item_details(one, catalogue(), words)
        yield f"{more.why} {more.what_if}".strip()
        yield from (reason.words for reason in more.reasons)
        yield from filter(None, [more.chance])


def sentences_of(words: Words) -> Iterator[str]:
    """Each whole sentence that there is, so that chance leaves none out; with what is about the list and not about one item."""
    filled = dict.fromkeys(
        ["alike", "attribute", "count", "data", "list", "name", "names", "percent", "place", "query", "thing", "value"],
        "Bob",
    )
    did, why = words.say("did.viewed", name="Bob"), words.say("guard.availability")
    for key, phrase in words.phrases.items():
        if key.partition(".")[0] in ("why", "context", "account", "why_not", "label"):
            yield phrase.format_map({**filled, "did": did, "why": why})
        if key.partition(".")[0] == "guard":
            yield words.say("why_not.removed", why=phrase)
        if key.partition(".")[0] == "withheld":
            yield words.say("account.withheld", data="Bob", count=7, why=phrase)


# ------------------------------------------------------------------------------------------------------------------ plain


def names(words: Words) -> list[str]:
    """What is not ours to simplify: titles, and values of attributes, as they are and as this language says them."""
    items = [catalogue().item(row) for row in range(len(catalogue()))]
    values = {
        value for item in items for name in ("author", "subjects", "mood", "language") for value in item.values(name)
    }
    mine = {item.title for item in items} | values | set(map(words.value, values)) | {"Best of the sea"}
    return sorted(mine, key=len, reverse=True)


def plain(text: str, theirs: re.Pattern[str]) -> str:
    """The text with each name as one short word, without the marks around it."""
    return theirs.sub("Bob", text).replace("“", "").replace("”", "").replace("„", "")


@pytest.fixture(params=[EN, DE], ids=["en", "de"])
def measured(request: pytest.FixtureRequest) -> Iterator[tuple[Words, dict[str, float]]]:
    """The reading level of a thousand explanations and more: English by Flesch-Kincaid (Kincaid et al. 1975), German by the first
    Wiener Sachtextformel (Bamberger and Vanecek 1984), both in years of school."""
    words: Words = request.param
    theirs = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names(words)))})(?!\w)")
    textstat.set_lang(words.language)
    try:
        texts = {*explanations(words, 2_000), *sentences_of(words)}
        assert len(texts) > 1_000
        yield words, {text: grade(plain(text, theirs), words.language) for text in texts}
    finally:
        textstat.set_lang("en_US")


def grade(text: str, language: str) -> float:
    """Years of school."""
    if language == "de":
        return float(textstat.wiener_sachtextformel(text, 1))
    return float(textstat.flesch_kincaid_grade(text))


def test_a_thousand_explanations_are_plain(measured: tuple[Words, dict[str, float]]) -> None:
    words, grades = measured
    worst = sorted(grades, key=lambda text: -grades[text])[:15]
    mean = sum(grades.values()) / len(grades)
    print(f"\n{words.language}: {len(grades)} different explanations, mean {mean:.1f}, worst:")
    for text in worst:
        print(f"  {grades[text]:.1f} {text}")
    assert mean <= 3
    assert grades[worst[0]] <= 5


def test_the_measures_tell_hard_from_easy() -> None:
    assert grade("The cat sat on the mat.", "en") < 2
    assert grade("Personalization infrastructure necessitates interdisciplinary consideration.", "en") > 15
    textstat.set_lang("de")
    try:
        assert grade("Der Hund lief in den Wald.", "de") < 3
        assert grade("Empfehlungsinfrastrukturen erfordern interdisziplinäre Berücksichtigung.", "de") > 15
    finally:
        textstat.set_lang("en_US")


@BOTH
def test_sentences_have_a_beginning_an_end_and_no_holes(words: Words) -> None:
    for text in explanations(words, 1_000):
        assert text[0].isupper() or text[0] == "“"
        assert text.endswith((".", "!", "?"))
        assert not re.search(r"[<>{}&]|None|%s|\.\.|  |;", text), text


def test_german_is_written_in_german() -> None:
    """With its own letters and quotation marks, and nothing left in English."""
    said = " ".join(DE.phrases.values())
    assert not re.search(
        r"\b(the|you|this|fuer|ueber|koennte|moeglich|grosse[nr]?|heisse[nr]?|hoeren|pruefung)\b", said, re.I
    )
    assert set("äöüß") <= set(said)
    assert "“" not in said.replace("“}", "").replace("“", "", said.count("„"))


# ----------------------------------------------------------------------------------------------------------------- no lie

POPULARITY = [
    phrase
    for key, phrase in (*EN.phrases.items(), *DE.phrases.items())
    if key in ("why.popular", "why.popular_trending")
]


@BOTH
@given(draw=st.randoms(use_true_random=False))
def test_words_of_popularity_stand_only_where_nothing_personal_counted_or_say_that_it_did(
    words: Words, draw: random.Random
) -> None:
    one = shown(draw)
    first, *others = [piece.source for piece in one.contributions]
    said = sentence(one, catalogue(), words)
    if any(phrase in said for phrase in POPULARITY):
        assert first.kind == "popular"
        assert (words.say("why.too") in said) == any(other.kind in PERSONAL for other in others)
    if first.kind in PERSONAL:
        assert not any(phrase in said for phrase in POPULARITY)


def test_only_what_the_item_has_is_a_liking() -> None:
    """A rule may go by an age: nobody likes 30."""

    def said(*hows: str) -> list[str]:
        sea = next(name for name in PLAIN if "sea" in catalogue().item(catalogue().index[name]).values("subjects"))
        pieces = [(Contribution(Source("told", "trait", "told", how=how), 1.0, 1.0),) for how in hows]
        return [sentence(Shown(sea, 1.0, 1.0, 1, piece), catalogue(), EN) for piece in pieces]

    assert said("sea", "sea, war", "30", "") == [
        "You told us that you like sea.",
        "You told us that you like sea, war.",
        "It fits what you told us.",
        "It fits what you told us.",
    ]


@BOTH
@given(draw=st.randoms(use_true_random=False))
def test_each_kind_of_source_is_told_apart(words: Words, draw: random.Random) -> None:
    """Two sources of different kinds never read the same, so that nothing obtained or inferred passes for told."""
    one, other = source(draw), source(draw)
    said = [
        sentence(Shown(PLAIN[50], 1.0, 1.0, 1, (Contribution(each, 1.0, 1.0),)), catalogue(), words)
        for each in (one, other)
    ]
    assert said[0] != said[1] or (one.kind == other.kind or {one.kind, other.kind} <= {"popular", "unheard of"})


def answers() -> Iterator[Answer]:
    """Decisions of every kind, for people of every kind."""
    shop = open_shop()
    for number, reader in enumerate(readers(60, 14, NOW)):
        shop.live(reader)
        if number % 2:
            shop.tells(reader.id, interests=list(reader.tastes))
        yield from shop.page(reader.id, ["home", Ask("related", item=PLAIN[number]), "discover", "popular"])
    yield from shop.page(None, ["home", Ask("related", item=PLAIN[0]), "discover", "popular"])


def test_in_real_decisions_popularity_is_stated_only_where_nothing_personal_moved_the_item() -> None:
    stated: Counter[str] = Counter()
    for answer in answers():
        for one in answer.receipt.shown:
            said = sentence(one, catalogue(), EN)
            kinds = {piece.source.kind for piece in one.contributions}
            if "Lots of people" in said:
                stated["popular"] += 1
                assert not kinds & PERSONAL or said.endswith("What we know of you counted too.")
            first = one.contributions[0].source
            if first.kind in ("history", "item"):
                known = catalogue().get(first.key)
                assert known is not None
                assert known.title in said
            assert bool(what_if(one, catalogue(), EN)) == (first.kind in PERSONAL)
            stated[first.kind] += 1
    assert min(stated[kind] for kind in ("popular", "history", "told", "item")) > 20, stated


@pytest.mark.parametrize("title", ["<b>Bold</b>", "{title}", "Ünïcode 🦄 {0}", "Comma; and. stop", "שלום"])
@BOTH
def test_titles_are_named_as_they_are(title: str, words: Words) -> None:
    """Escaping is the page's business; here nothing is interpreted."""
    known = Catalogue.of([
        Item(id="a", title=title, attributes={"author {x}": "{y}"}),
        Item(id="b", title="B", attributes={"author {x}": "{y}"}),
    ])  # fmt: skip
    for how in ("", "similar"):
        for kind in ("history", "item"):
            one = Shown("b", 1.0, 1.0, 1, (Contribution(Source(kind, "a", "browsing", "viewed", how), 1.0, 1.0),), 2)
            assert title in sentence(one, known, words)
            assert ("{y}" in sentence(one, known, words)) == (how == "similar")


def test_something_that_left_the_catalogue_is_named_so_and_an_item_is_not_named_to_itself() -> None:
    def said(key: str, how: str = "") -> str:
        piece = Contribution(Source("history", key, "browsing", "viewed", how), 1.0, 1.0)
        return sentence(Shown(PLAIN[0], 1.0, 1.0, 1, (piece,), None), catalogue(), EN)

    assert said("gone") == "You looked at something no longer here. Other people went on to this one."
    assert said(PLAIN[0], "left") == "You looked at this one. Here it is once more."


# ----------------------------------------------------------------------------------------------------------------- labels


def test_picked_for_you_stands_only_where_something_about_the_person_spoke_for_what_is_there() -> None:
    seen: Counter[str] = Counter()
    for answer in answers():
        receipt, said = answer.receipt, label(answer.receipt, EN)
        seen[said] += 1
        spoke = any(piece.source.kind in PERSONAL for one in receipt.shown for piece in one.contributions)
        assert (said == EN.say("label.picked")) == spoke
        assert (said in (EN.say("label.picked"), EN.say("label.partly"))) == receipt.personal
        assert receipt.person is not None or not receipt.personal
    assert len(seen) >= 3, seen


def test_the_same_for_everyone_is_the_same_for_everyone() -> None:
    """Also where chance put only an item on the page that nothing about the person spoke for: it was drawn from their list, and the
    label says neither that it was picked for them nor that it is for all."""
    parts = [{"use": "similar", "neighbours": 3, "attributes": ["author"]}, {"use": "popular"}]
    recipe = {"use": "blend", "of": [{"strategy": part} for part in parts]}
    shop = Shop(placements={"home": placement(recipe, limit=1, arranger={"use": "exploring", "share": 1.0, "pool": 8})})
    shop.train()
    seen: Counter[str] = Counter()
    for reader in readers(15, 15, NOW):
        shop.allow(reader.id, child=False)
        for seed in range(40):
            if seed == 20:
                shop.does(reader.id, "viewed", *(one.book for one in reader.acts[-3:]), at=NOW)
            answer = shop.decide(reader.id, "home", seed)
            said = label(answer.receipt, EN)
            seen[said] += 1
            if said == "The same for everyone":
                assert items_in(answer) == items_in(shop.decide(None, "home", seed))
            if said == "Partly shaped by what we know of you":
                assert answer.receipt.personal
                assert answer.receipt.shown[0].contributions[0].source.kind not in PERSONAL
    assert 300 <= seen["The same for everyone"] < 600, seen
    assert seen["Partly shaped by what we know of you"] > 10, seen


def test_who_turned_a_category_on_is_not_told_that_their_list_is_everybodys() -> None:
    items = [catalogue().get(name) for name in (*SENSITIVE[:3], *PLAIN[:3])]
    shop = Shop([item for item in items if item is not None], {"home": placement()})
    shop.train()
    first = items[0]
    assert first is not None
    on = [category for item in items if item is not None for category in item.sensitivity]
    shop.allow("ada", sensitive=on)
    answer = shop.decide("ada")
    assert set(items_in(answer)) & set(SENSITIVE)
    assert label(answer.receipt, EN) == "The same for everyone, plus what you turned on"
    shop.allow("eve")
    assert label(shop.decide("eve").receipt, EN) == "The same for everyone"


class Mine(Arranger, Struct, frozen=True):
    """An arranger that goes by the person: the other way round."""

    personal = True

    def arrange(self, rows, scores, limit, catalogue, dice, moment):  # type: ignore[no-untyped-def]
        from tactful.arrangers.top import Top

        return Top().arrange(rows[::-1], scores[::-1], limit, catalogue, dice, moment)


def test_a_list_in_a_personal_order_is_not_the_same_for_everyone() -> None:
    shop = open_shop()
    recipe = shop.engine.recipes["popular"]
    shop.engine.recipes = {"popular": structs.replace(recipe, arranger=Mine())}
    shop.allow("ada")
    assert label(shop.decide("ada", "popular").receipt, EN) == "The same for everyone"
    shop.does("ada", "viewed", PLAIN[0], at=NOW)
    assert label(shop.decide("ada", "popular").receipt, EN) == "Partly shaped by what we know of you"
    assert label(shop.decide(None, "popular").receipt, EN) == "The same for everyone"


def test_a_child_reads_that_all_children_see_the_same() -> None:
    shop = open_shop()
    shop.allow("kid", child=True)
    assert label(shop.decide("kid", "popular").receipt, EN) == "The same for all children"


def test_what_was_left_out_for_a_person_is_said_above_the_list() -> None:
    shop = open_shop()
    shop.allow("ada", Dial.remember)
    receipt: Receipt = shop.decide(None).receipt
    gone = Removal("already_have", "x", 2, personal=True)
    assert label(structs.replace(receipt, removed=(gone,)), EN) == "The same for everyone, with some left out for you"
    both = structs.replace(receipt, removed=(gone,), shaped=("sensitive",))
    assert label(both, EN) == "Partly shaped by what we know of you"
    assert label(structs.replace(receipt, verdict="hold"), EN) == "A person will look at this first"


# ---------------------------------------------------------------------------------------------------------------- details


@BOTH
def test_the_details_say_how_much_each_reason_counts_and_what_was_read(words: Words) -> None:
    shop = open_shop()
    reader = next(one for one in readers(30, 14, NOW) if not one.child)
    shop.live(reader)
    answer = shop.decide(reader.id)
    found = details(answer.receipt, answer.catalogue, words, {"browsing": "what you look at"})
    assert [item.item for item in found.items] == items_in(answer)
    for item, one in zip(found.items, answer.receipt.shown, strict=True):
        assert [reason.share for reason in item.reasons] == [piece.share for piece in one.contributions]
        assert item.why == sentence(one, answer.catalogue, words)
    assert "what you look at" in found.read
    assert len(found.removed) == len(answer.receipt.removed)
    assert len(found.withheld) == len(answer.receipt.withheld)
    assert details(shop.decide(None).receipt, answer.catalogue, words, {}).read == words.say("account.read_nothing")


def test_shares_in_words() -> None:
    pieces = tuple(
        Contribution(Source("new", f"n{number}"), share, share) for number, share in enumerate((0.5, 0.3, 0.19))
    )
    found = item_details(Shown(PLAIN[0], 1.0, 0.004, 1, pieces), catalogue(), EN)
    assert [reason.words.split(":")[0] for reason in found.reasons] == ["Mostly", "Also", "A little"]
    assert found.chance == "Chance had a hand in it: 1 in 100."


def gate_reasons() -> Iterable[str]:
    """Every reason that the gate can give for withholding something, read off its source."""
    import ast
    import inspect
    import textwrap

    from tactful.flow import gate

    for function in (
        gate._closed,
        gate._Cut._entry_shut,
        gate._Cut._reason,
        gate._Cut.keeps_trait,
        gate._Cut._outdated,
    ):
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        for node in ast.walk(tree):
            value = node.value if isinstance(node, (ast.Return, ast.Assign)) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value
            if isinstance(value, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else
                              ("7" if part.conversion == -1 else "'x'") for part in value.values)  # type: ignore[attr-defined]  # fmt: skip


@BOTH
def test_every_reason_of_the_gate_has_words(words: Words) -> None:
    reasons = set(gate_reasons())
    assert len(reasons) >= len(REASONS) - 1
    for why in reasons:
        said = withheld(Withheld("browsing", why, 1), words)
        assert said in {phrase for key, phrase in words.phrases.items() if key.startswith("withheld.")}, why
    assert withheld(Withheld("browsing", "by a rule of another time", 1), words) == "by a rule of another time"


@BOTH
def test_every_guard_that_comes_along_has_words(words: Words) -> None:
    from tactful.plugins import available
    from tactful.ports import Guard

    for name in available(Guard):
        assert removed(Removal(name, "as the guard says", 1), words) == words.say(f"guard.{name}")
    assert removed(Removal("of_your_own", "as the guard says", 1), words) == "as the guard says"


# --------------------------------------------------------------------------------------------------------------- muting


def test_what_can_be_muted_of_an_item() -> None:
    item = Item(id="a", title="A", attributes={"subjects": ["war", "sea"], "author": "Homer", "page_count": 7})
    found = mutable(item, ("subjects", "author", "page_count", "none"), catalogue(), EN)
    assert [one.key for one in found] == ["subjects:war", "subjects:sea", "author:Homer", "page_count:7"]
    assert [one.words for one in found] == [
        "Nothing with war",
        "Nothing with sea",
        "Nothing by Homer",
        "Nothing with this page count: 7",
    ]
    assert muted("subjects:war", catalogue(), EN) == "You muted war."
    assert muted("item:b7", catalogue(), EN) == "You muted this one."
    assert muted("subjects:war", catalogue(), DE) == "Du willst nichts mit Krieg sehen."


def test_a_topic_and_one_item_can_be_muted_where_the_installation_lists_them() -> None:
    item = Item(id="a", title="A", attributes={"topics": "no topic", "item": "no id"}, topics=("war/sea", "odd"))
    known = Catalogue.of([item], taxonomy={"war": Topic(words="War"), "war/sea": Topic(words="War at sea")})
    found = mutable(item, ("topics", "item"), known, EN)
    assert [(one.key, one.words) for one in found] == [
        ("topics:war/sea", "Nothing with War at sea"),
        ("topics:odd", "Nothing with odd"),
        ("item:a", "Not A any more"),
    ]
    assert all(rows_of(one.key, known).tolist() == [0] for one in found), "and the guard keeps to it"
    assert rows_of("topics:no topic", known).tolist() == rows_of("item:no id", known).tolist() == []
    assert muted("topics:war", known, EN) == "You muted War."


# ---------------------------------------------------------------------------------------------------------------- the words


def test_both_languages_say_all_that_there_is_to_say() -> None:
    assert set(EN.phrases) == set(DE.phrases)
    assert {f"{table}.{key}" for table, keys in SHAPES.items() for key in keys} <= set(EN.phrases)
    assert {key.partition(".")[0] for key in EN.phrases} <= {*SHAPES, *OPEN}


def test_the_sample_books_can_be_told_in_german() -> None:
    items = [catalogue().item(row) for row in range(len(catalogue()))]
    for value in {value for item in items for name in ("subjects", "mood") for value in item.values(name)}:
        assert DE.value(value.replace("-", " ")) != value.replace("-", " ") or value == "drama", value


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"), (13, "13th"), (20, "20th"), (21, "21st"),
     (22, "22nd"), (23, "23rd"), (101, "101st"), (111, "111th"), (112, "112th"), (113, "113th"), (121, "121st"), (1002, "1002nd")],
)  # fmt: skip
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == words
