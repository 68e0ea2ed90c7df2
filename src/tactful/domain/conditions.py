"""Targeting conditions: what must hold of some facts, written as a table in the style of MongoDB queries.

The language is GrowthBook's (https://docs.growthbook.io/lib/build-your-own#conditions and .../features/targeting):
`{ country = "DE" }`, `{ "cart.total" = { "$gt" = 50 } }`, `{ "$or" = [...] }`. Nothing is evaluated as code. Patterns (`$regex`) run
in RE2 (https://github.com/google/re2/wiki/Syntax), whose time grows with the length of the text and nothing else, so that neither a
hostile text nor a careless pattern can hold up a decision; it knows no look-around and no back-references.

Where this differs from GrowthBook's JavaScript, on purpose: `1`, `"1"` and `true` are three things; what is not there is neither
smaller nor bigger than anything, and matches no pattern. A number and a text that reads as a number do compare (`$gt` and the like).

Facts may be *unknown* rather than absent: of what is unknown nothing holds, nor does its opposite (Kleene's logic of three values:
true, false, unknown). So a condition on a trait that a person keeps to themselves is never met by their silence.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import msgspec
from msgspec import Struct

DEPTH_MOST = 20
"""Tables within tables; deeper ones are refused at loading."""
PATTERN_MOST = 500
"""Characters of a pattern."""
TYPES = ("string", "number", "boolean", "array", "object", "null")

Groups = Mapping[str, Sequence[Any]]
"""Saved groups: lists of values by name."""
Holds = bool | None
"""Yes, no, or None: it cannot be told."""


class Problem(Struct, frozen=True):
    """Something wrong with a condition. path: where in it, dotted; why; fix."""

    path: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}. {self.fix}" if self.path else f"{self.why}. {self.fix}"


class _World(Struct, frozen=True):
    """What a condition is asked of."""

    facts: Mapping[str, Any]
    groups: Groups
    unknown: frozenset[str]


_Test = Callable[[_World], Holds]
_ValueTest = Callable[[Any, Groups], bool]


class Condition:
    """A condition ready to be asked. Immutable; two that are written alike are equal.

    raw: as it was written. paths: the facts that it names, dotted, in order.
    """

    __slots__ = ("_asked", "_key", "paths", "raw")

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.paths = tuple(dict.fromkeys(_paths(raw)))
        self._asked = _condition(raw)
        self._key = msgspec.json.encode(raw, order="deterministic")

    @staticmethod
    def of_setting(raw: Any) -> "Condition":
        """As it stands in a recipe. Raises ValueError with everything that is wrong with it."""
        wrong = check(raw)
        if wrong:
            raise ValueError("; ".join(map(str, wrong)))
        return Condition(raw)

    def holds(self, facts: Mapping[str, Any], groups: Groups | None = None, unknown: Iterable[str] = ()) -> bool:
        """Whether it holds for certain. unknown: top-level names under which a fact that is not there is unknown, not absent."""
        return self._asked(_World(facts, groups or {}, frozenset(unknown))) is True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return self._key.decode()


# ------------------------------------------------------------------------------------------------------------ all, any, not


def _condition(raw: Mapping[str, Any]) -> _Test:
    tests = [_LOGIC[key](value) if key in _LOGIC else _leaf(key, value) for key, value in raw.items()]
    return tests[0] if len(tests) == 1 else lambda world: _all(test(world) for test in tests)


def _all(answers: Iterable[Holds]) -> Holds:
    """No if one says no; else unknown if one is; else yes."""
    whole: Holds = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            whole = None
    return whole


def _not(answer: Holds) -> Holds:
    return None if answer is None else not answer


def _any(answers: Iterable[Holds]) -> Holds:
    return _not(_all(_not(answer) for answer in answers))


def _each(raw: Any) -> list[_Test]:
    return [_condition(one) for one in raw] if _is_list(raw) else [lambda _: False]


def _and(raw: Any) -> _Test:
    tests = _each(raw)
    return lambda world: _all(test(world) for test in tests)


def _or(raw: Any) -> _Test:
    """One of them holds; of none at all, as GrowthBook has it, that is true."""
    tests = _each(raw)
    return lambda world: _any(test(world) for test in tests) if tests else True


def _nor(raw: Any) -> _Test:
    some = _or(raw)
    return lambda world: _not(some(world))


def _opposite(raw: Any) -> _Test:
    test = _condition(raw)
    return lambda world: _not(test(world))


_LOGIC: dict[str, Callable[[Any], _Test]] = {"$and": _and, "$or": _or, "$nor": _nor, "$not": _opposite}


def _leaf(path: str, wanted: Any) -> _Test:
    """One fact and what it must be."""
    keys, test = path.split("."), _value(wanted)

    def leaf(world: _World) -> Holds:
        found: Any = world.facts
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                if keys[0] in world.unknown:
                    return None
                found = None
                break
            found = found[key]
        return test(found, world.groups)

    return leaf


# ---------------------------------------------------------------------------------------------------------------- one value


def _value(wanted: Any) -> _ValueTest:
    if not _has_operators(wanted):
        return lambda value, groups: _same(value, wanted)
    tests = [_OPERATORS[name](to) if name in _OPERATORS else _never for name, to in wanted.items()]
    return tests[0] if len(tests) == 1 else lambda value, groups: all(test(value, groups) for test in tests)


def _has_operators(wanted: Any) -> bool:
    return isinstance(wanted, Mapping) and bool(wanted) and all(str(key).startswith("$") for key in wanted)


def _never(value: Any, groups: Groups) -> bool:
    return False


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: `true` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def _folded(value: Any) -> Any:
    """Without capitals, where it is text."""
    if _is_list(value):
        return [_folded(one) for one in value]
    return value.casefold() if isinstance(value, str) else value


def _as_it_is(value: Any) -> Any:
    return value


def _in(change: Callable[[Any], Any] = _as_it_is) -> Callable[[Any], _ValueTest]:
    """One of the wanted; of a list, at least one of it is."""

    def make(wanted: Any) -> _ValueTest:
        if not _is_list(wanted):
            return _never
        among = change(wanted)
        return lambda value, groups: _among(change(value), among)

    return make


def _among(value: Any, among: Sequence[Any]) -> bool:
    return any(_same(one, other) for one in (value if _is_list(value) else [value]) for other in among)


def _not_in(change: Callable[[Any], Any] = _as_it_is) -> Callable[[Any], _ValueTest]:
    def make(wanted: Any) -> _ValueTest:
        return _reversed(_in(change)(wanted)) if _is_list(wanted) else _never

    return make


def _every(change: Callable[[Any], Any] = _as_it_is) -> Callable[[Any], _ValueTest]:
    """The value is a list that has something for each of the wanted."""

    def make(wanted: Any) -> _ValueTest:
        if not _is_list(wanted):
            return _never
        tests = [_value(change(one)) for one in wanted]

        def test(value: Any, groups: Groups) -> bool:
            return _is_list(value) and all(any(one(change(piece), groups) for piece in value) for one in tests)

        return test

    return make


def _reversed(test: _ValueTest) -> _ValueTest:
    return lambda value, groups: not test(value, groups)


def _equal(wanted: Any) -> _ValueTest:
    return lambda value, groups: _same(value, wanted)


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any], _ValueTest]:
    def make(wanted: Any) -> _ValueTest:
        def test(value: Any, groups: Groups) -> bool:
            pair = _comparable(value, wanted)
            return pair is not None and holds(*pair)

        return test

    return make


def _comparable(one: Any, other: Any) -> tuple[Any, Any] | None:
    """The two as things of one kind, or None: two texts as they are, otherwise as numbers if both read as one."""
    if isinstance(one, str) and isinstance(other, str):
        return one, other
    first, second = _number(one), _number(other)
    return None if first is None or second is None else (first, second)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _there(wanted: Any) -> _ValueTest:
    return lambda value, groups: (value is not None) is bool(wanted)


def _type(wanted: Any) -> _ValueTest:
    return lambda value, groups: _type_of(value) == wanted


def _type_of(value: Any) -> str:
    """The name that JSON has for it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Mapping):
        return "object"
    if _is_list(value):
        return "array"
    return "null" if value is None else "string" if isinstance(value, str) else "number"


def _size(wanted: Any) -> _ValueTest:
    test = _value(wanted)
    return lambda value, groups: _is_list(value) and test(len(value), groups)


def _element(wanted: Any) -> _ValueTest:
    """One element of the list fits: operators are asked of the element itself, names of what is in it."""
    if not isinstance(wanted, Mapping):
        return _never
    if _has_operators(wanted) and not any(key in _LOGIC for key in wanted):
        of_value = _value(wanted)
        return lambda value, groups: _is_list(value) and any(of_value(one, groups) for one in value)
    within = _condition(wanted)
    return lambda value, groups: (
        _is_list(value)
        and any(within(_World(one, groups, frozenset())) is True for one in value if isinstance(one, Mapping))
    )


def _pattern(capitals: bool, found: bool) -> Callable[[Any], _ValueTest]:
    def make(wanted: Any) -> _ValueTest:
        search = searcher(wanted, capitals) if isinstance(wanted, str) else None
        if search is None:
            return _never
        return lambda value, groups: (isinstance(value, str) and search(value)) is found

    return make


@lru_cache(maxsize=256)
def searcher(pattern: str, capitals: bool = True) -> Callable[[str], bool] | None:
    """Whether a text holds the pattern somewhere, in time linear in the text; None if RE2 cannot read the pattern."""
    import re2

    options = re2.Options()
    options.log_errors, options.case_sensitive = False, capitals
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        return None
    return lambda text: compiled.search(text) is not None


def _version(holds: Callable[[Any, Any], bool], otherwise: bool = False) -> Callable[[Any], _ValueTest]:
    """Versions by their parts. otherwise: what to say of a value that is no version."""

    def make(wanted: Any) -> _ValueTest:
        than = _parts(wanted)
        if than is None:
            return _never

        def test(value: Any, groups: Groups) -> bool:
            parts = _parts(value)
            return otherwise if parts is None else holds(parts, than)

        return test

    return make


def _parts(version: Any) -> tuple[tuple[int, int | str], ...] | None:
    """What a version compares by, after https://semver.org, as loosely as GrowthBook has it: a leading v and the build do not count,
    numbers come before words, and a release (three parts) comes after what went before it (`-beta`)."""
    if isinstance(version, bool) or not isinstance(version, str | int | float):
        return None
    text = str(version).removeprefix("v").partition("+")[0]
    pieces = text.replace("-", ".").split(".")
    parts = [(0, int(piece)) if piece.isascii() and piece.isdigit() else (1, piece) for piece in pieces]
    return (*parts, (2, "")) if len(parts) == 3 else tuple(parts)


def _in_group(wanted: Any) -> _ValueTest:
    return lambda value, groups: _among(value, groups.get(wanted, ()))


def _opposite_value(wanted: Any) -> _ValueTest:
    return _reversed(_value(wanted))


_OPERATORS: dict[str, Callable[[Any], _ValueTest]] = {
    "$eq": _equal, "$ne": lambda wanted: _reversed(_equal(wanted)),
    "$lt": _ordered(lt), "$lte": _ordered(le), "$gt": _ordered(gt), "$gte": _ordered(ge),
    "$in": _in(), "$nin": _not_in(), "$ini": _in(_folded), "$nini": _not_in(_folded),
    "$all": _every(), "$alli": _every(_folded),
    "$exists": _there, "$type": _type, "$size": _size, "$elemMatch": _element, "$not": _opposite_value,
    "$regex": _pattern(True, True), "$regexi": _pattern(False, True),
    "$notRegex": _pattern(True, False), "$notRegexi": _pattern(False, False),
    "$veq": _version(eq), "$vne": _version(ne, True),
    "$vlt": _version(lt), "$vlte": _version(le), "$vgt": _version(gt), "$vgte": _version(ge),
    "$inGroup": _in_group, "$notInGroup": lambda wanted: _reversed(_in_group(wanted)),
}  # fmt: skip


OPERATORS = (*_LOGIC, *_OPERATORS)
"""All operators."""


def _paths(raw: Any) -> Iterator[str]:
    """The facts that a condition names."""
    for key, value in raw.items():
        if key == "$not":
            yield from _paths(value)
        elif key in _LOGIC:
            for one in value if _is_list(value) else ():
                yield from _paths(one)
        else:
            yield key


# ----------------------------------------------------------------------------------------------------------- what is wrong


def check(raw: Any, groups: Groups | None = None) -> list[Problem]:
    """Everything wrong with a condition, each with its path and what would mend it. groups: those that there are, if that is known."""
    return list(_wrong(raw, "", groups, 0))


def _wrong(raw: Any, path: str, groups: Groups | None, depth: int) -> Iterator[Problem]:
    if not isinstance(raw, Mapping):
        yield Problem(path, f"{raw!r} is no condition", 'Write a table, such as { country = "DE" }')
        return
    if depth > DEPTH_MOST:
        yield Problem(path, f"it is more than {DEPTH_MOST} tables deep", "Write it flatter")
        return
    for key, value in raw.items():
        at = f"{path}.{key}" if path else str(key)
        if key == "$not":
            yield from _wrong(value, at, groups, depth + 1)
        elif key in _LOGIC:
            yield from _wrong_list(value, at, groups, depth + 1)
        elif key.startswith("$"):
            yield Problem(
                at, f"{key} cannot stand here", _meant(key, _LOGIC, "Before an operator comes the name of a fact")
            )
        else:
            yield from _wrong_value(value, at, groups, depth + 1)


def _wrong_list(value: Any, at: str, groups: Groups | None, depth: int) -> Iterator[Problem]:
    if not _is_list(value) or not value:
        yield Problem(at, "it needs a list of conditions", "Write [{ ... }, { ... }]")
        return
    for number, one in enumerate(value):
        yield from _wrong(one, f"{at}.{number}", groups, depth)


def _wrong_value(wanted: Any, at: str, groups: Groups | None, depth: int) -> Iterator[Problem]:
    if not isinstance(wanted, Mapping):
        return
    if depth > DEPTH_MOST:
        yield Problem(at, f"it is more than {DEPTH_MOST} tables deep", "Write it flatter")
        return
    named = [key for key in wanted if key.startswith("$")]
    if named and len(named) < len(wanted):
        yield Problem(at, "it mixes operators and names", "Put operators ($...) alone in their table")
        return
    for name in named:
        yield from _wrong_operator(name, wanted[name], f"{at}.{name}", groups, depth)


def _wrong_operator(name: str, to: Any, at: str, groups: Groups | None, depth: int) -> Iterator[Problem]:
    if name not in _OPERATORS:
        yield Problem(
            at, f"there is no operator {name}", _meant(name, _OPERATORS, f"There are {', '.join(_OPERATORS)}")
        )
    elif name == "$not" or (name == "$size" and isinstance(to, Mapping)):
        yield from _wrong_value(to, at, groups, depth + 1)
    elif name == "$elemMatch" and isinstance(to, Mapping):
        inside = _wrong_value if _has_operators(to) and not any(key in _LOGIC for key in to) else _wrong
        yield from inside(to, at, groups, depth + 1)
    elif not _NEEDS[name][0](to):
        yield Problem(at, f"{to!r} is not what {name} takes", f"Give it {_NEEDS[name][1]}")
    elif name in ("$all", "$alli"):
        for number, one in enumerate(to):
            yield from _wrong_value(one, f"{at}.{number}", groups, depth + 1)
    elif name in ("$inGroup", "$notInGroup") and groups is not None and to not in groups:
        yield Problem(
            at, f"there is no group {to!r}", _meant(to, groups, f"There are: {', '.join(groups) or 'none yet'}")
        )


def _meant(name: str, names: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f"Perhaps {near[0]} is meant" if near else otherwise


def _is_pattern(to: Any) -> bool:
    return isinstance(to, str) and len(to) <= PATTERN_MOST and searcher(to) is not None


def _is_order(to: Any) -> bool:
    return isinstance(to, str) or _number(to) is not None


_LIST = (_is_list, "a list")
_ORDER = (_is_order, "a number or a text")
_PATTERN = (_is_pattern, f"a pattern of RE2 (no look-around, no back-reference), at most {PATTERN_MOST} characters")
_VERSION = (lambda to: isinstance(to, str) and any(map(str.isdigit, to)), 'a version as text, such as "1.2.3"')
_GROUP = (lambda to: isinstance(to, str), "the name of a group")
_ANYTHING = (lambda to: True, "anything")
_NEEDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "$eq": _ANYTHING, "$ne": _ANYTHING,
    **dict.fromkeys(("$lt", "$lte", "$gt", "$gte"), _ORDER),
    **dict.fromkeys(("$in", "$nin", "$ini", "$nini", "$all", "$alli"), _LIST),
    **dict.fromkeys(("$regex", "$regexi", "$notRegex", "$notRegexi"), _PATTERN),
    **dict.fromkeys(("$veq", "$vne", "$vlt", "$vlte", "$vgt", "$vgte"), _VERSION),
    **dict.fromkeys(("$inGroup", "$notInGroup"), _GROUP),
    "$exists": (lambda to: isinstance(to, bool), "true or false"),
    "$type": (lambda to: to in TYPES, f"one of {', '.join(TYPES)}"),
    "$size": (lambda to: isinstance(to, int) and not isinstance(to, bool) and to >= 0, "a number, or operators such as { \"$gt\" = 2 }"),
    "$elemMatch": (lambda to: False, "a table: operators, or names of what is in each element"),
}  # fmt: skip
