"""What is written into the log: that something failed and where, never about whom."""

import asyncio

import pytest
from msgspec import Struct, structs

from tactful.api.access import Access, Stored
from tactful.api.foreign import chosen
from tactful.api.routes import answered
from tactful.api.service import Service
from tactful.domain.decision import Ask, Evidence
from tactful.domain.view import View
from tactful.ports import Shelf, Strategy
from tactful.settings import Settings
from tests.shop import Shop, learned_models, placement


class Tells(Strategy, Struct, frozen=True):
    """A strategy that fails, and says of whom."""

    def propose(self, view: View, ask: Ask, shelf: Shelf) -> Evidence:
        raise KeyError(view.history()[-1].item)


def test_the_log_has_no_word_of_what_failed_about_whom(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(placements={"home": placement("popular")}, models=learned_models())
    shop.engine.recipes = {"home": structs.replace(shop.engine.recipes["home"], strategy=Tells())}
    shop.allow("ann")
    shop.does("ann", "viewed", "dracula")
    service = Service(shop.engine, Access(Stored("00" * 32, [])), Settings())
    asyncio.run(answered(shop.engine.decide("ann", [Ask("home")])))
    asyncio.run(chosen(service, "ann", Ask("home")))
    assert [one.getMessage() for one in caplog.records] == ["placement home: strategy of home: KeyError"] * 2
