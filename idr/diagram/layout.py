"""Positions of the picture's boxes and lines, in SVG's units."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from idr.diagram.boxes import BEYOND, OUTSIDE, Box, Line, Picture

LINE = 17
"""Height of a line of text."""
PADDING = 12
CHARACTER = 7.2
"""Width of a letter of 12-pixel DejaVu Sans, rounded up."""
COLUMN_GAP = 150
BOX_GAP = 26
FRAME_PADDING = 22
TITLE = 26
MARGIN = 20
SMALL_BOX_WIDTH = 130
LABEL_POSITIONS = tuple(0.5 + sign * step / 20 for step in range(8) for sign in (1, -1))
"""Positions of a label on its curve, the best first."""


@dataclass(frozen=True)
class Frame:
    """A rectangle, with its title and the lines of text in it."""

    title: str
    left: float
    top: float
    width: float
    height: float
    texts: tuple[str, ...] = ()

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True)
class Arrow:
    """A curve (start, two controls, end) and its label."""

    points: tuple[tuple[float, float], ...]
    label: str
    position: tuple[float, float] = (0, 0)
    """The middle of the label."""

    def at(self, t: float) -> tuple[float, float]:
        """Return a point of the curve; 0 is its start, 1 its end."""
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x = sum(weight * point[0] for weight, point in zip(weights, self.points, strict=True))
        y = sum(weight * point[1] for weight, point in zip(weights, self.points, strict=True))
        return x, y


@dataclass(frozen=True)
class Layout:
    """All boxes and curves with their positions; the space below `bottom` is free."""

    networks: tuple[Frame, ...]
    boxes: tuple[Frame, ...]
    arrows: tuple[Arrow, ...]
    width: float
    bottom: float


def layout(picture: Picture) -> Layout:
    """Arrange the networks one below the other, their boxes in columns, and boxes outside the stack at the sides."""
    frames: dict[str, Frame] = {}
    networks = []
    top = float(MARGIN)
    box_width = CHARACTER * max(len(text) for box in picture.boxes for text in (box.name, *texts(box))) + 2 * PADDING
    for network in picture.topology.networks:
        inside = [box for box in picture.boxes if box.network == network.name]
        height = _place_boxes(inside, top + TITLE + PADDING, box_width, frames)
        left = _column_left(1, box_width) - FRAME_PADDING
        width = _column_left(BEYOND, box_width) - COLUMN_GAP + FRAME_PADDING - left
        title = f"{network.name}  {network.cidr}"
        networks.append(Frame(title, left, top, width, TITLE + PADDING + height + FRAME_PADDING))
        top = networks[-1].bottom + BOX_GAP
    for column in (OUTSIDE, BEYOND):
        outside = [box for box in picture.boxes if box.network is None and box.column == column]
        _place_boxes(outside, MARGIN + (top - MARGIN) / 3, box_width, frames)
    columns = {box.name: box.column for box in picture.boxes}
    right = max(frame.right for frame in (*frames.values(), *networks))
    boxes = tuple(frames.values())
    arrows = _labelled(_arrows(picture.lines, frames, columns), boxes)
    return Layout(tuple(networks), boxes, arrows, right + MARGIN, top)


def texts(box: Box) -> tuple[str, ...]:
    """Return the lines of a box below its title."""
    if not box.nodes:
        return ()
    first = box.nodes[0]
    lines = [", ".join(first.roles), *(f"{node.name}  {node.address}" for node in box.nodes), first.flavor]
    lines += [f"{v.purpose}: {v.size_gib} GiB at {v.mount}" for v in first.volumes]
    return tuple(lines)


def _column_left(column: int, box_width: float) -> float:
    if column == OUTSIDE:
        return float(MARGIN)
    first = MARGIN + SMALL_BOX_WIDTH + COLUMN_GAP
    return float(first + (column - 1) * (box_width + COLUMN_GAP))


def _place_boxes(boxes: Iterable[Box], top: float, box_width: float, frames: dict[str, Frame]) -> float:
    """Arrange boxes in their columns from `top` down. Return the height of the highest column."""
    below: dict[int, float] = {}
    for box in boxes:
        start = below.get(box.column, top)
        lines = texts(box)
        width = box_width if box.nodes else SMALL_BOX_WIDTH
        frame = Frame(
            box.name, _column_left(box.column, box_width), start, width, LINE * (len(lines) + 1) + 2 * PADDING, lines
        )
        frames[box.name] = frame
        below[box.column] = frame.bottom + BOX_GAP
    return max(below.values(), default=top + BOX_GAP) - BOX_GAP - top


def _arrows(lines: tuple[Line, ...], frames: dict[str, Frame], columns: dict[str, int]) -> list[Arrow]:
    """Return curves whose ends are at different points of a box's side, in the order of their other ends."""
    ends: dict[tuple[str, bool], list[tuple[float, Line]]] = {}
    for line in lines:
        ahead = columns[line.source] <= columns[line.target]
        beside = columns[line.source] == columns[line.target]
        ends.setdefault((line.source, ahead), []).append((frames[line.target].top, line))
        ends.setdefault((line.target, not ahead or beside), []).append((frames[line.source].top, line))
    height: dict[tuple[str, Line], float] = {}
    for (name, _), at_box in ends.items():
        frame = frames[name]
        for position, (_, line) in enumerate(sorted(at_box, key=lambda one: (one[0], one[1].source, one[1].target)), 1):
            height[name, line] = frame.top + frame.height * position / (len(at_box) + 1)
    return [_arrow(line, frames, columns, height) for line in lines]


def _arrow(
    line: Line, frames: dict[str, Frame], columns: dict[str, int], height: dict[tuple[str, Line], float]
) -> Arrow:
    source, target = frames[line.source], frames[line.target]
    start_y, end_y = height[line.source, line], height[line.target, line]
    if columns[line.source] < columns[line.target]:
        start, end, bend, back = source.right, target.left, COLUMN_GAP / 2, -COLUMN_GAP / 2
    elif columns[line.source] > columns[line.target]:
        start, end, bend, back = source.left, target.right, -COLUMN_GAP / 2, COLUMN_GAP / 2
    else:
        start, end, bend, back = source.right, target.right, COLUMN_GAP / 2, COLUMN_GAP / 2
    points = ((start, start_y), (start + bend, start_y), (end + back, end_y), (end, end_y))
    return Arrow(points, line.label)


def _labelled(arrows: Iterable[Arrow], boxes: tuple[Frame, ...]) -> tuple[Arrow, ...]:
    """Return the arrows with labels that overlap no box or label if possible, near the middle of the curve."""
    occupied = list(boxes)
    labelled = []
    for arrow in arrows:
        width = CHARACTER * len(arrow.label) + PADDING
        spots = [(x - width / 2, y - LINE / 2) for x, y in map(arrow.at, LABEL_POSITIONS)]
        candidates = [Frame("", left, top, width, LINE) for left, top in spots]
        best = min(candidates, key=lambda frame: sum(_overlap(frame, other) for other in occupied))
        occupied.append(best)
        labelled.append(replace(arrow, position=(best.left + width / 2, best.top + LINE / 2)))
    return tuple(labelled)


def _overlap(one: Frame, other: Frame) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0, width) * max(0, height)
