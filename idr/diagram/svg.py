"""The picture as SVG: one file for any browser, with every node and a table of flows."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from idr.diagram.boxes import Picture, port
from idr.diagram.layout import LINE, MARGIN, PADDING, TITLE, Arrow, Frame, layout
from idr.names import listed

COLUMNS = (0, 390, 780, 880)
"""The positions of the columns of the table of flows."""

STYLE = """
  text { font: 12px 'DejaVu Sans', Verdana, sans-serif; fill: #1b2733; }
  .title { font-weight: bold; font-size: 13px; }
  .head { font-weight: bold; font-size: 16px; }
  .network { fill: #f3f6fa; stroke: #9db0c5; stroke-dasharray: 5 3; }
  .box { fill: #ffffff; stroke: #2b5c8a; stroke-width: 1.5; }
  .arrow { fill: none; stroke: #5d6b7a; stroke-width: 1.3; marker-end: url(#point); }
  .port { font-weight: bold; fill: #8a3a00; text-anchor: middle; }
  .port { paint-order: stroke; stroke: #f3f6fa; stroke-width: 5px; }
"""
MARKER = (
    '<defs><marker id="point" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#5d6b7a"/></marker></defs>'
)


def svg(picture: Picture) -> str:
    """Return the SVG document; always the same text for the same topology."""
    topology = picture.topology
    plan = layout(picture)
    flows = len(topology.flows)
    width = max(plan.width, COLUMNS[-1] + 360)
    height = plan.bottom + TITLE + LINE * (flows + 2) + MARGIN
    head = f"IDR stack {topology.stack}; live: {topology.live}"
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(head)}">',
        f"<title>{escape(head)}</title>",
        f"<style>{STYLE}</style>",
        MARKER,
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        *(_frame(frame, "network") for frame in plan.networks),
        *(_path(arrow) for arrow in plan.arrows),
        *(_frame(frame, "box") for frame in plan.boxes),
        *(_label(arrow) for arrow in plan.arrows),
        *_table(picture, plan.bottom + TITLE),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _frame(frame: Frame, kind: str) -> str:
    geometry = f'x="{frame.left:.1f}" y="{frame.top:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}"'
    lines = [f'<rect class="{kind}" {geometry} rx="6"/>']
    left, top = frame.left + PADDING, frame.top + PADDING + LINE * 0.6
    lines.append(_text(left, top, frame.title, "title"))
    lines += [_text(left, top + LINE * number, text) for number, text in enumerate(frame.texts, 1)]
    return "\n".join(lines)


def _path(arrow: Arrow) -> str:
    start, one, two, end = (f"{x:.1f} {y:.1f}" for x, y in arrow.points)
    return f'<path class="arrow" d="M {start} C {one}, {two}, {end}"/>'


def _label(arrow: Arrow) -> str:
    x, y = arrow.position
    return _text(x, y + 4, arrow.label, "port")


def _table(picture: Picture, top: float) -> Iterator[str]:
    """Return the table of flows; numbers on arrows are ports."""
    title = "Who may reach whom; everything else is closed. What concerns every node of a network has no arrow."
    yield _text(MARGIN, top, title, "head")
    for number, flow in enumerate(picture.topology.flows, 1):
        cells = (listed(flow.source, picture.topology), listed(flow.target, picture.topology), port(flow), flow.why)
        for left, cell in zip(COLUMNS, cells, strict=True):
            yield _text(MARGIN + left, top + TITLE + LINE * (number - 0.3), cell)


def _text(left: float, top: float, text: str, kind: str | None = None) -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{left:.1f}" y="{top:.1f}"{style}>{escape(text)}</text>'
