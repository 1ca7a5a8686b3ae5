"""Simulates a long line on loopback: a forwarder sends every byte on in order, half a round trip later.

It does not use netem, which many kernels lack and which needs root. Bandwidth is not limited: each direction continues
to read while earlier bytes are delayed. TCP's slow start is not simulated.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.ports import free_port
from harness.proxy import wait_for

CHUNK = 256 * 1024


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Read until the end; write each piece `seconds` after it was read."""
    clock = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.close()

    delivering = asyncio.create_task(deliver())
    with suppress(ConnectionError):
        while piece := await reader.read(CHUNK):
            under_way.put_nowait((clock() + seconds, piece))
    under_way.put_nowait((clock() + seconds, b""))
    with suppress(ConnectionError):
        await delivering


@contextmanager
def line(target: int, round_trip: float) -> Iterator[int]:
    """Yield the port of a line to the port `target` of loopback; `round_trip` is in seconds, and 0 yields `target`."""
    if not round_trip:
        yield target
        return
    port = free_port()
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The connection itself takes a round trip.
        await asyncio.sleep(round_trip)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        half = round_trip / 2
        # Python 3.11's streams report a cancelled connection as a failed one, with a long message.
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_carry(reader, far_writer, half), _carry(far_reader, writer, half))

    async def serve() -> None:
        await asyncio.start_server(connected, "127.0.0.1", port, limit=CHUNK)

    loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        wait_for(port)
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in (under_way := asyncio.all_tasks(loop)):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        loop.close()
