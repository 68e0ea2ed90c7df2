"""What things are about: a tree of topics, in which what is sensitive, or not for everybody, is so for all below it."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from tactful.domain.item import AUDIENCES

_STRICTNESS = {"children": 0, "everyone": 1, "unrated": 2, "adults": 3}
_NAMED = {strictness: audience for audience, strictness in _STRICTNESS.items()}


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """A topic of taxonomy.toml. words: what people read. parent: the topic above ("": the one that its id names before its last slash,
    if there is such a one). sensitivity: sensitive categories that an interest in it betrays; audience: who it suits ("": unsaid).
    Both hold for every topic below, and for the items.
    """

    words: str = ""
    parent: str = ""
    sensitivity: tuple[str, ...] = ()
    audience: str = ""


class Inherited(Struct, frozen=True):
    """What a topic passes on. above: itself and its ancestors, nearest first. audience: "" if nobody said."""

    above: tuple[str, ...] = ()
    sensitivity: tuple[str, ...] = ()
    audience: str = ""


NOTHING = Inherited()


class Topics:
    """A taxonomy that is known to be a tree (`topic_problems`), asked again and again."""

    def __init__(self, topics: Mapping[str, Topic] | None = None) -> None:
        self.topics = dict(topics or {})
        self._known: dict[str, Inherited] = {}

    def above(self, topic: str) -> str:
        """The topic above this one, declared or named by the id; "" if it is a root.

        A topic that nobody declared lies below the nearest declared one that its id names: `health/new` below `health`.
        """
        declared = self.topics.get(topic)
        if declared is not None and declared.parent:
            return declared.parent
        name = topic
        while "/" in name:
            name = name.rpartition("/")[0]
            if name in self.topics:
                return name
        return ""

    def inherited(self, topic: str) -> Inherited:
        """What an item is by this topic: at least as sensitive as any topic above it, and never for more people."""
        found = self._known.get(topic)
        if found is None:
            parent = self.above(topic)
            upper = self.inherited(parent) if parent else NOTHING
            own = self.topics.get(topic, Topic())
            found = Inherited(
                (topic, *upper.above),
                tuple(dict.fromkeys((*own.sensitivity, *upper.sensitivity))),
                strictest(filter(None, (own.audience, upper.audience))),
            )
            if len(self._known) < 100_000:  # whoever invents topics fills no memory
                self._known[topic] = found
        return found

    def sensitivity(self, topics: Iterable[str]) -> tuple[str, ...]:
        """The sensitive categories of these topics, those above included."""
        return tuple(dict.fromkeys(name for topic in topics for name in self.inherited(topic).sensitivity))

    def audience(self, own: str, topics: Iterable[str]) -> str:
        """Who an item suits: what it says itself, or all its topics say, whichever is stricter.

        An item that says nothing is rated by its topics only if every one of them is.
        """
        said = [self.inherited(topic).audience for topic in topics]
        if own == "unrated" and said:
            return strictest(audience or "unrated" for audience in said)
        return strictest([own, *filter(None, said)])


def strictest(audiences: Iterable[str]) -> str:
    """The audience that keeps most away; "" of none. What is not known to be for anybody counts as unrated."""
    worst = max((_STRICTNESS.get(audience, 2) for audience in audiences), default=None)
    return "" if worst is None else _NAMED[worst]


def topic_problems(topics: Mapping[str, Topic]) -> Iterator[tuple[str, str, str]]:
    """(field, why, fix) of everything wrong with a taxonomy."""
    tree = Topics(topics)
    for name, topic in topics.items():
        at = f"topics.{name}"
        if not name.strip("/ "):
            yield at, "its id is empty", "Give it a short id, such as health/cancer"
        if topic.parent and topic.parent not in topics:
            yield (
                f"{at}.parent",
                f"there is no topic {topic.parent!r}",
                f"Declare [topics.{topic.parent!r}], or correct it",
            )
        if topic.audience and topic.audience not in AUDIENCES:
            yield f"{at}.audience", f"{topic.audience!r} is none", f"Use one of {', '.join(AUDIENCES)}"
        circle = _circle(tree, name)
        if circle:
            yield f"{at}.parent", f"it is its own ancestor: {' > '.join(circle)}", "Give one of them another parent"


def _circle(tree: Topics, name: str) -> list[str]:
    """The way from a topic up to itself again; empty if there is none."""
    way = [name]
    while above := tree.above(way[-1]):
        if above == name:
            return [*way, name]
        if above in way:  # a circle further up: named where it begins
            return []
        way.append(above)
    return []
