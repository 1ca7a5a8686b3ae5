"""Simulates a release: plates of 384 wells in OMERO's JSON API, and the pages that a pre-warm requests.

`python -m harness.stub_release --images 20000 --workers 8 --seconds 0.04` prints its port and serves until killed.
"""

import argparse
import asyncio
import itertools
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

WELLS = 384
HTML = ("/webclient/?", "/webclient/img_detail/", "/webclient/load_plate/", "/webclient/metadata_")
THUMBNAIL = b"\xff\xd8" + bytes(2046)
OWNER, GROUP = 3, 4
"""The ids of the owner and the group of all objects."""
DETAILS = {"owner": {"@id": OWNER}, "group": {"@id": GROUP}}
RENDERING = {"model": "color", "projection": "normal", "defaultZ": 0, "defaultT": 0, "invertAxis": False}


class Stub:
    """An OMERO.web with `workers` workers that take `seconds` for each page, but no time for the lists of the API.

    A plate has `wells` images. Paths in `broken` get 404; while `down` is true, all requests get 502. `asked` counts
    the requests by path.
    """

    def __init__(self, images: int, workers: int = 64, seconds: float = 0.0, wells: int = WELLS) -> None:
        self.images = images
        self.wells = wells
        self.plates = math.ceil(images / wells)
        self.seconds = seconds
        self.broken: set[str] = set()
        self.down = False
        self.asked: Counter[str] = Counter()
        self._free = asyncio.Semaphore(workers)

    async def start(self) -> tuple[asyncio.Server, int]:
        """Listen on a free port of loopback; return the server and the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        port: int = server.sockets[0].getsockname()[1]
        return server, port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                status, body = await self.answer(path)
                writer.write(b"HTTP/1.1 %d .\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, path: str) -> tuple[int, bytes]:
        """Return status and body of the response to a path."""
        self.asked[path] += 1
        if path == "/asked":
            return 200, json.dumps(self.asked).encode()
        if self.down:
            return 502, b""
        if path in self.broken:
            return 404, b""
        if path.startswith("/api/"):
            return 200, json.dumps(self.page(path)).encode()
        async with self._free:
            await asyncio.sleep(self.seconds)
        if match := re.fullmatch(r"/webgateway/plate/(\d+)/0/", path):
            return 200, json.dumps(
                {"grid": [[{"id": number}, None] for number in self._numbers(int(match[1]))]}
            ).encode()
        if match := re.fullmatch(r"/webclient/imgData/(\d+)/", path):
            image = {"id": int(match[1]), "meta": {}, "tiles": False, "channels": [], "rdefs": RENDERING}
            return 200, json.dumps(image).encode()
        if path == "/webgateway/open_with/":
            return 200, b'{"open_with_options": []}'
        return 200, b"" if path.startswith(HTML) else THUMBNAIL

    def page(self, path: str) -> dict[str, object]:
        """Return the API's response to a path."""
        parts = urlsplit(path)
        if match := re.fullmatch(r"/api/v0/m/(\w+)s/(\d+)/", parts.path):
            return {"data": {"@id": int(match[2]), "@type": f"#{match[1].title()}", "omero:details": DETAILS}}
        query = parse_qs(parts.query)
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        total, entries = self._entries(parts.path, "orphaned" in query, offset)
        return {"data": list(itertools.islice(entries, limit)), "meta": {"offset": offset, "totalCount": total}}

    def _entries(self, path: str, orphaned: bool, offset: int) -> tuple[int, Iterator[dict[str, object]]]:
        if match := re.fullmatch(r"/api/v0/m/plates/(\d+)/wells/", path):
            numbers = self._numbers(int(match[1]))
            return len(numbers), (_well(number) for number in numbers[offset:])
        if path.endswith("/plates/"):
            return self.plates, (
                {"@id": number, "@type": "#Plate", "omero:details": DETAILS}
                for number in range(offset + 1, self.plates + 1)
            )
        total = self.images if path.endswith("/images/") and not orphaned else 0
        return total, iter(())

    def _numbers(self, plate: int) -> range:
        first = (plate - 1) * self.wells + 1
        return range(first, min(first + self.wells, self.images + 1))


def _well(number: int) -> dict[str, object]:
    image = {"@id": number, "@type": "#Image"}
    return {
        "@id": number,
        "@type": "http://www.openmicroscopy.org/Schemas/OME/2016-06#Well",
        "WellSamples": [{"Image": image}],
    }


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.0)
    options = parser.parse_args()
    server, port = await Stub(options.images, options.workers, options.seconds).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
