"""For receivers that fetch: the same gated messages as NDJSON, from wherever the receiver left off. Nothing is remembered here."""

from tactful.deliver.forgotten import Forgettings
from tactful.deliver.ledger import Ledger
from tactful.deliver.messages import End, ForgottenOut, encode, lines_of
from tactful.deliver.outgoing import Outgoing, Parcel

_TRIES = 10


def fetch(
    name: str, outgoing: Outgoing, forgettings: Forgettings, ledger: Ledger, after: int, most: int, heard: int, now: int
) -> bytes:
    """What is numbered above `after`, one message a line, then where to read on. heard: the last forgetting that the receiver carried out.

    Forgettings come first, and again until they are heard. An `after` beyond the end (an older copy was put back) starts at the end.
    """
    ledger.register([name], 0)
    if heard:
        ledger.heard(name, heard)
    after = min(after, outgoing.head())
    for _ in range(_TRIES):
        forgotten = forgettings.done(name, now)
        parcel = outgoing.after(after, most, now)
        if forgettings.done(name, now) == forgotten:
            break  # nobody's erasure was finished in between, so nothing here is of anybody named as forgotten
    else:
        parcel = Parcel(after, after)  # so much forgetting at once: the rest with the next request
    notices = [encode(ForgottenOut(one.person, one.at, one.number)) for one in forgotten]
    return lines_of([*notices, *parcel.messages], End(parcel.until, parcel.withheld))
