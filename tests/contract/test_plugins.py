"""Every strategy, guard and arranger that there is passes the suite of its kind. No list to edit: what is found is tested."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tactful.strategies
from tactful.contracts import ArrangerContract, GuardContract, StrategyContract
from tactful.domain.errors import UnknownPlugin
from tactful.plugins import ROOMS, available, build, load
from tactful.ports import Arranger, Guard, Strategy
from tests.shop import PLAIN, Shop, items_in, placement

EXAMPLES: dict[str, dict[str, Any]] = {
    "blend": {"of": [{"strategy": {"use": "item_transitions"}}, {"weight": 0.3, "strategy": {"use": "interests"}}]},
    "cascade": {"of": [{"strategy": {"use": "item_transitions"}}, {"weight": 0.5, "strategy": {"use": "similar"}}]},
    "interleave": {
        "of": [
            {"weight": 2.0, "strategy": {"use": "similar"}},
            {"strategy": {"use": "item_transitions"}},
            {"strategy": {"use": "popular"}},
        ]
    },
    "fallback": {"of": [{"use": "item_transitions"}, {"use": "interests"}, {"use": "popular"}]},
    "calibrated": {"attribute": "subjects"},
    "diverse": {"attribute": "author"},
    "curated": {"name": "weekend"},
    "fair": {"attribute": "author"},
    "disliked": {"attribute": "author", "most": 2},
    "rules": {
        "segments": [{"name": "sailors", "when": {"traits.interests": {"$in": ["sea"]}}}],
        "rules": [
            {"segment": "sailors", "show": {"subjects": {"$in": ["sea"]}}},
            {
                "when": {"traits.interests": {"$size": 1}, "context.hour": 7},
                "show": {"author": "author 3"},
                "weight": 0.5,
            },
            {"when": {"$not": {"traits.interests": "sea"}}, "items": ["book-9", "gone"]},
            {"when": {"context.hour": {"$lt": 12}}, "items": ["book-4", "book-8"]},
            {"items": ["book-30"], "weight": 0.1, "words": "The house likes it"},
        ],
    },
    "contextual": {"fits": {"device": {"phone": {"subjects": ["sea"]}}, "daypart": {"night": {"author": "author 3"}}}},
    "kept_list": {"trait": "weekly"},
}
"""Settings for plug-ins that cannot do without. All others are built from their defaults."""

SUITES: dict[type, type] = {Strategy: StrategyContract, Guard: GuardContract, Arranger: ArrangerContract}


def made(kind: type, name: str) -> Any:
    return build(kind, {"use": name, **EXAMPLES.get(name, {})})


def suite_for(kind: type, name: str) -> type:
    """The suite of a kind, as the test of one plug-in."""
    return type(f"Test_{name}", (SUITES[kind],), {"make": lambda self: made(kind, name), "__module__": __name__})


globals().update({f"Test_{name}": suite_for(kind, name) for kind in ROOMS for name in available(kind)})


def test_there_is_something_of_each_kind_and_a_suite_for_it() -> None:
    assert set(SUITES) == set(ROOMS)
    assert all(available(kind) for kind in ROOMS)
    assert {f"Test_{name}" for kind in ROOMS for name in available(kind)} <= set(globals())


def test_a_blend_may_hold_blends() -> None:
    """Things of the same age in different strategies are not one another's elders, however deep they nest."""
    inner = {"use": "blend", "of": [{"strategy": {"use": "item_transitions"}}, {"strategy": {"use": "similar"}}]}
    nested = {
        "use": "blend",
        "of": [
            {"strategy": inner},
            {"strategy": {"use": "similar", "half_life": 1.0, "model": "s"}},
            {"strategy": inner},
        ],
    }
    suite = StrategyContract()
    suite.make = lambda: build(Strategy, nested)  # type: ignore[method-assign]
    suite.test_its_evidence_knows_what_would_be_without_each_thing_known()
    suite.test_its_evidence_is_of_items_that_there_are_and_adds_up()


@pytest.mark.parametrize("kind", ROOMS, ids=ROOMS.values())
def test_what_is_misspelt_is_named_with_what_there_is(kind: type) -> None:
    with pytest.raises(UnknownPlugin, match=available(kind)[0]):
        load(kind, "no such thing")
    with pytest.raises(msgspec.ValidationError, match="needs `use`"):
        build(kind, {})
    name = available(kind)[0]
    with pytest.raises(msgspec.ValidationError, match="no_such_setting"):
        build(kind, {"use": name, **EXAMPLES.get(name, {}), "no_such_setting": 1})


def test_a_part_that_is_no_table_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="expected a table with `use`"):
        build(Strategy, {"use": "blend", "of": [{"strategy": "similar"}]})


SETTINGS = [
    (kind, name, field.name, bad)
    for kind in ROOMS
    for name in available(kind)
    for field in msgspec.structs.fields(load(kind, name))
    if field.type in (int, float)
    for bad in ((-1, 10**12) if field.type is int else (-1.0, math.nan, math.inf))
]
"""Every number that a plug-in can be given, with some that make no sense for any of them."""
SENSELESS: list[tuple[type, dict[str, Any], str]] = [
    *((Strategy, {"use": name, "of": []}, "of") for name in ("blend", "cascade", "interleave", "fallback")),
    *((Strategy, {"use": name, "of": [{"weight": 0, "strategy": {"use": "recent"}}]}, "of") for name in ("blend", "cascade", "interleave")),
    (Strategy, {"use": "blend", "of": [{"weight": math.nan, "strategy": {"use": "recent"}}]}, "weight"),
    *(
        (Strategy, {"use": name, "half_life": 0}, "half_life")
        for name in ("recent", "similar", "item_transitions", "session", "unfinished", "unseen", "surprise", "together")
    ),
    *((Strategy, {"use": name, "most": 0}, "most") for name in ("popular", "trending", "search", "interests", "similar")),
    (Strategy, {"use": "item_transitions", "gap": 0}, "gap"),
    (Strategy, {"use": "session", "about": 1.5}, "about"),
    (Strategy, {"use": "popular", "half_life_days": 0}, "half_life_days"),
    (Strategy, {"use": "surprise", "known": 1.1}, "known"),
    (Strategy, {"use": "trending", "recent_days": 50}, "usual_days"),
    (Strategy, {"use": "together", "verbs": ["buys"]}, "verbs"),
    (Strategy, {"use": "unfinished", "begun": ["bgan"]}, "begun"),
    (Strategy, {"use": "rules", "rules": []}, "rules"),
    (Strategy, {"use": "kept_list", "trait": "weekly", "share": 0}, "share"),
    (Guard, {"use": "frequency_cap", "most": 0}, "most"),
    (Guard, {"use": "already_have", "verbs": ["boght"]}, "verbs"),
    (Arranger, {"use": "exploring", "share": 1.01}, "share"),
    (Arranger, {"use": "diverse", "attribute": ""}, "attribute"),
    (Arranger, {"use": "diverse", "attribute": "author", "most": 0}, "most"),
    (Arranger, {"use": "calibrated", "attribute": "a", "alpha": 1}, "alpha"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "field", "bad"), SETTINGS)
def test_a_number_that_makes_no_sense_is_refused_by_name(kind: type, name: str, field: str, bad: float) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"^{field}: .*use a number"):
        build(kind, {"use": name, **EXAMPLES.get(name, {}), field: bad})


@pytest.mark.parametrize(("kind", "recipe", "field"), SENSELESS)
def test_what_would_leave_a_row_empty_or_fail_is_refused_by_name(
    kind: type, recipe: dict[str, Any], field: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"^{field}: "):
        build(kind, recipe)


NEW_STRATEGY = '''
"""The last items first."""

import numpy as np
from msgspec import Struct

from tactful.domain.decision import Ask, Evidence, Source
from tactful.domain.view import View
from tactful.learn.neighbours import single
from tactful.ports import Shelf, Strategy


class Newest(Strategy, Struct, frozen=True, forbid_unknown_fields=True):
    """most: items proposed."""

    most: int = 5

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        """The higher its row, the better."""
        rows = np.arange(len(shelf.catalogue), dtype=np.int32)[-self.most :]
        return single(rows, (rows + 1).astype(np.float32), [Source("popular", "newest")], np.zeros(len(rows), np.int32))
'''


def test_a_new_strategy_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "newest.py").write_text(NEW_STRATEGY)
    monkeypatch.setattr(tactful.strategies, "__path__", [*tactful.strategies.__path__, str(tmp_path)])
    assert "newest" in available(Strategy)
    shop = Shop(
        placements={
            "home": placement({"use": "newest", "most": 3}),
            "mixed": placement({"use": "blend", "of": [{"strategy": {"use": "newest"}}]}),
        }
    )
    ids = shop.engine.shelf().catalogue.ids
    permitted = [item for item in reversed(ids[-3:]) if item in PLAIN]
    assert items_in(shop.decide(None)) == permitted
    assert items_in(shop.decide(None, "mixed"))[: len(permitted)] == permitted
    suite = suite_for(Strategy, "newest")()
    for name in dir(suite):
        if name.startswith("test_"):
            getattr(suite, name)()
