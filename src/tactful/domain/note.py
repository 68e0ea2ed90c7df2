"""What a decision leaves for whoever runs the house: how it went, and nothing about whom it was for."""

from msgspec import Struct

from tactful.domain.receipt import Receipt


class Note(Struct, frozen=True, array_like=True):
    """One decision, as the house counts it: no person, no reasons, no context, no words that were searched for.

    at: ms since 1970. receipt: its id where it may be opened by who has the right; "" where it names nobody, since such a receipt
    opens for who has its id and for nobody else, and where it is of a search, which is the person's own. dial: the person's level, 0 for somebody unknown. shown: item ids, in order.
    removed: (guard, how many). faults: what failed and how, without the words of the failure. took: milliseconds since the request
    for the page came to the engine. page, place: where it stood, as a row of a page ("", 0: it was none).
    """

    at: int
    placement: str
    purpose: str
    receipt: str
    dial: int
    personal: bool
    verdict: str
    shown: tuple[str, ...]
    removed: tuple[tuple[str, int], ...]
    faults: tuple[str, ...]
    took: float
    page: str = ""
    place: int = 0

    @staticmethod
    def of(receipt: Receipt, took: float, opens: bool = True) -> "Note":
        """The note of a decision. took: milliseconds. opens: whether it may say which receipt is the decision's, if that names somebody."""
        placed = receipt.placed
        return Note(
            at=receipt.at,
            placement=receipt.placement,
            purpose=receipt.purpose,
            receipt=receipt.id if opens and receipt.person is not None else "",
            dial=receipt.dial,
            personal=receipt.personal,
            verdict=receipt.verdict,
            shown=tuple(shown.item for shown in receipt.shown),
            removed=tuple((removal.by, removal.count) for removal in receipt.removed),
            faults=tuple(without_words(fault) for fault in receipt.faults),
            took=took,
            page=placed.page if placed is not None else "",
            place=placed.place if placed is not None else 0,
        )


def without_words(fault: str) -> str:
    """`strategy of home: KeyError: 'ann'` → `strategy of home: KeyError`: what a plug-in says may hold anything."""
    return ": ".join(fault.split(": ")[:2])
