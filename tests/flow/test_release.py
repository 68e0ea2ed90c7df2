"""The gate on the way out: nothing leaves without the purpose, and what is taken away is told."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tactful.contracts import receipt
from tactful.domain.charter import Charter, Children, Data
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.event import Event, Interaction, Obtained, Told
from tactful.domain.receipt import Shown
from tactful.domain.receiver import WHAT, Receiver, bad_url
from tactful.domain.rules import receiver_problems
from tactful.flow.release import News, decision_kept_back, kept_back, level, may_hold, news_of
from tests.shop import DAY, NOW, charter

LEAVES = charter()
OPEN = Consent(dial=Dial.remember, granted=frozenset({"measure", "personalise"}))
MEASURER = Receiver(purpose="measure", words="Our counter", what=WHAT)


def bought(**changes: object) -> Interaction:
    event = Interaction("e", NOW, "bought", "emma", "purchases", ("personalise", "measure"), kept=NOW)
    return structs.replace(event, **changes)


def why(event: Event, *consents: Consent, rules: Charter = LEAVES, now: int = NOW, telling: Sequence[str] = ()) -> str:
    return kept_back(event, "measure", consents or (OPEN,), rules, now, telling) or ""


def test_what_was_agreed_then_and_is_allowed_now_leaves() -> None:
    assert why(bought()) == ""
    assert why(bought(), OPEN, OPEN) == ""


def with_data(**changes: object) -> Charter:
    data = {**LEAVES.data, "purchases": structs.replace(LEAVES.data["purchases"], **changes)}
    return structs.replace(LEAVES, data=data)


STOPPED = {
    "not agreed when it came": (bought(purposes=("personalise", "learn")), (OPEN,), LEAVES, "not collected for 'measure'"),
    "the charter took the purpose away": (bought(), (OPEN,), with_data(purposes=("personalise",)), "not collected"),
    "the charter took the entry away": (bought(data="gone"), (OPEN,), LEAVES, "no longer declares"),
    "withdrawn since": (bought(), (structs.replace(OPEN, granted=frozenset({"personalise"})),), LEAVES, "no consent for 'measure'"),
    "one of two owners does not allow it": (bought(), (OPEN, structs.replace(OPEN, granted=frozenset())), LEAVES, "no consent"),
    "a child": (bought(), (structs.replace(OPEN, child=True),), LEAVES, "children"),
    "one of two owners is a child": (bought(), (OPEN, structs.replace(OPEN, child=True)), LEAVES, "children"),
    "presumed to be a child": (bought(), (OPEN,), structs.replace(LEAVES, children=Children(unknown_age_is_child=True)), "children"),
    "the dial at off": (bought(), (structs.replace(OPEN, dial=Dial.off),), LEAVES, "'Off'"),
    "the dial at told": (bought(), (structs.replace(OPEN, dial=Dial.told),), LEAVES, "'Only what I tell you'"),
    "the dial at visit": (bought(), (structs.replace(OPEN, dial=Dial.visit),), LEAVES, "'This visit'"),
    "kept for a visit": (bought(visit=True), (OPEN,), LEAVES, "one visit only"),
    "sensitive": (bought(), (OPEN,), with_data(sensitive="health"), "'health' is not turned on"),
    "over": (bought(kept=NOW - 1096 * DAY), (OPEN,), LEAVES, "time is over"),
    "nobody knows": (bought(), (), LEAVES, "not known what the person allows"),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPPED)
def test_what_stays_stays_for_this_reason(case: str) -> None:
    event, consents, rules, word = STOPPED[case]
    assert word in (kept_back(event, "measure", consents, rules, NOW, ()) or "it left")


def test_an_item_that_would_betray_something_stays_and_leaves_once_that_is_turned_on() -> None:
    assert "betray" in why(bought(), telling=["emma"])
    on = structs.replace(OPEN, sensitive=frozenset({"health"}))
    assert why(bought(), on, rules=with_data(sensitive="health")) == ""
    assert "sensitive" in why(bought(), on, OPEN, rules=with_data(sensitive="health"))


def test_what_the_person_told_us_needs_no_memory_and_refused_sellers_stay_refused() -> None:
    entry = Data("what we bought", "user.demographic.profile", "obtained", ("measure",), 100, traits=("income",))
    rules = structs.replace(
        LEAVES,
        data={**LEAVES.data, "told": structs.replace(LEAVES.data["told"], purposes=("measure",)), "bought": entry},
    )
    told = Told("t", NOW, "interests", ["sea"], "told", ("measure",), NOW)
    assert why(told, structs.replace(OPEN, dial=Dial.told), rules=rules) == ""
    assert "'Off'" in why(told, structs.replace(OPEN, dial=Dial.off), rules=rules)
    sold = Obtained("o", NOW, "income", 3, "bought", ("measure",), "Seller", "licence", "consent", NOW)
    assert why(sold, rules=rules) == ""
    assert "seller" in why(sold, structs.replace(OPEN, refused_sellers=frozenset({"Seller"})), rules=rules)


consents = st.builds(
    Consent,
    dial=st.sampled_from(Dial),
    granted=st.frozensets(st.sampled_from(["personalise", "learn", "measure"])),
    refused=st.frozensets(st.sampled_from(["personalise", "learn", "measure"])),
    child=st.sampled_from([None, True, False]),
)
events = st.builds(
    bought,
    data=st.sampled_from(["browsing", "purchases", "told", "gone"]),
    purposes=st.lists(st.sampled_from(["personalise", "learn", "measure"]), unique=True).map(tuple),
    visit=st.booleans(),
    kept=st.integers(NOW - 2000 * DAY, NOW),
)


@given(events, st.lists(consents, max_size=3), st.sampled_from(["personalise", "learn", "measure", "undeclared"]))
def test_nothing_leaves_without_the_purpose(event: Interaction, said: list[Consent], purpose: str) -> None:
    """Said the other way round, so that no check can go missing unnoticed."""
    left = kept_back(event, purpose, said, LEAVES, NOW, ()) is None
    data = LEAVES.data.get(event.data)
    may = (
        data is not None
        and bool(said)
        and all(purpose in one.granted and one.dial == Dial.remember and one.child is not True for one in said)
        and purpose in event.purposes
        and purpose in data.purposes
        and not event.visit
        and event.kept >= NOW - data.retention_days * DAY
    )
    assert left == may


# -------------------------------------------------------------------------------------------------------------- decisions


def test_a_decision_leaves_for_somebody_who_allows_it() -> None:
    made = structs.replace(receipt("r"), shown=(Shown("emma", 1.0, 1.0, 1),))
    assert decision_kept_back(made, "measure", [OPEN], LEAVES, ()) is None
    assert "betray" in (decision_kept_back(made, "measure", [OPEN], LEAVES, ["emma"]) or "")
    assert "no consent" in (decision_kept_back(made, "learn", [OPEN], LEAVES, ()) or "")
    for shut in ({"dial": Dial.visit}, {"dial": Dial.off}, {"child": True}, {"granted": frozenset()}):
        assert decision_kept_back(made, "measure", [structs.replace(OPEN, **shut)], LEAVES, ())
        assert decision_kept_back(made, "measure", [OPEN, structs.replace(OPEN, **shut)], LEAVES, ())
    assert decision_kept_back(made, "measure", [], LEAVES, ())


# -------------------------------------------------------------------------------------------------------- consent and its end


def said(**fields: object) -> ConsentChange:
    return ConsentChange(NOW, "privacy centre", "1", **fields)  # type: ignore[arg-type]


def told_of(change: ConsentChange, before: Consent, *now: Consent, what: tuple[str, ...] = WHAT) -> News | str | None:
    receiver = structs.replace(MEASURER, what=what)
    return news_of(change, before, now or [before.after(change)], receiver, LEAVES)


def test_a_withdrawal_is_told_to_every_receiver() -> None:
    for what in (WHAT, ("events",), ("decisions",)):
        for change in (
            said(purposes={"measure": False}),
            said(dial=Dial.off),
            said(child=True),
        ):
            assert told_of(change, OPEN, what=what) == News(Dial.off, True)
        assert told_of(said(dial=Dial.told), OPEN, what=what) == News(Dial.told, True)


def test_what_is_told_is_what_is_true_now() -> None:
    gone = Consent(dial=Dial.remember)
    assert told_of(said(purposes={"measure": False}), OPEN, OPEN) == News(Dial.remember, True)
    assert "no consent" in str(told_of(said(purposes={"measure": True}), gone, gone))
    assert told_of(said(dial=Dial.told), OPEN, OPEN, gone) == News(Dial.off, True), "the strictest of all owners"


def test_a_grant_is_told_to_those_who_asked_for_consent_alone() -> None:
    before = Consent(dial=Dial.remember)
    grant = said(purposes={"measure": True})
    assert told_of(grant, before) == News(Dial.remember, False)
    assert told_of(grant, before, what=("events", "decisions")) is None


def test_what_changes_nothing_for_this_purpose_is_none_of_a_receivers_business() -> None:
    for change in (said(purposes={"personalise": False}), said(sensitive={"health": True}), said(sellers={"S": False})):
        assert told_of(change, OPEN) is None
    assert told_of(said(purposes={"measure": False}), Consent()) is None, "who never allowed it withdraws nothing"


def test_whoever_allowed_it_once_may_be_known_to_a_receiver() -> None:
    on, off = said(dial=Dial.remember, purposes={"measure": True}), said(purposes={"measure": False})
    assert may_hold([on], "measure", LEAVES) and may_hold([on, off], "measure", LEAVES)
    assert not may_hold([on], "learn", LEAVES) and not may_hold([off], "measure", LEAVES)
    assert not may_hold([said(purposes={"measure": True})], "measure", LEAVES), "the dial stood at off"
    assert level("measure", [], LEAVES) == Dial.off


# -------------------------------------------------------------------------------------------------------------- receivers


def test_a_receiver_that_breaks_no_rule_has_no_problems() -> None:
    for url in ("", "https://example.org/in", "http://127.0.0.1:9/in", "http://localhost/x", "http://[::1]:80/"):
        assert list(receiver_problems("counter", structs.replace(MEASURER, url=url), LEAVES)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "undeclared"}, "purpose"),
        ({"words": " "}, "words"),
        ({"what": ()}, "what"),
        ({"what": ("everything",)}, "what"),
        ({"url": "http://example.org/"}, "url"),
        ({"attempts": 0}, "attempts"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_a_receiver_that_breaks_a_rule_is_named_with_its_field(changes: dict[str, object], field: str) -> None:
    found = list(receiver_problems("counter", structs.replace(MEASURER, **changes), LEAVES))
    assert [at for at, _, _ in found] == [f"receivers.counter.{field}"]


def test_names_are_plain() -> None:
    assert list(receiver_problems("../x", MEASURER, LEAVES))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "https://", "example.org", "https://user:secret@example.org/", "https://example.org/#x",
        "https://example.org/a b", "https://example.org:99999/", "http://127.0.0.1.example.org/", "http://10.0.0.1/",
        "http://127.0.0.1@example.org/", "https://exämple.org/", "https://example.org/\r\nHost: x",
    ],
)  # fmt: skip
def test_people_are_not_sent_in_the_clear_or_to_odd_addresses(url: str) -> None:
    assert bad_url(url, allow_http=False)


def test_plain_http_elsewhere_only_where_it_is_said() -> None:
    assert bad_url("http://collector.internal/", allow_http=True) is None
