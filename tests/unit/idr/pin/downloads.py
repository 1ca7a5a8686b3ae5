"""The files that the stack file of these tests names by URL."""

import hashlib

FILES = {
    "server.zip": b"a server",
    "ice.tar.gz": b"Ice",
    "ice.whl": b"a wheel",
    "a.jar": b"a jar",
    "b.jar": b"another",
    "site.tar.gz": b"a site",
}
PARTS = dict(zip(("server", "ice", "icePython"), FILES.values(), strict=False))
SUMS = {part: hashlib.sha256(content).hexdigest() for part, content in PARTS.items()}
OTHERS = {name: hashlib.sha256(FILES[name]).hexdigest() for name in ("a.jar", "b.jar", "site.tar.gz")}
OLD = "0" * 64
