"""One HTTP POST. No redirects are followed and no proxies asked: what is sent goes where the settings say, or nowhere."""

import http.client
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from msgspec import Struct

RETRY_AFTER_MOST_MS = 86_400_000
"""A receiver may ask for a pause of at most a day."""


class Reply(Struct, frozen=True):
    """What a receiver answered. taken: it has it. why: what was wrong; never what the receiver wrote. pause_ms: what it asks for."""

    taken: bool
    why: str = ""
    pause_ms: int = 0


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, now: int) -> Reply:
    """Post, and say what became of it. Only 2xx counts as taken. now: milliseconds since 1970, for a Retry-After that is a date."""
    parts = urlsplit(url)
    host, target = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout_s, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    sent = {"Content-Type": "application/json", "User-Agent": "Tactful", "Connection": "close", **headers}
    try:
        connection.request("POST", target, body, sent)
        answer = connection.getresponse()
        if 200 <= answer.status < 300:
            return Reply(True)
        return Reply(False, f"it answered {answer.status}", retry_after(answer.headers.get("Retry-After", ""), now))
    except TimeoutError:
        return Reply(False, f"no answer within {timeout_s:g} s")
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return Reply(False, f"it could not be reached ({type(error).__name__})")
    finally:
        connection.close()


def retry_after(header: str, now: int) -> int:
    """The pause that a Retry-After asks for, in milliseconds, at most a day; 0 if it asks for none that can be understood."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        asked = int(header[:9]) * 1000
    else:
        try:
            asked = int(parsedate_to_datetime(header).timestamp() * 1000) - now
        except (ValueError, TypeError, OverflowError):
            return 0
    return min(max(asked, 0), RETRY_AFTER_MOST_MS)
