"""Scans the TCP ports of a public address."""

import asyncio
import socket
from collections.abc import Iterable

AT_ONCE = 1000  # with more, the scan misses open ports on a machine of two cores
SECONDS = 1.0
OPEN = {"omero": {80, 443, 4064}, "bastion": {22}}
"""The ports that are open to everybody, by the endpoint of the outputs."""


def open_ports(address: str, among: Iterable[int], expected: Iterable[int]) -> set[int]:
    """Return those of the given ports that accept a connection."""
    listening = asyncio.run(_scan(address, sorted(among)))
    # TCP repeats a packet that is lost among so many too late for the scan: connect to the expected ports alone.
    return listening | {port for port in expected if _is_open(address, port)}


async def _scan(address: str, among: list[int]) -> set[int]:
    room = asyncio.Semaphore(AT_ONCE)

    async def answers(port: int) -> bool:
        async with room:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SECONDS)
            except (OSError, TimeoutError):
                return False
            writer.close()
            return True

    return {port for port, is_open in zip(among, await asyncio.gather(*map(answers, among)), strict=True) if is_open}


def _is_open(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=10).close()
    except OSError:
        return False
    return True
