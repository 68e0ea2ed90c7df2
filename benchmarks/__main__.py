"""All benchmarks, one after another: `python -m benchmarks [--json]`."""

import subprocess
import sys

for name in ("quality", "recipes", "decide", "ingest", "importing", "footprint", "search", "shop"):
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=True)
