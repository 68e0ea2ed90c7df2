"""What the tests of the store share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tactful.stores.sqlite import create


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short path, since a Unix socket has to fit into it."""
    path = Path(tempfile.mkdtemp(prefix="tactful-"))
    create(path)
    yield path
    shutil.rmtree(path)
