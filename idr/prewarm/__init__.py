"""`idr prewarm`: ask a release for what its pages show, so that the first visitor finds it in the cache.

Runs from this project's environment and, as `python3 -m prewarm`, from a folder on the management node with Debian 12's
own Python packages: the modules import each other relatively, and keep to what httpx 0.23 and typer 0.7 can do.
"""
