"""What can go wrong, in words that name the fix. An error's docstring is its message."""

import re
from typing import Any, ClassVar


class TactfulError(Exception):
    """Something went wrong in Tactful: {what}."""

    status: ClassVar[int] = 500
    """The HTTP status that this error becomes at the API."""

    where: ClassVar[str] = ""
    """The field of the input that it is about, where the facts do not name one."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        words = " ".join((type(self).__doc__ or "").split())
        super().__init__(words.format(**facts))

    code: ClassVar[str] = "tactful_error"
    """A stable name for machines, made from the class name: ``unknown_placement``."""

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def field(self) -> str:
        """Where in the input the mistake is, or "" if it is in none of its fields."""
        return str(self.facts.get("field", self.where))


def place_and_reason(words: str) -> tuple[str, str]:
    """What msgspec says is wrong, "Object contains unknown field `c` - at `$.a.b`", as ("a.b.c", "object contains ...")."""
    why, _, path = words.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    named = re.search(r"(?:unknown|required) field `(.+?)`", why)
    if named:
        field = f"{field}.{named.group(1)}".lstrip(".")
    return field, why[:1].lower() + why[1:]


class BadInput(TactfulError):
    """{field}: {why}. {fix}."""

    status = 400


class BadCharter(TactfulError):
    """{path}, line {line}, {field}: {why}. {fix}."""

    status = 500


class BadSettings(TactfulError):
    """{path}, line {line}, {field}: {why}. {fix}."""


class TooLarge(TactfulError):
    """{field} is {size:,} {unit}, the most is {most:,}. {fix}."""

    status = 413


class TooManyItems(TactfulError):
    """items holds {count:,} items, the most is {most:,}. Send the best {most:,}, or use /v1/decide, which looks at the whole catalogue."""

    status = 400
    where = "items"


class UnknownPlacement(TactfulError):
    """No placement is called {name!r}. There are: {available}. Add it as [placements.{name}] in tactful.toml."""

    status = 404
    where = "placement"


class NoSearch(TactfulError):
    """There is nothing to search with: this engine was made without an index of words. Give it one, as `wire.engine_of` does."""

    status = 501


class SearchNotReady(TactfulError):
    """The words of {items:,} items are being read for the search. Ask again in {retry_after} s."""

    status = 503


class UnknownPage(TactfulError):
    """No page is called {name!r}. There are: {available}. Add it as [pages.{name}] in tactful.toml."""

    status = 404
    where = "page"


class UnknownReceiver(TactfulError):
    """No receiver is called {name!r}. There are: {available}. Add it as [receivers.{name}] in tactful.toml."""

    status = 404
    where = "receiver"


class UnknownPlugin(TactfulError):
    """No {kind} is called {name!r}. There are: {available}. Add one as tactful/{room}/{name}.py, or as an entry point in the group tactful.{room}."""


class UnknownReceipt(TactfulError):
    """There is no receipt {receipt!r}, or it is gone (receipts without consent are kept for 24 hours), or it is not yours to open."""

    status = 404
    where = "receipt"


class UnknownItem(TactfulError):
    """There is no item {name!r} in the catalogue. Put it first: POST /v1/items, or `tactful items put FILE`."""

    status = 404
    where = "id"


class NotAllowed(TactfulError):
    """{why}. {fix}."""

    status = 403


class NoKey(TactfulError):
    """No valid key came with the request. Send it as `Authorization: Bearer KEY`, as Basic user name, or as `writeKey` in the body; `tactful init` printed the keys."""

    status = 401


class NoModel(TactfulError):
    """There is no trained model called {name!r} in {where}. Run `tactful train`."""

    status = 503


class StaleModel(TactfulError):
    """Model {name!r} was trained on another catalogue than the one in {where}. Run `tactful train`."""

    status = 503


class OldModel(TactfulError):
    """Model {name!r} in {where} was trained by an earlier Tactful, which did not keep {need!r}. Run `tactful train`."""

    status = 503


class MissingExtra(TactfulError):
    """{what} needs what the extra `{extra}` brings. Run `pip install 'tactful[{extra}]'`."""


class NotInitialised(TactfulError):
    """{path} holds no Tactful installation. Run `tactful init {path}` first, or name another folder with --home."""


class StoreBusy(TactfulError):
    """The store is busy or locked ({why}). Nothing was acknowledged; send it again in {retry_after} s."""

    status = 503


class TooBusy(TactfulError):
    """More is under way than the disk keeps up with ({why}). Nothing was acknowledged; send it again in {retry_after} s."""

    status = 429


class StoreFull(TactfulError):
    """The disk that holds the store is full ({why}). Nothing was acknowledged; free some space, then send it again."""

    status = 507


class StoreReadOnly(TactfulError):
    """The store cannot be written to ({why}). Nothing was acknowledged; what is kept can still be read. Make the data folder writable for the user that runs Tactful (mount, owner, rights), then send it again."""

    status = 503


class ClockMoved(TactfulError):
    """The clock moved by {moved} ({why}), so nothing is deleted for its age. Set the clock right if it is wrong; if it is right, deletion goes on by itself in {hours} h."""

    status = 503


class StoreBroken(TactfulError):
    """The store could not be read or written ({why}). Nothing was acknowledged; run `tactful doctor`."""

    status = 500


class KeyDestroyed(TactfulError):
    """The key that sealed this record is gone: the person was forgotten, or the retention time ran out."""

    status = 410
