"""A courier, one step at a time: clock, dice and receiver are ours."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.api import app
from tactful.api.access import Access
from tactful.api.service import Service
from tactful.deliver.courier import IDLE_MS, PAUSE_MOST_MS, Courier, World, pause
from tactful.deliver.fetch import fetch
from tactful.deliver.forgotten import ERASED_WITHIN_MS, Forgettings
from tactful.deliver.ledger import NOTICE_MS, Dead, Ledger
from tactful.deliver.outgoing import BYTES, Outgoing
from tactful.deliver.post import RETRY_AFTER_MOST_MS, Reply, retry_after
from tactful.deliver.secrets import Secrets, signed
from tactful.domain.consent import Dial
from tactful.domain.errors import BadInput
from tactful.domain.identity import ALIAS, CONFIRMED, DISOWNED, Link
from tactful.domain.item import Item
from tactful.domain.receiver import WHAT, Receiver
from tactful.engine import Onward
from tactful.wire import onward_of, read_home, real_shell
from tests.http.served import installed
from tests.shop import DAY, NOW, Shop, learned_models

NO = Reply(False, "it answered 500")


class Desk:
    """A shop, one receiver, its courier, and what came of it. `answers`: what the receiver says next; then it takes all."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        settings = {"purpose": "measure", "words": "Our counter", "what": WHAT, "url": "http://localhost/", **changes}
        self.receiver = Receiver(**settings)
        self.receivers = {"counter": self.receiver}
        self.shop = Shop(models=learned_models(), onward=Onward("decisions" in self.receiver.what, self.announce))
        self.folder, self.clock = folder, self.shop.clock
        self.secrets = Secrets.of(folder / "receivers.json")
        self.answers: list[Reply] = []
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.dice = random.Random(1)
        self.ledger = Ledger(folder / "deliveries.db")
        self.ledger.register(self.receivers, 0)
        self.forgettings = Forgettings(self.shop.stores, self.ledger, self.secrets)
        self.outgoing = Outgoing(self.shop.stores, self.shop.charter, self.receiver)
        self.courier = self.another()

    def another(self) -> Courier:
        """A courier as it is after a restart."""
        world = World(lambda: self.clock.now, self.dice, self.post)
        secret = self.secrets.secret("counter")
        return Courier("counter", self.receiver, self.outgoing, self.ledger, self.forgettings, secret, world)

    def announce(self, person: str) -> None:
        self.forgettings.announce(person, self.receivers, self.shop.charter, self.clock.now)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, now: int) -> Reply:
        assert (url, timeout_s, now) == (self.receiver.url, self.receiver.timeout_s, self.clock.now)
        self.posts.append((headers["webhook-id"], json.loads(body)))
        return self.answers.pop(0) if self.answers else Reply(True)

    def run(self, steps: int = 1000) -> None:
        """Until there is nothing to do, letting all pauses pass."""
        for _ in range(steps):
            wait = self.courier.step()
            if wait and self.ledger.place("counter").next_at > self.clock.now:
                self.clock.now = self.ledger.place("counter").next_at
            elif wait:
                return
        raise AssertionError("it goes on and on")

    @property
    def told(self) -> list[dict[str, Any]]:
        """All messages posted, in order."""
        return [message for _, body in self.posts for message in body["messages"]]

    def items(self) -> list[str]:
        """The items of all events posted."""
        return [message["item"] for message in self.told if message["type"] == "event"]

    def buys(self, person: str, *items: str) -> None:
        self.shop.does(person, "bought", *items)

    def fetch(self, after: int = 0, heard: int = 0, most: int = 100) -> list[dict[str, Any]]:
        lines = fetch(
            "counter", self.outgoing, self.forgettings, self.ledger, after, most, heard, self.clock.now
        ).splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


# ------------------------------------------------------------------------------------------------------------ what is told


def test_what_happens_is_told_once_in_order_and_only_what_is_needed(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma", "walden")
    answer = desk.shop.decide("ann", "popular")
    desk.run()
    assert [message["type"] for message in desk.told] == ["consent", "event", "event", "decision"]
    numbers = [message["number"] for message in desk.told]
    assert numbers == sorted(numbers) and numbers[0] == 1
    assert desk.told[0] == {
        "type": "consent", "number": 1, "person": "ann", "at": NOW, "allowed": True, "dial": "remember", "withdrawn": False,
    }  # fmt: skip
    event = desk.told[1]
    assert (event["person"], event["item"], event["verb"], event["data"]) == ("ann", "emma", "bought", "purchases")
    assert "purposes" not in event and "visit" not in event
    decision = desk.told[3]
    assert decision["id"] == answer.receipt.id and decision["items"]
    assert not {"shown", "withheld", "removed", "opened", "allowed"} & set(decision), "the reasons stay in the house"
    assert desk.posts[0][1]["receiver"] == "counter"
    before = len(desk.posts)
    assert desk.courier.step() == IDLE_MS and len(desk.posts) == before
    assert desk.ledger.place("counter").sent == 4


def test_only_what_was_asked_for_is_told(tmp_path: Path) -> None:
    for what, kinds in ((("events",), {"event"}), (("consent",), {"consent"}), (("decisions",), {"decision"})):
        folder = tmp_path / what[0]
        folder.mkdir()
        desk = Desk(folder, what=what)
        desk.shop.allow("ann")
        desk.buys("ann", "emma")
        desk.shop.decide("ann", "popular")
        desk.run()
        assert {message["type"] for message in desk.told} == kinds
        desk.ledger.close()


def test_what_does_not_leave_is_counted_by_reason(desk: Desk) -> None:
    desk.shop.allow("ann", Dial.remember, "personalise", "learn")
    desk.buys("ann", "emma", "walden")
    desk.shop.allow("kid", child=True)
    desk.run()
    assert desk.told == []
    assert desk.ledger.withheld("counter") == {"it was not collected for 'measure'": 2}
    assert desk.ledger.place("counter").cursor == desk.outgoing.head()


def test_who_was_a_child_under_an_old_name_is_one_under_the_new_one(desk: Desk) -> None:
    desk.shop.change("old", child=True)
    desk.shop.allow("ann")
    desk.shop.engine.stores.links.append(
        [Link("l", NOW, "old", "ann", ALIAS), Link("c", NOW, "old", "ann", ALIAS, CONFIRMED)]
    )
    desk.buys("ann", "emma")
    desk.run()
    assert desk.told == []
    assert desk.ledger.withheld("counter")["children are not profiled"] >= 1


def test_what_is_withdrawn_before_it_is_sent_is_never_sent(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.shop.change("ann", purposes={"measure": False})
    desk.buys("ann", "walden")
    desk.run()
    assert desk.items() == []
    assert [(m["allowed"], m["withdrawn"]) for m in desk.told] == [(False, True)]


def test_a_withdrawal_travels_alone_and_is_told_until_it_is_heard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, what=("events",), attempts=2)
    desk.shop.allow("ann")
    desk.shop.allow("bob")
    desk.buys("bob", "emma")
    desk.run()
    desk.buys("bob", "walden")
    desk.shop.change("ann", dial=Dial.off)
    desk.buys("bob", "dracula")
    desk.answers = [Reply(True), *[NO] * 7]
    desk.run()
    assert desk.ledger.dead("counter") == []
    bodies = [[message["type"] for message in body["messages"]] for _, body in desk.posts[1:]]
    assert bodies == [["event"], *[["consent"]] * 8, ["event"]]
    assert len({name for name, _ in desk.posts[2:10]}) == 1, "the same message has the same id each time"
    desk.ledger.close()


def test_what_is_taken_away_is_taken_away_under_all_names(desk: Desk) -> None:
    desk.shop.allow("anon:phone")
    desk.buys("anon:phone", "emma")
    desk.shop.allow("ann")
    desk.shop.stores.links.append([Link("l", NOW, "anon:phone", "ann", ALIAS)]).wait()
    desk.run()
    assert desk.items() == ["emma"]
    desk.buys("anon:phone", "walden")
    desk.shop.change("ann", purposes={"measure": False})
    desk.run()
    assert desk.items() == ["emma"], "the device's own consent does not outweigh its owner's"
    assert [(m["person"], m["allowed"]) for m in desk.told if m.get("withdrawn")] == [
        ("ann", False),
        ("anon:phone", False),
    ]


def test_what_somebody_disowned_stays(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.shop.stores.links.append([Link("l", NOW + 1, "ann", "ann", DISOWNED, since=NOW - 1)]).wait()
    desk.clock.now += 2
    desk.buys("ann", "walden")
    desk.run()
    assert desk.items() == ["walden"] and desk.ledger.withheld("counter") == {"it was disowned": 1}


def test_an_item_that_betrays_what_is_not_turned_on_stays(desk: Desk) -> None:
    desk.shop.stores.items.put([Item(id="pills", title="Pills", sensitivity=("health",))])
    desk.shop.allow("ann")
    desk.buys("ann", "pills", "emma")
    desk.run()
    assert desk.items() == ["emma"]


def test_parcels_are_bounded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batch=3)
    desk.shop.allow("ann")
    for place in range(10):
        desk.shop.does("ann", "viewed", "emma", at=NOW - place)
    desk.run()
    assert [len(body["messages"]) for _, body in desk.posts] == [3, 3, 3, 2]
    desk.ledger.close()
    assert BYTES <= 1 << 20


# -------------------------------------------------------------------------------------------------------- trouble and death


def test_a_failure_is_tried_again_later_and_nothing_overtakes_it(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.answers = [NO, NO]
    desk.courier.step()
    place = desk.ledger.place("counter")
    assert place.attempts == 1 and NOW < place.next_at <= NOW + 1500 and place.why == "it answered 500"
    desk.buys("ann", "walden")
    assert desk.courier.step() > 0 and len(desk.posts) == 1, "not before its time"
    desk.run()
    first, second, third, rest = desk.posts
    assert first == second == third and first[0] != rest[0]
    assert [m["item"] for m in rest[1]["messages"]] == ["walden"]
    assert desk.ledger.place("counter").attempts == 0


def test_a_receiver_may_ask_for_a_pause(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.answers = [Reply(False, "it answered 429", 120_000)]
    desk.courier.step()
    assert desk.ledger.place("counter").next_at == NOW + 120_000


def test_after_so_many_attempts_it_is_put_aside_the_rest_goes_on_and_a_replay_brings_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, attempts=3)
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.answers = [NO] * 3
    desk.run()
    (dead,) = desk.ledger.dead("counter")
    assert (dead.after, dead.until, dead.attempts, dead.why) == (0, 2, 3, "it answered 500")
    desk.buys("ann", "walden")
    desk.posts.clear()
    desk.run()
    assert desk.items() == ["walden"]
    assert desk.ledger.again("counter", dead.number) == 1
    desk.answers = [NO]
    desk.run()
    (still,) = desk.ledger.dead("counter")
    assert still.attempts == 4 and not still.again
    desk.posts.clear()
    desk.ledger.again("counter")
    desk.run()
    assert desk.items() == ["emma"] and desk.ledger.dead("counter") == []
    desk.ledger.close()


def test_a_dead_letter_goes_out_as_it_may_today(tmp_path: Path) -> None:
    desk = Desk(tmp_path, attempts=1)
    for person in ("ann", "bob", "cid"):
        desk.shop.allow(person)
        desk.buys(person, f"book-of-{person}")
    desk.answers = [NO]
    desk.run()
    desk.shop.change("ann", purposes={"measure": False})
    for ack in desk.shop.engine.forget("bob"):
        ack.wait()
    desk.run()
    desk.posts.clear()
    desk.ledger.again("counter")
    desk.run()
    assert desk.items() == ["book-of-cid"]
    assert "bob" not in json.dumps(desk.posts)
    assert [m["allowed"] for m in desk.told if m.get("person") == "ann"] == []
    desk.ledger.close()


def test_a_crash_between_sending_and_noting_it_sends_it_again_under_the_same_id(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")

    class Crash(Exception):
        pass

    def crash(*_: object) -> None:
        raise Crash

    desk.ledger.move = crash  # type: ignore[method-assign]
    with pytest.raises(Crash):
        desk.courier.step()
    del desk.ledger.move
    desk.buys("ann", "walden")
    desk.courier = desk.another()
    desk.run()
    assert [name for name, _ in desk.posts] == ["counter-0-2", "counter-0-2", "counter-2-3"]
    assert desk.posts[0] == desk.posts[1]


def test_going_back_tells_it_again(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.run()
    desk.ledger.rewind("counter", 1)
    desk.run()
    assert desk.items() == ["emma", "emma"]


def test_an_older_copy_of_the_store_does_not_stop_the_feed(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.ledger.rewind("counter", 1000)
    desk.run()
    desk.buys("ann", "emma")
    desk.run()
    assert desk.items() == ["emma"]


def test_a_dead_letter_behind_the_end_of_an_older_copy_does_not_hold_the_courier(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.run()
    head = desk.outgoing.head()
    for cursor in (head + 9, head):
        desk.ledger.rewind("counter", cursor)
        desk.ledger.bury("counter", cursor, Dead(0, cursor, cursor + 9, NOW, 1, "no", False), {})
        desk.ledger.again("counter")
        desk.run()
        assert desk.ledger.dead("counter") == [] and desk.ledger.place("counter").cursor == head
    desk.buys("ann", "emma")
    desk.run()
    assert desk.items() == ["emma"]


def test_after_a_restore_the_same_numbers_have_other_ids(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.run()
    desk.ledger.restored(0, "e1")
    desk.run()
    assert [name for name, _ in desk.posts] == ["counter-0-1", "counter-e1-0-1"]


@given(st.integers(1, 200), st.integers(1, 3_600_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_bounds(attempts: int, first: int, chance: float) -> None:
    class Die:
        def random(self) -> float:
            return chance

    wait = pause(attempts, first, Die())
    assert 0 <= wait <= PAUSE_MOST_MS * 1.5
    assert first * 0.5 - 1 <= wait or wait >= PAUSE_MOST_MS * 0.5 - 1
    assert abs(wait - min(first * 2.0 ** min(attempts - 1, 60), PAUSE_MOST_MS) * (0.5 + chance)) <= 1


# -------------------------------------------------------------------------------------------------------------- forgetting


def forget(desk: Desk, person: str) -> None:
    for ack in desk.shop.engine.forget(person):
        ack.wait()


def test_a_forgetting_is_told_to_who_may_know_the_person_and_then_the_name_is_gone(desk: Desk) -> None:
    desk.shop.allow("ann-who-goes")
    desk.buys("ann-who-goes", "emma")
    desk.shop.allow("bob", Dial.remember, "personalise")
    desk.run()
    for person in ("ann-who-goes", "bob", "nobody"):
        forget(desk, person)
    assert len(desk.ledger.notices("counter")) == 1, "who never allowed it is not known there"
    assert b"ann-who-goes" not in (desk.folder / "deliveries.db").read_bytes()
    desk.answers = [NO] * 30
    desk.posts.clear()
    desk.buys("ann-who-goes", "walden")
    desk.run()
    assert {json.dumps(body) for _, body in desk.posts} == {json.dumps(desk.posts[0][1])}
    assert desk.told[0]["type"] == "person.forgotten" and desk.told[0]["person"] == "ann-who-goes"
    assert len(desk.posts) == 31 and desk.ledger.dead("counter") == []
    assert desk.ledger.notices("counter") == []


def test_whoever_comes_back_is_told_of_after_the_forgetting(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma")
    desk.run()
    forget(desk, "ann")
    desk.clock.now += 1
    desk.shop.change("ann", dial=Dial.remember, purposes={"measure": True})
    desk.buys("ann", "walden")
    desk.posts.clear()
    desk.run()
    assert [message["type"] for message in desk.told] == ["person.forgotten", "consent", "event"]
    assert desk.items() == ["walden"]


def test_nothing_is_told_while_an_erasure_is_under_way(desk: Desk) -> None:
    """Told too early, the receiver would forget, and then be handed what it has just forgotten."""
    desk.shop.allow("ann")
    desk.run()
    desk.posts.clear()
    desk.announce("ann")
    desk.buys("ann", "emma")
    assert desk.courier.step() == IDLE_MS and desk.posts == []
    assert [one["type"] for one in desk.fetch()] == ["consent", "event", "end"]
    desk.clock.now += ERASED_WITHIN_MS
    desk.run()
    assert desk.told[0]["type"] == "person.forgotten", "an erasure that failed does not stop the receiver for ever"


def test_what_was_read_before_a_forgetting_is_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shop.allow("ann")
    desk.run()
    desk.posts.clear()
    desk.buys("ann", "emma")
    read = desk.outgoing.after

    def read_and_be_overtaken(*args: int) -> Any:
        parcel = read(*args)
        monkeypatch.setattr(desk.outgoing, "after", read)
        forget(desk, "ann")
        return parcel

    monkeypatch.setattr(desk.outgoing, "after", read_and_be_overtaken)
    desk.run()
    assert [message["type"] for message in desk.told] == ["person.forgotten"]


def test_names_are_not_kept_for_ever(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.announce("ann")
    assert desk.ledger.drop_old_notices(NOW + NOTICE_MS - 1) == 0
    assert desk.ledger.drop_old_notices(NOW + NOTICE_MS) == 1
    assert desk.ledger.notices("counter") == []


def test_a_name_that_no_key_opens_holds_nobody_up(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.shop.allow("ann")
    desk.run()
    lost = Secrets(b"another root that is long enough").seal("eve")
    desk.ledger.announce(["counter"], NOW, lost)
    forget(desk, "ann")
    desk.posts.clear()
    desk.run()
    assert [message["person"] for message in desk.told] == ["ann"] and desk.ledger.notices("counter") == []
    assert "cannot be told" in caplog.text


def test_names_are_let_go_of_although_no_receiver_is_declared_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "home")
    home, shop = read_home(tmp_path / "home"), Shop()
    shop.engine.onward = onward_of(home, shop.stores)
    service = Service(shop.engine, Access.read(home.path / "access.json"), home.settings)
    with closing(Ledger(home.deliveries)) as ledger:
        ledger.announce(["gone"], 1, b"sealed")
        ledger.announce(["gone"], fresh := real_shell().now(), b"sealed")
        monkeypatch.setattr(app, "PURGE_S", 0.01)

        async def purge_a_while() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(app._purge(service), 0.5)

        asyncio.run(purge_a_while())
        assert [notice.at for notice in ledger.notices("gone")] == [fresh]


# ----------------------------------------------------------------------------------------------------------------- fetching


def test_a_receiver_that_fetches_gets_the_same_messages_and_where_to_read_on(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.buys("ann", "emma", "walden")
    desk.shop.change("ann", purposes={"measure": False})
    desk.shop.allow("bob", Dial.remember, "learn")
    desk.buys("bob", "emma")
    lines: list[dict[str, Any]] = []
    after = 0
    while True:
        *messages, end = desk.fetch(after, most=2)
        lines += messages
        assert end["type"] == "end"
        if end["next"] == after:
            break
        after = end["next"]
    desk.run()
    assert lines == desk.told
    assert after == desk.outgoing.head()
    assert desk.fetch(10**9)[-1]["next"] == after


def test_forgettings_come_until_they_are_heard(desk: Desk) -> None:
    desk.shop.allow("ann")
    desk.fetch()
    forget(desk, "ann")
    first = desk.fetch()
    assert first[0] == {"type": "person.forgotten", "person": "ann", "at": NOW, "notice": 1} and first == desk.fetch()
    assert [one["type"] for one in desk.fetch(heard=1)] == ["end"]


# ------------------------------------------------------------------------------------------------------------------ secrets


def test_the_signature_is_that_of_the_standard_webhooks() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = signed(secret, "msg", 1_700_000_000, b'{"a":1}')
    mark = hmac.new(b"k" * 32, b'msg.1700000000.{"a":1}', hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + base64.b64encode(mark).decode(),
    }


def test_secrets_stay_the_same_and_are_for_their_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "receivers.json"
    first = Secrets.of(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Secrets.of(path).secret("a") == first.secret("a") != first.secret("b")
    assert Secrets.of(path).open(first.seal("ann")) == "ann" and b"ann" not in first.seal("ann")
    given = "whsec_" + base64.b64encode(b"x" * 24).decode()
    monkeypatch.setenv("TACTFUL_RECEIVER_MY_CRM", given)
    assert first.secret("my-crm") == given
    monkeypatch.setenv("TACTFUL_RECEIVER_MY_CRM", "whsec_short")
    with pytest.raises(BadInput, match="TACTFUL_RECEIVER_MY_CRM"):
        first.secret("my-crm")
    path.write_text("{}")
    with pytest.raises(BadInput, match=r"receivers\.json"):
        Secrets.of(path)


def test_retry_after_is_understood_both_ways_and_bounded() -> None:
    assert retry_after("3", NOW) == 3000
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_480_000 - 5000) == 5000
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", NOW) == 0
    for odd in ("", "soon", "-3", "1.5", "²"):
        assert retry_after(odd, NOW) == 0
    assert retry_after("9" * 40, NOW) == RETRY_AFTER_MOST_MS == DAY
