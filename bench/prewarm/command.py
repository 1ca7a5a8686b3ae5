"""`python -m bench prewarm`: compare the rate of the pre-warm with that of h2load on the same upstream."""

from bench.figures import AsJson, show
from bench.prewarm.measure import hours, measured

NODES = (1, 2, 4, 8)
IMAGES, KILLED = 4_000, 20_000
"""Thumbnails in the run for the rates, and in the run that is killed."""
MEMORY = (10_000, 1_000_000)
"""Images in the two runs whose memory is measured."""


def prewarm(as_json: AsJson = False) -> None:
    """Measure the pre-warm: rate, memory, repeated requests after a kill, hours. On loopback; takes 15 minutes."""
    figures = measured(IMAGES, KILLED, MEMORY)
    per_node = figures["OMERO.web-like upstream: idr prewarm (answers/s)"]
    for nodes in NODES:
        figures[f"2.8 million thumbnails, {nodes} x {per_node:.0f}/s (hours)"] = hours(per_node, nodes)
    show(figures, as_json=as_json)
