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
    people), `chosen` (of an account: who uses it from `at` on), `disowned` (nobody's, from `since` to `at`: "that was not me"). state: linked, unlinked, or confirmed by the person.
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
        self._disowned = tuple((link.since, link.at) for link in mine if link.how == DISOWNED)
        self._state: dict[tuple[str, str], str] = {}  # (person, how) → what was said last
        self._confirmed: set[str] = set()
        for link in mine:
            if link.state == CONFIRMED:
                self._confirmed.add(link.person)
            elif link.how != DISOWNED:
                self._state[link.person, link.how] = link.state
                if link.state == UNLINKED:
                    self._confirmed.discard(link.person)
        said = [link for link in mine if link.state == LINKED]
        self._turns = tuple((link.at, link.person, link.how) for link in said if link.how in (DEVICE, CHOSEN))
        aliases = [link.person for link in said if link.how == ALIAS and self._active(link.person, ALIAS)]
        self.alias = aliases[-1] if aliases else None
        """The person whose old name this is, if it is one."""

    def _active(self, person: str, how: str) -> bool:
        return self._state.get((person, how)) == LINKED

    @property
    def people(self) -> frozenset[str]:
        """Whoever the name belongs to, at one time or another."""
        return frozenset(person for (person, _), state in self._state.items() if state == LINKED)

    @property
    def handed_on(self) -> bool:
        """Whether any event under this name may be somebody else's, or nobody's."""
        return bool(self._turns or self.alias or self._disowned)

    def confirmed(self, person: str) -> bool:
        """Whether the person has confirmed that the name is theirs."""
        return person in self._confirmed

    def how(self, person: str) -> str:
        """By which kind of link the name is this person's; "" if by none."""
        return next((how for (other, how), state in self._state.items() if other == person and state == LINKED), "")

    def disowned(self, at: int) -> bool:
        """Whether somebody said of this moment that it was not them."""
        return any(since <= at <= until for since, until in self._disowned)

    def at(self, moment: int) -> str | None:
        """Whose an event of this moment (ms since 1970) is; the name itself if nobody else's; None if disowned."""
        if self.disowned(moment):
            return None
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
        return turn[0] if turn is not None and self._active(*turn) else self.name
