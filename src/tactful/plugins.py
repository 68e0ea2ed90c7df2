"""File name = plug-in name. A new strategy, guard or arranger is one new file; outsiders use an entry point of the same group."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

import msgspec

from tactful.domain.errors import UnknownPlugin
from tactful.ports import Arranger, Guard, Strategy

ROOMS: dict[type, str] = {Strategy: "strategies", Guard: "guards", Arranger: "arrangers"}
T = TypeVar("T")


def available(kind: type) -> list[str]:
    """The names of all plug-ins of a kind (Strategy, Guard or Arranger)."""
    room = importlib.import_module(f"tactful.{ROOMS[kind]}")
    own = [module.name for module in pkgutil.iter_modules(room.__path__)]
    return sorted({*own, *_outside(ROOMS[kind])})


@cache
def _outside(room: str) -> dict[str, EntryPoint]:
    """Plug-ins that other packages bring, by name. Looked for once: it means reading what every installed package says of itself."""
    return {entry.name: entry for entry in entry_points(group=f"tactful.{room}")}


def name_of(part: object) -> str:
    """The plug-in's name: what `use` calls it."""
    return type(part).__module__.rpartition(".")[2]


def load(kind: type[T], name: str) -> type[T]:
    """The plug-in's class: the one subclass of the kind that its file defines. Raises UnknownPlugin, which lists what there is."""
    room = ROOMS[kind]
    if name in available(kind):
        if name in _outside(room):
            outside: type[T] = _outside(room)[name].load()
            return outside
        module = importlib.import_module(f"tactful.{room}.{name}")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, kind) and thing.__module__ == module.__name__:
                return thing
    raise UnknownPlugin(kind=kind.__name__.lower(), name=name, room=room, available=", ".join(available(kind)))


def build(kind: type[T], recipe: Mapping[str, Any]) -> T:
    """A plug-in with its settings. recipe: `use`, the plug-in's name, and its fields; parts inside it are built the same way.

    Raises UnknownPlugin, or msgspec.ValidationError naming the field.
    """
    settings = dict(recipe)
    name = settings.pop("use", None)
    if not isinstance(name, str):
        raise msgspec.ValidationError(
            f"a {kind.__name__.lower()} needs `use`, the name of one of: {', '.join(available(kind))}"
        )
    return msgspec.convert(settings, load(kind, name), dec_hook=_part)


def _part(kind: type, recipe: Any) -> Any:
    read = getattr(kind, "of_setting", None)  # a kind of setting that knows how it is written
    if read is not None:
        return read(recipe)
    if kind not in ROOMS or not isinstance(recipe, dict):
        raise msgspec.ValidationError(f"expected a table with `use`, got {recipe!r}")
    return build(kind, recipe)
