"""What other systems call the things that people do → our verbs."""

import re
from collections.abc import Mapping

from tactful.domain.event import VERBS

USUAL = {
    **{verb: verb for verb in VERBS},
    **dict.fromkeys(("impression", "impressions", "exposure"), "shown"),
    **dict.fromkeys(("view", "detailpageview", "productview", "read", "watch", "play", "listen", "stream", "open"), "viewed"),
    **dict.fromkeys(("click", "select"), "clicked"),
    **dict.fromkeys(("addtocart", "addtobasket", "addtolist", "addtowishlist", "add", "save", "bookmark"), "added"),
    **dict.fromkeys(("removefromcart", "removefrombasket", "removefromlist", "removefromwishlist", "remove"), "dropped"),
    **dict.fromkeys(("purchase", "buy", "order"), "bought"),
    **dict.fromkeys(("return", "refund"), "returned"),
    **dict.fromkeys(("complete", "completed", "finish"), "finished"),
    **dict.fromkeys(("rate", "rating", "review"), "rated"),
    **dict.fromkeys(("like", "star", "favorite", "favourite"), "liked"),
    **dict.fromkeys(("dislike",), "disliked"),
}  # fmt: skip
"""The usual names, without case, spaces and punctuation. What may mean this or that (a download, a share, a fork) is left out: say it yourself."""


def verb_of(name: str, own: Mapping[str, str]) -> str:
    """The verb that a foreign name means, or "". own: the installation's words for it, which come first and count to the letter."""
    return own.get(name) or USUAL.get(plain(name), "")


def plain(name: str) -> str:
    """The name as it stands in USUAL."""
    return re.sub(r"[\W_]", "", name.casefold())
