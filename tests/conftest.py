"""Options and profiles for all tests."""

import gc
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.register_profile("prove", settings.get_profile("repeatable"), max_examples=1000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run the slow proofs whole, not the small samples of them")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("prove" if config.getoption("--prove") else "repeatable")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`@pytest.mark.prove(only=True)` marks what has no small sample: it runs with --prove alone."""
    if config.getoption("--prove"):
        return
    skip = pytest.mark.skip(reason="a long proof: run it with --prove")
    for item in items:
        marker = item.get_closest_marker("prove")
        if marker is not None and marker.kwargs.get("only"):
            item.add_marker(skip)


def pytest_collection_finish(session: pytest.Session) -> None:
    """All that is loaded by now stays to the end: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """At the end everything may go, or libraries in C complain of what was left behind."""
    gc.unfreeze()


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`scale(sample, whole)`: how many rounds a proof runs; the whole of it only with --prove."""
    whole = request.config.getoption("--prove")
    return lambda sample, all_of_it: all_of_it if whole else sample
