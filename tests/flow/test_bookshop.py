"""What the demo's own recipes promise: nothing sensitive by behaviour, for children what suits children, reasons that hold."""

import random
import time
from collections.abc import Callable, Iterator

import pytest

from tactful.batch import fill, placements_in
from tactful.domain.consent import Dial
from tactful.domain.decision import Ask
from tactful.domain.event import VERBS
from tactful.engine import Answer
from tests.bookshop import ITEMS, betrays, open_bookshop, recipes
from tests.crash.proofs import note
from tests.deletion import Tally, cases
from tests.shop import DAY, NOW, Shop

BY_ID = {item.id: item for item in ITEMS}
IDS = list(BY_ID)
AUDIENCE = {item.id: item.audience for item in ITEMS}
BETRAYS = betrays()
SENSITIVE = sorted(item for item, categories in BETRAYS.items() if categories)
TYPED = [words for item in ITEMS for words in (item.title, *item.values("subjects"))]
HISTORIES_A_SHOP = 20


def a_history(dice: random.Random, shop: Shop, person: str) -> None:
    """Anything at all, with a leaning towards what is sensitive."""
    for _ in range(dice.randrange(1, 5)):
        at = NOW - dice.choice((dice.randrange(1, 25 * 60_000), dice.randrange(60 * DAY)))
        pool = SENSITIVE if dice.random() < 0.5 else IDS
        shop.does(person, dice.choice(VERBS), *dice.sample(pool, dice.randrange(1, 6)), at=at)
    if dice.random() < 0.3:
        shop.tells(person, interests=dice.sample(["sea", "faith", "medicine", "politics", "war"], 2))


def typed(dice: random.Random) -> str:
    """What somebody types: a title or a subject, half the time one of something sensitive."""
    if dice.random() < 0.5:
        return dice.choice(TYPED)
    item = BY_ID[dice.choice(SENSITIVE)]
    return dice.choice([item.title, *item.values("subjects")])


def everything(dice: random.Random, shop: Shop, person: str) -> Iterator[Answer]:
    """Every placement, as any page of the shop may ask for it, every declared page, and what is found for something typed."""
    item = dice.choice(IDS)
    context = {
        "cart": ",".join(dice.sample(IDS, 2)),
        "different": dice.random() < 0.2,
        "device": "phone",
        "weather": "rain",
    }
    for name in shop.engine.recipes:
        yield shop.engine.decide(person, [Ask(name, item=item if dice.random() < 0.4 else None)], context)[0]
    for name in shop.engine.pages:
        yield from shop.engine.page(person, name, context)
    yield shop.engine.decide(person, [Ask("search", query=typed(dice))], context)[0]


@pytest.mark.prove
def test_nothing_sensitive_appears_because_of_what_somebody_did(
    scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    """On any placement, for anybody who has not turned the category on; lists made ahead included."""
    began, shops = time.monotonic(), scale(3, 10_000 // HISTORIES_A_SHOP)
    looked_at, found = 0, 0
    assert any(
        categories - set(BY_ID[item].sensitivity) for item, categories in BETRAYS.items()
    )  # some by a proxy alone
    for seed in range(shops):
        dice, shop = random.Random(seed), open_bookshop()
        opted = {
            f"p{number}": frozenset(name for name in shop.charter.sensitive if dice.random() < 0.15)
            for number in range(HISTORIES_A_SHOP)
        }
        for person, on in opted.items():
            dial = dice.choice(list(Dial))
            shop.change(
                person, dial=dial, purposes={"personalise": True, "learn": True}, sensitive=dict.fromkeys(on, True)
            )
            a_history(dice, shop, person)
        for recipe in placements_in(shop.engine):
            fill(shop.engine, recipe)
        for person, on in opted.items():
            for answer in everything(dice, shop, person):
                betrayed = {one.item: BETRAYS.get(one.item, frozenset()) - on for one in answer.receipt.shown}
                assert not any(betrayed.values()), (seed, person, answer.receipt.placement, betrayed)
                looked_at += len(answer.receipt.shown)
                found += any(
                    piece.source.kind == "query" for one in answer.receipt.shown for piece in one.contributions
                )
    assert looked_at > 1_000
    assert found > 10
    if request.config.getoption("--prove"):
        tried = f"shop: histories after which no placement, page, list or search shows what is sensitive and not turned on, in {looked_at:,} places"
        note(tried, shops * HISTORIES_A_SHOP, 0, time.monotonic() - began)


@pytest.mark.prove
def test_a_child_sees_childrens_books_only_whatever_was_done(
    scale: Callable[[int, int], int], request: pytest.FixtureRequest
) -> None:
    began, shops, looked_at = time.monotonic(), scale(3, 200), 0
    for seed in range(shops):
        dice, shop = random.Random(seed), open_bookshop()
        for number in range(5):
            person = f"kid{number}"
            shop.change(person, dial=Dial.remember, purposes={"personalise": True, "learn": True})
            a_history(dice, shop, person)
            shop.change(person, child=True)
            for answer in everything(dice, shop, person):
                suits = shop.charter.children.audiences
                assert {AUDIENCE.get(one.item, suits[0]) for one in answer.receipt.shown} <= set(suits)
                assert not answer.receipt.personal
                looked_at += len(answer.receipt.shown)
    assert looked_at > 100
    if request.config.getoption("--prove"):
        tried = f"shop: histories of children, who then see books for children only, in {looked_at:,} places"
        note(tried, shops * 5, 0, time.monotonic() - began)


SILENT = {
    "popular", "trending",  # go by nobody's history
    "search", "different",  # wait for something typed, for a wish to be surprised
    "continue", "menu", "session",  # these readers left nothing begun, and were not here a moment ago
    "weekly",  # nobody made the lists
}  # fmt: skip
"""The placements that state nothing personal for readers who only come with what they once did."""
SELDOM = {"together"}


@pytest.mark.prove
@pytest.mark.parametrize("placement", sorted(recipes()))
def test_take_the_reason_away_and_the_item_falls(placement: str, scale: Callable[[int, int], int]) -> None:
    """The deletion test, on every recipe of the shop that goes by what somebody did."""
    people = scale(120 if placement in SELDOM else 60, 1_000)
    tally = Tally.of(cases(open_bookshop(), people, Ask(placement)))
    print(f"\n{placement}: {tally.words}")
    if placement in SILENT:
        assert not tally.reasons
    else:
        assert tally.reasons >= 30
        assert tally.share >= 0.98
