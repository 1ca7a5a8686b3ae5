"""Runs in a user's Python: read image 5 by a named method, and print the result as JSON.

read_image.py idr-py HOST     use the IDR's own client, which finds the server by itself
read_image.py join URL KEY    join a session that another program has opened
"""

import hashlib
import json
import sys
from typing import Any

IMAGE = 5


def connected(way: str, *arguments: str) -> Any:
    """Return OMERO's BlitzGateway, logged in."""
    if way == "idr-py":
        from idr import connection  # type: ignore[attr-defined]  # idr-py's, not this project's

        return connection(arguments[0], verbose=0)
    import omero
    from omero.gateway import BlitzGateway

    client = omero.client(host=arguments[0])
    client.joinSession(arguments[1])
    return BlitzGateway(client_obj=client)


def main() -> None:
    """Print the properties of an image and the sums of its planes."""
    conn = connected(*sys.argv[1:])
    image = conn.getObject("Image", IMAGE)
    pixels = image.getPrimaryPixels()
    print(
        json.dumps(
            {
                "user": conn.getUser().getName(),
                "name": image.getName(),
                "router": conn.c.getProperty("Ice.Default.Router"),
                "planes": [
                    hashlib.sha256(pixels.getPlane(0, channel, 0).tobytes()).hexdigest()
                    for channel in range(image.getSizeC())
                ],
            }
        )
    )
    conn.close()


if __name__ == "__main__":
    main()
