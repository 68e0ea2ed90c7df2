"""TOML → frozen values. A mistake is named with its file, line and field, and what would mend it."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tactful.domain.charter import Charter
from tactful.domain.errors import BadCharter, BadSettings, NotInitialised, TactfulError, place_and_reason
from tactful.domain.event import VERBS
from tactful.domain.placement import LIMIT_MOST, Page, Placement
from tactful.domain.receiver import Receiver
from tactful.domain.rules import problems, receiver_problems
from tactful.domain.topics import Topic, topic_problems
from tactful.domain.view import SURFACES

T = TypeVar("T")


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """host, port: where it listens. workers: processes that serve, beside the one that writes."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request may bring. body_kb: of a batch of events, rudder_body_kb: of one from RudderStack's clients; event_kb: of one event; rank_items: of one ranking; placements: of one page.

    cached_events: events of profiles that each worker keeps unsealed in memory, at about 300 bytes each.
    waiting_writes, waiting_mb: what each worker lets wait for the disk before it answers 429. bodies_mb: of request bodies under way
    in each worker. answer_s: seconds that the writer may be silent before whoever waits gets 503.
    """

    body_kb: int = 500
    rudder_body_kb: int = 4096
    items_body_kb: int = 20_000
    event_kb: int = 32
    rank_items: int = 1000
    placements: int = 20
    cached_events: int = 150_000
    waiting_writes: int = 2000
    waiting_mb: int = 64
    bodies_mb: int = 64
    answer_s: int = 10


class Segment(Struct, frozen=True, forbid_unknown_fields=True):
    """What the names that your Segment or RudderStack clients use mean here, on top of the specification's.

    events: your own `track` events → verb, or "" for one of the specification's that shall mean nothing. pages: names of pages and
    screens → verb with the item that they name; `"*"` for every page that names one. items: your own properties that name the item,
    looked at first. consent: category of your consent tool → purpose of the charter, or several.
    """

    events: dict[str, str] = {}
    pages: dict[str, str] = {}
    items: tuple[str, ...] = ()
    consent: dict[str, str | tuple[str, ...]] = {}


class Lake(Struct, frozen=True, forbid_unknown_fields=True):
    """purposes: what the lake is for; with at least one named, `tactful serve` keeps it up to date by itself. Needs the extra `lake`."""

    purposes: tuple[str, ...] = ()


class Personalize(Struct, frozen=True, forbid_unknown_fields=True):
    """For clients of Amazon Personalize. events: their event type → our verb, beside the usual ones. campaigns: ARN, or its last part →
    placement; others go by their last part. filters: ARN, or its last part → the guard that does what the filter did; it is accepted
    where the placement has that guard.
    """

    events: dict[str, str] = {}
    campaigns: dict[str, str] = {}
    filters: dict[str, str] = {}


class Gorse(Struct, frozen=True, forbid_unknown_fields=True):
    """For clients of Gorse. recommend, neighbors, popular, latest: the placement that answers; "" answers 501.

    labels: the trait under which a list of user labels is kept, if the charter declares it. feedback: their feedback type → our verb,
    beside the usual ones.
    """

    recommend: str = "home"
    neighbors: str = "related"
    popular: str = "popular"
    latest: str = ""
    labels: str = "labels"
    feedback: dict[str, str] = {}


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """attributes: attributes of items that are searched and suggested, beside title and text; empty takes all that hold words."""

    attributes: tuple[str, ...] = ()


class Taxonomy(Struct, frozen=True, forbid_unknown_fields=True):
    """All of taxonomy.toml."""

    topics: dict[str, Topic] = {}


class Explain(Struct, frozen=True, forbid_unknown_fields=True):
    """mute: attributes of an item by which a person can say that they want no more of it; `topics` for its topics, `item` for it alone."""

    mute: tuple[str, ...] = ("subjects", "author")


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All of tactful.toml. language: in which the reasons are said, unless a request asks for another. recipes: what placements share: one
    with `base = "NAME"` has all that stands in `[recipes.NAME]` (or in the placement NAME), and its own keys over that."""

    charter: str = "charter.toml"
    taxonomy: str = "taxonomy.toml"
    language: str = "en"
    server: Server = Server()
    limits: Limits = Limits()
    recipes: dict[str, dict[str, Any]] = {}
    placements: dict[str, Placement] = {}
    pages: dict[str, Page] = {}
    segment: Segment = Segment()
    receivers: dict[str, Receiver] = {}
    lake: Lake = Lake()
    personalize: Personalize = Personalize()
    gorse: Gorse = Gorse()
    search: Search = Search()
    explain: Explain = Explain()


def read_settings(home: Path) -> Settings:
    """tactful.toml of an installation. Raises NotInitialised or BadSettings."""
    path = home / "tactful.toml"
    if not path.exists():
        raise NotInitialised(path=home)
    settings = _read(path, Settings, BadSettings, _with_bases)
    server, limits = settings.server, settings.limits
    ranges = [("server.workers", server.workers, 1, 64), ("server.port", server.port, 0, 65_535)]
    ranges += [(f"limits.{name}", getattr(limits, name), 1, 1 << 40) for name in limits.__struct_fields__]
    for field, value, least, most in ranges:
        if not least <= value <= most:
            raise _error(BadSettings, path, field, f"{value} is out of range", f"Choose {least} to {most:,}")
    for name, placement in settings.placements.items():
        at = f"placements.{name}"
        if not 1 <= placement.limit <= LIMIT_MOST:
            raise _error(
                BadSettings, path, f"{at}.limit", f"{placement.limit} is out of range", f"Choose 1 to {LIMIT_MOST}"
            )
        if not 0 <= placement.given <= 1:
            raise _error(
                BadSettings, path, f"{at}.given", f"{placement.given} is out of range", "Choose a share from 0 to 1"
            )
        if placement.surface not in SURFACES:
            raise _error(
                BadSettings,
                path,
                f"{at}.surface",
                f"{placement.surface!r} is no surface",
                f"Use one of {', '.join(SURFACES)}",
            )
    for field, why, fix in _wrong_words(settings):
        raise _error(BadSettings, path, field, why, fix)
    return settings


def check_consent(home: Path, segment: Segment, charter: Charter) -> None:
    """Whether the categories of the consent tool stand for purposes that there are. Raises BadSettings."""
    for category, to in segment.consent.items():
        for purpose in (to,) if isinstance(to, str) else to:
            if purpose not in charter.purposes:
                why, fix = f"the charter has no purpose {purpose!r}", f"It has {', '.join(charter.purposes)}"
                raise _error(BadSettings, home / "tactful.toml", f"segment.consent.{category}", why, fix)


def _wrong_words(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """(field, why, fix) of each foreign word that is translated into one that we do not have."""
    spoken = {
        "segment.events": settings.segment.events, "segment.pages": settings.segment.pages,
        "personalize.events": settings.personalize.events, "gorse.feedback": settings.gorse.feedback,
    }  # fmt: skip
    for table, words in spoken.items():
        for word, verb in words.items():
            if verb not in VERBS and (verb or not table.startswith("segment")):
                yield f"{table}.{word}", f"{verb!r} is no verb", f"Use one of {', '.join(VERBS)}"
    for campaign, placement in settings.personalize.campaigns.items():
        if placement not in settings.placements:
            names = ", ".join(settings.placements) or "none yet"
            yield f"personalize.campaigns.{campaign}", f"no placement is called {placement!r}", f"There are: {names}"


def read_charter(path: Path) -> Charter:
    """The charter. Raises BadCharter at the first broken rule, with the reason."""
    if not path.exists():
        raise BadCharter(
            path=path, line=0, field="file", why="it does not exist", fix="`tactful init` writes one to start from"
        )
    charter = _read(path, Charter, BadCharter)
    for field, why, fix in (*problems(charter), *topic_problems(charter.topics)):
        raise _error(BadCharter, path, field, why, fix)
    return charter


def with_taxonomy(charter: Charter, home: Path, name: str) -> Charter:
    """The charter with the topics of taxonomy.toml, if there is one. Raises BadSettings at the first mistake."""
    path = home / name
    if not path.exists():
        if name == Settings().taxonomy:
            return charter
        raise _error(
            BadSettings, home / "tactful.toml", "taxonomy", f"there is no {path}", "Write it, or leave this out"
        )
    topics = {**charter.topics, **_read(path, Taxonomy, BadSettings).topics}
    for twice in charter.topics:
        if topics[twice] is not charter.topics[twice]:
            why = "it stands in the charter too"
            raise _error(BadSettings, path, f"topics.{twice}", why, "Declare each topic once")
    for field, why, fix in topic_problems(topics):
        raise _error(BadSettings, path, field, why, fix)
    return msgspec.structs.replace(charter, topics=topics)


def check_outside(home: Path, settings: Settings, charter: Charter) -> None:
    """Raises BadSettings where a receiver or the lake breaks a hard rule."""
    for name, receiver in settings.receivers.items():
        for field, why, fix in receiver_problems(name, receiver, charter):
            raise _error(BadSettings, home / "tactful.toml", field, why, fix)
    for purpose in settings.lake.purposes:
        if purpose not in charter.purposes:
            why, fix = f"there is no [purposes.{purpose}]", f"Use some of {', '.join(charter.purposes) or 'none'}"
            raise _error(BadSettings, home / "tactful.toml", "lake.purposes", why, fix)


def read_table(path: Path) -> dict[str, Any]:
    """Any TOML file. Raises BadSettings."""
    return _read(path, dict[str, Any], BadSettings)


def wrong(path: Path, field: str, why: str, fix: str) -> TactfulError:
    """The error for a mistake at a dotted key of a TOML file."""
    return _error(BadSettings, path, field, why, fix)


def check_pages(home: Path, settings: Settings) -> None:
    """Raises BadSettings where a page names a row that no placement fills, or one row twice."""
    for name, page in settings.pages.items():
        wrong = ""
        named = [row.placement for row in page.candidates]
        for placement in named:
            if placement not in settings.placements:
                wrong = (
                    f"no placement is called {placement!r}; there are {', '.join(settings.placements) or 'none yet'}"
                )
            elif named.count(placement) > 1:
                wrong = f"{placement!r} stands in it twice"
        if not named or not 0 <= page.show <= len(named):
            wrong = f"it has {len(named)} rows, and shows {page.show} of them"
        if wrong:
            fix = "Name each placement once, and show as many as there are at most"
            raise _error(BadSettings, home / "tactful.toml", f"pages.{name}.rows", wrong, fix)


def bad_recipe(home: Path, where: str, mistake: Exception) -> TactfulError:
    """The error for a placement whose parts could not be built. where: dotted keys of the recipe."""
    if isinstance(mistake, msgspec.ValidationError):
        field, why = _field_and_reason(str(mistake))
        if named := re.match(r"(\w+): ", why):  # a setting that is out of bounds says so itself
            field, why = f"{field}.{named.group(1)}".lstrip("."), why[named.end() :]
        return _error(
            BadSettings,
            home / "tactful.toml",
            ".".join(filter(None, (where, field))),
            why,
            "See docs/reference.md for its settings",
        )
    return _error(BadSettings, home / "tactful.toml", where, str(mistake).rstrip("."), "Correct `use`")


def _with_bases(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """The settings with each placement's `base` laid under it. Raises BadSettings for a base that is not there, or leads back to itself."""
    placements, shared = data.get("placements", {}), data.get("recipes", {})
    if not isinstance(placements, dict) or not isinstance(shared, dict):
        return data  # the types will say what is wrong
    whole = {name: _based(name, placements, shared, path) for name in placements}
    return {**data, "placements": whole}


def _based(name: str, placements: dict[str, Any], shared: dict[str, Any], path: Path) -> Any:
    """A placement's own keys over those of its base, over those of its base's base ..."""
    found, at, met = placements[name], f"placements.{name}", [name]
    while isinstance(found, dict) and "base" in found:
        base = found["base"]
        under = shared.get(base, placements.get(base)) if isinstance(base, str) else None
        if under is None:
            names = ", ".join([*shared, *(other for other in placements if other != name)]) or "none yet"
            fix = f"Use one of {names}, or write [recipes.{base}]"
            raise _error(BadSettings, path, f"{at}.base", f"no recipe or placement is called {base!r}", fix)
        if base in met:
            why = f"{' → '.join([*met, base])} leads back to itself"
            raise _error(BadSettings, path, f"{at}.base", why, "Let one of them stand on its own")
        met.append(base)
        found = {**under, **{key: value for key, value in found.items() if key != "base"}}
    return found


def _read(
    path: Path,
    kind: type[T],
    error: type[TactfulError],
    prepare: Callable[[dict[str, Any], Path], dict[str, Any]] | None = None,
) -> T:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as mistake:
        line = path.read_bytes()[: mistake.start].count(b"\n") + 1
        raise error(path=path, line=line, field="encoding", why="it is not UTF-8", fix="Save it as UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as mistake:
        found = re.search(r"line (\d+)", str(mistake))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise error(path=path, line=line, field="syntax", why=str(mistake), fix="Correct the TOML there") from None
    if prepare is not None:
        data = prepare(data, path)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as mistake:
        field, why = _field_and_reason(_with_its_key(str(mistake), data, kind))
        near = difflib.get_close_matches(field.rpartition(".")[2], _names(kind), 1)
        fix = "See docs/reference.md for what belongs there"
        if near and "unknown" in why:
            fix = f"Perhaps {near[0]!r} is meant"
        raise _error(error, path, field, why, fix) from None


def _with_its_key(message: str, data: dict[str, Any], kind: type) -> str:
    """msgspec says `$.data[...].kind` of any entry in a table of tables; here with the entry's name: `$.data.browsing.kind`."""
    named = message
    while found := re.search(r"`\$\.([\w.-]+)\[\.\.\.\]", named):
        keys = found.group(1).split(".")
        table: Any = data
        for key in keys:
            table = table.get(key) if isinstance(table, dict) else None
        guilty = None
        if isinstance(table, dict):
            alone = ((key, _narrowed(data, keys, {key: entry})) for key, entry in table.items())
            guilty = next(((key, rest) for key, rest in alone if _complaint(rest, kind) == message), None)
        if guilty is None:
            break
        key, data = guilty
        named = named.replace("[...]", f".{key}", 1)
    return named


def _narrowed(data: dict[str, Any], keys: list[str], table: dict[str, Any]) -> dict[str, Any]:
    """The same data with this table in place of the one at these keys."""
    return {**data, keys[0]: _narrowed(data[keys[0]], keys[1:], table) if keys[1:] else table}


def _complaint(data: dict[str, Any], kind: type) -> str:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as mistake:
        return str(mistake)
    return ""


def _field_and_reason(message: str) -> tuple[str, str]:
    """msgspec's "... - at `$.a.b`", and its "unknown field `c`", as ("a.b.c", reason)."""
    field, why = place_and_reason(message)
    return re.sub(r"\[(\.\.\.|\d+)\]", "", field), why


def _error(kind: type[TactfulError], path: Path, field: str, why: str, fix: str) -> TactfulError:
    line = line_of(path.read_text(encoding="utf-8"), field)
    return kind(path=path, line=line, field=field, why=why, fix=fix.rstrip("."))


def line_of(text: str, field: str) -> int:
    """The line, from 1, where a dotted key stands in a TOML text; the nearest table's line if the key itself is not found."""
    keys = field.split(".")
    best = 1
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?([^\]]+)\]", line)
        if header:
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            if keys[: len(table)] == table:
                best = number
            continue
        key = re.match(r"\s*([\w\-\"'. ]+?)\s*=", line)
        if key:
            full = table + [part.strip("\"'") for part in key.group(1).split(".")]
            if keys[: len(full)] == full:
                best = number
                if len(full) == len(keys):
                    return number
    return best


def _names(kind: Any, seen: set[Any] | None = None) -> list[str]:
    """All field names of a Struct and of the Structs inside it."""
    seen = set() if seen is None else seen
    names: list[str] = []
    for field in msgspec.structs.fields(kind) if isinstance(kind, type) and issubclass(kind, Struct) else ():
        names.append(field.name)
        for inner in (field.type, *getattr(field.type, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, Struct) and inner not in seen:
                seen.add(inner)
                names += _names(inner, seen)
    return names
