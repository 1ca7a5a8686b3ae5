"""`idr prewarm`: request the pages of a release, so that the first visitor is served from the cache.

Runs in this project's environment and, as `python3 -m prewarm`, on the management node with Debian 12's own Python
packages: the modules use relative imports, and only what httpx 0.23 and typer 0.7 support.
"""
