"""The two gates: nothing is kept without a purpose, and nothing is read without that purpose.

`forbidden_to_read` and `forbidden_to_keep` say the rules once more, piece by piece and in other words than the gate, so that
gate and rules can be held against each other. The last tests take the gate's checks out, and must see the rules broken.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule
from msgspec import Struct, field, structs

from tactful.domain.catalogue import Catalogue, Proxy
from tactful.domain.charter import Charter, Children, Data, Purpose, Sensitive
from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import PERSONAL, Ask
from tactful.domain.event import Arrival, Event, Inferred, Interaction, Obtained, Told
from tactful.domain.item import Item
from tactful.domain.profile import Profile
from tactful.domain.view import SURFACES, View
from tactful.flow import gate
from tactful.flow.fold import fold
from tactful.flow.gate import Admitted, Refused, admit, view_of
from tests.shop import DAY, MINUTE, NOW, PLAIN, Shop, crowd, items_in, open_shop, shop_items

Random = random.Random

# ----------------------------------------------------------------------------------------------------------------- worlds

PURPOSES = {
    "choose": Purpose("We choose for you.", "personalize.content"),
    "learn": Purpose("We learn from you.", "functional.service.improve"),
    "mend": Purpose("We mend what is broken.", "functional.service", "legitimate_interest"),
}
ENTRIES = {
    "looks": Data("what you look at", "user.behavior.browsing_history", "observed", ("choose", "learn", "mend"), 30, ("viewed", "shown")),
    "buys": Data("what you buy", "user.behavior.purchase_history", "observed", ("choose",), 3, ("bought",), surfaces=("private", "email")),
    "cures": Data("what you take", "user.health_and_medical", "observed", ("choose", "mend"), 30, ("rated",), sensitive="health"),
    "likes": Data("what you say", "user.demographic.profile", "told", ("choose", "mend"), 30, traits=("likes", "size"), surfaces=SURFACES),
    "faith": Data("what you believe", "user.demographic.religious_belief", "told", ("choose",), 30, traits=("creed",), sensitive="faith"),
    "bought": Data("what we bought", "user.demographic", "obtained", ("choose", "learn"), 9, traits=("income",)),
    "guess": Data("what we think", "user.behavior", "inferred", ("choose", "mend"), 9, traits=("mood", "likes"), surfaces=("private", "shared")),
}  # fmt: skip
SENSITIVE_OF = {
    "health": Sensitive("your health", (Proxy("aisle", ("pharmacy",)),)),
    "faith": Sensitive("what you believe"),
}
ITEMS = [
    Item(id="plain", title="Plain"),
    Item(id="pill", title="Pill", sensitivity=("health",)),
    Item(id="plaster", title="Plaster", attributes={"aisle": "pharmacy"}),
    Item(id="psalms", title="Psalms", sensitivity=("faith",)),
    Item(id="both", title="Both", sensitivity=("faith",), attributes={"aisle": ["pharmacy", "books"]}),
    Item(id="odd", title="Odd", sensitivity=("something the charter does not know",)),
]
BETRAYS = {
    "plain": set(),
    "pill": {"health"},
    "plaster": {"health"},
    "psalms": {"faith"},
    "both": {"faith", "health"},
    "odd": {"?"},
}
CATALOGUE = Catalogue.of(ITEMS, {name: sensitive.proxies for name, sensitive in SENSITIVE_OF.items()})
VISIT_MINUTES = 30


class World(Struct):
    """Somebody, what they allow, what is kept of them, and what is asked for."""

    charter: Charter
    consent: Consent
    profile: Profile
    purpose: str
    surface: str
    betrays: Mapping[str, set[str]] = field(default_factory=lambda: BETRAYS)

    def view(self) -> View:
        telling = CATALOGUE.telling(self.consent.sensitive)
        return view_of(
            self.profile,
            self.consent,
            self.charter,
            purpose=self.purpose,
            surface=self.surface,
            now=NOW,
            telling=telling,
        )


def some(dice: Random, of: object, chance: float = 0.5) -> list[str]:
    return [one for one in of if dice.random() < chance]  # type: ignore[attr-defined]


def a_charter(dice: Random) -> Charter:
    return Charter(
        "us", "1", "us@example.org", PURPOSES, ENTRIES, SENSITIVE_OF,
        Children(unknown_age_is_child=dice.random() < 0.1), visit_minutes=VISIT_MINUTES,
    )  # fmt: skip


def a_consent(dice: Random) -> Consent:
    return Consent(
        dial=dice.choices(list(Dial), (1, 2, 3, 6))[0],
        granted=frozenset(some(dice, PURPOSES, 0.8)),
        refused=frozenset(some(dice, PURPOSES, 0.15)),
        sensitive=frozenset(some(dice, SENSITIVE_OF)),
        child=dice.choices((None, False, True), (5, 5, 1))[0],
        version=1,
        narrowed=dice.choice((0, a_time(dice))),
    )


def a_time(dice: Random) -> int:
    """Within this visit, within a few days, on the edge of a retention time, or long ago."""
    return NOW - dice.choice(
        (
            dice.randrange(90 * MINUTE),
            dice.randrange(5 * DAY),
            dice.randrange(50 * DAY),
            3 * DAY,
            3 * DAY + 1,
            9 * DAY,
            30 * DAY + 1,
        )
    )


def an_event(dice: Random, number: int) -> Event:
    """Any event; some came in later than they happened: on the edge of a retention time, or just now."""
    event = an_event_as_it_happened(dice, number)
    came_in = dice.choice((0, 0, max(event.at, a_time(dice)), NOW))
    return structs.replace(event, kept=came_in)


def an_event_as_it_happened(dice: Random, number: int) -> Event:
    """Any of the four kinds; now and then under an entry that the charter has since dropped."""
    kind = dice.choices(("act", "told", "obtained", "inferred"), (6, 2, 1, 1))[0]
    name, at, purposes = f"e{number}", a_time(dice), tuple(some(dice, PURPOSES, 0.8))
    dropped = dice.random() < 0.05
    if kind == "act":
        verb, data = dice.choice([("viewed", "looks"), ("shown", "looks"), ("bought", "buys"), ("rated", "cures")])
        item = dice.choices(list(BETRAYS), (6, 1, 1, 1, 1, 1))[0]
        return Interaction(name, at, verb, item, "gone" if dropped else data, purposes, dice.random() < 0.3)
    if kind == "told":
        trait, data = dice.choice([("likes", "likes"), ("size", "likes"), ("creed", "faith")])
        return Told(name, at, trait, "x", "gone" if dropped else data, purposes)
    if kind == "obtained":
        return Obtained(
            name, at, "income", "x", "gone" if dropped else "bought", purposes, "seller", "licence", "consent"
        )
    return Inferred(name, at, dice.choice(("mood", "likes")), "x", "gone" if dropped else "guess", purposes, "because")


def a_world(dice: Random) -> World:
    events = [(number, an_event(dice, number)) for number in range(1, dice.randrange(2, 12))]
    profile = fold(Profile(), events)
    return World(
        a_charter(dice), a_consent(dice), profile, dice.choice(list(PURPOSES)), dice.choices(SURFACES, (5, 1, 1, 1))[0]
    )


def worlds(seed: int, count: int) -> Iterator[World]:
    dice = Random(seed)
    return (a_world(dice) for _ in range(count))


# -------------------------------------------------------------------------------------------------- the rules, once more


def allows_purpose(charter: Charter, consent: Consent, purpose: str) -> bool:
    """They said yes; or, where no yes is needed, they did not say no."""
    return (
        purpose in consent.granted if charter.purposes[purpose].basis == "consent" else purpose not in consent.refused
    )


def counts_as_child(charter: Charter, consent: Consent) -> bool:
    return consent.child is True or (consent.child is None and charter.children.unknown_age_is_child)


def in_the_current_visit(act: Interaction, profile: Profile) -> bool:
    """From the act until now, nothing was quiet for longer than a visit's gap."""
    times = sorted([NOW, *(other.at for other in profile.observed if act.at <= other.at <= NOW)])
    return all(later - earlier <= VISIT_MINUTES * MINUTE for earlier, later in pairwise(times))


def forbidden_to_read(piece: Event, world: World) -> list[str]:
    """Every rule that reading this piece would break."""
    charter, consent = world.charter, world.consent
    broken = []
    if counts_as_child(charter, consent):
        broken.append("a child")
    if consent.dial == Dial.off:
        broken.append("Off")
    if not allows_purpose(charter, consent, world.purpose):
        broken.append("the person does not allow the purpose")
    if world.purpose not in piece.purposes:
        broken.append("not collected for this purpose")
    entry = charter.data.get(piece.data)
    if entry is None:
        return [*broken, "not in the charter"]
    if world.purpose not in entry.purposes:
        broken.append("not declared for this purpose")
    if world.surface not in entry.surfaces:
        broken.append("not for this surface")
    if entry.sensitive and entry.sensitive not in consent.sensitive:
        broken.append("a sensitive entry that is not turned on")
    if NOW - (piece.kept or piece.at) > entry.retention_days * DAY:
        broken.append("too old")
    if isinstance(piece, Interaction):
        if consent.dial == Dial.told:
            broken.append("observed, where only what was told may be read")
        if (consent.dial == Dial.visit or piece.visit) and not in_the_current_visit(piece, world.profile):
            broken.append("of an earlier visit")
        if not world.betrays[piece.item] <= consent.sensitive:
            broken.append("betrays something sensitive")
    if isinstance(piece, Inferred) and piece.at <= consent.narrowed:
        broken.append("concluded before something was taken back")
    if isinstance(piece, Inferred | Obtained) and consent.dial != Dial.remember:
        broken.append("concluded or obtained, without 'Remember me'")
    return broken


def forbidden_to_keep(event: Event, world: World, said: dict[str, bool] | None) -> list[str]:
    """Every rule that keeping this event, just arrived, would break. said: what the event itself says of consent."""
    charter, consent = world.charter, world.consent
    broken = []
    if counts_as_child(charter, consent):
        broken.append("a child")
    entry = charter.data.get(event.data)
    if entry is None:
        return [*broken, "not in the charter"]
    if not event.purposes:
        broken.append("for nothing")
    for purpose in event.purposes:
        if purpose not in entry.purposes or not allows_purpose(charter, consent, purpose):
            broken.append(f"kept for {purpose}, which is not allowed")
        if said is not None and said.get(purpose) is not True:
            broken.append(f"kept for {purpose}, against the event's own word")
    if consent.dial < (Dial.told if isinstance(event, Told) else Dial.visit):
        broken.append("the dial")
    if entry.sensitive and entry.sensitive not in consent.sensitive:
        broken.append("a sensitive entry that is not turned on")
    if isinstance(event, Interaction) and consent.dial == Dial.visit and not event.visit:
        broken.append("kept for longer than the visit")
    return broken


def held_by(view: View) -> list[Event]:
    """All that can be read through a View."""
    return [
        *view.history(),
        *(view.trait(name) for name in ("likes", "size", "creed", "income", "mood") if view.trait(name)),
    ]


def kept_of(profile: Profile) -> list[Event]:
    return [*profile.observed, *profile.declared.values(), *profile.obtained.values(), *profile.inferred.values()]


def violations(seed: int, count: int) -> list[str]:
    """Rules that the gate breaks at use, over so many random worlds."""
    return [
        rule
        for world in worlds(seed, count)
        for piece in held_by(world.view())
        for rule in forbidden_to_read(piece, world)
    ]


# --------------------------------------------------------------------------------------------------------- the gate at use


def test_no_view_holds_a_piece_that_the_rules_forbid() -> None:
    assert violations(seed=1, count=10_000) == []


def test_all_that_the_rules_allow_is_there_and_the_rest_is_accounted_for() -> None:
    read = 0
    for world in worlds(2, 3_000):
        view = world.view()
        acts = [act for act in world.profile.observed if not forbidden_to_read(act, world)]
        assert list(view.history()) == acts
        traits = {
            trait.name
            for trait in kept_of(world.profile)
            if not isinstance(trait, Interaction) and not forbidden_to_read(trait, world)
        }
        assert {name for name in ("likes", "size", "creed", "income", "mood") if view.trait(name)} == traits
        pieces = kept_of(world.profile)
        permitted = sum(not forbidden_to_read(piece, world) for piece in pieces)
        assert sum(withheld.count for withheld in view.withheld) == len(pieces) - permitted
        assert all(withheld.why for withheld in view.withheld)
        assert view.opened <= view.allowed
        read += permitted
    assert read > 1_000  # the worlds are not all shut


def test_what_the_person_said_overrides_what_we_think() -> None:
    both = fold(Profile(), [
        (1, Told("t", NOW - DAY, "likes", "said", "likes", ("choose",))),
        (2, Inferred("i", NOW, "likes", "thought", "guess", ("choose",), "because")),
    ])  # fmt: skip
    allows_all = Consent(Dial.remember, frozenset(PURPOSES), child=False)
    world = World(a_charter(Random(0)), allows_all, both, "choose", "private")
    assert world.view().value("likes") == "said"


# ------------------------------------------------------------------------------------------------------- the gate at the door


def an_arrival(dice: Random, number: int) -> Arrival:
    said = dice.choice([None, None, {purpose: dice.random() < 0.5 for purpose in PURPOSES}, {}])
    if dice.random() < 0.3:
        traits = {name: "x" for name in ("likes", "creed", "size", "secret") if dice.random() < 0.6}
        return Arrival(id=f"a{number}", person="p", name="identify", at=NOW, traits=traits, granted=said)
    verb = dice.choice(("viewed", "bought", "rated", "liked"))
    items = tuple(dice.choices(list(BETRAYS), k=dice.randrange(1, 4)))
    return Arrival(
        id=f"a{number}", person="p", name=verb, at=NOW, verb=verb, items=items, fields={"secret": 1}, granted=said
    )


def test_nothing_is_kept_that_the_rules_forbid() -> None:
    dice, kept, refused = Random(3), 0, 0
    for number in range(5_000):
        world = World(a_charter(dice), a_consent(dice), Profile(), "choose", "private")
        arrival = an_arrival(dice, number)
        admitted = admit(arrival, world.charter, world.consent, NOW)
        if isinstance(admitted, Refused):
            assert admitted.why
            refused += 1
            continue
        kept += len(admitted.events)
        assert all(event.kept == NOW for event in admitted.events)
        assert [rule for event in admitted.events for rule in forbidden_to_keep(event, world, arrival.granted)] == []
        assert not any(
            "secret" in getattr(event, "fields", {}) or getattr(event, "name", "") == "secret"
            for event in admitted.events
        )
        assert len({event.id for event in admitted.events}) == len(admitted.events)
    assert kept > 1_000
    assert refused > 1_000


@pytest.mark.parametrize("said", [{"child": True}, {"birth_year": 2020}, {"birth_date": "2020-01-01"}])
def test_a_child_that_says_so_is_remembered_as_a_child_and_nothing_else_is_kept(said: dict[str, object]) -> None:
    consent = Consent(Dial.remember, frozenset(PURPOSES), child=None)
    admitted = admit(
        Arrival(id="a", person="p", name="identify", traits={**said, "likes": "x"}), a_charter(Random(0)), consent, NOW
    )
    assert isinstance(admitted, Admitted)
    assert (admitted.child, admitted.events) == (True, ())


def test_birthdays_count_as_yet_to_come() -> None:
    this_year = 1970 + int(NOW / (365.2425 * DAY))
    assert gate.child_in({"birth_year": this_year - 16}, NOW, 16) is True
    assert gate.child_in({"birth_year": this_year - 17}, NOW, 16) is False
    assert gate.child_in({"birth_year": "1980"}, NOW, 16) is None
    assert gate.child_in({"birth_year": True}, NOW, 16) is None


@pytest.mark.parametrize("name", ["birth_date", "birthday"])
def test_a_date_of_birth_is_counted_to_the_day(name: str) -> None:
    today = datetime.fromtimestamp(NOW / 1000, UTC).date()
    sixteen = today.replace(year=today.year - 16)
    assert gate.child_in({name: sixteen.isoformat()}, NOW, 16) is False
    assert gate.child_in({name: (sixteen + timedelta(days=1)).isoformat()}, NOW, 16) is True
    assert gate.child_in({name: today.year - 16}, NOW, 16) is True, "of a year alone the birthday is yet to come"
    assert gate.child_in({name: "last May"}, NOW, 16) is None
    assert gate.child_in({"birth_year": 1980, name: sixteen.replace(year=2020).isoformat()}, NOW, 16) is True
    assert gate.child_in({"child": False, name: sixteen.replace(year=2020).isoformat()}, NOW, 16) is False


# ------------------------------------------------------------------------------------------------ reasons ⊆ opened ⊆ allowed


def test_stated_reasons_are_things_read_and_things_read_are_allowed() -> None:
    shop, dice, stated = open_shop(), Random(4), 0
    betrays = {item.id: set(item.sensitivity) for item in shop_items()}
    readers = [reader for reader in crowd() if not reader.child][:60]
    for reader in readers:
        shop.live(reader)
        shop.tells(reader.id, interests=["sea", "horror"])
    for _ in range(600):
        reader = dice.choice(readers)
        purposes = {purpose: dice.random() < 0.8 for purpose in ("personalise", "learn", "measure")}
        shop.change(reader.id, dial=dice.choice(list(Dial)), purposes=purposes)
        consent = shop.engine.consent(reader.id)
        receipt = shop.decide(reader.id, dice.choice(("home", "discover"))).receipt
        reasons = [
            piece.source for shown in receipt.shown for piece in shown.contributions if piece.source.kind in PERSONAL
        ]
        assert (
            {reason.data for reason in reasons} <= set(receipt.opened) <= set(receipt.allowed) <= set(shop.charter.data)
        )
        profile = shop.engine.profile(reader.id)
        world = World(shop.charter, consent, profile, "personalise", "private", betrays)
        for reason in reasons:
            pieces = (
                [act for act in profile.observed if act.item == reason.key]
                if reason.kind == "history"
                else [profile.declared[reason.key]]
            )
            assert not all(forbidden_to_read(piece, world) for piece in pieces)
        stated += len(reasons)
    assert stated > 1_000


# ---------------------------------------------------------------------------------------- grant, withdraw, decide, in any order


class Living(RuleBasedStateMachine):
    """One person changes their mind in any order. `allowed` and `dial` are the machine's own account of what they said."""

    people = Bundle("people")

    @initialize()
    def open(self) -> None:
        self.shop: Shop = open_shop()
        self.dial, self.allowed, self.child = Dial.off, False, None
        self.number = 0

    @rule(level=st.sampled_from(Dial))
    def dial_to(self, level: Dial) -> None:
        self.shop.change("ada", dial=level)
        self.dial = level

    @rule()
    def grant(self) -> None:
        self.shop.change("ada", purposes={"personalise": True, "learn": True})
        self.allowed = True

    @rule()
    def withdraw(self) -> None:
        self.shop.change("ada", purposes={"personalise": False})
        self.allowed = False
        self.decide("home")

    @rule(child=st.booleans())
    def turn_out_to_be_a_child_or_not(self, child: bool) -> None:
        self.shop.change("ada", child=child)
        self.child = child

    @rule(
        verb=st.sampled_from(("viewed", "bought", "liked", "shown")),
        items=st.lists(st.sampled_from(PLAIN[:30]), min_size=1, max_size=4),
    )
    def act(self, verb: str, items: list[str]) -> None:
        self.number += 1
        self.shop.clock.now += MINUTE
        self.shop.does("ada", verb, *items, at=self.shop.clock.now)

    @rule()
    def tell(self) -> None:
        self.shop.clock.now += MINUTE
        self.shop.tells("ada", interests=["sea"])

    @rule(hours=st.sampled_from((1, 30)))
    def wait(self, hours: int) -> None:
        self.shop.clock.now += hours * 60 * MINUTE

    @rule(name=st.sampled_from(("home", "discover", "popular")))
    def decide(self, name: str) -> None:
        answer = self.shop.decide("ada", name)
        if self.dial == Dial.off or not self.allowed or self.child:
            receipt = answer.receipt
            assert (receipt.opened, receipt.allowed, receipt.person, receipt.personal) == ((), (), None, False)
            if not self.child:
                assert items_in(answer) == items_in(self.shop.decide(None, name))
        elif self.dial == Dial.told:
            assert set(answer.receipt.opened) <= {"told"}
        elif self.dial == Dial.visit:
            since = self.shop.clock.now - 60 * MINUTE
            acts = self.shop.engine.profile("ada").observed
            if not any(act.at >= since for act in acts):
                assert set(answer.receipt.opened) <= {"told"}

    @precondition(lambda self: self.number > 0)
    @rule()
    def forget(self) -> None:
        mine = self.shop.decide("ada").receipt
        for ack in self.shop.engine.forget("ada"):
            ack.wait()
        self.dial, self.allowed, self.child = Dial.off, False, None
        stores = self.shop.stores
        assert stores.events.head("ada") == 0
        assert stores.consents.read("ada") == []
        assert mine.person is None or stores.receipts.get(mine.id) is None
        self.decide("home")


TestLiving = Living.TestCase
TestLiving.settings = settings(max_examples=25, stateful_step_count=30)


def test_a_withdrawal_on_one_worker_counts_on_another() -> None:
    shop, reader = open_shop(), next(reader for reader in crowd() if not reader.child)
    other = Shop.beside(shop)
    shop.live(reader)
    assert other.decide(reader.id).receipt.personal
    shop.change(reader.id, purposes={"personalise": False})
    assert other.decide(reader.id).receipt.opened == ()


def test_what_one_worker_forgot_another_does_not_remember_when_the_person_comes_back() -> None:
    shop, reader = open_shop(), next(reader for reader in crowd() if not reader.child)
    other = Shop.beside(shop)
    shop.live(reader)
    assert other.decide(reader.id).receipt.personal  # and now its cache holds the profile
    for ack in shop.engine.forget(reader.id):
        ack.wait()
    shop.clock.now = other.clock.now = NOW + DAY
    shop.change(reader.id, dial=Dial.remember, purposes={"personalise": True})
    shop.does(reader.id, "viewed", PLAIN[0])
    assert [act.item for act in other.engine.profile(reader.id).observed] == [PLAIN[0]]


# ----------------------------------------------------------------------------------------------------- does the gate matter?


def yes(*_: object) -> bool:
    return True


def no(*_: object) -> bool:
    return False


def none(*_: object) -> None:
    return None


MUTANTS: list[tuple[object, str, Callable[..., object]]] = [
    (gate, "_closed", none),
    (gate._Cut, "history", lambda self, observed, *_: tuple(observed)),
    (gate._Cut, "keeps_trait", yes),
    (gate._Cut, "_entry_shut", none),
    (gate, "_shut", lambda *_: False),
    (gate, "overtaken", no),
    (gate, "visit_start", lambda *_: 0),
    (gate, "is_child", lambda *_: False),
    (gate, "allows", yes),
]


DOOR_MUTANTS: list[tuple[str, Callable[..., object]]] = [
    ("purposes_for", lambda data, *_: data.purposes),
    ("is_child", lambda *_: False),
    ("_shut", lambda *_: False),
]


@pytest.mark.parametrize(("check", "instead"), DOOR_MUTANTS, ids=[check for check, _ in DOOR_MUTANTS])
def test_without_a_check_at_the_door_more_is_kept_than_may_be(
    check: str, instead: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, check, instead)
    with pytest.raises(AssertionError):
        test_nothing_is_kept_that_the_rules_forbid()


@pytest.mark.parametrize(("where", "check", "instead"), MUTANTS, ids=[check for _, check, _ in MUTANTS])
def test_without_a_check_the_rules_are_broken(
    where: object, check: str, instead: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, check, instead)
    assert violations(seed=1, count=2_000)


def test_reasons_name_items_that_exist() -> None:
    """A page about an item that nobody knows is no reason to fail."""
    shop = open_shop()
    assert shop.decide(None, Ask("related", item="no such book")).receipt.shown == ()
