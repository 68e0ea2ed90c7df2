"""What requests and responses look like: the types from which the OpenAPI description is made."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from tactful.domain.item import Attribute, Price
from tactful.domain.item_rules import Rejected
from tactful.domain.receipt import Receipt
from tactful.flow.why_not import WhyNot
from tactful.flow.wording import Details, Mutable
from tactful.flow.wording import Reason as Counted
from tactful.intake import Outcome

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Names = Annotated[list[Name], Meta(max_length=10_000)]
Plain = str | int | float | bool | None | Annotated[list[Name], Meta(max_length=50)]
"""A value of the context: one thing, or a list of ids, as a cart is."""
Context = Annotated[dict[str, Plain], Meta(max_length=50)]
_TAG = "[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*"
TAG = f"^{_TAG}$"
Language = Annotated[str, Meta(pattern=f"^{_TAG}( ?, ?{_TAG})*$", max_length=100)]
Market = Annotated[str, Meta(max_length=100)]
Explain = Literal["none", "sentence", "details"]
Depth = Literal["sentence", "details", "full"]


class PlacementAsk(Struct, forbid_unknown_fields=True):
    """One placement of a page. item: what the page is about, for related items."""

    placement: Name
    limit: Annotated[int, Meta(ge=1, le=200)] | None = None
    item: Name | None = None
    exclude: Names = []


class DecideRequest(Struct, forbid_unknown_fields=True):
    """Who is asking for which placements. person: needs a secret key or the person's token; anonymous: the device's own random id.

    explain: how much to say of why. language: in which to say it, and the items' words (`de`, `de-AT, en`: several, best first); the
    nearest one that there is. market: the price list to take prices from. texts: whether the items' texts come along, not only their titles.
    """

    placements: Annotated[list[Name | PlacementAsk], Meta(min_length=1)]
    person: Name | None = None
    anonymous: Name | None = None
    context: Context = {}
    exclude: Names = []
    explain: Explain = "sentence"
    language: Language | None = None
    market: Market = ""
    texts: bool = False


class PageRequest(Struct, forbid_unknown_fields=True):
    """Who is asking for which declared page, `[pages.NAME]` of tactful.toml. language, market, texts: as in a request for placements."""

    page: Name
    person: Name | None = None
    anonymous: Name | None = None
    context: Context = {}
    exclude: Names = []
    explain: Explain = "sentence"
    language: Language | None = None
    market: Market = ""
    texts: bool = False


class RankRequest(Struct, forbid_unknown_fields=True):
    """The caller's own candidates, to be put in the person's order. scores: what the caller's own search says of each, 0 or above."""

    placement: Name
    items: Annotated[list[Name], Meta(min_length=1)]
    scores: list[Annotated[float, Meta(ge=0)]] | None = None
    person: Name | None = None
    anonymous: Name | None = None
    context: Context = {}
    explain: Literal["none", "sentence"] = "sentence"
    language: Language | None = None


class SearchRequest(Struct, forbid_unknown_fields=True):
    """What was typed, and by whom. offset: how many of the best were shown before; with the limit it comes to 200 at most."""

    query: Annotated[str, Meta(min_length=1, max_length=200)]
    placement: Name = "search"
    person: Name | None = None
    anonymous: Name | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] | None = None
    offset: Annotated[int, Meta(ge=0, le=199)] = 0
    context: Context = {}
    exclude: Names = []
    explain: Explain = "sentence"
    language: Language | None = None
    market: Market = ""
    texts: bool = False


class MoreWhy(Struct):
    """More of why an item is there. reasons: up to three, each with its share of the score; chance: "" where none was in play. mute: what
    the person can say that they want no more of: keys for the declared trait `muted`."""

    what_if: str
    reasons: tuple[Counted, ...]
    chance: str
    mute: tuple[Mutable, ...]


class MoreOfList(Struct):
    """More of why a list is as it is: what was read, assumed, not read, left out."""

    read: str
    assumed: str
    withheld: tuple[str, ...]
    removed: tuple[str, ...]


class ShownItem(Struct, omit_defaults=True):
    """An item in its slot, with the reason in one sentence. odds: the chance with which it was drawn. more: with explain = "details".

    variant: which presentation of it, left out for its own; asset: what the client shows of that. language: of the title, if somebody
    says. text: where it was asked for.
    """

    id: str
    title: str
    kind: str
    attributes: dict[str, Attribute]
    price: Price | None
    why: str
    odds: float
    more: MoreWhy | None = None
    variant: str = ""
    asset: str | dict[str, Attribute] = ""
    language: str = ""
    text: str = ""


class DecisionOut(Struct, omit_defaults=True):
    """What to show in one placement. receipt: opens the whole explanation at GET /v1/receipts/{receipt}; "" in a preview, which keeps
    none. more: with explain = "details"."""

    placement: str
    receipt: str
    label: str
    personal: bool
    held: bool
    items: list[ShownItem]
    more: MoreOfList | None = None


class SearchResponse(Struct):
    """What was found. mended: the query with typing mistakes mended, as it was searched for; "" if there was nothing to mend, or a mended word is only in what may not be shown.

    count: how many items match and may be shown, of which `decision` has those from `offset` on.
    """

    query: str
    mended: str
    count: int
    offset: int
    decision: DecisionOut


class SuggestResponse(Struct):
    """How what was typed could go on: titles, authors, subjects, most fitting first."""

    suggestions: list[str]


class RankedItem(Struct):
    """One of the caller's candidates in its new place, with the reason in one sentence."""

    id: str
    why: str
    odds: float


class RankResponse(Struct):
    """The caller's permitted candidates, best first. receipt: opens the whole explanation."""

    placement: str
    receipt: str
    label: str
    personal: bool
    held: bool
    items: list[RankedItem]


class DecideResponse(Struct):
    """One decision for each placement asked for, in the same order."""

    decisions: list[DecisionOut]


class PageRow(DecisionOut, kw_only=True):
    """A row in its place. words: what the placement is, as tactful.toml says it. value: the estimated chance that the next choice falls into it."""

    words: str
    value: float


class PageResponse(Struct):
    """The rows, in the order in which this person is likeliest to choose from them. personal: whether anything about the person moved them."""

    page: str
    personal: bool
    rows: list[PageRow]


class BatchResponse(Outcome, frozen=True, kw_only=True):
    """The account: sent = stored + duplicate + quarantined + refused."""

    success: bool


class ItemsResponse(Struct):
    """How many items were put, and the catalogue's new version; of a dry run, how many would be, and the version that there is.

    new, changed, same: what they are to the catalogue. rejected: lines that cannot be used; problems: the first of them.
    """

    stored: int
    version: int
    new: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    dry_run: bool = False
    problems: list[Rejected] = []


class ConsentRequest(Struct, forbid_unknown_fields=True):
    """What changes; the rest stays. dial: off, told, visit or remember. sellers: whose data about them they refuse (false), or
    allow again (true)."""

    dial: str | None = None
    purposes: dict[str, bool] = {}
    sensitive: dict[str, bool] = {}
    sellers: dict[str, bool] = {}
    source: Annotated[str, Meta(min_length=1, max_length=100)] = "api"


class ConsentResponse(Struct):
    """What the person allows now. words: the dial in the words that people read. refused_sellers: whose data about them is not used."""

    dial: str
    words: str
    granted: list[str]
    refused: list[str]
    sensitive: list[str]
    version: int
    refused_sellers: list[str] = []


class Reason(Struct):
    """Why one item was shown, and what would be different without the first reason."""

    item: str
    title: str
    why: str
    what_if: str


class ReceiptResponse(Struct):
    """What a receipt says in words (language: in which), and with depth = full the receipt itself; details: not at depth = sentence."""

    label: str
    reasons: list[Reason]
    receipt: Receipt | None = None
    details: Details | None = None
    language: str = ""


class PreviewRequest(Struct, forbid_unknown_fields=True):
    """A page as if the person's dial stood at another level, at most at its own: off, told, visit or remember. page: a declared one;
    or its placements, one by one."""

    dial: str
    page: Name | None = None
    placements: list[Name | PlacementAsk] = []
    person: Name | None = None
    anonymous: Name | None = None
    context: Context = {}
    exclude: Names = []
    explain: Explain = "sentence"
    language: Language | None = None
    market: Market = ""
    texts: bool = False


class WhyNotRequest(Struct, forbid_unknown_fields=True):
    """Why an item is not shown in a placement. on_page: what stood on the page already, above this placement."""

    placement: Name | PlacementAsk
    item: Name
    person: Name | None = None
    anonymous: Name | None = None
    context: Context = {}
    on_page: Names = []
    language: Language | None = None


class WhyNotResponse(Struct):
    """In words, and for machines: see `tactful.flow.why_not`. language: in which it is said."""

    words: str
    answer: WhyNot
    language: str


class TokenRequest(Struct, forbid_unknown_fields=True):
    """For whom, and for how long."""

    person: Name
    seconds: Annotated[int, Meta(ge=1, le=86_400)] = 3600


class TokenResponse(Struct):
    """A person token: send it as `X-Person-Token`."""

    token: str


class Health(Struct):
    """status: `ok`, or what is missing. models: versions by name."""

    status: str
    items: int
    models: dict[str, str]
    placements: list[str]


class ProblemOut(Struct, omit_defaults=True):
    """An error (RFC 9457). title: a stable code; detail: what was wrong, where, and what to do. field: where in the input."""

    status: int
    title: str
    detail: str
    field: str = ""
    extra: dict[str, Any] = {}
