"""The master key of an installation, and what is derived from it: pseudonyms, message hashes, the key that wraps keys."""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tactful.domain.errors import BadInput, NotInitialised, StoreBroken
from tactful.stores.durable import write_once

MASTER_KEY = "master.key"
MASTER_ENV = "TACTFUL_MASTER_KEY"
SEALED_AS = b"\x01"
"""Version of the sealed layout. It is part of what a seal vouches for."""
NOBODY = bytes(16)
"""The pseudonym under which pieces that name no person are sealed."""


class Master:
    """Everything that follows from 32 secret bytes. The pieces are independent: none of them gives away another."""

    def __init__(self, secret: bytes) -> None:
        self.wrap = AESGCM(self._derive(secret, b"wrap"))
        self.proof = self._derive(secret, b"proof")
        # Keyed hashes are made by copying a prepared state: a third cheaper than starting from the key each time.
        self._person = hashlib.blake2b(key=self._derive(secret, b"person"), digest_size=16)
        self._message = hashlib.blake2b(key=self._derive(secret, b"message"), digest_size=8)

    @staticmethod
    def _derive(secret: bytes, use: bytes) -> bytes:
        return hashlib.blake2b(key=secret, person=use, digest_size=32).digest()

    def pseudonym(self, person: str) -> bytes:
        """16 bytes that stand for the person in this installation and nowhere else."""
        state = self._person.copy()
        state.update(person.encode("utf-8", "surrogatepass"))
        return state.digest()

    def message(self, person: bytes, event: str) -> bytes:
        """8 bytes that stand for this message of this person."""
        state = self._message.copy()
        state.update(person + event.encode("utf-8", "surrogatepass"))
        return state.digest()


def bound(person: bytes, entry: str) -> bytes:
    """What a seal vouches for besides the content: whose it is, what it is, and the layout."""
    return SEALED_AS + person + entry.encode()


def receipt_row(receipt: str) -> bytes:
    """The row of a receipt: a hash, so that the database does not hold the id that opens it."""
    return hashlib.blake2b(receipt.encode("utf-8", "surrogatepass"), digest_size=16, person=b"receipt row").digest()


def seal_receipt(receipt: str, content: bytes) -> bytes:
    """Sealed so that who holds the random id can open it, and who holds the database and all its keys cannot."""
    nonce = os.urandom(12)
    return nonce + _receipt_key(receipt).encrypt(nonce, SEALED_AS + content, receipt_row(receipt))


def open_receipt(receipt: str, box: bytes) -> memoryview:
    """What `seal_receipt` sealed. Raises StoreBroken if it was tampered with."""
    try:
        content = _receipt_key(receipt).decrypt(box[:12], box[12:], receipt_row(receipt))
    except InvalidTag as error:
        raise StoreBroken(why="a receipt does not open with its id: somebody changed it") from error
    return memoryview(content)[len(SEALED_AS) :]


def _receipt_key(receipt: str) -> AESGCM:
    return AESGCM(
        hashlib.blake2b(receipt.encode("utf-8", "surrogatepass"), digest_size=32, person=b"receipt key").digest()
    )


def make_master(folder: Path) -> Master:
    """A new master key, written for its owner's eyes only, unless there is one already. Raises BadInput, OSError."""
    if MASTER_ENV not in os.environ:
        write_once(folder / MASTER_KEY, os.urandom(32))
    return read_master(folder)


def read_master(folder: Path) -> Master:
    """The master key, from the environment if it is set there. Raises BadInput, NotInitialised, OSError."""
    if (given := os.environ.get(MASTER_ENV)) is not None:
        try:
            secret, where = bytes.fromhex(given), MASTER_ENV
        except ValueError:
            secret, where = b"", MASTER_ENV
    else:
        where = str(folder / MASTER_KEY)
        try:
            secret = (folder / MASTER_KEY).read_bytes()
        except FileNotFoundError:
            raise NotInitialised(path=folder) from None
    if len(secret) != 32:
        fix = "Give 64 hexadecimal digits" if where == MASTER_ENV else "Restore it from your backup of the key"
        raise BadInput(field=where, why="a master key is 32 bytes", fix=fix)
    return Master(secret)
