"""The command line, as a newcomer runs it: from an empty folder to an explained decision, and what it says when something is wrong."""

import gzip
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tactful.cli.commands import tactful as command
from tests.http.conftest import takes_up
from tests.http.served import Server, installed, served, tactful, until

DATA = Path(__file__).parents[3] / "shared" / "data"
GENRES = ("Drama", "Comedy", "Sci-Fi", "Western")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder shaped like MovieLens 1M: 24 films of four genres, 16 people who each rate those of one genre, and some more."""
    folder = tmp_path_factory.mktemp("movielens")
    movies = [f"{film}::Film {film} ({1950 + film})::{GENRES[film % 4]}" for film in range(1, 25)]
    (folder / "movies.dat").write_text("\n".join(movies) + "\n", encoding="latin-1")
    ratings = []
    for person in range(1, 17):
        mine = [film for film in range(1, 25) if film % 4 == person % 4 or (film + person) % 7 == 0]
        ratings += [f"{person}::{film}::{5 - film % 2}::{978_300_000 + 60 * film}" for film in mine[: 7 + person % 3]]
    (folder / "ratings.dat").write_text("\n".join(ratings) + "\n")
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, films: Path) -> tuple[Path, dict[str, str]]:
    """An installation with the films in it, made as the README says, and its keys."""
    home = tmp_path_factory.mktemp("cli")
    keys = installed(home)
    tactful(home, "import", "movielens", str(films))
    tactful(home, "train")
    return home, keys


@pytest.fixture(scope="session")
def beside(trained: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server running on a copy of that installation: commands work beside it."""
    place = tmp_path_factory.mktemp("beside") / "home"
    shutil.copytree(trained[0], place)
    with served(place, trained[1]) as server:
        yield server


@pytest.fixture
def home(trained: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of that installation, to break."""
    place = tmp_path / "home"
    shutil.copytree(trained[0], place)
    return place


def run(home: Path, *words: str) -> Result:
    """A command within this process: quicker, for the many ways to go wrong."""
    return CliRunner().invoke(command, ["--home", str(home), *words])


def as_json(home: Path, *words: str) -> Any:
    """What a command prints for machines."""
    result = run(home, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def from_outside(home: Path, *words: str) -> Any:
    """What a command prints for machines, run as a process of its own."""
    return json.loads(tactful(home, *words, "--json").stdout)


def fails(result: Result, *words: str) -> None:
    """The command said `Error: ...` with these words, on stderr, and left with 1; no traceback."""
    assert result.exit_code == 1, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


# -------------------------------------------------------------------------------------------------------------- the tour


def test_a_newcomers_first_five_minutes(tmp_path: Path, films: Path) -> None:
    """init, import, train, decide, explain, consent, doctor: each says what it did and what comes next."""
    home = tmp_path / "first"
    made = tactful(home, "init")
    assert "pk_" in made.stdout
    assert "sk_" in made.stdout
    assert "Next: tactful import" in made.stdout
    assert (home / "access.json").stat().st_mode & 0o077 == 0
    lines = (films / "ratings.dat").read_text().count("\n")
    account = from_outside(home, "import", "movielens", str(films))
    assert (account["items"], account["people"], account["sent"], account["stored"]) == (24, 16, lines, lines)
    again = from_outside(home, "import", "movielens", str(films))
    assert (again["stored"], again["duplicate"]) == (0, lines), "importing twice changes nothing"
    learned = tactful(home, "train").stdout
    assert f"{lines} interactions of 16 people" in learned
    shown = tactful(home, "decide", "home", "--person", "1")
    assert "Film" in shown.stdout
    assert "tactful explain" in shown.stdout
    receipt = shown.stdout.split("tactful explain ")[1].split()[0]
    told = tactful(home, "explain", receipt).stdout
    assert "for 1" in told
    assert "Read: " in told
    assert "personalise: yes" in tactful(home, "consent", "1").stdout
    off = tactful(home, "consent", "1", "--dial", "off").stdout
    assert "Dial: Off" in off
    unknown, mine = from_outside(home, "decide", "home"), from_outside(home, "decide", "home", "--person", "1")
    assert [item["id"] for item in mine["items"]] == [item["id"] for item in unknown["items"]]
    assert mine["personal"] is False
    well = tactful(home, "doctor").stdout
    assert "24 items, 16 people" in well
    assert "MEND" not in well


def test_everything_can_be_printed_for_machines(home: Path) -> None:
    decision = as_json(home, "decide", "home", "--person", "2", "--limit", "3")
    assert len(decision["items"]) == 3
    receipt = as_json(home, "explain", decision["receipt"])
    assert [reason["item"] for reason in receipt["reasons"]] == [item["id"] for item in decision["items"]]
    assert receipt["receipt"]["person"] == "2"
    consent = as_json(home, "consent", "2", "--withdraw", "learn")
    assert consent["refused"] == ["learn"]
    assert all(check["ok"] for check in as_json(home, "doctor"))
    trained = as_json(home, "train")
    assert trained["people"] == 15, "who withdrew is not learned from"
    assert {model["name"] for model in trained["models"]} == {"interests", "item_transitions", "popular", "similar"}
    assert set(as_json(home.parent / "another", "init")["keys"]) == {"public", "secret"}


def test_a_csv_file_is_brought_in_with_an_account_down_to_the_line(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "acts.csv"
    rows = ["user,sku,when,stars", "ann,1,1700000000,5", "ann,2,2026-01-01T10:00:00Z,", "bob,brand-new,1700000000000,4"]
    file.write_text(
        "\n".join([*rows, ",3,1700000000,", "ann,,1700000000,", "ann,3,never,", "ann,4,1700000000,many"]) + "\n"
    )
    words = (
        "import",
        "csv",
        str(file),
        "--person",
        "user",
        "--item",
        "sku",
        "--at",
        "when",
        "--value",
        "stars",
        "--always",
        "rated",
    )
    account = as_json(home, *words, "--granted", "personalise, learn", "--source", "sign-up form")
    assert (account["sent"], account["stored"], account["quarantined"], account["refused"]) == (7, 3, 4, 0)
    assert "line 7" in account["first"].values()
    assert account["items"] == 1
    assert as_json(home, "consent", "ann")["granted"] == ["learn", "personalise"]
    assert as_json(home, *words, "--granted", "learn")["duplicate"] == 3
    nobody_asked = tmp_path / "unasked.csv"
    nobody_asked.write_text("person,item,at\ncarl,1,1700000000\n")
    assert as_json(home, "import", "csv", str(nobody_asked), "--granted", "")["refused"] == 1


def test_somebody_unknown_is_fine(home: Path) -> None:
    assert as_json(home, "decide", "home", "--person", "never-heard-of")["personal"] is False
    assert as_json(home, "consent", "never-heard-of")["version"] == 0
    assert run(home, "forget", "never-heard-of", "--yes").exit_code == 0


def test_a_forgotten_person_is_gone_and_only_when_that_is_confirmed(home: Path) -> None:
    assert run(home, "forget", "3").exit_code == 1
    assert as_json(home, "consent", "3")["version"] == 1
    assert run(home, "forget", "3", "--yes").exit_code == 0
    assert as_json(home, "consent", "3")["version"] == 0
    assert "15 people" in tactful(home, "doctor").stdout


# --------------------------------------------------------------------------------------------------- beside a running server


def test_commands_work_beside_a_running_server_and_it_takes_notice(beside: Server) -> None:
    home = beside.home
    assert beside.decide("5")["personal"] is True
    decision = from_outside(home, "decide", "home", "--person", "5")
    assert beside.get(f"/v1/receipts/{decision['receipt']}").json["receipt"]["person"] == "5"
    assert tactful(home, "explain", beside.decide("5")["receipt"]).returncode == 0
    tactful(home, "consent", "5", "--dial", "off")
    with beside.each_worker() as connections:
        assert len(connections) == 2
    assert all(beside.decide("5")["personal"] is False for _ in range(10)), "it counts from the next decision"
    tactful(home, "consent", "6", "--withdraw", "learn")
    before = beside.get("/healthz").json["models"]
    tactful(home, "train")
    until(lambda: takes_up(beside), 20, "the server took up the new models")
    assert beside.get("/healthz").json["models"] != before
    token = tactful(home, "token", "7").stdout.strip()
    assert beside.decide(None, headers=beside.as_browser(token))["personal"] is True
    tactful(home, "forget", "7", "--yes")
    assert beside.decide("7")["personal"] is False
    assert all(check["ok"] for check in from_outside(home, "doctor"))


def test_a_port_in_use_is_said_so(beside: Server, home: Path) -> None:
    done = tactful(home, "serve", "--port", str(beside.port), check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert f"127.0.0.1:{beside.port}" in done.stderr
    assert "--port" in done.stderr


def test_a_second_server_on_the_same_installation_is_said_so(beside: Server) -> None:
    done = tactful(beside.home, "serve", "--port", "0", check=False)
    assert done.returncode == 1
    assert "is being written to already" in done.stderr
    assert "Traceback" not in done.stderr
    assert beside.decide("8")["items"], "the first one goes on"


# ------------------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    "words",
    [
        ("decide", "home"), ("train",), ("serve",), ("explain", "x"), ("consent", "x"), ("token", "x"), ("forget", "x", "--yes"),
        ("import", "movielens", "."), ("import", "csv", __file__, "--granted", "learn"),
    ],
    ids=lambda words: " ".join(words[:2]).replace("/", ""),
)  # fmt: skip
def test_without_an_installation_every_command_says_how_to_make_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    fails(run(tmp_path / "nowhere", *words), "holds no Tactful installation", "tactful init", "--home")
    assert not (tmp_path / "nowhere").exists()


def test_doctor_without_an_installation_says_how_to_make_one(tmp_path: Path) -> None:
    result = run(tmp_path, "doctor")
    assert result.exit_code == 1
    assert "MEND" in result.output
    assert "tactful init" in result.output


def test_a_second_init_changes_nothing(home: Path) -> None:
    before = {path: path.read_bytes() for path in home.glob("*.toml")} | {
        home / "access.json": (home / "access.json").read_bytes()
    }
    fails(run(home, "init"), "already holds an installation", "Nothing was changed")
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("charter.toml", "retention_days = 365", "retention_dayz = 365", ("retention_dayz", "'retention_days'")),
        ("charter.toml", 'operator = "Your organisation"', 'operator = "Your organisation', ("syntax",)),
        ("charter.toml", 'purposes = ["personalise"]', 'purposes = ["sell"]', ("sell",)),
        ("tactful.toml", "workers = 1", "wokers = 1", ("server.wokers", "'workers'")),
        ("tactful.toml", "workers = 1", "workers = 0", ("server.workers", "1 to 64")),
        ("tactful.toml", "port = 8000", "port = 99999", ("server.port", "65,535")),
        ("tactful.toml", "limit = 8", "limit = 0", ("placements.related.limit", "1 to 200")),
        (
            "tactful.toml",
            'arranger = { use = "top" }',
            'arranger = { use = "tob" }',
            ("placements.home.arranger", "top"),
        ),
    ],
)
def test_a_mistake_in_a_file_is_named_with_file_line_and_what_would_mend_it(
    home: Path, file: str, old: str, new: str, said: tuple[str, ...]
) -> None:
    text = (home / file).read_text()
    line = text[: text.index(old)].count("\n") + 1
    (home / file).write_text(text.replace(old, new, 1))
    for words in (("decide", "home"), ("serve",), ("train",)):
        fails(run(home, *words), f"{file}, line {line}", *said)
    assert run(home, "doctor").exit_code == 1


def test_what_cannot_be_decided_or_explained_or_granted_is_said_so(home: Path) -> None:
    fails(run(home, "decide", "hom"), "'hom'", "discover, home, popular, related", "tactful.toml")
    fails(run(home, "explain", "no-such-receipt"), "no-such-receipt", "24 hours")
    fails(run(home, "consent", "1", "--grant", "sell"), "sell", "personalise, learn, measure")
    fails(run(home, "consent", "1", "--turn-on", "shoes"), "shoes", "health")
    assert as_json(home, "consent", "1")["version"] == 1, "nothing of it was written"


def test_a_decision_before_the_first_training_says_what_to_run(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    fails(run(tmp_path, "decide", "home"), "tactful train")


def test_an_import_that_cannot_work_brings_nothing_in_and_says_why(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "acts.csv"
    file.write_text("user,item,at\nann,1,1700000000\n")
    fails(run(home, "import", "csv", str(file), "--granted", "learn"), "column 'person'", "user, item, at", "--person")
    fails(
        run(home, "import", "csv", str(file), "--person", "user", "--granted", "sell"),
        "sell",
        "personalise, learn, measure",
    )
    file.write_text("")
    fails(run(home, "import", "csv", str(file), "--granted", "learn"), "column 'person'")
    file.write_bytes("person,item,at\njosé,1,1700000000\n".encode("latin-1"))
    account = as_json(home, "import", "csv", str(file), "--granted", "learn")
    assert (account["quarantined"], account["stored"]) == (1, 0)
    assert "UTF-8" in next(iter(account["reasons"]))
    fails(run(home, "import", "movielens", str(tmp_path)), "movies.dat", "MovieLens")
    assert run(home, "import", "csv", str(tmp_path / "none.csv"), "--granted", "learn").exit_code == 2
    assert "16 people" in tactful(home, "doctor").stdout


def test_an_address_that_cannot_be_listened_on_is_said_so(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        fails(run(home, "serve", "--port", str(taken.getsockname()[1])), "cannot listen there", "--port")
    fails(run(home, "serve", "--host", "no-such-host.invalid", "--port", "0"), "cannot listen there")
    assert run(home, "serve", "--port", "99999").exit_code == 2


def test_a_server_told_to_stop_while_it_starts_stops_at_once(home: Path) -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "tactful", "--home", str(home), "serve", "--port", "0"], stdout=subprocess.PIPE
    )
    try:
        until(
            lambda: bool(Path(f"/proc/{serving.pid}/task/{serving.pid}/children").read_text()), 20, "it began to start"
        )
        serving.terminate()
        assert serving.wait(15) == 0
    finally:
        serving.kill()
        serving.communicate()


# ------------------------------------------------------------------------------------------------------------------ real data


def release(name: str) -> Path:
    """A folder of a real MovieLens release, if it is here."""
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here; the data sets are not part of the repository")
    return folder


def test_movielens_100k_comes_in_whole_and_gives_a_decision(tmp_path: Path, scale: Callable[[int, int], int]) -> None:
    """A tenth of its ratings; with --prove all 100,000."""
    rows = scale(10_000, 100_000)
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    source = release("ml-100k")
    shutil.copy(source / "ml-100k.item.gz", folder)
    with gzip.open(source / "ml-100k.inter.gz", "rt") as ratings, gzip.open(folder / "ml-100k.inter.gz", "wt") as fewer:
        for _, line in zip(range(rows + 1), ratings, strict=False):
            fewer.write(line)
    home = tmp_path / "home"
    installed(home)
    account = as_json(home, "import", "movielens", str(folder))
    assert (account["items"], account["sent"], account["stored"]) == (1682, rows, rows)
    assert as_json(home, "train")["interactions"] == rows
    decision = as_json(home, "decide", "home", "--person", "196")
    assert decision["personal"] is True
    assert len(decision["items"]) == 12


@pytest.mark.prove(only=True)
def test_movielens_1m_comes_in_whole_and_gives_a_decision(tmp_path: Path) -> None:
    installed(tmp_path)
    account = as_json(tmp_path, "import", "movielens", str(release("ml-1m")))
    assert account["sent"] == account["stored"] > 900_000
    assert as_json(tmp_path, "train")["people"] == 6040
    assert as_json(tmp_path, "decide", "home", "--person", "1")["personal"] is True
