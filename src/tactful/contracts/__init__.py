"""What every implementation of a port must do, as tests. Inherit a suite, give it `open`, and run it with pytest:

    from tactful.contracts import StoresContract

    class TestMine(StoresContract):
        def open(self):
            return my_stores("some folder")

`open` is called anew after a restart and must then give back what was kept; say `durable = False` if nothing outlives the process.

For what searches, inherit SearchIndexContract and give it `over`. For a plug-in, inherit StrategyContract, GuardContract or ArrangerContract and give it `make`, which builds it:

    class TestMine(StrategyContract):
        def make(self):
            return Mine(half_life=2.0)
"""

from tactful.contracts.logs import ConsentLogContract, EventLogContract, LinkLogContract, ReceiptLogContract
from tactful.contracts.parts import ArrangerContract, GuardContract, SearchIndexContract, StrategyContract
from tactful.contracts.places import FeedContract, ItemStoreContract, QuarantineContract, StoresContract
from tactful.contracts.samples import LATER, NAMES, NOW, Opened, change, ids, link, piece, receipt, record, said, viewed

__all__ = [
    "LATER",
    "NAMES",
    "NOW",
    "ArrangerContract",
    "ConsentLogContract",
    "EventLogContract",
    "FeedContract",
    "GuardContract",
    "ItemStoreContract",
    "LinkLogContract",
    "Opened",
    "QuarantineContract",
    "ReceiptLogContract",
    "SearchIndexContract",
    "StoresContract",
    "StrategyContract",
    "change",
    "ids",
    "link",
    "piece",
    "receipt",
    "record",
    "said",
    "viewed",
]
