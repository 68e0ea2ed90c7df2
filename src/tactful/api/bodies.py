"""How many bytes of request bodies a worker holds at a time."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from tactful.domain.errors import TooBusy


class Room:
    """What is taken, in bytes, of how much there is."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0

    def take(self, size: int, mine: int) -> None:
        """Take so much more, for a request that has taken `mine` already; one alone always has room. Raises TooBusy."""
        if self.taken + size > self.most and self.taken > mine:
            raise TooBusy(why=f"{self.taken / 1e6:.1f} MB of requests are being worked on", retry_after=1)
        self.taken += size


class Bodies:
    """Refuses a request with 429 while the bodies of others take up the room; what it took is free once it is answered.

    What came counts, not what was announced: else whoever announces much and sends nothing would shut everybody out.
    """

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self._app, self._room = app, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        room, mine = self._room, 0

        async def counted() -> ReceiveMessage:
            nonlocal mine
            message = await receive()
            if message["type"] == "http.request":
                size = len(message["body"])
                room.take(size, mine)
                mine += size
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            room.taken -= mine
