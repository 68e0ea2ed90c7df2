"""One wrong value costs that value; what is filled is never shown as a fact; what is old is not taken for current."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tactful.connectors.segment import Caller, arrivals, read_batch
from tactful.domain.charter import Charter, Type
from tactful.domain.consent import Consent, Dial
from tactful.domain.decision import PERSONAL
from tactful.domain.event import Arrival, Inferred, Interaction, Provenance, Told
from tactful.domain.profile import Profile
from tactful.domain.rules import problems
from tactful.domain.type_rules import CHILD_TRAITS
from tactful.domain.view import View
from tactful.flow.clean import Cleaned, clean_values
from tactful.flow.gate import view_of
from tactful.flow.wording import label, sentence, what_if
from tactful.intake import Outcome
from tactful.ports import QUARANTINE_MS
from tactful.replay import replay
from tests.shop import DAY, EN, NOW, PLAIN, Shop, charter, consent, placement

TOLD = {
    "height": Type("amount", "cm", least=50, most=260),
    "budget": Type("money"),
    "birthday": Type("date"),
    "interests": Type("list"),
    "language": Type("language"),
}
BOUGHT = {"total": Type("money", least=0), "delivered": Type("date")}
RATED = {"value": Type("number", least=0.5, most=5)}


def rules(told: Mapping[str, Type] = TOLD, **more: Any) -> Charter:
    """The template's charter, with types."""
    data = dict(charter().data)
    traits = tuple(dict.fromkeys(("interests", "avoid", "unsure", *told)))
    data["told"] = structs.replace(data["told"], traits=traits, types=dict(told), **more)
    data["purchases"] = structs.replace(data["purchases"], fields=("total", "delivered", "gift"), types=BOUGHT)
    data["opinions"] = structs.replace(data["opinions"], types=RATED)
    made = structs.replace(charter(), data=data)
    assert not list(problems(made))
    return made


@pytest.fixture
def shop() -> Shop:
    opened = Shop(placements={}, rules=rules())
    opened.allow("ada")
    return opened


def tell(shop: Shop, person: str = "ada", name: str = "m", **traits: Any) -> Outcome:
    return shop.engine.take([Arrival(id=name, person=person, name="identify", traits=traits)]).wait()


def account(outcome: Outcome) -> tuple[int, int, int, int]:
    """stored, duplicate, quarantined, refused; after a look whether they add up."""
    parts = outcome.stored, outcome.duplicate, outcome.quarantined, outcome.refused
    assert outcome.sent == sum(parts)
    return parts


def told(shop: Shop, person: str = "ada") -> dict[str, object]:
    return {name: trait.value for name, trait in shop.engine.profile(person).declared.items()}


# -------------------------------------------------------------------------------------------------------------- value by value


def test_traits_are_kept_in_their_one_form(shop: Shop) -> None:
    tell(
        shop,
        height="5 ft 11 in",
        budget=50,
        currency="eur",
        birthday="2000-02-29",
        language="EN_us",
        interests="sea",
        avoid="As It Is",
    )
    assert told(shop) == {
        "height": "180.34 cm", "budget": "50.00 EUR", "birthday": "2000-02-29", "language": "en-US", "interests": ["sea"], "avoid": "As It Is",
    }  # fmt: skip


def test_a_wrong_value_costs_itself_only_and_waits(shop: Shop) -> None:
    outcome = tell(shop, height="8 m", language="english", interests=["sea"])
    assert account(outcome) == (1, 0, 0, 0)
    assert told(shop) == {"interests": ["sea"]}
    assert [(one.what, one.field, one.part) for one in outcome.problems] == [
        ("quarantined", "traits.height", True), ("quarantined", "traits.language", True),
    ]  # fmt: skip
    assert "the most is 260 cm" in outcome.problems[0].why
    pieces = shop.stores.quarantine.pieces()
    assert [(piece.person, piece.format) for piece in pieces] == [("ada", "arrival")] * 2
    assert b"8 m" in pieces[0].raw and b"sea" not in pieces[0].raw and b"english" not in pieces[0].raw


def test_a_message_of_which_nothing_is_left_is_quarantined_once(shop: Shop) -> None:
    outcome = tell(shop, height="8 m", language="english")
    assert account(outcome) == (0, 0, 1, 0)
    assert [one.part for one in outcome.problems] == [False, True]
    assert len(shop.stores.quarantine.pieces()) == 2


def test_what_could_not_be_kept_anyway_does_not_wait_either(shop: Shop) -> None:
    """Quarantine is no way round the consent."""
    assert account(tell(shop, "nobody", height="8 m")) == (0, 0, 0, 1)
    shop.change("ada", purposes={"personalise": False})
    assert account(tell(shop, height="8 m", undeclared=1)) == (0, 0, 0, 1)
    assert shop.stores.quarantine.pieces() == []


def test_null_takes_a_trait_back(shop: Shop) -> None:
    tell(shop, height=180)
    shop.clock.now += 1
    assert account(tell(shop, name="m2", height=None)) == (1, 0, 0, 0)
    assert told(shop) == {"height": None}


def test_a_wrong_field_is_dropped_and_counted_and_the_event_is_kept(shop: Shop) -> None:
    fields = {"total": 12.345, "currency": "EUR", "delivered": "2024-05-01", "gift": True}
    outcome = shop.engine.take(
        [Arrival(id="o", person="ada", name="order", verb="bought", items=PLAIN[:2], fields=fields)]
    ).wait()
    assert account(outcome) == (1, 0, 0, 0)
    assert outcome.stripped == {"total": 1, "currency": 1}
    assert [(one.what, one.field, one.part) for one in outcome.problems] == [("stripped", "properties.total", True)]
    assert [act.fields for act in shop.engine.profile("ada").observed] == [
        {"delivered": "2024-05-01", "gift": True}
    ] * 2
    assert shop.stores.quarantine.pieces() == [], "it could not be added to the event later, so it is not kept"
    fields["total"] = "12,30"
    shop.engine.take(
        [Arrival(id="o2", person="ada", name="order", verb="bought", items=PLAIN[:1], fields=fields)]
    ).wait()
    assert shop.engine.profile("ada").observed[-1].fields["total"] == "12.30 EUR"


@pytest.mark.parametrize(("stars", "kept"), [(5.0, 1), (0.5, 1), (None, 1), (5.5, 0), (-1.0, 0)])
def test_a_rating_outside_its_scale_is_impossible(stars: float | None, kept: int, shop: Shop) -> None:
    outcome = shop.engine.take(
        [Arrival(id="r", person="ada", name="rated", verb="rated", items=PLAIN[:1], value=stars)]
    ).wait()
    assert account(outcome) == (kept, 0, 1 - kept, 0)
    assert [act.value for act in shop.engine.profile("ada").observed] == [stars] * kept


def test_what_was_obtained_is_held_against_the_types_of_what_is_obtained() -> None:
    obtained = structs.replace(
        charter().data["told"], kind="obtained", traits=("height",), types={"height": Type("amount", "m")}
    )
    mixed = structs.replace(rules(), data={**rules().data, "bought": obtained})
    arrival = Arrival(id="m", person="ada", name="identify", traits={"height": "180 cm"})
    for provenance, kept in ((None, "180 cm"), (Provenance("us", "none", "consent"), "1.8 m")):
        cleaned = clean_values(structs.replace(arrival, obtained=provenance), mixed, NOW)
        assert isinstance(cleaned, Cleaned)
        assert cleaned.arrival.traits == {"height": kept}


@pytest.mark.parametrize(("said", "child"), [("2015", True), (2015.0, True), ("2015-03-04", True), ("1980", False)])
def test_a_birth_year_protects_in_any_form_whatever_the_charter_declares(said: Any, child: bool) -> None:
    shop = Shop(placements={})
    shop.allow("ada")
    tell(shop, birth_year=said)
    assert shop.engine.consent("ada").child is child


@pytest.mark.parametrize("name", ["birth_date", "birthday"])
@pytest.mark.parametrize(("said", "child"), [("2015-03-04", True), ("20150304T00:00:00Z", True), ("1980-01-01", False)])
def test_a_date_of_birth_protects_whether_the_charter_declares_it_or_not(name: str, said: str, child: bool) -> None:
    shop = Shop(placements={}, rules=rules())
    shop.allow("ada")
    outcome = tell(shop, **{name: said})
    assert shop.engine.consent("ada").child is child
    kept = {} if child or name == "birth_date" else {"birthday": said}
    assert told(shop) == kept and (outcome.stored, outcome.quarantined) == (1, 0)


def test_a_date_of_birth_that_no_living_person_has_makes_nobody_an_adult() -> None:
    shop = Shop(placements={}, rules=rules())
    shop.allow("ada", child=True)
    for said in ("0001-01-01", "1800-01-01", "17.5.2015"):
        assert tell(shop, birthday=said).quarantined == 1
    assert shop.engine.consent("ada").child


def test_an_impossible_birth_year_says_so(shop: Shop) -> None:
    outcome = tell(shop, birth_year=2040, interests=["sea"])
    assert account(outcome) == (1, 0, 0, 0)
    assert outcome.problems[0].field == "traits.birth_year"
    assert shop.engine.consent("ada").child is None
    assert "birth_year" not in told(shop)


def test_a_charter_without_types_changes_nothing() -> None:
    arrival = Arrival(id="m", person="ada", name="identify", traits={"x": "8 m", "y": {"z": 1}})
    assert clean_values(arrival, charter(), NOW) == Cleaned(arrival)
    act = Arrival(id="m", person="ada", name="viewed", verb="viewed", items=("a",), fields={"price": "12.345 XXX"})
    assert clean_values(act, charter(), NOW) == Cleaned(act)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(("8 m", "180 cm", "5 EUR", "de", "2000-01-01"))
)


@settings(max_examples=200)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from((*TOLD, "unsure", "undeclared", "birth_year", "child", "currency")),
            VALUES | st.lists(VALUES, max_size=2),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_the_account_adds_up_and_nothing_is_lost_or_kept_without_leave(
    messages: list[dict[str, Any]], allows: bool
) -> None:
    shop = Shop(placements={}, rules=rules(), items=[])
    if allows:
        shop.allow("ada")
    batch = [
        Arrival(id=f"m{number}", person="ada", name="identify", traits=traits) for number, traits in enumerate(messages)
    ]
    outcome = shop.engine.take(batch).wait()
    account(outcome)
    assert outcome.sent == len(messages)
    pieces = shop.stores.quarantine.pieces()
    assert len(pieces) == sum(one.what == "quarantined" for one in outcome.problems)
    assert allows or all(piece.field.removeprefix("traits.") in CHILD_TRAITS for piece in pieces)
    kept = {event.id for _, event in shop.stores.events.read("ada")}
    waiting = {f"{piece.id}#{piece.field.removeprefix('traits.')}" for piece in pieces}
    assert not kept & waiting
    if allows and not any(change.child for change in shop.stores.consents.read("ada")):  # not even for a while
        declared = {f"m{number}#{name}" for number, traits in enumerate(messages) for name in traits if name in TOLD}
        assert declared <= kept | waiting, "each declared trait is kept, or waits"


# -------------------------------------------------------------------------------------------------------------------- replay


def test_after_the_charter_is_mended_the_piece_is_kept_as_of_when_it_came(shop: Shop) -> None:
    tell(shop, name="m1", height="300 cm", interests=["sea"])
    shop.clock.now += 3 * DAY
    stayed = replay(shop.engine, lambda piece: True)
    assert (stayed.tried, stayed.stayed, stayed.stored) == (1, 1, 0)
    assert next(iter(stayed.reasons)).startswith("traits.height: it is out of range")
    mended = Shop(placements={}, stores=shop.stores, rules=rules({**TOLD, "height": Type("amount", "cm", most=400)}))
    mended.clock.now = shop.clock.now
    done = replay(mended.engine, lambda piece: True)
    assert (done.tried, done.stored, done.stayed) == (1, 1, 0)
    trait = mended.engine.profile("ada").declared["height"]
    assert (trait.value, trait.at, trait.kept, trait.id) == ("300 cm", NOW, NOW, "m1#height")
    assert shop.stores.quarantine.pieces() == []
    assert replay(mended.engine, lambda piece: True).tried == 0


def test_replay_does_not_make_quarantine_any_longer(shop: Shop) -> None:
    tell(shop, height="8 m")
    shop.clock.now = NOW + QUARANTINE_MS - 1
    assert replay(shop.engine, lambda piece: True).stayed == 1
    assert [piece.at for piece in shop.stores.quarantine.pieces()] == [NOW]
    shop.clock.now = NOW + QUARANTINE_MS
    assert replay(shop.engine, lambda piece: True).tried == 0
    assert shop.stores.quarantine.pieces() == []


def test_who_withdrew_meanwhile_is_not_kept_and_neither_is_the_piece(shop: Shop) -> None:
    tell(shop, height="300 cm")
    shop.change("ada", purposes={"personalise": False})
    mended = Shop(placements={}, stores=shop.stores, rules=rules({**TOLD, "height": Type("amount", "cm")}))
    done = replay(mended.engine, lambda piece: True)
    assert (done.refused, done.stored, done.stayed) == (1, 0, 0)
    assert shop.stores.quarantine.pieces() == [] and shop.stores.events.head("ada") == 0


def test_what_came_again_meanwhile_is_a_duplicate(shop: Shop) -> None:
    tell(shop, name="m", height="300 cm")
    mended = Shop(placements={}, stores=shop.stores, rules=rules({**TOLD, "height": Type("amount", "cm")}))
    tell(mended, name="m", height="300 cm")
    assert replay(mended.engine, lambda piece: True).duplicate == 1
    assert shop.stores.quarantine.pieces() == []


def test_a_replay_brings_data_only_neither_consent_nor_who_is_who(shop: Shop) -> None:
    arrival = Arrival(
        id="m", person="ada", name="rated", verb="rated", items=PLAIN[:1], value=9.0, also=("anon:device",), says={"measure": False}
    )  # fmt: skip
    shop.engine.take([arrival]).wait()
    wide = structs.replace(rules(), data={**rules().data, "opinions": charter().data["opinions"]})
    mended = Shop(placements={}, stores=shop.stores, rules=wide)
    before = mended.engine.consent("ada")
    assert replay(mended.engine, lambda piece: True).stored == 1
    assert mended.engine.consent("ada") == before
    assert shop.stores.links.read("ada") == []


def test_a_public_key_gains_nothing_by_replay(shop: Shop) -> None:
    raw = b'{"batch": [{"type": "track", "messageId": "m", "userId": "ada", "event": "Product Viewed", "properties": {"product_id": "%s"}}]}'
    batch = read_batch(raw % PLAIN[0].encode())
    _, unusable = arrivals(batch, Caller(trusted=False, person="bob"), NOW, 10_000)
    shop.engine.take([], unusable).wait()
    piece = shop.stores.quarantine.pieces()[0]
    assert (piece.format, piece.trusted, piece.proven) == ("segment", False, "bob")
    done = replay(shop.engine, lambda piece: True)
    assert (done.stayed, shop.stores.events.head("ada")) == (1, 0)
    trusted = structs.replace(piece, trusted=True)
    shop.stores.quarantine.drop([piece]).wait()
    shop.stores.quarantine.put([trusted]).wait()
    assert replay(shop.engine, lambda piece: True).stored == 1, "it was the standing that kept it out"


def test_what_nobody_can_read_again_stays_and_says_so(shop: Shop) -> None:
    tell(shop, height="8 m")
    piece = shop.stores.quarantine.pieces()[0]
    odd = [
        structs.replace(piece, id=name, format=format_, raw=raw)
        for name, format_, raw in (("a", "", b"x"), ("b", "arrival", b"{}"), ("c", "segment", b"{"))
    ]
    shop.stores.quarantine.put(odd).wait()
    done = replay(shop.engine, lambda piece: True)
    assert (done.tried, done.stayed) == (4, 4)
    assert sum(count for why, count in done.reasons.items() if "cannot be read again" in why) == 2


def test_infinity_does_not_turn_into_null_on_its_way(shop: Shop) -> None:
    """JSON has none, and null would take back what was said."""
    tell(shop, name="m0", height=170)
    shop.clock.now += 1
    tell(shop, name="m1", height=float("inf"))
    shop.engine.take(
        [Arrival(id="r", person="ada", name="rated", verb="rated", items=PLAIN[:1], value=float("inf"))]
    ).wait()
    assert replay(shop.engine, lambda piece: True).stayed == 2
    assert told(shop) == {"height": "170 cm"}


def test_forgetting_reaches_the_parts_too(shop: Shop) -> None:
    tell(shop, height="8 m", interests=["sea"])
    for ack in shop.engine.forget("ada"):
        ack.wait()
    assert shop.stores.quarantine.pieces() == []
    assert replay(shop.engine, lambda piece: True).tried == 0


# --------------------------------------------------------------------------------------------------------- freshness and filling

FILLED = {"interests": Type("list", fill=["sea"], fresh_days=100), "height": Type("amount", "cm", fresh_days=30)}


def see(profile: Profile, by: Consent, made: Charter, now: int = NOW, surface: str = "private") -> View:
    return view_of(profile, by, made, purpose="personalise", surface=surface, now=now, telling=())


def trait(name: str, value: Any, at: int, **more: Any) -> Told:
    return Told(f"{name}-{at}", at, name, value, "told", ("personalise",), **more)


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (30 * DAY, True), (30 * DAY + 1, False), (900 * DAY, False)])
def test_a_trait_older_than_its_limit_is_withheld_as_stale(age: int, fresh: bool) -> None:
    profile = Profile(declared={"height": trait("height", "180 cm", NOW - age, kept=NOW)})
    view = see(profile, consent(), rules(FILLED))
    assert (view.value("height") == "180 cm") is fresh
    assert [held.why for held in view.withheld] == ([] if fresh else ["stale: older than 30 days"])
    assert all(held.data == "told" and held.count == 1 for held in view.withheld)


def test_said_again_it_is_fresh_again() -> None:
    shop = Shop(placements={}, rules=rules(FILLED))
    shop.allow("ada")
    tell(shop, height=180)
    shop.clock.now += 31 * DAY
    assert see(shop.engine.profile("ada"), consent(), rules(FILLED), shop.clock.now).value("height") is None
    tell(shop, name="m2", height=180)
    assert see(shop.engine.profile("ada"), consent(), rules(FILLED), shop.clock.now).value("height") == "180 cm"


def assumed(view: View) -> object:
    found = view.assumed("interests")
    return None if found is None else found.value


def test_what_is_assumed_is_no_trait_and_stands_only_where_nothing_is_known() -> None:
    made, nothing = rules(FILLED), Profile()
    view = see(nothing, consent(), made)
    assert (view.trait("interests"), view.value("interests"), view.empty) == (None, None, True)
    assert assumed(view) == ["sea"] and view.assumptions == {"interests"} and view.opened == {"told"}
    assert view.assumed("height") is None
    assert assumed(see(Profile(declared={"interests": trait("interests", ["war"], NOW)}), consent(), made)) is None
    taken_back = Profile(declared={"interests": trait("interests", None, NOW)})
    assert assumed(see(taken_back, consent(), made)) is None, "who took it back said something"
    stale = Profile(declared={"interests": trait("interests", ["war"], NOW - 101 * DAY)})
    assert assumed(see(stale, consent(), made)) == ["sea"]


def test_an_assumption_never_stands_in_for_what_is_withheld() -> None:
    made = rules(FILLED)
    elsewhere = Profile(declared={"interests": Told("t", NOW, "interests", ["war"], "told", ("learn",))})
    assert assumed(see(elsewhere, consent(), made)) is None
    guessed = Inferred("t", NOW, "interests", ["war"], "guess", ("personalise",), "clicks")
    assert assumed(see(Profile(inferred={"interests": guessed}), consent(), made)) is None


@pytest.mark.parametrize("by", [consent(Dial.off), consent(Dial.remember, "learn"), consent(child=True)])
def test_nothing_is_assumed_of_whom_nothing_may_be_read(by: Consent) -> None:
    assert assumed(see(Profile(), by, rules(FILLED))) is None


def test_nothing_is_assumed_where_the_entry_may_not_be_used() -> None:
    assert assumed(see(Profile(), consent(), rules(FILLED), surface="email")) is None
    assert assumed(see(Profile(), consent(), rules(FILLED, surfaces=("private", "email")), surface="email")) == ["sea"]


@pytest.fixture(scope="module")
def filling() -> Shop:
    """A shop whose one row goes by interests, which it assumes where nobody told any."""
    shop = Shop(placements={"home": placement("interests")}, rules=rules(FILLED))
    shop.train()
    return shop


@given(
    dial=st.sampled_from(list(Dial)), says=st.none() | st.sampled_from((["war"], ["sea"], [])), old=st.booleans(),
    child=st.sampled_from((None, True, False)), allows=st.booleans(), number=st.integers(0, 10**12),
)  # fmt: skip
@settings(max_examples=150)
def test_what_is_filled_is_never_shown_as_a_fact(
    filling: Shop, dial: Dial, says: list[str] | None, old: bool, child: bool | None, allows: bool, number: int
) -> None:
    shop, person = filling, f"p{number}-{dial}-{says}-{old}-{child}-{allows}"
    shop.clock.now = NOW
    shop.allow(person, dial, *(("personalise",) if allows else ("learn",)), child=child)
    if says is not None:
        tell(shop, person, interests=says)
    shop.clock.now = NOW + 101 * DAY * old
    receipt = shop.decide(person).receipt
    open_ = allows and dial >= Dial.told and not child
    fact = open_ and says is not None and not old
    kinds = {piece.source.kind for shown in receipt.shown for piece in shown.contributions}
    assert ("told" in kinds) == bool(fact and says)
    assert (receipt.assumed == ("interests",)) == ("assumed" in kinds) == (open_ and (says is None or old))
    assert receipt.personal == bool(PERSONAL & kinds)
    for shown in receipt.shown:
        words = sentence(shown, shop.engine.shelf().catalogue, EN)
        assert words.startswith("We assumed that you like sea") == ("assumed" in kinds)
        assert "You told" not in words or fact
        assert bool(what_if(shown, shop.engine.shelf().catalogue, EN)) == bool(fact)
    assert "assumed" not in kinds or label(receipt, EN) == "The same for everyone"
    if child is not True and not open_:
        assert receipt.shown == shop.decide(None).receipt.shown


def test_an_assumption_is_stored_nowhere(filling: Shop) -> None:
    filling.clock.now = NOW
    filling.allow("new")
    filling.decide("new")
    assert filling.engine.profile("new") == Profile()
    assert not any(isinstance(event, Interaction | Told) for _, event in filling.stores.events.read("new"))
