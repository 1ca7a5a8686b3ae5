"""Register an image whose file is already in Glance's store: `register_image OPTIONS < JSON`.

An upload through the API sends all bytes of a 4 GiB disk, holes too, through three Python processes, which takes 48 s.
Glance accepts locations only of remote stores, so this program writes the row with Glance's database functions.
"""

from __future__ import annotations

import json
import sys

import glance.context
from glance.common import config
from glance.db.sqlalchemy import api
from oslo_config import cfg
from oslo_db import options


def main() -> None:
    """Write the row of the image on standard input: id, name, formats, size, path, owner, properties."""
    options.set_defaults(cfg.CONF)
    config.parse_args(sys.argv[1:])
    image = json.load(sys.stdin)
    api.image_create(
        glance.context.get_admin_context(),
        {
            **{key: image[key] for key in ("id", "name", "size", "owner", "disk_format", "container_format")},
            "status": "active",
            "visibility": "public",
            "min_disk": 0,
            "min_ram": 0,
            "protected": False,
            "properties": image["properties"],
            "locations": [
                {"url": f"file://{image['path']}", "metadata": {"store": "file"}, "status": "active"},
            ],
        },
    )


if __name__ == "__main__":
    main()
