"""Who is who: names that events come under (devices, accounts, old names), and the people that they belong to."""

from collections.abc import Callable, Iterable

from msgspec import Struct, structs

ANONYMOUS = "anon:"
"""Prefix of the names of devices whose owner has not said who they are. A known person's id cannot begin with it."""
MEMBER = "member:"
"""Prefix of the names of people who share an account: `member:kid:home` is `kid` of the account `home`."""

DEVICE, ALIAS, ADDED, CHOSEN, DISOWNED = "device", "alias", "added", "chosen", "disowned"
LINKED, UNLINKED, CONFIRMED = "linked", "unlinked", "confirmed"


class Link(Struct, frozen=True, array_like=True):
    """One statement about who is who, kept as proof at both names.

    id: of the message that brought it; at: from when on it holds, milliseconds since 1970; name: what the events come under; person: whose they are.
    how: `device` (theirs from `at` on, and what came before anybody's), `alias` (theirs all along), `added` (to an account: one of its
    people), `chosen` (of an account: who uses it from `at` on), `disowned` (not theirs after all, from `since` to `at`: "that was not me"). state: linked, unlinked, or confirmed by the person.
    source: by what it was proven.
    """

    id: str
    at: int
    name: str
    person: str
    how: str
    state: str = LINKED
    since: int = 0
    source: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """By which a link that comes again is known: a message sent twice says the same thing, whatever its corrected time."""
        return self.id, self.name, self.person, self.how, self.state


def pseudonymous(link: Link, pseudonym: Callable[[str], str]) -> Link:
    """The link with pseudonyms for names."""
    return structs.replace(link, name=pseudonym(link.name), person=pseudonym(link.person) if link.person else "")


def member(account: str, name: str) -> str:
    """The person called so in this account."""
    return f"{MEMBER}{name}:{account}"


def account_of(person: str) -> str | None:
    """The account that a person shares with others, or None."""
    return person.removeprefix(MEMBER).partition(":")[2] if person.startswith(MEMBER) else None


class Owners:
    """Whose the events under one name are, moment by moment. It depends on which links there are, not on the order they came in."""

    def __init__(self, name: str, links: Iterable[Link]) -> None:
        self.name = name
        mine = sorted((link for link in links if link.name == name), key=lambda link: (link.at, link.id))
        self._disowned = tuple((link.since, link.at, link.person) for link in mine if link.how == DISOWNED)
        self._state: dict[tuple[str, str], str] = {}  # (person, how) → what was said last
        self._confirmed: set[str] = set()
        self._joined: dict[str, int] = {}  # person → when the name last became theirs
        self._parted: dict[str, int] = {}  # person → when it last stopped being theirs
        self._turns: list[
            tuple[int, str, str]
        ] = []  # (from when on, whose, by what); whose is "" where it was given up
        for link in mine:
            self._hear(link)
        aliases = [
            link.person for link in mine if link.how == ALIAS and self._state.get((link.person, ALIAS)) == LINKED
        ]
        self.alias = aliases[-1] if aliases else None
        """The person whose old name this is, if it is one."""

    def _hear(self, link: Link) -> None:
        if link.state == CONFIRMED:
            self._confirmed.add(link.person)
            return
        if link.how == DISOWNED:
            return
        if link.state == LINKED and self._state.get((link.person, link.how)) != LINKED:
            self._joined[link.person] = link.at
        self._state[link.person, link.how] = link.state
        if link.state == UNLINKED:
            self._confirmed.discard(link.person)
            self._parted[link.person] = link.at
            if self._turns and self._turns[-1][1] == link.person:
                self._turns.append((link.at, "", link.how))
        elif link.how in (DEVICE, CHOSEN):
            self._turns.append((link.at, link.person, link.how))

    @property
    def people(self) -> list[str]:
        """Whoever the name belongs to, at one time or another."""
        return list(dict.fromkeys(person for (person, _), state in self._state.items() if state == LINKED))

    @property
    def handed_on(self) -> bool:
        """Whether any event under this name may be somebody else's, or nobody's."""
        return bool(self._turns or self.alias or self._disowned)

    def confirmed(self, person: str) -> bool:
        """Whether the person has confirmed that the name is theirs."""
        return person in self._confirmed

    def joined(self, person: str) -> int:
        """When the name last became this person's (ms since 1970); 0 if it never did."""
        return self._joined.get(person, 0)

    def parted(self, person: str) -> int:
        """When the name last stopped being this person's (ms since 1970); 0 if it never did."""
        return self._parted.get(person, 0)

    def hows(self, person: str) -> list[str]:
        """By which kinds of link the name is this person's."""
        return [how for (other, how), state in self._state.items() if other == person and state == LINKED]

    def stands_for(self, person: str) -> bool:
        """Whether the name is a device or an old name of this person's, whatever else it is."""
        return not {DEVICE, ALIAS}.isdisjoint(self.hows(person))

    def how(self, person: str) -> str:
        """By which kind of link the name is this person's; "" if by none."""
        return next(iter(self.hows(person)), "")

    def at(self, moment: int) -> str | None:
        """Whose an event of this moment (ms since 1970) is; the name itself if nobody else's; None if they disowned it."""
        owner = self._owner(moment)
        if any(since <= moment <= until and owner == person for since, until, person in self._disowned):
            return None
        return owner

    def _owner(self, moment: int) -> str:
        if self.alias is not None:
            return self.alias
        turn = None
        for begins, person, how in self._turns:
            if begins <= moment:
                turn = (person, how)
            elif turn is None and how == DEVICE:
                turn = (person, how)  # what a device did before it said whose it is, is its first owner's
                break
            else:
                break
        # What was somebody's until they unlinked goes to nobody else.
        return turn[0] if turn is not None and self._state.get(turn) == LINKED else self.name
