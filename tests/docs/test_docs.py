"""The documentation is true: links lead somewhere, commands run, the reference is the code's."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tactful.api import items, questions, routes, search
from tactful.strategies.cascade import Cascade
from tactful.wire import read_home
from tests.http.served import free_port
from tests.shop import template

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_reference_is_made_from_the_code() -> None:
    made = subprocess.run(
        [sys.executable, "docs/make_reference.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs/reference.md").read_text(encoding="utf-8") == made, (
        "run: python docs/make_reference.py > docs/reference.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_adr_index_names_every_decision() -> None:
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs/adr").glob("0*.md"):
        assert page.name in index, f"docs/adr/README.md does not list {page.name}"


def test_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in (ROOT / "src/tactful").iterdir():
        if room.is_dir() and (room / "__init__.py").exists():
            assert f"{room.name}/" in text, f"ARCHITECTURE.md does not mention {room.name}/"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("README.md", ()),
        (
            "docs/placements.md",
            (
                r"Picked for you · next · ",  # decide
                r"item_transitions +[1-9].*\n.*similar +[1-9]",  # placement try
                r"1\. To read next · Picked for you · .*\n.*why\n(.*You looked at .*\n){3}",  # page
                r"2\. Popular now · ",
                r"1\. Popular now · The same for everyone · ",  # the page of somebody who is not known
            ),
        ),
        ("docs/search.md", (r"[1-9] +Moby Dick", r'"The Sea-Wolf"')),
    ],
)
def test_commands_run(page: str, said: tuple[str, ...], tmp_path: Path, small_movielens: Path) -> None:
    """Every `$ tactful ...` and `$ curl ...` of a page, in its order, in one empty folder, says what the page promises, in this order; a
    small stand-in takes MovieLens's place."""
    commands = []
    for block in re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.S):
        commands += [line[2:] for line in _whole(block) if line.startswith("$ ") and not line.startswith("$ make")]
    assert commands, f"{page} shows no commands"
    # `tactful serve &` needs a port of its own, and must end with the page.
    port = free_port()
    script = "set -eu\n" + "\n".join(_adapted(command, small_movielens, port) for command in commands)
    script = re.sub(r"^tactful ", f"{sys.executable} -m tactful ", script, flags=re.M)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert re.search(".*?".join(f"(?:{one})" for one in said), done.stdout, flags=re.S), f"{said}\n{done.stdout}"


def test_every_route_stands_in_the_table_of_routes() -> None:
    text = (ROOT / "docs/http.md").read_text(encoding="utf-8")
    for route in (*routes.ROUTES, *questions.QUESTIONS, *items.ITEMS, *search.ROUTES):
        for path in route.paths:
            start = re.escape(path.partition("/{")[0])
            assert re.search(rf"{start}(`|/\{{)", text), f"docs/http.md does not name {path}"


def test_the_searches_of_the_documentation_are_the_templates_and_one_that_loads_in_its_place(tmp_path: Path) -> None:
    plain, cascade = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/search.md").read_text(encoding="utf-8"), flags=re.S)
    own = tomllib.loads(template("tactful.toml"))["placements"]["search"]
    assert tomllib.loads(plain)["placements"]["search"] == {
        name: own[name] for name in ("purpose", "limit", "strategy")
    }
    before, _, after = template("tactful.toml").partition("[placements.search]")
    (tmp_path / "tactful.toml").write_text(before + cascade, encoding="utf-8")
    (tmp_path / "charter.toml").write_text(template("charter.toml"), encoding="utf-8")
    assert not after.count("\n[")  # it is the last table, so that nothing was cut off with it
    assert isinstance(read_home(tmp_path).recipes["search"].strategy, Cascade)


def _whole(block: str) -> list[str]:
    """The lines of a console block, each command together with the text that it is given (`<<'EOF'` ... `EOF`)."""
    lines: list[str] = []
    for line in block.splitlines():
        if lines and "<<'EOF'" in lines[-1] and not lines[-1].endswith("\nEOF"):
            lines[-1] += "\n" + line
        else:
            lines.append(line)
    return lines


def _adapted(command: str, movielens: Path, port: int) -> str:
    command = command.replace("../shared/data/ml-1m", str(movielens)).replace("localhost:8000", f"localhost:{port}")
    if command.rstrip().endswith("&"):
        served = f"{command[:-1].strip()} --port {port} & server=$!; trap 'kill $server; wait $server || true' EXIT"
        return f"{served}; until curl -sf localhost:{port}/healthz > /dev/null; do sleep 0.2; done"
    return command


@pytest.fixture
def small_movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty films and twenty people in the shape of MovieLens-1M."""
    folder = tmp_path_factory.mktemp("movielens")
    films = [
        f"{film}::Film {film} ({1980 + film})::Drama|{'Comedy' if film % 2 else 'Horror'}" for film in range(1, 31)
    ]
    (folder / "movies.dat").write_text("\n".join(films) + "\n", encoding="latin-1")
    ratings = [
        f"{person}::{(person * 7 + step * 3) % 30 + 1}::{step % 5 + 1}::{978_300_000 + person * 1000 + step}"
        for person in range(1, 21)
        for step in range(8)
    ]
    (folder / "ratings.dat").write_text("\n".join(ratings) + "\n", encoding="utf-8")
    return folder
