"""Run with the code of commit e1701ba (version 0.1): writes tests/data/schema_1/*.sql."""

import os
import sqlite3
import sys
import tempfile
from pathlib import Path

os.environ["TACTFUL_MASTER_KEY"] = "11" * 32
from tactful.contracts import LATER, change, piece, receipt, record
from tactful.domain.item import Item
from tactful.stores.sqlite import create, open_sqlite

place, out = Path(tempfile.mkdtemp()), Path(sys.argv[1])
create(place)
s = open_sqlite(place)
for who in ("ann", "bob", "gone"):
    s.events.append([record(who, f"{who} 1", f"{who} 2"), record(who, f"{who} told", data="told")]).wait()
    s.consents.append([(who, change(f"{who} said"))]).wait()
    s.receipts.append(receipt(f"receipt of {who}", who), LATER).wait()
    s.quarantine.put([piece(f"piece of {who}", who)]).wait()
s.receipts.append(receipt("receipt of nobody", None), LATER).wait()
s.items.put([Item(id="dune", title="Dune"), Item(id="emma", title="Emma")]).wait()
s.items.put([Item(id="dune", title="Dune, again")]).wait()
s.events.forget("gone").wait()
s.close()
for name in ("data", "keys", "tombstones"):
    db = sqlite3.connect(place / f"{name}.db")
    lines = list(db.iterdump())
    version = db.execute("PRAGMA user_version").fetchone()[0]
    out.joinpath(f"{name}.sql").write_text("\n".join([*lines, f"PRAGMA user_version = {version};"]) + "\n")
print([(p.name, p.stat().st_size) for p in out.iterdir()])
