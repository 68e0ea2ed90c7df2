"""How an import goes: the account, the notes by which it goes on, and the way from one Tactful to another and back."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tactful.cli.account import REASONS_MOST, Account
from tactful.cli.exporting import export_to
from tactful.cli.importing import Source, bring
from tactful.cli.readmitting import Restore
from tactful.cli.taking import Distinct, Intake
from tactful.connectors import tactful
from tactful.connectors.files import fingerprint
from tactful.domain.consent import Consent, ConsentChange, Dial
from tactful.domain.errors import BadInput, StoreBusy
from tactful.domain.event import Arrival, Obtained, Told
from tactful.domain.identity import ALIAS, CONFIRMED, DEVICE, DISOWNED, Link
from tactful.domain.item import Item, Price
from tactful.engine import Engine, Shell
from tactful.flow.gate import Refused
from tactful.flow.readmit import allowed_now, readmit, still_to_say
from tactful.ports import Quarantined, Record
from tests.shop import DAY, NOW, Shop, act, allow, charter

GRANTED = ("personalise", "learn")
SOLD = structs.replace(charter().data["told"], kind="obtained", traits=("income",))
RULES = charter(data={**charter().data, "sold": SOLD})


def bare(**more: Any) -> Shop:
    """A shop with nothing in it and nothing to decide, which takes no time to open."""
    return Shop([], {}, **more)


def fresh(shop: Shop) -> Engine:
    """An engine of its own on the same stores: an import is a process of its own, and sets its engine's clock."""
    return Engine(shop.stores, shop.models, shop.charter, {}, Shell(now=shop.clock, name=str, dice=random.Random(7)))


def row(number: int, person: str = "", **more: Any) -> Arrival:
    made = {"id": f"r{number}", "person": person or f"p{number % 7}", "name": "viewed", "verb": "viewed", "at": NOW - DAY, "items": (f"i{number % 13}",)}  # fmt: skip
    return Arrival(**{**made, **more})


def broken(number: int) -> Quarantined:
    return Quarantined(f"line {number}", 0, "", b"raw", f"line {number}", "it is broken")


def source(rows: list[Any], known: str = "1", **more: Any) -> Source[Any]:
    return Source("test", "rows", "meaning", known, lambda: iter(rows), total=len(rows), **more)


def run(home: Path, shop: Shop, rows: list[Any], piece: int = 10, granted: Any = GRANTED, **more: Any) -> Account:
    engine = fresh(shop)
    return bring(home, engine, source(rows, **more), Intake(engine, granted, "a form"), True, piece)


def counted(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in account.__struct_fields__ if name not in ("seconds", "resumed")}


def adds_up(account: Account) -> bool:
    return account.sent == account.stored + account.duplicate + account.quarantined + account.refused


# ------------------------------------------------------------------------------------------------------------ the account

kinds = st.sampled_from(["good", "again", "nobody", "no item", "broken", "early", "unheard verb", "sold", "unlicensed"])


@given(st.lists(kinds, max_size=40), st.integers(1, 15))
def test_the_account_adds_up_to_the_last_row_whatever_comes(parts: list[str], piece: int) -> None:
    import tempfile

    rows: list[Any] = []
    for number, kind in enumerate(parts):
        rows.append({
            "good": row(number), "again": row(0), "nobody": row(number, items=("x",), id=""), "no item": row(number, items=()),
            "broken": broken(number), "early": row(number, at=5), "unheard verb": row(number, verb="sniffed"),
            "sold": row(number, verb="", items=(), traits={"income": 1}), "unlicensed": broken(number),
        }[kind])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        shop = bare()
        account = run(Path(folder), shop, rows, piece)
    assert adds_up(account)
    assert account.sent == len(rows)
    assert account.quarantined == sum(kind in ("nobody", "no item", "broken", "early", "unheard verb", "unlicensed") for kind in parts)  # fmt: skip
    assert account.refused == parts.count("sold")
    assert sum(account.reasons.values()) == account.quarantined + account.refused
    kept = sum(len(events) for _, events in shop.stores.events.people())
    assert account.stored == kept
    assert len(shop.stores.quarantine.pieces()) == account.quarantined


def test_who_said_something_here_is_not_spoken_for(tmp_path: Path) -> None:
    shop = bare()
    shop.change("p1", dial=Dial.off)
    account = run(tmp_path, shop, [row(1), row(2), row(9)])
    assert (account.sent, account.stored, account.refused, account.people) == (3, 2, 1, 2)
    assert shop.engine.consent("p1").dial == Dial.off
    change = shop.stores.consents.read("p2")[0]
    assert (change.source, change.purposes) == ("a form", dict.fromkeys(GRANTED, True))


def test_importing_twice_changes_nothing_but_the_account_says_so(tmp_path: Path) -> None:
    shop, rows = bare(), [row(number) for number in range(25)]
    first = run(tmp_path, shop, rows)
    shop.clock.now += 1000
    again = run(tmp_path, shop, rows)
    assert (first.stored, first.items, first.people) == (25, 13, 7)
    assert (again.stored, again.duplicate, again.items, again.people) == (0, 25, 0, 7)


def test_reasons_are_counted_beyond_the_hundredth_and_do_not_grow_without_end(tmp_path: Path) -> None:
    account = run(tmp_path, bare(), [broken(number) for number in range(300)], piece=250)
    assert account.reasons == {"quarantined: it is broken": 300}
    assert account.first == {"quarantined: it is broken": "line 0"}
    many = Account()
    for number in range(1000):
        many.blame("refused", "", f"reason {number}")
    assert len(many.reasons) == REASONS_MOST + 1
    assert sum(many.reasons.values()) == 1000


def test_a_purpose_that_the_charter_does_not_have_stops_it_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sell"):
        run(tmp_path, bare(), [row(1)], granted=("sell",))


@given(st.lists(st.lists(st.text(max_size=3), max_size=10), max_size=10))
def test_different_names_are_counted_once(pieces: list[list[str]]) -> None:
    distinct = Distinct()
    for piece in pieces:
        distinct.add(piece)
    assert len(distinct) == len({name for piece in pieces for name in piece})


# ----------------------------------------------------------------------------------------------------- stopped on the way


class Stopped(Exception):
    """As if the process had been killed here."""


def stopping(taker: Any, monkeypatch: pytest.MonkeyPatch, when: int, committed: bool) -> None:
    """Make the taker stop at the piece numbered so: before it, or once the store has it and before anybody has heard of it."""
    take, pieces = taker.take, iter(range(1000))

    def stop(piece: Any, now: int, step: Any) -> Callable[[Account], None]:
        last = next(pieces) == when
        if last and not committed:
            raise Stopped
        finish: Callable[[Account], None] = take(piece, now, step)
        if last:
            raise Stopped
        return finish

    monkeypatch.setattr(taker, "take", stop)


def mixed(count: int) -> list[Any]:
    """Rows with repeats across pieces, new items all along, and some broken."""
    dice = random.Random(7)
    return [
        broken(number) if dice.random() < 0.1
        else row(number if dice.random() < 0.8 else dice.randrange(number + 1), items=(f"i{number // 3}",))
        for number in range(count)
    ]  # fmt: skip


def kept(shop: Shop, person: str) -> Any:
    """What the log has of somebody: acts and consent."""
    return [event for _, event in shop.stores.events.read(person)], shop.stores.consents.read(person)


@pytest.mark.parametrize("committed", [False, True], ids=["before the store has it", "once the store has it"])
@pytest.mark.parametrize("stops", [(0,), (3,), (0, 0, 1), (2, 1, 0, 4), (1, 1, 1, 1)])
def test_stopped_and_run_again_it_comes_to_the_same(
    stops: tuple[int, ...], committed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mixed(100)
    calm = bare()
    (tmp_path / "calm").mkdir()
    whole = run(tmp_path / "calm", calm, rows)
    assert whole.duplicate > 0 < whole.quarantined
    shop = bare()
    for stop in stops:
        engine = fresh(shop)
        taker = Intake(engine, GRANTED, "a form")
        stopping(taker, monkeypatch, stop, committed)
        with pytest.raises(Stopped):
            bring(tmp_path, engine, source(rows), taker, True, 10)
        shop.clock.now += 60_000
    assert counted(run(tmp_path, shop, rows)) == counted(whole)
    for person in (f"p{number}" for number in range(7)):
        assert kept(shop, person) == kept(calm, person), "to the millisecond at which it came in"
    assert sorted(one.id for one in shop.stores.quarantine.pieces()) == sorted(
        one.id for one in calm.stores.quarantine.pieces()
    )
    assert not list((tmp_path / "imports").glob("*.json"))


def test_a_changed_source_begins_anew_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shop, rows = bare(), [row(number) for number in range(50)]
    engine = fresh(shop)
    taker = Intake(engine, GRANTED, "a form")
    stopping(taker, monkeypatch, 3, committed=True)
    with pytest.raises(Stopped):
        bring(tmp_path, engine, source(rows), taker, True, 10)
    shop.clock.now += 60_000
    account = run(tmp_path, shop, rows, known="2")
    assert "has changed since this import was stopped; it begins anew" in capsys.readouterr().err
    assert (account.sent, account.stored + account.duplicate, account.resumed) == (50, 50, 0)
    assert account.duplicate >= 30


def test_a_resumed_import_says_where_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shop, rows = bare(), [row(number) for number in range(50)]
    engine = fresh(shop)
    taker = Intake(engine, GRANTED, "a form")
    stopping(taker, monkeypatch, 3, committed=False)
    with pytest.raises(Stopped):
        bring(tmp_path, engine, source(rows), taker, True, 10)
    assert run(tmp_path, shop, rows).resumed == 21
    assert "Goes on after row 20 of rows" in capsys.readouterr().err


def test_smaller_pieces_are_heard_also_when_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, rows = bare(), [row(number) for number in range(50)]
    engine = fresh(shop)
    taker = Intake(engine, GRANTED, "a form")
    stopping(taker, monkeypatch, 2, True)
    with pytest.raises(Stopped):
        bring(tmp_path, engine, source(rows), taker, True, 10)
    sizes = []
    engine = fresh(shop)
    taken = engine.take
    monkeypatch.setattr(engine, "take", lambda some, *more: sizes.append(len(some)) or taken(some, *more))
    account = bring(tmp_path, engine, source(rows), Intake(engine, GRANTED, "a form"), True, 5)
    assert (set(sizes), account.sent, account.resumed) == ({5}, 50, 0)
    assert adds_up(account)
    assert sum(len(events) for _, events in shop.stores.events.people()) == 50


def test_one_import_at_a_time(tmp_path: Path) -> None:
    shop = bare()

    def inner() -> Iterator[Any]:
        with pytest.raises(BadInput, match="another import is running"):
            run(tmp_path, shop, [row(1)])
        yield row(2)

    engine = fresh(shop)
    outer = Source("test", "rows", "other", "1", inner, total=1)
    assert bring(tmp_path, engine, outer, Intake(engine, GRANTED, "x"), True).stored == 1


def test_a_source_that_cannot_be_read_leaves_no_note(tmp_path: Path) -> None:
    def bad() -> Iterator[Any]:
        raise BadInput(field="a", why="b", fix="c")
        yield

    engine = bare().engine
    with pytest.raises(BadInput):
        bring(tmp_path, engine, Source("test", "rows", "m", "1", bad), Intake(engine, GRANTED, "x"), True)
    assert not list((tmp_path / "imports").glob("*.json"))


def test_a_store_that_fails_leaves_the_note_to_go_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, rows = bare(), [row(number) for number in range(50)]
    engine = fresh(shop)
    taken = engine.take

    def busy(arrivals: Any, *more: Any) -> Any:
        if arrivals[0].id == "r30":
            raise StoreBusy(why="test", retry_after=1)
        return taken(arrivals, *more)

    monkeypatch.setattr(engine, "take", busy)
    with pytest.raises(StoreBusy):
        bring(tmp_path, engine, source(rows), Intake(engine, GRANTED, "x"), True, 10)
    account = run(tmp_path, shop, rows)
    assert (account.sent, account.stored, account.duplicate) == (50, 50, 0)


# ----------------------------------------------------------------------------------------------------------- and back again


def lived_in(refusing: bool = True) -> Shop:
    """People who differ in what they allow, with acts, traits of all kinds, links, and an item with everything.

    refusing: what is kept was allowed when it came in, and some of it is not any more.
    """
    shop = Shop([Item(id="a", title="A", price=Price(3.5), attributes={"x": ["y"]}, vectors={"text": [0.5]}), Item(id="b", title="B")], {}, rules=RULES)  # fmt: skip
    shop.allow("ada")
    shop.allow("bob", Dial.remember, "personalise")
    shop.allow("anon:d1")
    shop.does("ada", "rated", "a", "b", value=4.5)
    shop.does("bob", "viewed", "a", at=NOW - 40 * DAY)
    shop.does("anon:d1", "bought", "b")
    shop.tells("ada", interests="film")
    obtained = Obtained(
        "o#income", NOW - DAY, "income", 3, "sold", ("personalise",), "Acme", "L", "contract", NOW - DAY
    )
    shop.stores.events.append([Record("ada", "sold", (obtained,), NOW + DAY)])
    shop.clock.now += 5000
    shop.change("ada", purposes={"measure": not refusing}, sensitive={"health": True})
    shop.change("ada", sellers={"Acme": not refusing, "Other": False}, child=False)
    shop.change("bob", dial=Dial.off if refusing else Dial.remember)
    shop.stores.links.append([Link("l1", NOW, "anon:d1", "ada", DEVICE, source="login"), Link("l2", NOW, "old name", "bob", ALIAS)])  # fmt: skip
    return shop


def exported(shop: Shop, path: Path) -> Path:
    export_to(shop.engine, "tactful", str(path), "", False)
    return path


def restored(path: Path, shop: Shop, home: Path, piece: int = 3) -> Account:
    engine = fresh(shop)
    found = Source("tactful", path.name, "m", fingerprint(path), lambda: tactful.rows(path), total=None)
    return bring(home, engine, found, Restore(engine), True, piece)


PEOPLE = ("ada", "bob", "anon:d1", "old name")


def everything(shop: Shop) -> dict[str, Any]:
    """Profiles, consents and links of everybody, and the catalogue."""
    stores = shop.stores
    known: dict[str, Any] = {"items": [raw for _, raw in stores.items.since(0)]}
    for person in PEOPLE:
        profile = shop.engine.profile(person)
        known[person] = (
            profile.observed, profile.declared, profile.obtained, profile.inferred, stores.consents.read(person),
            Consent.of(stores.consents.read(person)), sorted(stores.links.read(person), key=lambda link: link.id),
            sorted(event.id for _, event in stores.events.read(person)),
        )  # fmt: skip
    return known


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_what_one_tactful_writes_another_reads_identically(piece: int, tmp_path: Path) -> None:
    origin = lived_in(refusing=False)
    path = exported(origin, tmp_path / "all.ndjson")
    copy = bare(rules=RULES)
    account = restored(path, copy, tmp_path, piece)
    assert adds_up(account)
    assert (account.quarantined, account.refused, account.duplicate) == (0, 0, 0)
    assert account.sent == len(path.read_text().splitlines()) - 1
    assert everything(copy) == everything(origin)
    assert exported(copy, tmp_path / "again.ndjson").read_bytes().count(b"\n") == path.read_bytes().count(b"\n")
    assert sorted((tmp_path / "again.ndjson").read_text().splitlines()) == sorted(path.read_text().splitlines())
    again = restored(path, copy, tmp_path, piece)
    assert (again.duplicate, again.stored) == (again.sent, 0)
    assert everything(copy) == everything(origin)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_restore_that_was_stopped_comes_to_the_same(
    stop: int, committed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = lived_in(refusing=False)
    path = exported(origin, tmp_path / "all.ndjson")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "{broken", lines[-1], lines[2]]) + "\n")
    calm, shop = bare(rules=RULES), bare(rules=RULES)
    (tmp_path / "calm").mkdir()
    whole = restored(path, calm, tmp_path / "calm")
    engine = fresh(shop)
    taker = Restore(engine)
    stopping(taker, monkeypatch, stop, committed)
    found = Source("tactful", path.name, "m", fingerprint(path), lambda: tactful.rows(path), total=None)
    with pytest.raises(Stopped):
        bring(tmp_path, engine, found, taker, True, 3)
    assert counted(restored(path, shop, tmp_path)) == counted(whole)
    assert (whole.duplicate, whole.quarantined) == (2, 1)
    assert everything(shop) == everything(origin)
    assert len(shop.stores.quarantine.pieces()) == 1


def test_what_the_charter_here_does_not_keep_is_refused_with_the_reason() -> None:
    good = act("a", kept=NOW)
    assert readmit(good, charter(), NOW) == (good, NOW + 365 * DAY)
    told = Told("t", NOW, "shoe", 1, "told", ("personalise",), NOW)
    cases = {
        "no [data.gone]": structs.replace(good, data="gone"),
        "is told here": structs.replace(good, data="told"),
        "does not keep it": structs.replace(good, verb="bought"),
        "for no purpose": structs.replace(good, purposes=("sell",)),
        "one visit": structs.replace(good, visit=True),
        "its time is over": structs.replace(good, kept=NOW - 366 * DAY),
        "its time or its id": structs.replace(good, at=5),
        "[data.told] does not": told,
    }
    for why, event in cases.items():
        refused = readmit(event, charter(), NOW)
        assert isinstance(refused, Refused)
        assert why in refused.why
    narrowed = readmit(structs.replace(good, purposes=("learn", "sell")), charter(), NOW)
    assert not isinstance(narrowed, Refused)
    assert narrowed[0].purposes == ("learn",), "it never gets another purpose"


def test_what_a_person_refuses_now_is_not_taken_up_again(tmp_path: Path) -> None:
    """Whether they said so there, before the export, or here."""
    path = exported(lived_in(), tmp_path / "all.ndjson")
    shop = bare(rules=RULES)
    account = restored(path, shop, tmp_path)
    assert adds_up(account)
    assert account.reasons == {
        "refused: the person's dial stands at 'Off'": 1,
        "refused: the person refuses data from 'Acme'": 1,
    }
    assert not shop.stores.events.read("bob")
    assert not any("measure" in event.purposes for _, event in shop.stores.events.read("ada"))
    here = bare(rules=RULES)
    here.clock.now += DAY
    here.change("anon:d1", child=True, dial=Dial.remember, purposes={"learn": True})
    later = restored(path, here, tmp_path)
    assert adds_up(later)
    assert later.reasons["refused: children are not profiled"] == 1
    assert not here.stores.events.read("anon:d1")


def test_what_is_kept_is_what_the_person_allows_now() -> None:
    sick = structs.replace(charter().data["told"], sensitive="health")
    rules = charter(data={**RULES.data, "sick": sick})
    seen, said = act("a"), Told("t", NOW, "interests", "x", "told", ("personalise",), NOW)
    ill = Told("t", NOW, "ill", "x", "sick", ("personalise",), NOW)

    def why(event: Any, *changes: ConsentChange) -> str:
        kept = allowed_now(event, rules, Consent.of(changes))
        return kept.why if isinstance(kept, Refused) else ",".join(sorted(kept.purposes))

    assert why(seen, allow()) == "learn,measure,personalise"
    assert why(seen, allow(Dial.remember, "learn")) == "learn", "what was not allowed goes"
    assert "dial stands at 'This visit'" in why(seen, allow(Dial.visit))
    assert why(said, allow(Dial.told)) == "personalise"
    assert "allows no purpose of [data.told]" in why(said, allow(Dial.remember, "learn"))
    assert "has not turned on 'health'" in why(ill, allow())
    assert why(ill, allow(sensitive=("health",))) == "personalise"
    assert why(said, allow(child=True)) == "children are not profiled"


def test_what_a_person_said_here_later_stands() -> None:
    old, new = allow(), ConsentChange(NOW + 1, "x", "1", Dial.off)
    assert still_to_say([], [old, new]) == [old, new]
    assert still_to_say([old], [old, new]) == [new]
    assert still_to_say([old, new], [old]) == []
    assert isinstance(still_to_say([new], [old]), Refused)


def test_events_without_any_consent_are_refused(tmp_path: Path) -> None:
    path = exported(lived_in(), tmp_path / "all.ndjson")
    path.write_text("\n".join(line for line in path.read_text().splitlines() if '"kind":"consent"' not in line) + "\n")
    shop = bare(rules=RULES)
    account = restored(path, shop, tmp_path)
    assert account.refused == path.read_text().count('"kind":"event"')
    assert any("no consent of this person" in why for why in account.reasons)
    assert list(shop.stores.events.people()) == []


def test_another_file_is_no_export(tmp_path: Path) -> None:
    for text in ("", "{}\n", "person,item\n", '{"tactful": 99}\n'):
        (tmp_path / "x").write_text(text)
        with pytest.raises(BadInput, match="line 1"):
            list(tactful.rows(tmp_path / "x"))


# ------------------------------------------------------------------------------------------------------------ what leaves


def test_without_consent_to_carry_only_what_the_purpose_allows_goes_out(tmp_path: Path) -> None:
    shop = lived_in()
    with pytest.raises(BadInput, match="cannot carry consent"):
        export_to(shop.engine, "csv", str(tmp_path / "x.csv"), "", False)
    report = export_to(shop.engine, "ndjson", str(tmp_path / "x"), "learn", False)
    lines = [json.loads(line) for line in (tmp_path / "x").read_text().splitlines()]
    assert (report.people, report.events, len(lines)) == (2, 3, 3), "bob has turned everything off"
    assert "the dial stands at 'Off'" in report.left_out
    assert {line["person"] for line in lines}.isdisjoint(PEOPLE), "pseudonyms stand for names"
    export_to(shop.engine, "csv", str(tmp_path / "y.csv"), "learn", True)
    text = (tmp_path / "y.csv").read_text()
    assert "ada" in text
    assert "bob" not in text
    assert (tmp_path / "y.csv").stat().st_mode & 0o077 == 0
    for name in ("recbole", "personalize"):
        made = export_to(shop.engine, name, str(tmp_path / name), "learn", False)
        assert (made.events, made.items) == (3, 2)


@pytest.mark.parametrize(
    ("how", "refuses", "why"),
    [
        (DEVICE, {"dial": Dial.off}, "the dial stands at 'Off'"),
        (ALIAS, {"purposes": {"learn": False}}, "no consent for 'learn'"),
        (DISOWNED, {}, "it was disowned"),
    ],
)
def test_what_a_device_did_stays_if_whoever_it_belongs_to_refuses(
    how: str, refuses: dict[str, Any], why: str, tmp_path: Path
) -> None:
    shop = Shop([Item(id="a", title="A")], {})
    shop.allow("ada", Dial.remember, "learn")
    shop.allow("anon:d1", Dial.remember, "learn")
    shop.does("anon:d1", "viewed", "a")
    assert export_to(shop.engine, "csv", str(tmp_path / "x"), "learn", False).events == 1
    if refuses:
        shop.change("ada", **refuses)
    shop.stores.links.append([Link("l", NOW, "anon:d1", "anon:d1" if how == DISOWNED else "ada", how)])
    report = export_to(shop.engine, "csv", str(tmp_path / "x"), "learn", False)
    assert (report.people, report.events, report.left_out) == (0, 0, {why: 1})
    assert len((tmp_path / "x").read_text().splitlines()) == 1


def test_what_a_device_refuses_holds_for_its_person_until_they_confirm_it(tmp_path: Path) -> None:
    shop = Shop([Item(id="a", title="A")], {})
    shop.allow("ada", Dial.remember, "learn")
    shop.does("ada", "viewed", "a")
    shop.change("anon:d1", dial=Dial.off)
    shop.stores.links.append([Link("l1", NOW, "anon:d1", "ada", DEVICE)])
    assert export_to(shop.engine, "csv", str(tmp_path / "x"), "learn", False).events == 0
    shop.stores.links.append([Link("l2", NOW, "anon:d1", "ada", DEVICE, CONFIRMED)])
    assert export_to(shop.engine, "csv", str(tmp_path / "x"), "learn", False).events == 1


def test_an_older_log_does_not_tell_names_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = lived_in()
    everybody = shop.stores.consents.everybody

    def older() -> Iterator[Any]:
        for pseudonym, changes in everybody():
            yield pseudonym, [structs.replace(change, person="") for change in changes]

    monkeypatch.setattr(shop.stores.consents, "everybody", older)
    report = export_to(shop.engine, "tactful", str(tmp_path / "x"), "", False)
    assert report.unnamed == 3
    assert '"person":"ada"' not in (tmp_path / "x").read_text()


def test_a_visit_is_not_taken_elsewhere(tmp_path: Path) -> None:
    shop = Shop([Item(id="a", title="A")], {})
    shop.allow("ada", Dial.visit)
    shop.does("ada", "viewed", "a")
    report = export_to(shop.engine, "tactful", str(tmp_path / "x"), "", False)
    assert (report.events, report.left_out) == (0, {"it is kept for one visit only": 1})


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Name another file"):
        export_to(bare().engine, "tactful", str(tmp_path / "none" / "x"), "", False)
    with pytest.raises(BadInput, match="standard output"):
        export_to(bare().engine, "parquet", "-", "learn", False)
    assert list(tmp_path.iterdir()) == []
