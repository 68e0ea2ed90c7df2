"""`tactful serve`: one process that writes, some that serve, and this one, which keeps them alive."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from tactful.cli.delivering import errands
from tactful.domain.errors import BadInput
from tactful.stores.sqlite.files import take_lock

READY_S = 20.0
STOP_S = 15.0
PR_SET_PDEATHSIG = 1
_NAMES = {
    "tactful.stores.sqlite": "The writer",
    "tactful.api.worker": "A worker",
    "tactful.cli.delivering": "The couriers' process",
}


def supervise(
    home: Path, host: str, port: int, workers: int, pages: str = "", welcome: Callable[[str], str] | None = None
) -> None:
    """Run until told to stop (SIGINT, SIGTERM); whoever dies meanwhile is started again. pages: what to serve beside the API, `shop` or
    `owner` or both. welcome: what else to say once it serves, given its address."""
    _check_free(home)
    listening = _listen(host, port)
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    writer = [sys.executable, "-m", "tactful.stores.sqlite", str(home / "data")]
    worker = [sys.executable, "-m", "tactful.api.worker", str(home), str(listening.fileno()), pages]
    running: list[tuple[list[str], subprocess.Popen[bytes]]] = []
    try:
        others = [*[worker] * workers, *errands(home)]
        running = [(command, _start(command, listening.fileno())) for command in (writer, *others)]
        if not _wait_ready(running, listening, lambda: stopping):
            return
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        click.echo(
            f"Serving {home.resolve()} on {address} with {workers} worker{'s' * (workers > 1)}. Ctrl-C stops it."
        )
        if welcome is not None:
            click.echo(welcome(address))
        sys.stdout.flush()
        _keep_alive(running, listening.fileno(), lambda: stopping)
    finally:
        listening.close()  # the workers still have it; once they stop, a newcomer is refused instead of kept waiting
        _end([process for _, process in reversed(running)])


def _keep_alive(
    running: "list[tuple[list[str], subprocess.Popen[bytes]]]", descriptor: int, stopping: Callable[[], bool]
) -> None:
    """Start again whoever dies, until told to stop."""
    while not stopping():
        time.sleep(0.2)
        for place, (command, process) in enumerate(running):
            if process.poll() is not None and not stopping():
                click.echo(f"{_NAMES[command[2]]} ended with {process.returncode}; starting it again.", err=True)
                time.sleep(0.5)
                running[place] = (command, _start(command, descriptor))


def _check_free(home: Path) -> None:
    """Whether nobody else writes there: workers would find that writer, and ours would be started in vain again and again."""
    lock = take_lock(home / "data")
    if lock is None:
        why = "it is being written to already, by another `tactful serve` or by an import"
        raise BadInput(field=str(home), why=why, fix="Stop that first, or wait until it is finished")
    os.close(lock)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(
            field=f"{host}:{port}",
            why=f"cannot listen there ({error.strerror})",
            fix="Choose another with --port, or stop what is using it",
        ) from None
    listening.listen(2048)
    return listening


def _start(command: list[str], descriptor: int) -> "subprocess.Popen[bytes]":
    # A session of its own, so that Ctrl-C reaches only the supervisor, which then stops the others in order.
    return subprocess.Popen(command, pass_fds=(descriptor,), start_new_session=True, preexec_fn=_never_outlive)


def _never_outlive() -> None:
    """On Linux, end when the supervisor is gone, however it went: nobody stays behind who holds the port and the lock."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_ready(
    running: "list[tuple[list[str], subprocess.Popen[bytes]]]", listening: socket.socket, stopping: Callable[[], bool]
) -> bool:
    """Until the first worker answers. False: told to stop before."""
    host, port = listening.getsockname()[:2]
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if stopping():
            return False
        for _, process in running:
            if process.poll() not in (None, 0):
                raise SystemExit(process.returncode)
        try:
            with socket.create_connection((host, port), timeout=1) as probe:
                probe.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                if probe.recv(12).startswith(b"HTTP/1.1 200"):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    raise BadInput(field="serve", why=f"no worker answered within {READY_S:.0f} s", fix="Run `tactful doctor`")


def _end(processes: "list[subprocess.Popen[bytes]]") -> None:
    """Workers first, all at once; the writer, which is the last of them, after that: what they were taking still gets written."""
    for group in (processes[:-1], processes[-1:]):
        for process in group:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_S
        for process in group:
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
