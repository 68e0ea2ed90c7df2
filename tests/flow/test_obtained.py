"""Data obtained from others: kept with seller, licence and basis only, and never against the person's word."""

from typing import Any

import pytest

from tactful.domain.charter import Data
from tactful.domain.consent import ConsentChange, Dial
from tactful.domain.event import Arrival, Obtained, Provenance
from tactful.domain.profile import Profile
from tactful.flow.gate import Admitted, Refused, admit, view_of
from tests.shop import DAY, NOW, Shop, charter, consent

ENTRY = Data(
    words="what others say of you", category="user.demographic.profile", kind="obtained", purposes=("personalise",),
    retention_days=30, traits=("income", "interests"),
)  # fmt: skip
RULES = charter(data={**charter().data, "bought": ENTRY})
SOURCE = Provenance("Acme", "CC-1", "contract")


def refusing(seller: str = "Acme", **more: Any) -> Any:
    return consent(**more).after(ConsentChange(NOW, "test", "1", sellers={seller: False}))


def comes(source: Provenance = SOURCE, **more: Any) -> Arrival:
    return Arrival(
        **{"id": "o1", "person": "ada", "name": "identify", "traits": {"income": 3}, "obtained": source, **more}
    )


def test_it_is_kept_as_obtained_with_where_it_comes_from() -> None:
    kept = admit(comes(traits={"income": 3, "shoe": 44}), RULES, consent(), NOW)
    assert kept == Admitted(
        (Obtained("o1#income", NOW, "income", 3, "bought", ("personalise",), "Acme", "CC-1", "contract", NOW),),
        ("shoe",),
    )


@pytest.mark.parametrize("missing", ["seller", "licence", "basis"])
def test_without_seller_licence_or_basis_it_is_refused(missing: str) -> None:
    source = Provenance(**{name: "" if name == missing else "x" for name in ("seller", "licence", "basis")})
    refused = admit(comes(source), RULES, consent(), NOW)
    assert isinstance(refused, Refused)
    assert f"no {missing} " in refused.why


@pytest.mark.parametrize(
    ("allowed", "why"),
    [
        (refusing(), "refuses data from 'Acme'"),
        (consent(Dial.visit), "dial"),
        (consent(child=True), "children"),
        (consent(Dial.remember, "learn"), "not allowed"),
    ],
)
def test_it_is_refused_where_the_person_does_not_want_it(allowed: Any, why: str) -> None:
    refused = admit(comes(), RULES, allowed, NOW)
    assert isinstance(refused, Refused)
    assert why in refused.why


def test_it_is_refused_of_children_by_what_it_says_itself_and_as_acts() -> None:
    assert admit(comes(traits={"income": 3, "birth_year": 2020}), RULES, consent(), NOW) == Refused(
        "children are not profiled"
    )
    assert isinstance(admit(comes(verb="viewed", items=("a",)), RULES, consent(), NOW), Refused)


def test_it_never_becomes_what_the_person_told() -> None:
    kept = admit(comes(traits={"interests": "art"}), RULES, consent(), NOW)
    assert isinstance(kept, Admitted)
    assert [type(event) for event in kept.events] == [Obtained]


def test_once_a_seller_is_refused_what_they_gave_is_withheld_with_the_reason() -> None:
    given = Obtained("o1", NOW - DAY, "income", 3, "bought", ("personalise",), "Acme", "CC-1", "contract", NOW - DAY)
    profile = Profile(obtained={"income": given})

    def seen(allowed: Any) -> Any:
        return view_of(profile, allowed, RULES, purpose="personalise", surface="private", now=NOW, telling=frozenset())

    assert seen(consent()).trait("income") is not None
    assert seen(refusing("Other")).trait("income") is not None
    view = seen(refusing())
    assert view.trait("income") is None
    assert [(one.data, one.why, one.count) for one in view.withheld] == [
        ("bought", "the person refuses data from 'Acme'", 1)
    ]
    again = refusing().after(ConsentChange(NOW, "test", "1", sellers={"Acme": True}))
    assert seen(again).trait("income") is not None


def test_a_refusal_counts_from_the_next_message_on_and_in_the_account() -> None:
    shop = Shop(rules=RULES)
    shop.allow("ada")
    assert shop.engine.take([comes()]).wait().stored == 1
    shop.change("ada", sellers={"Acme": False})
    outcome = shop.engine.take([comes(id="o2"), comes(Provenance("Acme", "", "contract"), id="o3")]).wait()
    assert (outcome.sent, outcome.refused, outcome.stored) == (2, 2, 0)
    assert shop.engine.profile("ada").obtained["income"].id == "o1#income"
