"""Models know only what they may, count exactly, and forget those who leave."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tactful.domain.catalogue import Catalogue
from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import Ask
from tactful.domain.errors import BadInput, NoModel, OldModel, StaleModel
from tactful.domain.event import TOWARDS, VERBS, Event, Interaction, Told
from tactful.domain.item import Item
from tactful.learn import following
from tactful.learn.interactions import interactions_of
from tactful.learn.neighbours import strongest
from tactful.learn.train import fit, fits, learners
from tactful.plugins import available, build, load
from tactful.ports import Interactions, Model, Shelf, Strategy
from tactful.stores.registry import Registry
from tactful.strategies.interests import Interests
from tactful.strategies.item_transitions import WHOLE, ItemTransitions
from tactful.strategies.popular import Popular
from tactful.strategies.session import Session
from tactful.strategies.similar import Similar
from tests.shop import (
    DAY,
    EVERYTHING,
    NOW,
    PLAIN,
    SENSITIVE,
    Shop,
    act,
    arrivals_of,
    catalogue,
    charter,
    consent,
    crowd,
    items_in,
    learned_models,
    open_shop,
    placement,
    recipes_of,
    shelf,
    shop_items,
    template_placements,
    trained,
    view,
)

People = list[tuple[str, list[Event]]]


def bytes_of(models: Sequence[Model]) -> list[tuple[str, dict[str, bytes], dict[str, Any]]]:
    """Models down to the last bit, but for the name of their version."""
    return [
        (model.name, {name: array.tobytes() for name, array in model.arrays.items()}, model.manifest)
        for model in models
    ]


def columns_of(people: People, consents: dict[str, Consent]) -> list[bytes]:
    """What is learned from, down to the last bit."""
    columns = interactions_of(people, consents, charter(), catalogue(), NOW)
    return [array.tobytes() for array in (columns.person, columns.row, columns.at, columns.verb, columns.value)]


def learned_from(people: People, consents: dict[str, Consent]) -> list[Model]:
    """The template's models, trained on these people."""
    interactions = interactions_of(people, consents, charter(), catalogue(), NOW)
    return trained(recipes_of(template_placements()).values(), interactions, catalogue())


def some_people(count: int = 30) -> People:
    return [
        (reader.id, [act(one.book, one.at, one.verb, id=one.id) for one in reader.acts]) for reader in crowd()[:count]
    ]


# ---------------------------------------------------------------------------------------------------------- whom we learn from


WAYS_OUT: dict[str, Consent | None] = {
    "said nothing": None,
    "never allowed learn": consent(Dial.remember, "personalise", "measure"),
    "a child": consent(child=True),
    "Off": consent(Dial.off),
    "only what they told": consent(Dial.told),
    "this visit only": consent(Dial.visit),
    "withdrew": structs.replace(consent(), granted=frozenset({"personalise"}), refused=frozenset({"learn"})),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_whoever_may_not_be_learned_from_leaves_no_trace(way: str) -> None:
    """Byte for byte, as though they had never been, wherever they stand among the others."""
    people, left = some_people(), WAYS_OUT[way]
    consents = dict.fromkeys((name for name, _ in people), consent())
    without = learned_from(people, consents)
    others: People = [
        (f"{place}-other", [act(item, NOW - DAY, "bought") for item in PLAIN[:40]]) for place in ("0", "9", "a", "z")
    ]
    if left is not None:
        consents = {**dict.fromkeys((name for name, _ in others), left), **consents}  # they come first in the dict, too
    for mixed in (sorted([*people, *others]), [*others, *people], [*people, *others]):
        assert columns_of(mixed, consents) == columns_of(people, consents)
    assert bytes_of(learned_from([*others, *people], consents)) == bytes_of(without)


@pytest.mark.parametrize(
    "more",
    [
        [act(PLAIN[0], visit=True), act(PLAIN[1], NOW, "bought", visit=True)],
        [act(PLAIN[0], purposes=("personalise", "measure"))],
        [act("a book that is not in the catalogue")],
        [act(PLAIN[0], data="an entry that the charter no longer has")],
        [Told("t", NOW, "interests", ["sea"], "told", EVERYTHING)],
    ],
    ids=["of one visit", "not for learning", "unknown item", "undeclared", "told"],
)
def test_what_may_not_be_learned_leaves_no_trace(more: list[Event]) -> None:
    people = some_people()
    consents = dict.fromkeys([name for name, _ in people] + ["nobody"], consent())
    mixed = [(name, [*more, *events]) for name, events in people] + [("nobody", more)]
    assert columns_of(mixed, consents) == columns_of(people, consents)


def test_an_entry_that_the_charter_no_longer_lets_learn_from_is_not_learned_from() -> None:
    """Also what was collected when it did."""
    rules = charter()
    browsing = structs.replace(rules.data["browsing"], purposes=("personalise",))
    changed = structs.replace(rules, data={**rules.data, "browsing": browsing})
    people: People = [("ada", [act(PLAIN[0]), act(PLAIN[1], verb="bought")])]
    columns = interactions_of(people, {"ada": consent()}, changed, catalogue(), NOW)
    assert columns.row.tolist() == [catalogue().index[PLAIN[1]]]


def test_the_order_in_which_acts_came_in_changes_nothing() -> None:
    people, dice = some_people(), random.Random(1)
    consents = dict.fromkeys((name for name, _ in people), consent())
    shuffled = [(name, dice.sample(events, len(events))) for name, events in people]
    assert bytes_of(learned_from(shuffled, consents)) == bytes_of(learned_from(people, consents))


def test_columns_are_people_without_gaps_then_time_then_id() -> None:
    people: People = [
        ("a", []),
        ("b", [act(PLAIN[1], 5, id="z"), act(PLAIN[0], 5, id="a", value=4.5)]),
        ("c", []),
        ("d", [act(PLAIN[2], 1)]),
    ]
    columns = interactions_of(people, dict.fromkeys("abcd", consent()), charter(), catalogue(), DAY)
    assert columns.people == 2
    assert columns.person.tolist() == [0, 0, 1]
    assert [catalogue().ids[row] for row in columns.row] == [PLAIN[0], PLAIN[1], PLAIN[2]]
    assert columns.at.tolist() == [5, 5, 1]
    assert columns.value.tolist()[0] == 4.5
    assert np.isnan(columns.value[1])


def test_a_huge_value_is_learned_without_noise() -> None:
    columns = interactions_of([("a", [act(PLAIN[0], value=1e300)])], {"a": consent()}, charter(), catalogue(), NOW)
    assert len(columns.row) == 1


def test_training_after_forgetting_is_as_though_they_had_never_been() -> None:
    """The whole way: engine, stores, training. Pseudonyms are per installation, so the same stores are asked twice."""
    shop, readers = Shop(), [reader for reader in crowd()[:20] if not reader.child]
    for reader in readers:
        shop.live(reader)
    shop.train()
    before = bytes_of([shop.models.load(*current) for current in sorted(shop.models.current().items())])
    shop.allow("leaver")
    shop.does("leaver", "bought", *PLAIN[:30], at=NOW - DAY)
    shop.train()
    during = bytes_of([shop.models.load(*current) for current in sorted(shop.models.current().items())])
    for ack in shop.engine.forget("leaver"):
        ack.wait()
    shop.train()
    after = bytes_of([shop.models.load(*current) for current in sorted(shop.models.current().items())])
    assert during != before
    assert after == before


# ---------------------------------------------------------------------------------------------------------------- exact counts


@given(st.integers(1, 12), st.integers(1, 8), st.randoms(use_true_random=False))
def test_the_strongest_neighbours_are_the_strongest(size: int, most: int, dice: random.Random) -> None:
    dense = np.array([[dice.choice((0, 0, 1, 1, 2, 5)) for _ in range(size)] for _ in range(size)])
    arrays = strongest(sparse.csr_array(dense), most)
    for row in range(size):
        counts = dense[row]
        best = sorted(
            (column for column in range(size) if counts[column]), key=lambda column: (-counts[column], column)
        )[:most]
        found = slice(*arrays["starts"][row : row + 2])
        assert arrays["rows"][found].tolist() == best
        assert arrays["share"][found].tolist() == pytest.approx([counts[column] / counts.sum() for column in best])


def random_interactions(dice: random.Random, people: int, items: int, most: int = 30) -> Interactions:
    """Sequences of random acts, in canonical order."""
    lengths = [dice.randrange(most) for _ in range(people)]
    count = sum(lengths)
    return Interactions(
        np.repeat(np.arange(people, dtype=np.int32), lengths),
        np.array([dice.randrange(items) for _ in range(count)], np.int32),
        np.array([NOW - DAY + place for place in range(count)], np.int64),
        np.array([dice.randrange(len(VERBS)) for _ in range(count)], np.int8),
        np.full(count, np.nan, np.float32),
        people,
    )


def named(count: int) -> Catalogue:
    return Catalogue.of([Item(id=f"i{number}", title=f"I {number}") for number in range(count)])


@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("gap", [1, 3, 10])
def test_transitions_are_what_a_double_loop_counts(gap: int, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(10):
        columns = random_interactions(random.Random(seed), people=12, items=9)
        counts = np.zeros((9, 9))
        people: dict[tuple[int, int], set[int]] = {}
        for person in range(columns.people):
            walk = [
                row
                for row, verb, whose in zip(columns.row, columns.verb, columns.person, strict=True)
                if whose == person and VERBS[verb] in TOWARDS
            ]
            for place, before in enumerate(walk):
                for distance, after in enumerate(walk[place + 1 : place + 1 + gap], 1):
                    counts[before, after] += (before != after) * round(WHOLE / distance)
                    people.setdefault((before, after), set()).add(person)
        if seed % 2:  # as where keys have room for two rows at a time
            monkeypatch.setattr(following, "MOST", 2 * 9 * columns.people)
        model = ItemTransitions(gap=gap, neighbours=100, doubt=0.0, least=least).fit(columns, named(9))
        for row in range(9):
            found = slice(*model.arrays["starts"][row : row + 2])
            shares = np.zeros(9)
            shares[model.arrays["rows"][found]] = model.arrays["share"][found]
            enough = np.array([len(people.get((row, other), ())) >= least for other in range(9)])
            assert shares == pytest.approx(enough * counts[row] / (counts[row].sum() or 1))


@pytest.mark.parametrize("strategy", [ItemTransitions(), Session(about=0.0)])
@pytest.mark.parametrize("people", [1, 2, 3])
def test_of_what_one_or_two_people_did_nobody_is_told(strategy: Strategy, people: int) -> None:
    """However often they did it: who asks may be one of the two, and would be told what the other did."""
    again = 7
    person = np.repeat(np.arange(people, dtype=np.int32), 2 * again)
    columns = Interactions(
        person, np.tile(np.array([0, 1], np.int32), people * again), NOW + np.arange(len(person), dtype=np.int64),
        np.full(len(person), VERBS.index("viewed"), np.int8), np.full(len(person), np.nan, np.float32), people,
    )  # fmt: skip
    model = fit(strategy, columns, named(2))
    assert model.manifest["pairs"] == (2 if people >= 3 else 0)
    assert len(model.arrays["rows"]) == (2 if people >= 3 else 0)


def test_a_model_of_before_people_were_counted_is_not_served() -> None:
    model = fit(ItemTransitions(), random_interactions(random.Random(1), 12, 9), named(9))
    old = {name: value for name, value in model.manifest.items() if name != "least"}
    with pytest.raises(OldModel, match=r"'item_transitions'.*earlier Tactful.*'least'.*Run `tactful train`"):
        ItemTransitions().propose(
            view(), Ask("home"), Shelf(named(9), {model.name: structs.replace(model, manifest=old)})
        )


def test_popular_counts_choices_late_ones_more_and_leaves_nobody_out() -> None:
    def popular(*acts: tuple[int, int, str]) -> Model:
        rows, days, verbs = zip(*acts, strict=True) if acts else ((), (), ())
        columns = Interactions(
            np.zeros(len(rows), np.int32), np.array(rows, np.int32), NOW - np.array(days, np.int64) * DAY,
            np.array([VERBS.index(verb) for verb in verbs], np.int8), np.full(len(rows), np.nan, np.float32), 1,
        )  # fmt: skip
        return Popular(half_life_days=10).fit(columns, named(4))

    assert popular((2, 0, "viewed"), (2, 0, "bought"), (1, 0, "viewed")).arrays["rows"].tolist() == [2, 1, 0, 3]
    assert popular((1, 0, "viewed"), (2, 20, "viewed"), (2, 30, "viewed")).arrays["rows"].tolist()[0] == 1
    assert popular((1, 0, "disliked"), (1, 0, "shown"), (2, 0, "viewed")).arrays["rows"].tolist()[0] == 2
    nobody = popular()
    assert nobody.arrays["rows"].tolist() == [0, 1, 2, 3]
    assert nobody.arrays["share"].sum() == pytest.approx(1)


def chosen(*acts: tuple[int, int, str, float], items: int = 4) -> Interactions:
    """What people did, as columns: (person, row, verb, days ago)."""
    person, row, verb, days = zip(*sorted(acts, key=lambda one: (one[0], -one[3])), strict=True)
    return Interactions(
        np.array(person, np.int32), np.array(row, np.int32), np.array([NOW - int(ago * DAY) for ago in days], np.int64),
        np.array([VERBS.index(one) for one in verb], np.int8), np.full(len(row), np.nan, np.float32), 1 + max(person),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("acts", "how"),
    [
        ([(0, 2, "viewed", 0.1 * time) for time in range(60)], "seldom"),
        ([(person, 2, "viewed", 0.1) for person in range(4)] * 3, "seldom"),
        ([(person, 2, "viewed", 29.0) for person in range(5)], ""),
        ([(person, 2, "viewed", 31.0) for person in range(5)] + [(9, 1, "viewed", 0.0)], "ever"),
        ([(person, 2, "viewed", 400.0) for person in range(50)] + [(3, 2, "viewed", 0.0)], "ever"),
        ([(person, 2, "viewed", 400.0) for person in range(5)] + [(p, 2, "bought", 1.0) for p in range(5)], ""),
        ([(person, 2, "disliked", 1.0) for person in range(9)] + [(9, 2, "viewed", 1.0)], "seldom"),
    ],
)
def test_of_popular_things_it_says_how_many_people_chose_them_and_when(
    acts: list[tuple[int, int, str, float]], how: str
) -> None:
    """Many are people, not acts; and lately is lately now, not when the data ends."""
    known = Shelf(named(4), {"popular": fit(Popular(), chosen(*acts), named(4))})
    for later, then in ((0, how), (31 * DAY, "ever" if how == "" else how)):
        evidence = Popular().propose(view(), Ask("home", at=NOW + later), known)
        said = {row: evidence.sources[source].how for row, source in zip(evidence.rows, evidence.source, strict=True)}
        assert said[2] == then
        assert said[3] == "seldom"


def test_a_popular_model_that_counted_acts_is_not_served() -> None:
    model = fit(Popular(), chosen((0, 1, "viewed", 1.0)), named(4))
    old = structs.replace(model, arrays={name: one for name, one in model.arrays.items() if name != "since"})
    with pytest.raises(OldModel, match="'popular'"):
        Popular().propose(view(), Ask("home", at=NOW), Shelf(named(4), {"popular": old}))


def test_interests_rank_by_what_people_chose_not_by_what_they_refused_or_were_shown() -> None:
    items = Catalogue.of([Item(id=name, title=name, attributes={"about": "sea"}) for name in "abc"])
    refused = [(person, 0, verb, 1.0) for person in range(9) for verb in ("disliked", "shown", "returned")]
    model = fit(Interests(), chosen(*refused, (0, 2, "viewed", 1.0)), items)
    assert model.arrays["rows"].tolist() == [2, 0, 1]


def test_similar_finds_shared_attributes_rarer_ones_first_and_vectors() -> None:
    items = [
        Item(id="a", title="A", attributes={"author": "Verne", "genre": ["sea", "war"]}, vectors={"look": [1, 0]}),
        Item(id="b", title="B", attributes={"author": "Verne", "genre": ["sea"]}, vectors={"look": [0, 1]}),
        Item(id="c", title="C", attributes={"author": "Austen", "genre": ["sea"]}, vectors={"look": [0.9, 0.1]}),
        Item(id="d", title="D", attributes={"author": "Poe"}),
        Item(id="e", title="E", attributes={"genre": ["sea"]}, vectors={"sound": [1]}),
    ]
    known, nobody = Catalogue.of(items), random_interactions(random.Random(0), 0, 1)

    def neighbours(strategy: Strategy, item: str) -> list[str]:
        model = strategy.fit(nobody, known)
        row = known.index[item]
        return [known.ids[other] for other in model.arrays["rows"][slice(*model.arrays["starts"][row : row + 2])]]

    assert neighbours(Similar(), "a") == ["b", "c", "e"] or neighbours(Similar(), "a")[0] == "b"
    assert neighbours(Similar(), "d") == []
    assert neighbours(Similar(attributes=("author",)), "a") == ["b"]
    assert neighbours(Similar(attributes=("none",), vectors=("look",)), "a") == ["c"]
    assert neighbours(Similar(common=2), "e") == []


def test_similar_is_cosine_by_brute_force() -> None:
    known, nobody = catalogue(), random_interactions(random.Random(0), 0, 1)
    model = Similar(attributes=("subjects",), neighbours=10).fit(nobody, known)
    books = [set(known.item(row).values("subjects")) for row in range(len(known))]
    having = {value: sum(value in book for book in books) for book in books for value in book}
    weight = {value: np.log(len(books) / count) if count > 1 else 0.0 for value, count in having.items()}
    length = [np.sqrt(sum(weight[value] ** 2 for value in book)) for book in books]
    for row in range(0, len(books), 7):
        alike = np.array([
            0.0 if other == row else sum(weight[value] ** 2 for value in books[row] & books[other]) / (length[row] * length[other] or 1)
            for other in range(len(books))
        ])  # fmt: skip
        found = model.arrays["rows"][slice(*model.arrays["starts"][row : row + 2])]
        assert sorted(alike[found]) == pytest.approx(sorted(np.sort(alike)[::-1][:10]))


def test_interests_bring_items_about_what_was_told() -> None:
    known = catalogue()
    told = Told("t", NOW, "interests", ["sea", "no such thing"], "told", EVERYTHING)
    books = shelf()
    evidence = Interests().propose(view(traits={"interests": told}), Ask("home"), books)
    assert {known.ids[row] for row in evidence.rows} == {
        item.id for item in map(known.item, range(len(known))) if "sea" in item.values("subjects")
    }
    assert len(Interests().propose(view(), Ask("home"), books).rows) == 0
    as_text = structs.replace(told, value="sea")
    assert len(Interests().propose(view(traits={"interests": as_text}), Ask("home"), books).rows) == len(evidence.rows)


def test_an_empty_shop_and_a_shop_without_people_can_be_learned_from() -> None:
    nobody = random_interactions(random.Random(0), 0, 1)
    for known in (named(0), named(3)):
        for name in available(Strategy):
            if load(Strategy, name).fit is not Strategy.fit and name != "blend":
                model = fit(build(Strategy, {"use": name}), nobody, known)
                assert model.manifest["items"] == len(known)


# ------------------------------------------------------------------------------------------------------------------- training


def test_learners_are_found_inside_blends_and_a_clash_of_settings_is_named() -> None:
    recipes = recipes_of(template_placements())
    assert set(learners(recipe.strategy for recipe in recipes.values())) == {
        "item_transitions",
        "similar",
        "interests",
        "popular",
    }
    clash = recipes_of({"a": placement({"use": "similar"}), "b": placement({"use": "similar", "common": 5})})
    with pytest.raises(
        BadInput, match=r"model 'similar': two placements .* Give one of them a `model` name of its own"
    ):
        learners(recipe.strategy for recipe in clash.values())
    apart = recipes_of(
        {"a": placement({"use": "similar"}), "b": placement({"use": "similar", "common": 5, "model": "other"})}
    )
    assert set(learners(recipe.strategy for recipe in apart.values())) == {"similar", "other"}


def test_a_manifest_says_from_what_a_model_was_learned() -> None:
    model = next(model for model in learned_models() if model.name == "item_transitions")
    assert model.manifest["strategy"] == "item_transitions"
    assert model.manifest["settings"]["gap"] == 10
    assert model.manifest["items"] == len(catalogue())
    assert 100 < model.manifest["people"] < len(crowd())  # children are not among them
    assert model.manifest["from"] < model.manifest["to"] < NOW


def test_a_model_fits_the_catalogue_it_knows_and_any_that_begins_with_it() -> None:
    model = learned_models()[0]
    known = catalogue()
    assert fits(model, known)
    assert fits(model, Catalogue.of([*map(known.item, range(len(known))), Item(id="new", title="New")]))
    assert not fits(model, Catalogue.of([known.item(row) for row in range(len(known) - 1)]))
    assert not fits(model, Catalogue.of([known.item(row) for row in reversed(range(len(known)))]))


# ------------------------------------------------------------------------------------------------------------------- registry


def a_model(value: int = 1, name: str = "m") -> Model:
    return Model(
        name, {"rows": np.arange(value, dtype=np.int32), "share": np.full(3, 0.5, np.float32)}, {"note": value}
    )


def mapped(array: Any) -> bool:
    """Whether an array lies in a file that workers share."""
    return isinstance(array, np.memmap) or (array is not None and mapped(getattr(array, "base", None)))


def test_a_model_comes_back_as_it_was_and_memory_mapped(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    assert registry.current() == {}
    version = registry.save(a_model(5))
    assert registry.current() == {"m": version}
    back = registry.load("m", version)
    assert (back.manifest, back.version) == ({"note": 5}, version)
    for name, array in a_model(5).arrays.items():
        assert mapped(back.arrays[name])
        assert not back.arrays[name].flags.writeable
        assert back.arrays[name].dtype == array.dtype
        assert back.arrays[name].tobytes() == array.tobytes()


def test_a_version_is_a_hash_of_the_content(tmp_path: Path) -> None:
    one, other = Registry(tmp_path / "one"), Registry(tmp_path / "other")
    assert one.save(a_model(5)) == other.save(a_model(5)) == one.save(a_model(5))
    versions = {one.save(a_model(number)) for number in range(4)}
    assert len(versions) == 4
    other_type = Model("m", {name: array.astype(np.int64) for name, array in a_model(5).arrays.items()}, {"note": 5})
    assert one.save(other_type) != one.save(a_model(5))


def test_a_model_without_anything_in_it_comes_back_too(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    version = registry.save(Model("m", {"rows": np.empty(0, np.int32)}, {}))
    assert registry.load("m", version).arrays["rows"].shape == (0,)


def test_a_half_written_draft_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(tmp_path)
    first = registry.save(a_model(1))
    real, calls = np.save, []

    def fails_on_the_second(*args: Any, **more: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise OSError("the disk is full")
        real(*args, **more)

    monkeypatch.setattr(np, "save", fails_on_the_second)
    with pytest.raises(OSError, match="the disk is full"):
        registry.save(a_model(2))
    assert registry.current() == {"m": first}
    assert [path.name for path in (tmp_path / "m").iterdir()] == [first]
    monkeypatch.undo()
    left = tmp_path / "m" / ".draft-of-somebody-who-was-killed"
    left.mkdir()
    (left / "rows.npy").write_bytes(b"half")
    assert registry.current() == {"m": first}
    assert registry.save(a_model(2)) in registry.current().values()


def test_a_model_that_is_not_there_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match="Run `tactful train`"):
        Registry(tmp_path).load("m", "gone")
    with pytest.raises(NoModel, match=r"'popular'.*Run `tactful train`"):
        Shop().decide(None, "popular")


# ------------------------------------------------------------------------------------------------------------ serving a model


def with_registry(folder: Path) -> Shop:
    """A shop whose models lie on disk."""
    shop = Shop()
    shop.engine.models = shop.models = Registry(folder)  # type: ignore[assignment]
    return shop


def test_models_from_disk_serve_as_those_in_memory(tmp_path: Path) -> None:
    shop, memory = with_registry(tmp_path), open_shop()
    assert not shop.engine.refresh_models()
    for model in learned_models():
        shop.models.save(model)
    assert shop.engine.refresh_models()
    assert not shop.engine.refresh_models()
    reader = next(reader for reader in crowd() if not reader.child)
    for one in (shop, memory):
        one.live(reader)
    assert items_in(shop.decide(reader.id)) == items_in(memory.decide(reader.id))


def test_a_model_of_another_catalogue_is_not_served(tmp_path: Path) -> None:
    shop = Shop([Item(id=name, title=name) for name in "abc"])
    for model in learned_models():
        shop.models.save(model)
    with pytest.raises(StaleModel, match=r"another catalogue .* Run `tactful train`"):
        shop.engine.refresh_models()


def test_stores_from_before_the_models_can_be_opened_and_trained_anew() -> None:
    """As after putting back an older copy, whose catalogue is shorter."""
    shop = Shop(shop_items()[:20], models=learned_models())
    with pytest.raises(NoModel, match="Run `tactful train`"):
        shop.decide(None)
    shop.train()
    assert items_in(shop.decide(None))


def test_new_items_after_training_disturb_nothing() -> None:
    shop = open_shop()
    before = items_in(shop.decide(None))
    shop.stores.items.put([Item(id=f"new-{number}", title="New") for number in range(50)])
    assert items_in(shop.decide(None)) == before
    shop.train()
    assert len(shop.engine.shelf().catalogue) == len(catalogue()) + 50


def test_a_decision_under_way_keeps_the_shelf_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a page, between two placements, new models come. The page is of one piece; the next has the new ones."""
    shop = open_shop()
    old = shop.models.current()
    propose: Callable[..., Any] = Popular.propose

    def swap_then_propose(self: Popular, *args: Any) -> Any:
        for model in learned_models():
            shop.models.save(structs.replace(model, manifest={**model.manifest, "note": "new"}))
        assert shop.engine.refresh_models() or swapped
        swapped.append(1)
        shop.stores.items.put([Item(id=f"late-{len(swapped)}", title="Late")])
        return propose(self, *args)

    swapped: list[int] = []
    monkeypatch.setattr(Popular, "propose", swap_then_propose)
    page = shop.page(None, ["home", "popular", "discover"])
    assert [answer.receipt.models for answer in page] == [old] * 3
    assert len({answer.receipt.catalogue for answer in page}) == 1
    monkeypatch.undo()
    assert shop.decide(None).receipt.models == shop.models.current() != old


def test_the_whole_crowd_is_learned_from_as_it_came_in() -> None:
    """Nothing is lost on the way from arrivals to columns."""
    shop = Shop()
    readers = [reader for reader in crowd()[:50] if not reader.child]
    for reader in readers:
        shop.live(reader)
    from tactful.wire import interactions_in

    columns = interactions_in(shop.engine)
    assert columns.people == len(readers)
    learnable = [one for reader in readers for one in arrivals_of(reader) if one.items[0] not in SENSITIVE]
    assert len(columns.row) == len(learnable)
    assert isinstance(shop.engine.profile(readers[0].id).observed[0], Interaction)


def test_nothing_is_learned_from_what_is_past_its_time_or_would_betray() -> None:
    days = charter().data["browsing"].retention_days
    people = [("a", [act(PLAIN[0], NOW - (days + 1) * DAY), act(SENSITIVE[0]), act(PLAIN[1])])]
    columns = interactions_of(people, {"a": consent()}, charter(), catalogue(), NOW)
    assert [catalogue().ids[row] for row in columns.row] == [PLAIN[1]]
    turned_on = consent(sensitive=tuple(charter().sensitive))
    columns = interactions_of(people, {"a": turned_on}, charter(), catalogue(), NOW)
    assert {catalogue().ids[row] for row in columns.row} == {PLAIN[1], SENSITIVE[0]}
