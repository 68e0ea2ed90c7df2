"""What is to be drawn, and its way through an address: a picture's numbers travel in its own address, so that picture and table agree."""

import base64
import binascii
import zlib
from typing import Literal

import msgspec
from msgspec import Struct

from tactful.domain.errors import BadInput

ROWS_MOST = 1_000
BYTES_MOST = 200_000
LOOKS = ("light-wide", "light-narrow", "dark-wide", "dark-narrow")


class Picture(Struct, frozen=True, array_like=True):
    """A chart. shape: `columns` (over time), `bars` (lying), `curve`. across, up: what the axes count.

    rows: (where, how much, of which kind). order: the kinds in the order of their colours; one kind needs no legend.
    """

    shape: Literal["columns", "bars", "curve"]
    across: str
    up: str
    rows: tuple[tuple[str | float, float, str], ...]
    order: tuple[str, ...] = ()

    def size(self, wide: bool) -> tuple[int, int]:
        """Width and height, in pixels."""
        width = 540 if wide else 340
        legend = 30 * -(-len(self.order) // (3 if wide else 2)) if len(self.order) > 1 else 0
        if self.shape == "bars":
            return width, 10 + legend + 40 * len({where for where, _, _ in self.rows})
        return width, (260 if self.shape == "columns" else 320) + legend

    def address(self) -> str:
        """Itself, as part of an address."""
        return base64.urlsafe_b64encode(zlib.compress(msgspec.msgpack.encode(self), 9)).decode().rstrip("=")

    @staticmethod
    def read(address: str) -> "Picture":
        """The picture of an address. Raises BadInput."""
        try:
            packed = base64.urlsafe_b64decode(address + "=" * (-len(address) % 4))
            inflater = zlib.decompressobj()
            found = msgspec.msgpack.decode(inflater.decompress(packed, BYTES_MOST), type=Picture)
        except (binascii.Error, zlib.error, msgspec.DecodeError, ValueError, RecursionError):
            raise BadInput(field="d", why="this is no picture", fix="Open the page that shows it") from None
        if len(found.rows) > ROWS_MOST:
            raise BadInput(field="d", why="it has too many rows", fix="Open the page that shows it")
        return found
