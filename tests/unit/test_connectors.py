"""Files that others wrote become arrivals, and what is wrong in them costs itself only."""

import gzip
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest

from tactful.connectors import csv, movielens
from tactful.connectors.csv import Columns
from tactful.domain.errors import BadInput
from tactful.domain.event import Arrival
from tactful.flow.clean import clean
from tactful.ports import Quarantined
from tests.shop import NOW, Shop

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RATED_AT = 978_300_760

# -------------------------------------------------------------------------------------------------------------- MovieLens

TITLES = ["Toy Story (1995)", "Léon: The Professional (1994)", "Unknown film"]


def one_million(folder: Path) -> None:
    (folder / "movies.dat").write_text(
        f"1::{TITLES[0]}::Animation|Children's\n2::{TITLES[1]}::Thriller\n3::{TITLES[2]}::\n", encoding="latin-1"
    )
    (folder / "ratings.dat").write_text(f"7::1::5::{RATED_AT}\n7::2::3::{RATED_AT}\n8::1::4::{RATED_AT + 1}\n")


def hundred_thousand(folder: Path) -> None:
    def flags(*on: int) -> str:
        return "|".join("1" if place in on else "0" for place in range(19))

    (folder / "u.item").write_text(
        f"1|{TITLES[0]}|01-Jan-1995||http://x|{flags(3, 4)}\n2|{TITLES[1]}|01-Jan-1994||http://x|{flags(16)}\n3|{TITLES[2]}||||{flags()}\n",
        encoding="latin-1",
    )
    (folder / "u.data").write_text(f"7\t1\t5\t{RATED_AT}\n7\t2\t3\t{RATED_AT}\n8\t1\t4\t{RATED_AT + 1}\n")


def newer(folder: Path) -> None:
    (folder / "movies.csv").write_text(
        f'movieId,title,genres\n1,{TITLES[0]},Animation|Children\'s\n2,"{TITLES[1]}",Thriller\n3,{TITLES[2]},\n',
        encoding="utf-8",
    )
    (folder / "ratings.csv").write_text(
        f"userId,movieId,rating,timestamp\n7,1,5.0,{RATED_AT}\n7,2,3.0,{RATED_AT}\n8,1,4.0,{RATED_AT + 1}\n"
    )


def atomic(folder: Path) -> None:
    (folder / "ml-100k.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tToy Story\t1995\tAnimation Children's\n2\tLéon: The Professional\t1994\tThriller\n3\tUnknown film\t\t\n",
        encoding="utf-8",
    )
    (folder / "ml-100k.inter").write_text(
        f"user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t5\t{RATED_AT}\n7\t2\t3\t{RATED_AT}\n8\t1\t4\t{RATED_AT + 1}\n"
    )


def zipped(layout: Callable[[Path], None]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        layout(folder)
        for path in list(folder.iterdir()):
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()

    return write


LAYOUTS = {"1m": one_million, "100k": hundred_thousand, "csv": newer, "atomic": atomic}


@pytest.mark.parametrize("gz", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_movielens_says_the_same(layout: str, gz: bool, tmp_path: Path) -> None:
    (zipped(LAYOUTS[layout]) if gz else LAYOUTS[layout])(tmp_path)
    films = list(movielens.items(tmp_path))
    assert [(film.id, film.title, film.kind) for film in films] == [
        (str(number), title, "film") for number, title in enumerate(TITLES, 1)
    ]
    assert films[0].attributes == {"genres": ["Animation", "Children's"], "decade": "1990s"}
    assert films[1].attributes == {"genres": ["Thriller"], "decade": "1990s"}
    assert films[2].attributes == {"genres": []}
    got = list(movielens.ratings(tmp_path))
    assert [(one.person, one.items, one.value, one.at, one.verb) for one in got] == [
        ("7", ("1",), 5.0, RATED_AT * 1000, "rated"), ("7", ("2",), 3.0, RATED_AT * 1000, "rated"), ("8", ("1",), 4.0, (RATED_AT + 1) * 1000, "rated"),
    ]  # fmt: skip
    assert all(isinstance(clean(one, NOW), Arrival) for one in got)
    assert len({(one.person, one.id) for one in got}) == 3
    assert [one.id for one in movielens.ratings(tmp_path)] == [one.id for one in got]  # importing twice changes nothing
    assert movielens.count(tmp_path) in (3, 4)


def test_where_only_the_order_is_known_it_survives_and_no_stars_are_made_up(tmp_path: Path) -> None:
    (tmp_path / "interactions_ordered_ts.csv").write_text(
        f"user_id,movie_id,position,rating_ge4,ts_mid,ts_gap\n1,30,0,1,{RATED_AT},0\n1,20,1,0,{RATED_AT},0\n1,10,12,1,{RATED_AT},0\n"
    )
    got = list(movielens.ratings(tmp_path))
    assert [one.value for one in got] == [None, None, None]
    assert [one.items[0] for one in sorted(got, key=lambda one: (one.at, one.id))] == ["30", "20", "10"]


def test_a_folder_without_films_is_told_what_was_looked_for(tmp_path: Path) -> None:
    for read in (movielens.items, movielens.ratings):
        with pytest.raises(BadInput, match=r"it holds none of .* Name the folder of a MovieLens release"):
            list(read(tmp_path))
    with pytest.raises(BadInput):
        movielens.count(tmp_path)


@pytest.mark.parametrize(("release", "films", "ratings"), [("ml-1m", 3_883, 1_000_209), ("ml-100k", 1_682, 100_000)])
def test_the_real_releases_can_be_read(release: str, films: int, ratings: int) -> None:
    folder = DATA / release
    if not folder.is_dir():
        pytest.skip(f"no {folder}: MovieLens is not part of this repository")
    items = list(movielens.items(folder))
    assert len(items) == len({item.id for item in items}) == films
    assert sum(bool(item.attributes.get("decade")) for item in items) > films * 0.99
    known = {item.id for item in items}
    first = list(islice(movielens.ratings(folder), 5_000))
    assert len({(one.person, one.id) for one in first}) == len(first)
    assert all(isinstance(clean(one, NOW), Arrival) and set(one.items) <= known for one in first)
    assert abs(movielens.count(folder) - ratings) <= 1


# -------------------------------------------------------------------------------------------------------------------- CSV

COLUMNS = Columns("who", "what", "when", value="stars")


def read(tmp_path: Path, text: str | bytes, columns: Columns = COLUMNS) -> tuple[list[Arrival], list[Quarantined]]:
    path = tmp_path / "acts.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    got = list(csv.rows(path, columns, NOW))
    return [one for one in got if isinstance(one, Arrival)], [one for one in got if isinstance(one, Quarantined)]


def test_rows_become_arrivals(tmp_path: Path) -> None:
    got, bad = read(tmp_path, 'who,what,when,stars,other\nada,a,1760000000,4.5,x\nbob,"b, the second",,,y\n')
    assert bad == []
    assert [(one.person, one.items, one.at, one.value, one.verb) for one in got] == [
        ("ada", ("a",), NOW, 4.5, "viewed"), ("bob", ("b, the second",), None, None, "viewed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["1760000000", "1760000000000", "1760000000.0", "1.76e9", "2025-10-09T08:53:20+00:00", "2025-10-09T08:53:20Z",
             "2025-10-09 08:53:20", "2025-10-09T10:53:20+02:00"],
)  # fmt: skip
def test_times_come_as_seconds_milliseconds_or_iso(text: str, tmp_path: Path) -> None:
    got, bad = read(tmp_path, f"who,what,when,stars\nada,a,{text},\n")
    assert (bad, [one.at for one in got]) == ([], [NOW])


def test_a_date_alone_is_its_first_moment(tmp_path: Path) -> None:
    got, _ = read(tmp_path, "who,what,when,stars\nada,a,2025-10-09,\n")
    assert got[0].at == 1_759_968_000_000


BAD_ROWS = {
    "no time": "ada,a,yesterday,",
    "no end of time": "ada,a,inf,",
    "nor a number": "ada,a,nan,",
    "too large a time": "ada,a,1e400,",
    "stars in words": "ada,a,1760000000,four",
    "too few cells": "ada,a",
    "too many cells": "ada,a,1760000000,4,5",
    "not UTF-8": b"ada,caf\xe9,1760000000,4",
    "somebody not UTF-8": b"\xff\xfe,a,1760000000,4",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_row_costs_itself_only_and_is_kept_as_it_came(row: str, tmp_path: Path) -> None:
    raw = BAD_ROWS[row] if isinstance(BAD_ROWS[row], bytes) else BAD_ROWS[row].encode()  # type: ignore[union-attr]
    got, bad = read(tmp_path, b"who,what,when,stars\nada,a,1760000000,4\n" + raw + b"\nada,b,1760000000,4\n")
    assert [one.items[0] for one in got] == ["a", "b"]
    assert (bad[0].id, bad[0].field, bad[0].at) == ("line 3", "line 3", NOW)
    assert bad[0].why
    assert raw.split(b",")[1] in bad[0].raw
    shop = Shop()
    shop.allow("ada")
    outcome = shop.engine.take(got, bad).wait()
    assert (outcome.sent, outcome.stored, outcome.quarantined) == (3, 2, 1)


def test_a_row_that_names_nobody_or_nothing_is_quarantined_further_on(tmp_path: Path) -> None:
    got, bad = read(
        tmp_path, "who,what,when,stars\n,a,1760000000,4\nada,,1760000000,4\nada,a,0,4\nada,a,1760000000,inf\n"
    )
    assert bad == []
    assert [getattr(clean(one, NOW), "field", None) for one in got] == [
        "userId",
        "properties.product_id",
        "timestamp",
        "properties.value",
    ]


def test_verbs_may_stand_in_a_column(tmp_path: Path) -> None:
    columns = Columns("who", "what", "", verb="did")
    got, bad = read(tmp_path, "who,what,did\nada,a,bought\nada,b,\nada,c,sniffed\n", columns)
    assert [(one.name, one.verb) for one in got] == [("bought", "bought"), ("sniffed", "sniffed")]
    assert [one.why for one in bad] == ["column 'did' names no verb"]
    assert getattr(clean(got[1], NOW), "field", None) == "verb"


@pytest.mark.parametrize("missing", ["who", "what", "when", "stars"])
def test_a_missing_column_is_named_with_those_that_there_are(missing: str, tmp_path: Path) -> None:
    header = ", ".join(name for name in ("who", "what", "when", "stars") if name != missing)
    with pytest.raises(BadInput, match=rf"column '{missing}': .* has {header}\. Name it with --person"):
        read(tmp_path, header.replace(", ", ",") + "\n1,2,3\n")


@pytest.mark.parametrize("text", ["", "\n", "who\n"])
def test_a_file_with_nothing_in_it_is_told_so(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="column"):
        read(tmp_path, text)


def test_a_quote_that_is_never_closed_is_told_so(tmp_path: Path) -> None:
    rest = "ada,a,1760000000,4\n" * 10_000
    with pytest.raises(BadInput, match="a quote that is never closed"):
        read(tmp_path, f'who,what,when,stars\nada,"a,1760000000,4\n{rest}')


def test_importing_twice_changes_nothing_and_equal_rows_are_two_acts(tmp_path: Path) -> None:
    text = "who,what,when,stars\nada,a,1760000000,4\nada,a,1760000000,4\n"
    ids = [[one.id for one in read(tmp_path, text)[0]] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_odd_names_and_a_byte_order_mark_come_through(tmp_path: Path) -> None:
    names: Iterable[str] = ("🦄", "שלום", "a\u202eb")
    text = "\ufeffwho,what,when,stars\n" + "".join(f"{name},{name},1760000000,\n" for name in names)
    got, bad = read(tmp_path, text)
    assert bad == []
    assert [(one.person, one.items) for one in got] == [(name, (name,)) for name in names]
