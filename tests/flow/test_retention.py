"""Retention counts from when something came in: what is old when it comes may be used, and its time ends all the same."""

from tactful.domain.event import Arrival
from tests.shop import DAY, NOW, PLAIN, Shop, allow

YEARS_AGO = NOW - 20 * 365 * DAY


def test_old_news_is_kept_for_as_long_as_new() -> None:
    shop = Shop()
    shop.engine.change_consent("ann", allow()).wait()
    shop.engine.take(
        [Arrival(id="1", person="ann", name="liked", at=YEARS_AGO, verb="liked", items=(PLAIN[0],))]
    ).wait()
    days = shop.charter.data["opinions"].retention_days

    def history() -> list[str]:
        engine = shop.engine
        catalogue = engine.shelf().catalogue
        view = engine.view(
            engine.profile("ann"), engine.consent("ann"), "personalise", "private", shop.clock.now, catalogue
        )
        return [act.item for act in view.history()]

    assert history() == [PLAIN[0]]
    shop.clock.now = NOW + (days - 1) * DAY
    assert history() == [PLAIN[0]]
    shop.clock.now = NOW + (days + 1) * DAY
    assert history() == [], "its time is over, though nobody has purged yet"
    assert shop.stores.quarantine.purge(shop.clock.now).wait() == 1, "and the purge deletes it"
    assert shop.stores.events.head("ann") == 0
