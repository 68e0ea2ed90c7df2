"""proofs.json: what the long proofs tried, and how often they failed. Nothing here is a test."""

import json
from pathlib import Path

PROOFS = Path(__file__).parents[2] / "proofs.json"


def note(name: str, tried: int, failed: int, seconds: float) -> None:
    """Write a row down; it replaces the one of the same name."""
    rows = json.loads(PROOFS.read_text(encoding="utf-8")) if PROOFS.exists() else []
    row = {"name": name, "tried": tried, "failed": failed, "seconds": round(seconds, 1)}
    places = [place for place, old in enumerate(rows) if old["name"] == name]
    if places:
        rows[places[0]] = row
    else:
        rows.append(row)
    draft = PROOFS.with_suffix(".draft")
    draft.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    draft.replace(PROOFS)
