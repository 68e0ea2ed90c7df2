"""The secrets of receivers: receivers.json, for its owner's eyes only. Whoever holds one can tell that a post is ours."""

import base64
import binascii
import hashlib
import hmac
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tactful.domain.errors import BadInput
from tactful.stores.durable import write_once

PREFIX = "whsec_"


class Secrets:
    """Everything follows from 32 random bytes: a secret per receiver, and the key that seals the names of the forgotten."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._seal = AESGCM(self._derived(b"forgotten"))

    @staticmethod
    def of(path: Path) -> "Secrets":
        """The secrets of an installation, made on first use. Raises BadInput."""
        write_once(path, json.dumps({"root": os.urandom(32).hex()}).encode() + b"\n")
        try:
            root = bytes.fromhex(json.loads(path.read_text(encoding="utf-8"))["root"])
        except (ValueError, KeyError, TypeError):
            root = b""
        if len(root) != 32:
            raise BadInput(
                field=str(path),
                why="it does not hold a root of 64 hexadecimal digits",
                fix="Restore it, or delete it: receivers then need new secrets",
            )
        return Secrets(root)

    def _derived(self, use: bytes) -> bytes:
        return hashlib.blake2b(use, key=self._root, digest_size=32).digest()

    def secret(self, receiver: str) -> str:
        """The receiver's secret, as the Standard Webhooks write it; from TACTFUL_RECEIVER_NAME where that is set. Raises BadInput."""
        variable = "TACTFUL_RECEIVER_" + receiver.upper().replace("-", "_")
        given = os.environ.get(variable)
        if given is None:
            return PREFIX + base64.b64encode(self._derived(b"receiver:" + receiver.encode())).decode()
        try:
            long_enough = len(base64.b64decode(given.removeprefix(PREFIX), validate=True)) >= 24
        except (binascii.Error, ValueError):
            long_enough = False
        if not long_enough:
            raise BadInput(
                field=variable, why="it is not 24 bytes or more in base64", fix=f"Write {PREFIX} and then base64"
            )
        return given

    def seal(self, name: str) -> bytes:
        """A name that only this file opens."""
        nonce = os.urandom(12)
        return nonce + self._seal.encrypt(nonce, name.encode("utf-8", "surrogatepass"), None)

    def open(self, box: bytes) -> str:
        """The name in it. Raises BadInput."""
        try:
            return self._seal.decrypt(box[:12], box[12:], None).decode("utf-8", "surrogatepass")
        except InvalidTag:
            raise BadInput(
                field="receivers.json", why="it is not the one that sealed this name", fix="Restore the right one"
            ) from None


def signed(secret: str, name: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of a post, as in the Standard Webhooks: HMAC-SHA256 over id, time and body. seconds: since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mark = hmac.new(key, f"{name}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": "v1," + base64.b64encode(mark).decode(),
    }
