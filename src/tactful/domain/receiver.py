"""A receiver: somebody outside to whom events, decisions or changes of consent are passed on, for one declared purpose."""

import ipaddress
from urllib.parse import urlsplit

from msgspec import Struct

EVENTS, DECISIONS, CONSENT = "events", "decisions", "consent"
WHAT = (EVENTS, DECISIONS, CONSENT)


class Receiver(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody outside who is told what happens, for one purpose.

    purpose: of the charter; nothing leaves without it. words: who it is, in words that the person reads. what: some of `events`, `decisions`,
    `consent`; that somebody withdrew or was forgotten is told in any case. url: where batches are posted to; "" for one that fetches
    them from `GET /v1/feed`. allow_http: whether `url` may be plain HTTP to another machine. attempts: posts of one batch before it is
    put aside. pause_ms: before the second attempt; it doubles each time. timeout_s: how long an answer may take. batch: entries at most.
    """

    purpose: str
    words: str
    what: tuple[str, ...]
    url: str = ""
    allow_http: bool = False
    attempts: int = 10
    pause_ms: int = 1000
    timeout_s: float = 10.0
    batch: int = 200


def bad_url(url: str, allow_http: bool) -> str | None:
    """Why nothing is posted to this address, or None: people's data goes over TLS, or stays on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as mistake:
        return f"it is no address ({mistake})"
    if parts.scheme not in ("https", "http") or not host:
        return "it is no https address"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name or a password, which would stand in settings and logs"
    if parts.fragment or any(ord(sign) <= 32 or ord(sign) > 126 for sign in url):
        return "it holds a fragment, a space or a sign outside ASCII"
    if parts.scheme == "http" and not allow_http and not _loopback(host):
        return "it is plain HTTP to another machine, where anybody on the way can read it"
    return None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
