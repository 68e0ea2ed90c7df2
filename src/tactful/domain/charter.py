"""The charter: what this installation may know, for what, for how long; and what it never does."""

from functools import cached_property

from msgspec import Struct

from tactful.domain.catalogue import Catalogue, Proxy
from tactful.domain.event import Value
from tactful.domain.topics import Topic


class Purpose(Struct, frozen=True, forbid_unknown_fields=True):
    """Something data may be used for. words: for a ten-year-old; use: of the fideslang taxonomy; basis: the legal one."""

    words: str
    use: str
    basis: str = "consent"


class Type(Struct, frozen=True, forbid_unknown_fields=True):
    """What a trait or an event's field is, so that what cannot be true is not taken for true.

    type: text, number, whole, yes_no, date, moment, birth_year, language, country, money, amount or list. of: what a list's pieces are (text,
    language, country or date). unit: of an amount, the one it is kept in (`cm`, `kg`, `min`); of money, the one currency taken ("": any).
    least, most: what lies outside is impossible; of text they count characters, of a list pieces; of dates they are dates. one_of: all that it can be.
    fresh_days: a trait older than this is withheld as stale (0: never). fill: what to assume where nothing is known; marked, never shown as a fact.
    """

    type: str = "text"
    unit: str = ""
    of: str = "text"
    least: int | float | str | None = None
    most: int | float | str | None = None
    one_of: tuple[str, ...] = ()
    fresh_days: int = 0
    fill: Value = None


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of data that may be kept, and sealed under a key of its own, so that it can be forgotten on its own.

    words: completes "we keep ...". category: of the fideslang taxonomy. kind: observed, told, obtained or inferred.
    verbs: interactions kept under it (observed). traits: names of traits kept under it. fields: event properties kept along.
    sensitive: the sensitive category it belongs to, or "". surfaces: where it may be used. types: what its traits or fields are, by name
    (`value`: what an interaction is worth, such as stars); what is not in it is taken as it comes.
    """

    words: str
    category: str
    kind: str
    purposes: tuple[str, ...]
    retention_days: int
    verbs: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    sensitive: str = ""
    surfaces: tuple[str, ...] = ("private",)
    types: dict[str, Type] = {}


class Sensitive(Struct, frozen=True, forbid_unknown_fields=True):
    """A category of which nothing is concluded until the person turns it on. proxies: items that would give it away."""

    words: str
    proxies: tuple[Proxy, ...] = ()


class Children(Struct, frozen=True, forbid_unknown_fields=True):
    """age: below it a person is a child. unknown_age_is_child: presume so. audiences: what a child may be shown."""

    age: int = 16
    unknown_age_is_child: bool = False
    audiences: tuple[str, ...] = ("children", "everyone")


class Charter(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One TOML file. A charter that breaks a hard rule does not load (see `problems`).

    topics: what items can be about; usually they stand in taxonomy.toml.
    """

    operator: str
    version: str
    contact: str
    purposes: dict[str, Purpose]
    data: dict[str, Data]
    sensitive: dict[str, Sensitive] = {}
    children: Children = Children()
    guards_always: tuple[str, ...] = ("sensitive", "children", "availability")
    visit_minutes: int = 30
    never: tuple[str, ...] = ()
    topics: dict[str, Topic] = {}

    @cached_property
    def of_verb(self) -> dict[str, str]:
        """The data entry that keeps each verb."""
        return {verb: name for name, data in self.data.items() for verb in data.verbs}

    @cached_property
    def of_trait(self) -> dict[tuple[str, str], str]:
        """The data entry that keeps each (kind, trait)."""
        return {(data.kind, trait): name for name, data in self.data.items() for trait in data.traits}

    @cached_property
    def types_of_verb(self) -> dict[str, dict[str, Type]]:
        """What the fields kept with each verb are, by name; verbs without any are left out."""
        return {verb: data.types for data in self.data.values() if data.types for verb in data.verbs}

    @cached_property
    def types_of_trait(self) -> dict[tuple[str, str], Type]:
        """What each (kind, trait) is."""
        return {(data.kind, trait): kind for data in self.data.values() for trait, kind in data.types.items()}

    @cached_property
    def fills(self) -> tuple[tuple[str, str, Value], ...]:
        """(data entry, trait, what to assume) of all traits that may be filled."""
        return tuple(
            (name, trait, kind.fill)
            for name, data in self.data.items()
            for trait, kind in data.types.items()
            if kind.fill is not None
        )

    @cached_property
    def answers(self) -> dict[tuple[tuple[str, ...], frozenset[str], frozenset[str]], tuple[str, ...]]:
        """For the gate: the purposes that follow from (an entry's purposes, granted, refused), worked out once each."""
        return {}

    @property
    def visit_ms(self) -> int:
        """A visit ends after so many milliseconds without an event."""
        return self.visit_minutes * 60_000

    def empty_catalogue(self) -> Catalogue:
        """A catalogue without items yet, which knows what gives each sensitive category away and what each topic brings along."""
        return Catalogue(self.proxies, self.topics)

    @property
    def proxies(self) -> dict[str, tuple[Proxy, ...]]:
        """For the catalogue: the items that give each sensitive category away."""
        return {name: sensitive.proxies for name, sensitive in self.sensitive.items()}


KINDS = ("observed", "told", "obtained", "inferred")
BASES = ("consent", "contract", "legitimate_interest", "legal_obligation")
