"""One receiver's courier: at least once, in order, until it is taken. Clock, dice and the way to post are passed in."""

import logging
from collections.abc import Callable, Mapping

from msgspec import Struct

from tactful.deliver.forgotten import Forgettings, Forgotten
from tactful.deliver.ledger import Dead, Ledger, Place
from tactful.deliver.messages import ForgottenOut, body_of, encode
from tactful.deliver.outgoing import Outgoing, Parcel
from tactful.deliver.post import Reply
from tactful.deliver.secrets import signed
from tactful.domain.receiver import Receiver
from tactful.ports import Dice

IDLE_MS = 200
"""How long a courier with nothing to do waits before it looks again."""
PAUSE_MOST_MS = 3_600_000
"""The longest pause between two attempts that we choose ourselves: an hour."""

Post = Callable[[str, bytes, Mapping[str, str], float, int], Reply]
log = logging.getLogger(__name__)


class World(Struct, frozen=True):
    """What a courier cannot know by itself. now: milliseconds since 1970."""

    now: Callable[[], int]
    dice: Dice
    post: Post


def pause(attempts: int, first_ms: int, dice: Dice) -> int:
    """How long to wait after so many attempts in vain, in milliseconds: doubling, give or take a half, at most an hour."""
    return int(min(first_ms * 2.0 ** min(attempts - 1, 40), PAUSE_MOST_MS) * (0.5 + dice.random()))


class Courier:
    """Takes one receiver's parcels to it. What was not acknowledged is sent again, also after a crash."""

    def __init__(
        self,
        name: str,
        receiver: Receiver,
        outgoing: Outgoing,
        ledger: Ledger,
        forgettings: Forgettings,
        secret: str,
        world: World,
    ) -> None:
        self._name, self._receiver, self._world = name, receiver, world
        self._outgoing, self._ledger, self._forgettings, self._secret = outgoing, ledger, forgettings, secret

    def step(self) -> int:
        """Do one thing. Answers with how long to wait before the next, in milliseconds.

        Forgettings come first, then dead letters that are to be tried again, then the next parcel.
        """
        now, place = self._world.now(), self._ledger.place(self._name)
        if place.next_at > now:
            # Not longer, so that somebody who asks for a replay need not wait for the end of a long pause.
            return min(place.next_at - now, IDLE_MS)
        if self._ledger.notices(self._name):
            done = self._forgettings.done(self._name, now)
            return self._tell(done[0], place) if done else IDLE_MS
        if self._outgoing.head() < place.cursor:
            log.warning("%s was told more than the store holds: an older copy was put back", self._name)
            self._ledger.rewind(self._name, self._outgoing.head())
            return 0
        for dead in self._ledger.dead(self._name):
            if dead.again:
                return self._revive(dead, place)
        parcel = self._outgoing.after(place.cursor, self._receiver.batch, now, place.until)
        if parcel.until == place.cursor:
            return IDLE_MS
        if self._ledger.notices(self._name):
            return 0  # somebody was forgotten since: what was read may be theirs, so it is read again
        return self._deliver(parcel, place)

    def _deliver(self, parcel: Parcel, place: Place) -> int:
        if not parcel.messages:
            self._ledger.move(self._name, place.cursor, parcel.until, 0, parcel.withheld)
            return 0
        self._ledger.begin(self._name, place.cursor, parcel.until)
        reply = self._post(self._stretch(parcel), *parcel.messages)
        if reply.taken:
            self._ledger.move(self._name, place.cursor, parcel.until, len(parcel.messages), parcel.withheld)
            return 0
        attempts = place.attempts + 1
        # That somebody took something away is told until it is heard: whoever does not take that gets nothing else.
        if attempts < self._receiver.attempts or parcel.urgent:
            return self._failed(place, reply)
        log.warning("%s: numbers %d to %d put aside: %s", self._name, parcel.after + 1, parcel.until, reply.why)
        dead = Dead(0, parcel.after, parcel.until, self._world.now(), attempts, reply.why, False)
        self._ledger.bury(self._name, place.cursor, dead, parcel.withheld)
        return 0

    def _failed(self, place: Place, reply: Reply) -> int:
        attempts = place.attempts + 1
        wait = max(pause(attempts, self._receiver.pause_ms, self._world.dice), reply.pause_ms)
        self._ledger.failed(self._name, place.cursor, attempts, self._world.now() + wait, reply.why)
        return min(wait, IDLE_MS)

    def _tell(self, notice: Forgotten, place: Place) -> int:
        message = encode(ForgottenOut(notice.person, notice.at, notice.number))
        reply = self._post(f"forgotten-{notice.number}", message)
        if not reply.taken:
            return self._failed(place, reply)
        self._ledger.heard(self._name, notice.number)
        if place.attempts:
            self._ledger.rested(self._name)
        return 0

    def _revive(self, dead: Dead, place: Place) -> int:
        """Send a dead letter again, as it may be sent today: read from the log and gated anew."""
        after, sent = dead.after, 0
        while after < dead.until:
            parcel = self._outgoing.after(after, self._receiver.batch, self._world.now(), dead.until)
            if parcel.until <= after:
                break  # an older copy was put back: the store ends before it
            if parcel.messages:
                reply = self._post(self._stretch(parcel), *parcel.messages)
                if not reply.taken:
                    self._ledger.still_dead(dead.number, reply.why)
                    return 0
            after, sent = parcel.until, sent + len(parcel.messages)
        self._ledger.revived(self._name, dead.number, sent)
        return 0

    def _stretch(self, parcel: Parcel) -> str:
        """Which stretch it is, for its id. After a restore the same numbers are other messages."""
        epoch = self._ledger.epoch()
        return f"{epoch}-{parcel.after}-{parcel.until}" if epoch else f"{parcel.after}-{parcel.until}"

    def _post(self, place: str, *messages: bytes) -> Reply:
        now = self._world.now()
        body = body_of(self._name, messages)
        # The same stretch has the same id, so that a receiver can tell what it has already.
        headers = signed(self._secret, f"{self._name}-{place}", now // 1000, body)
        return self._world.post(self._receiver.url, body, headers, self._receiver.timeout_s, now)
