"""`python -m bench prewarm`: what the pre-warm reaches, beside what the same upstream serves to h2load."""

from bench.figures import AsJson, show
from bench.prewarm.measure import hours, measured

NODES = (1, 2, 4, 8)
IMAGES, KILLED = 4_000, 20_000
"""Thumbnails for the rates, and those of the run that is killed."""
MEMORY = (10_000, 1_000_000)
"""Ids of the two runs whose memory is measured."""


def prewarm(as_json: AsJson = False) -> None:
    """The pre-warm: rate, memory, what a kill repeats, hours. Loopback only; a quarter of an hour."""
    figures = measured(IMAGES, KILLED, MEMORY)
    per_node = figures["OMERO.web-like upstream: idr prewarm (answers/s)"]
    for nodes in NODES:
        figures[f"2.8 million thumbnails, {nodes} x {per_node:.0f}/s (hours)"] = hours(per_node, nodes)
    show(figures, as_json=as_json)
