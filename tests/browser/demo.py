"""A demo made anew and served, for browsers. Nothing here is a test."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served_demo(folder: Path, readers: int) -> Iterator[tuple[str, Path]]:
    """The demo with so many simulated readers, on a free port: its address, and the file of what it printed. It ends well, or the test fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder.parent / "log"
    where = ["--port", str(port), "--folder", str(folder)]
    command = [sys.executable, "-m", "tactful", "demo", "--readers", str(readers), *where]
    with log.open("wb") as out:
        serving = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        give_up = time.monotonic() + 240
        while b"ticket=" not in log.read_bytes():  # the last thing that it prints
            assert serving.poll() is None and time.monotonic() < give_up, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", log
    finally:
        serving.terminate()
        serving.wait(30)
    assert serving.returncode == 0, log.read_text()
