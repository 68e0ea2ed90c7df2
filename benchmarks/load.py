"""A load generator on raw sockets, light enough to share two cores with what it measures.

Open loop: requests leave when they are due, whatever became of the earlier ones, and latency counts from when a request was due,
so that a server that stalls cannot hide it (no coordinated omission). Closed loop: each connection sends as soon as it has its answer.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct


class Result(Struct, frozen=True):
    """Latencies in milliseconds, sorted; requests answered with anything but 200; wall seconds."""

    latencies: list[float]
    failed: int
    seconds: float

    def percentile(self, share: float) -> float:
        """The latency (ms) below which this share (0 to 1) of the requests lies."""
        return float(np.quantile(self.latencies, share)) if self.latencies else float("nan")

    @property
    def per_second(self) -> float:
        """Requests answered well, a second."""
        return (len(self.latencies) - self.failed) / self.seconds


def request(path: str, body: bytes, headers: dict[str, str], host: str = "127.0.0.1") -> bytes:
    """An HTTP/1.1 POST, ready to be sent."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.answer: asyncio.Future[bool] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) >= end + 4 + length:
            good = head[9:12] == b"200"
            del self.buffer[: end + 4 + length]
            if self.answer is not None and not self.answer.done():
                self.answer.set_result(good)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(False)

    def send(self, payload: bytes) -> "asyncio.Future[bool]":
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(payload)
        return self.answer


async def _connections(port: int, count: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(count)]
    return [protocol for _, protocol in made]


async def open_loop(port: int, payloads: Sequence[bytes], rate: float, seconds: float, connections: int = 32) -> Result:
    """Send at `rate` requests a second. More connections than answers under way, so that none waits for another's."""
    free = await _connections(port, connections)
    everyone = list(free)
    loop, began, latencies, failed = asyncio.get_running_loop(), time.perf_counter(), [], 0
    pending: set[asyncio.Task[None]] = set()

    async def one(due: float, payload: bytes) -> None:
        nonlocal failed
        while not free:  # a stalled server: the wait is part of the latency
            await asyncio.sleep(0)
        connection = free.pop()
        if connection.transport.is_closing():  # the server lets go of what was idle for five seconds
            connection = (await _connections(port, 1))[0]
            everyone.append(connection)
        good = await connection.send(payload)
        latencies.append((time.perf_counter() - due) * 1000)
        failed += not good
        free.append(connection)

    for number, payload in zip(range(int(rate * seconds)), itertools.cycle(payloads), strict=False):
        due = began + number / rate
        # The loop's timers are a millisecond coarse: sleep most of the time, then look at the clock until it is due.
        while (delay := due - time.perf_counter()) > 0:
            await asyncio.sleep(delay - 0.0015 if delay > 0.002 else 0)
        task = loop.create_task(one(due, payload))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    for connection in everyone:
        connection.transport.close()
    return Result(sorted(latencies), failed, time.perf_counter() - began)


async def closed_loop(port: int, payloads: Sequence[bytes], connections: int, seconds: float = 0.0) -> Result:
    """Send as fast as answers come: for some seconds, going round the payloads, or (0) each payload once."""
    everyone = await _connections(port, connections)
    began, latencies, failed = time.perf_counter(), [], 0
    queue = itertools.cycle(payloads) if seconds else iter(payloads)
    until = began + seconds if seconds else float("inf")

    async def run(connection: _Connection) -> None:
        nonlocal failed
        for payload in queue:
            sent = time.perf_counter()
            if sent > until:
                return
            failed += not await connection.send(payload)
            latencies.append((time.perf_counter() - sent) * 1000)

    await asyncio.gather(*(run(connection) for connection in everyone))
    elapsed = time.perf_counter() - began
    for connection in everyone:
        connection.transport.close()
    return Result(sorted(latencies), failed, elapsed)
