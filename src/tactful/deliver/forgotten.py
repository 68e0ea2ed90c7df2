"""Telling receivers that somebody was forgotten, although afterwards nobody knows the name any more.

Before the erasure the name is written down, sealed, for each receiver that may know it; it is told once the erasure is done, and the
name goes when the receiver has taken it, or after a month.
"""

import logging
from collections.abc import Mapping

from msgspec import Struct

from tactful.deliver.ledger import Ledger
from tactful.deliver.secrets import Secrets
from tactful.domain.charter import Charter
from tactful.domain.consent import Consent
from tactful.domain.errors import BadInput
from tactful.domain.receiver import Receiver
from tactful.flow.release import may_hold
from tactful.ports import Stores

ERASED_WITHIN_MS = 60_000
"""How long an erasure may take. After that a receiver is told in any case: whoever asked to be forgotten is better forgotten there."""
log = logging.getLogger(__name__)


class Forgotten(Struct, frozen=True):
    """Somebody whose erasure is done, and of whom a receiver is still to be told. at: when it was asked for, ms since 1970."""

    number: int
    person: str
    at: int


class Forgettings:
    """Whom receivers have still to forget."""

    def __init__(self, stores: Stores, ledger: Ledger, secrets: Secrets) -> None:
        self._stores, self._ledger, self._secrets = stores, ledger, secrets

    def announce(self, person: str, receivers: Mapping[str, Receiver], charter: Charter, now: int) -> None:
        """Write the name down for the receivers that may know it. To be called before the erasure."""
        changes = self._stores.consents.read(person)
        known = set(self._ledger.names())
        names = [
            name
            for name, receiver in receivers.items()
            if name in known and may_hold(changes, receiver.purpose, charter)
        ]
        if names:
            self._ledger.announce(names, now, self._secrets.seal(person))

    def done(self, receiver: str, now: int) -> list[Forgotten]:
        """Whom this receiver has to be told of now, up to the first whose erasure is still under way.

        Told before the erasure is done, it might be handed what it has just been told to forget.
        """
        found = []
        for notice in self._ledger.notices(receiver):
            try:
                person = self._secrets.open(notice.sealed)
            except BadInput:  # nobody can tell it any more, and what comes after it must not wait for ever
                self._ledger.drop_notice(notice.number)
                log.error(
                    "%s: a forgetting (notice %d) cannot be told: receivers.json is another one",
                    receiver,
                    notice.number,
                )
                continue
            since = Consent.of(self._stores.consents.read(person)).since
            if 0 < since <= notice.at and now < notice.at + ERASED_WITHIN_MS:
                break
            found.append(Forgotten(notice.number, person, notice.at))
        return found


def sweep(ledger: Ledger, now: int) -> None:
    """Let go of names that a receiver has not taken within a month."""
    untold = ledger.drop_old_notices(now)
    if untold:
        log.error("%d forgettings could not be told to a receiver within a month; tell it by hand", untold)
