"""The sample bookshop and its simulated readers: what the demo and the other tests take for granted about them."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from random import Random
from statistics import mean
from typing import get_args

import msgspec
import pytest

from tactful.cli.demonstration import LANGUAGES, item_of
from tactful.sample.books import Book, Subject, books
from tactful.sample.readers import (
    CHILD_SHARE,
    DAYS,
    HOUR_SHARE,
    LONGEST_VISIT,
    TREND_DAYS,
    VERDICTS,
    Reader,
    next_choices,
    readers,
)
from tactful.sample.world import closeness, goes_with, length_of, shelf_for, trending

UNTIL = 1_760_000_000_000
DAY = 86_400_000
BY_ID = {book.id: book for book in books()}


@pytest.fixture(scope="module")
def crowd() -> list[Reader]:
    return list(readers(600, seed=7, until=UNTIL))


def bytes_of(crowd: Iterator[Reader]) -> bytes:
    return msgspec.json.encode(list(crowd))


# The catalogue


def test_there_are_enough_books_and_no_id_or_title_comes_twice() -> None:
    shop = books()
    assert len(shop) >= 420
    assert len({book.id for book in shop}) == len(shop)
    assert len({(book.title, book.author) for book in shop}) == len(shop)


def test_ids_are_kebab_case() -> None:
    assert [book.id for book in books() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", book.id)] == []


def test_at_least_sixty_books_are_for_children_and_none_of_them_is_sensitive() -> None:
    young = [book for book in books() if book.audience == "children"]
    assert len(young) >= 60
    assert [book.id for book in young if book.sensitivity] == []
    assert [book.id for book in young if "children" not in book.subjects] == []


def test_every_subject_has_books_and_every_book_two_to_four_subjects() -> None:
    used = Counter(subject for book in books() for subject in book.subjects)
    assert {subject for subject in get_args(Subject) if used[subject] < 14} == set()
    assert [book.id for book in books() if not 2 <= len(set(book.subjects)) == len(book.subjects) <= 4] == []


@pytest.mark.parametrize(
    "wrong", [{"subjects": ("spaceships",)}, {"mood": "nice"}, {"audience": "teens"}, {"sensitivity": ("gossip",)}]
)
def test_a_word_outside_the_vocabulary_is_refused(wrong: dict[str, object]) -> None:
    good = msgspec.to_builtins(books()[0])
    assert msgspec.convert(good, Book) == books()[0]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(good | wrong, Book)


def test_texts_are_short_sentences() -> None:
    assert [book.id for book in books() if not 40 <= len(book.text) <= 200 or not book.text.endswith(".")] == []


def test_years_pages_and_prices_are_plausible() -> None:
    assert [book.id for book in books() if not (-2000 <= book.year < 1929)] == []
    assert [book.id for book in books() if not 20 <= book.pages <= 1500] == []
    assert [book.id for book in books() if not 2 <= book.price <= 30 or round(book.price, 2) != book.price] == []


def test_some_authors_have_many_books_so_that_a_cap_per_author_matters() -> None:
    many = {author for author, count in Counter(book.author for book in books()).items() if count > 2}
    assert many >= {"Jules Verne", "Jane Austen", "H. G. Wells", "Arthur Conan Doyle", "Mark Twain"}


@pytest.mark.parametrize(
    ("title", "author", "year"),
    [
        ("frankenstein", "Mary Shelley", 1818),
        ("moby-dick", "Herman Melville", 1851),
        ("les-miserables", "Victor Hugo", 1862),
        ("the-time-machine", "H. G. Wells", 1895),
        ("the-secret-garden", "Frances Hodgson Burnett", 1911),
        ("the-tale-of-genji", "Murasaki Shikibu", 1010),
        ("noli-me-tangere", "José Rizal", 1887),
        ("kokoro", "Natsume Sōseki", 1914),
    ],
)
def test_well_known_facts_hold(title: str, author: str, year: int) -> None:
    assert (BY_ID[title].author, BY_ID[title].year) == (author, year)


def test_each_kind_of_sensitive_interest_is_present_and_most_books_betray_nothing() -> None:
    sensitive = [book for book in books() if book.sensitivity]
    assert {kind for book in sensitive for kind in book.sensitivity} == {
        "health", "pregnancy", "faith", "sexuality", "politics", "money",
    }  # fmt: skip
    assert min(Counter(kind for book in sensitive for kind in book.sensitivity).values()) >= 5
    assert 30 <= len(sensitive) < len(books()) / 5
    assert {book.audience for book in sensitive} == {"adults"}
    assert BY_ID["notes-on-nursing"].sensitivity == ("health",)


WOMEN = """Abby Fisher|Akiko Yosano|Amelia Simmons|Ann Radcliffe|Anna Katharine Green|Anna Komnene|Anna Sewell|Anne Brontë|
Annette von Droste-Hülshoff|Baroness Orczy|Beatrix Potter|Bertha von Suttner|Charlotte Brontë|Charlotte Perkins Gilman|
Christina Rossetti|Christine de Pizan|Colette|Countess of Ségur|E. Nesbit|Edith Wharton|Edna St. Vincent Millay|
Eleanor H. Porter|Eliza Acton|Elizabeth Gaskell|Elsa Beskow|Emilia Pardo Bazán|Emily Brontë|Emily Dickinson|Emma Goldman|
Emmeline Pankhurst|Fanny Burney|Florence Nightingale|George Eliot|George Sand|Germaine de Staël|Gertrude Bell|
Grazia Deledda|Harriet Jacobs|Isabella Bird|Jane Austen|Johanna Spyri|Julian of Norwich|Kate Chopin|L. M. Montgomery|
Louise Bourgeois|Madame de La Fayette|Margaret Cavendish|Marie Stopes|Mary Seacole|Mary Shelley|Murasaki Shikibu|
Olive Schreiner|Rokeya Sakhawat Hossain|Rosa Luxemburg|Sappho|Sei Shōnagon|Selma Lagerlöf|Sigrid Undset|Teresa of Ávila|
Toru Dutt|Virginia Woolf|Willa Cather""".replace("\n", "").split("|")


def test_the_shelves_hold_books_by_women_and_from_many_languages() -> None:
    authors = {book.author for book in books()}
    assert [name for name in WOMEN if name not in authors] == []
    assert len(set(WOMEN)) >= 40
    languages = Counter(book.language for book in books())
    assert sum(languages.values()) - languages["en"] >= 60
    assert {"ar", "bn", "es", "fa", "fr", "ja", "pl", "pt", "sa", "zh"} <= set(languages)


def test_a_series_is_one_authors_and_its_parts_have_places_of_their_own() -> None:
    assert [book.id for book in books() if (book.part > 0) != bool(book.series)] == []
    kept: dict[str, list[Book]] = {}
    for book in books():
        if book.series:
            kept.setdefault(book.series, []).append(book)
    assert len(kept) >= 30
    assert [name for name, parts in kept.items() if len(parts) < 2] == []
    assert [name for name, parts in kept.items() if len({book.part for book in parts}) != len(parts)] == []
    assert [name for name, parts in kept.items() if len({book.author for book in parts}) != 1] == []
    assert [book.part for book in sorted(kept["Barchester"], key=lambda book: book.year)] == [1, 2, 3, 4, 5, 6]
    assert (BY_ID["the-mysterious-island"].series, BY_ID["the-mysterious-island"].part) == ("Captain Nemo", 2)


def test_a_book_becomes_an_item_with_its_series_and_its_language_in_words() -> None:
    emerald, emma = (item_of(BY_ID[name]).attributes for name in ("the-emerald-city-of-oz", "emma"))
    assert (emerald["series"], emerald["part"], emerald["language"]) == ("Oz", 6, "English")
    assert emma.keys() & {"series", "part"} == set()
    assert [book.id for book in books() if book.language not in LANGUAGES] == []
    wizard, republic = (item_of(BY_ID[name]) for name in ("the-wonderful-wizard-of-oz", "the-republic"))
    assert wizard.attributes["century"] == "19th century"  # 1900 is its last year
    assert republic.attributes["century"] == "4th century BC"


def test_the_list_of_books_is_the_callers_own() -> None:
    books().clear()
    assert books()


# The readers


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert bytes_of(readers(40, 1, UNTIL)) == bytes_of(readers(40, 1, UNTIL))


def test_another_seed_gives_other_readers() -> None:
    assert bytes_of(readers(40, 1, UNTIL)) != bytes_of(readers(40, 2, UNTIL))


def test_the_same_bytes_come_out_of_another_process_with_other_string_hashes() -> None:
    code = (
        "import sys, msgspec; from tactful.sample.readers import readers;"
        f"sys.stdout.buffer.write(msgspec.json.encode(list(readers(20, 1, {UNTIL}))))"
    )
    for hashes in ("1", "2"):
        other = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        )
        assert other.stdout == bytes_of(readers(20, 1, UNTIL))


def test_asking_for_more_readers_changes_none_of_the_first() -> None:
    assert bytes_of(islice(readers(200, 1, UNTIL), 30)) == bytes_of(readers(30, 1, UNTIL))
    assert [reader.id for reader in readers(2, 1, UNTIL)] == ["reader-0001", "reader-0002"]


def test_a_later_week_moves_the_acts_and_changes_nothing_else() -> None:
    # A week, as some readers go by the day of the week.
    early, late = (list(readers(10, 1, until)) for until in (UNTIL, UNTIL + 7 * DAY))
    for one, other in zip(early, late, strict=True):
        assert [act.at + 7 * DAY for act in one.acts] == [act.at for act in other.acts]
        assert [(act.verb, act.book) for act in one.acts] == [(act.verb, act.book) for act in other.acts]


@pytest.mark.parametrize("until", [UNTIL, UNTIL // DAY * DAY, UNTIL // DAY * DAY - 1])
def test_acts_are_in_order_and_inside_the_ninety_days(until: int) -> None:
    for reader in readers(200, 3, until):
        times = [act.at for act in reader.acts]
        assert all(one < other for one, other in pairwise(times))
        assert until - DAYS * DAY <= times[0] <= times[-1] < until


def test_act_ids_are_unique_and_books_exist(crowd: list[Reader]) -> None:
    acts = [act for reader in crowd for act in reader.acts]
    assert len({act.id for act in acts}) == len(acts)
    assert {act.book for act in acts} <= set(BY_ID)


def test_visits_are_numbered_without_gaps_and_end_in_time(crowd: list[Reader]) -> None:
    for reader in crowd:
        numbers = [act.visit for act in reader.acts]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(1, reader.habits.visits + 1))
        for number in set(numbers):
            within = [act for act in reader.acts if act.visit == number]
            seen = [act.book for act in within if act.verb == "viewed"]
            assert len(seen) == len(set(seen)) <= LONGEST_VISIT
            assert within[-1].at - within[0].at < 3_600_000


def test_visits_cluster_around_the_favourite_hour(crowd: list[Reader]) -> None:
    for reader in crowd:
        first = {act.visit: act.at for act in reversed(reader.acts)}
        assert all(abs(at % DAY / 3_600_000 - reader.habits.hour) < 8 for at in first.values())


def test_the_patient_look_at_more_books_in_a_visit(crowd: list[Reader]) -> None:
    def books_per_visit(patience: int) -> float:
        some = [reader for reader in crowd if reader.habits.patience == patience]
        views = sum(act.verb == "viewed" for reader in some for act in reader.acts)
        return views / sum(reader.habits.visits for reader in some)

    assert books_per_visit(2) + 2 < books_per_visit(7)
    assert books_per_visit(2) == pytest.approx(2, abs=0.5)
    assert books_per_visit(7) == pytest.approx(7, abs=1.5)


def test_children_meet_only_books_for_children(crowd: list[Reader]) -> None:
    children = [reader for reader in crowd if reader.child]
    assert CHILD_SHARE * 0.6 < len(children) / len(crowd) < CHILD_SHARE * 1.4
    assert {BY_ID[act.book].audience for reader in children for act in reader.acts} == {"children"}
    others = {BY_ID[act.book].audience for reader in crowd if not reader.child for act in reader.acts}
    assert others == {"children", "everyone", "adults"}


def test_nobody_buys_a_book_twice_or_judges_it_again(crowd: list[Reader]) -> None:
    for reader in crowd:
        judged = [act.book for act in reader.acts if act.verb in VERDICTS]
        assert len(judged) == len(set(judged))
    assert sum(act.verb == "bought" for reader in crowd for act in reader.acts) > 500


def test_a_verdict_follows_the_view_it_is_about(crowd: list[Reader]) -> None:
    for reader in crowd:
        assert reader.acts[0].verb == "viewed"
        for before, after in pairwise(reader.acts):
            if after.verb not in ("viewed", "finished"):
                assert (before.verb, before.book, before.visit) == ("viewed", after.book, after.visit)


def test_a_minority_of_views_lead_to_anything(crowd: list[Reader]) -> None:
    verbs = Counter(act.verb for reader in crowd for act in reader.acts)
    assert set(verbs) == {"viewed", "added", "dropped", "bought", "finished", "liked", "disliked"}
    verdicts = verbs["bought"] + verbs["liked"] + verbs["disliked"]
    assert 0.08 < verdicts / verbs["viewed"] < 0.3


def test_the_next_book_is_closer_to_the_last_than_chance_and_than_taste_alone(crowd: list[Reader]) -> None:
    rng = Random(0)
    steps, same_reader = [], []
    for reader in crowd:
        seen = [act for act in reader.acts if act.verb == "viewed"]
        steps += [(one, other) for one, other in pairwise(seen) if one.visit == other.visit]
        # Pairs from different visits share the reader's taste but not the walk: the harder thing to beat.
        drawn = (rng.sample(seen, 2) for _ in range(len(seen)))
        same_reader += [(one, other) for one, other in drawn if one.visit != other.visit and one.book != other.book]
    step = mean(closeness(BY_ID[one.book], BY_ID[other.book]) for one, other in steps)
    taste = mean(closeness(BY_ID[one.book], BY_ID[other.book]) for one, other in same_reader)
    chance = mean(closeness(*rng.sample(books(), 2)) for _ in range(5_000))
    assert step > 2.5 * chance
    assert step > 1.4 * taste
    assert taste > 1.2 * chance


def overlap(reader: Reader, verb: str) -> list[float]:
    return [
        sum(reader.tastes.get(subject, 0.0) for subject in BY_ID[act.book].subjects)
        for act in reader.acts
        if act.verb == verb
    ]


def test_readers_buy_what_meets_their_taste_and_dislike_what_does_not(crowd: list[Reader]) -> None:
    bought = mean(fit for reader in crowd for fit in overlap(reader, "bought"))
    viewed = mean(fit for reader in crowd for fit in overlap(reader, "viewed"))
    disliked = mean(fit for reader in crowd for fit in overlap(reader, "disliked"))
    assert bought > viewed + 0.05
    assert disliked < viewed - 0.05


def test_tastes_are_two_or_three_subjects_that_sum_to_one(crowd: list[Reader]) -> None:
    for reader in crowd:
        assert len(reader.tastes) in (2, 3)
        assert set(reader.tastes) <= set(get_args(Subject))
        assert sum(reader.tastes.values()) == pytest.approx(1)


def test_the_taste_of_a_minority_changes_halfway(crowd: list[Reader]) -> None:
    changed = 0
    for reader in crowd:
        first = max(reader.tastes, key=lambda subject: reader.tastes[subject])
        half = reader.habits.visits // 2
        hits = {True: [0], False: [0]}
        for act in reader.acts:
            hits[act.visit > half].append(first in BY_ID[act.book].subjects)
        # A reader whose first love turns up in the second half only, and then often, has a new one.
        changed += sum(hits[False]) <= 0.1 * len(hits[False]) and sum(hits[True]) >= 0.4 * len(hits[True])
    assert 0.04 < changed / len(crowd) < 0.25


def test_what_goes_with_a_book_is_bought_along_with_it(crowd: list[Reader]) -> None:
    pairs = goes_with()
    assert pairs["barchester-towers"] == "doctor-thorne"
    assert pairs["ozma-of-oz"] == "dorothy-and-the-wizard-in-oz"
    assert {BY_ID[one].audience == BY_ID[other].audience for one, other in pairs.items() if not BY_ID[one].series} == {
        True
    }
    visits = {(reader.id, act.visit, act.book) for reader in crowd for act in reader.acts if act.verb == "bought"}
    bought = [one for one in visits if one[2] in pairs]
    along = sum((reader, visit, pairs[book]) in visits for reader, visit, book in bought)
    # The same purchases against the pairing drawn at random: what would be bought along anyway.
    others = dict(zip(pairs, Random(0).sample(list(pairs.values()), len(pairs)), strict=True))
    chance = sum((reader, visit, others[book]) in visits for reader, visit, book in bought)
    assert along > 0.15 * len(bought) > 40
    assert along > 5 * (chance + 1)


def test_a_companion_shares_no_subject_with_its_book_and_betrays_nothing() -> None:
    companions = [(BY_ID[one], BY_ID[other]) for one, other in goes_with().items() if not BY_ID[other].series]
    assert len(companions) > 50
    for one, other in companions:
        assert {*one.subjects} & {*other.subjects} <= {"children"}
        assert one.sensitivity == other.sensitivity == ()


def test_trending_books_surge_in_the_last_days_only(crowd: list[Reader]) -> None:
    views = [act for reader in crowd for act in reader.acts if act.verb == "viewed"]
    from_day = UNTIL // DAY * DAY - TREND_DAYS * DAY
    share = [
        mean(act.book in trending() for act in views if (act.at >= from_day) == late and act.at < UNTIL)
        for late in (False, True)
    ]
    assert share[1] > 4 * share[0] > 0


def test_some_readers_look_for_other_books_in_the_evening_and_at_weekends(crowd: list[Reader]) -> None:
    def share(fits: Callable[[Book], bool], moved: bool, when: Callable[[int], bool]) -> float:
        some = [reader for reader in crowd if reader.habits.by_the_hour == moved]
        return mean(
            fits(BY_ID[act.book]) for reader in some for act in reader.acts if act.verb == "viewed" and when(act.at)
        )

    def weekend(at: int) -> bool:
        return datetime.fromtimestamp(at / 1000, UTC).weekday() >= 5

    def evening(at: int) -> bool:
        return not weekend(at) and datetime.fromtimestamp(at / 1000, UTC).hour >= 19

    def quiet(book: Book) -> bool:
        return book.mood in ("calm", "dark")

    def outdoors(book: Book) -> bool:
        return bool({"adventure", "travel"} & {*book.subjects})

    assert HOUR_SHARE * 0.8 < mean(reader.habits.by_the_hour for reader in crowd) < HOUR_SHARE * 1.2
    for fits, when in ((quiet, evening), (outdoors, weekend)):
        assert share(fits, True, when) > 1.25 * share(fits, True, lambda at, when=when: not when(at))
        assert share(fits, False, when) < 1.15 * share(fits, False, lambda at, when=when: not when(at))


def test_books_are_left_in_the_cart_taken_out_and_come_back_to(crowd: list[Reader]) -> None:
    left = back = 0
    for reader in crowd:
        cart: list[str] = []
        for act in reader.acts:
            if act.verb == "added":
                assert act.book not in cart
                cart.append(act.book)
            elif act.verb in VERDICTS | {"dropped"} and act.book in cart:
                cart.remove(act.book)
                back += act.verb == "bought"
            else:
                assert act.verb != "dropped"
        left += len(cart)
    assert left > 200 and back > 100


def test_only_what_was_bought_is_finished_and_once_and_later(crowd: list[Reader]) -> None:
    finished = 0
    for reader in crowd:
        bought: dict[str, int] = {}
        for act in reader.acts:
            if act.verb == "bought":
                bought[act.book] = act.visit
            elif act.verb == "finished":
                assert bought.pop(act.book) < act.visit
                finished += 1
    assert finished > 200


def test_a_reader_would_answer_a_quiz_with_their_own_taste(crowd: list[Reader]) -> None:
    for reader in crowd:
        assert set(reader.answers.subjects) == set(reader.tastes)
        weights = [reader.tastes[subject] for subject in reader.answers.subjects]
        assert weights == sorted(weights, reverse=True)
        assert len(set(reader.answers.moods)) == 2
    looked = [(reader, BY_ID[act.book]) for reader in crowd for act in reader.acts if act.verb == "bought"]
    other = crowd[1:] + crowd[:1]
    neighbour = {one.id: another for one, another in zip(crowd, other, strict=True)}
    for told in (
        lambda reader, book: bool({*reader.answers.subjects} & {*book.subjects}),
        lambda reader, book: book.mood in reader.answers.moods,
        lambda reader, book: length_of(book) == reader.answers.length,
    ):
        own = mean(told(reader, book) for reader, book in looked)
        assert own > mean(told(neighbour[reader.id], book) for reader, book in looked) + 0.02


def test_next_choices_follow_the_law_and_are_the_same_each_time(crowd: list[Reader]) -> None:
    popular = shelf_for(child=False)
    famous = [popular.ids[row] for row in popular.popularity[0].argsort()[::-1][:20]]
    fits, plain = [], []
    for reader in crowd[:200]:
        chosen = next_choices(reader, 20)
        assert chosen == next_choices(reader, 20)
        assert chosen[:5] == next_choices(reader, 5)
        assert len(set(chosen)) == len(chosen) == 20
        assert not set(chosen) & {act.book for act in reader.acts if act.verb in VERDICTS}
        assert not set(next_choices(reader, 20, new=True)) & {act.book for act in reader.acts}
        assert not reader.child or {BY_ID[book].audience for book in chosen} == {"children"}
        fits += [sum(reader.tastes.get(subject, 0) for subject in BY_ID[book].subjects) for book in chosen]
        plain += [sum(reader.tastes.get(subject, 0) for subject in BY_ID[book].subjects) for book in famous]
    assert mean(fits) > 2 * mean(plain)


def test_next_choices_end_where_the_shelf_ends(crowd: list[Reader]) -> None:
    child = next(reader for reader in crowd if reader.child)
    judged = {act.book for act in child.acts if act.verb in VERDICTS}
    young = {book.id for book in books() if book.audience == "children"}
    assert set(next_choices(child, 10_000)) == young - judged


def test_closeness_counts_author_subjects_and_mood() -> None:
    same = BY_ID["the-time-machine"]
    assert closeness(same, same) == 5.5
    assert closeness(BY_ID["emma"], BY_ID["pride-and-prejudice"]) == 5.5
    assert closeness(BY_ID["emma"], BY_ID["the-art-of-war"]) == 0
    assert closeness(same, BY_ID["we"]) == closeness(BY_ID["we"], same) == 3.0
