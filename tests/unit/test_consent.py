"""What a person allows is folded from what they said; so is when they last took something back."""

from hypothesis import given
from hypothesis import strategies as st

from tactful.domain.consent import Consent, ConsentChange, Dial

SAID = st.dictionaries(st.sampled_from("ab"), st.booleans())
CHANGES = st.lists(
    st.builds(
        ConsentChange, at=st.just(0), source=st.just("here"), charter=st.just("1"), dial=st.none() | st.sampled_from(Dial),
        purposes=SAID, sensitive=SAID, child=st.sampled_from((None, True, False)), sellers=SAID,
    )
)  # fmt: skip


def allowed_by(consent: Consent) -> set[object]:
    """Everything that this consent leaves open, as one set: it shrinks when something is taken back."""
    return {
        *(("dial", level) for level in Dial if level <= consent.dial),
        *(("granted", purpose) for purpose in consent.granted),
        *(("not refused", purpose) for purpose in "ab" if purpose not in consent.refused),
        *(("sensitive", name) for name in consent.sensitive),
        *(("seller", name) for name in "ab" if name not in consent.refused_sellers),
        *({"grown up"} if not consent.child else ()),
    }


@given(CHANGES)
def test_it_is_known_when_something_was_last_taken_back_and_no_later_yes_undoes_that(
    changes: list[ConsentChange],
) -> None:
    consent, last = Consent(), 0
    for at, change in enumerate(changes, 1):
        before, consent = (
            consent,
            consent.after(ConsentChange(at, *(getattr(change, name) for name in change.__struct_fields__[1:]))),
        )
        if not allowed_by(before) <= allowed_by(consent):
            last = at
        assert consent.narrowed == last
