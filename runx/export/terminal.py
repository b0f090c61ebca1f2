"""Pictures drawn with characters for the terminal: a mark for each curve, and a legend below."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from runx.analysis.curves import Curve
from runx.export.picture import Picture, placed

MARKS = "ox+*#@%&=~^s"
"""The marks of curves, in turn."""

_BARS = "▁▂▃▄▅▆▇█"

_LABEL_EVERY = 4
"""Rows from one label of the vertical axis to the next."""

_LABEL = 9
"""Columns that a label of the vertical axis takes."""


class Axis(NamedTuple):
    """A range of numbers, on a linear or a logarithmic scale."""

    low: float
    high: float
    log: bool = False

    def place(self, number: float) -> float | None:
        """Return the place of a number, from 0 to 1; None where it has no logarithm."""
        if not math.isfinite(number) or (self.log and number <= 0):
            return None
        ends = (self.low, self.high, number)
        low, high, at = map(math.log, ends) if self.log else ends
        return (at - low) / (high - low) if high > low else 0.5

    def at(self, place: float) -> float:
        """Return the number at a place from 0 to 1."""
        if self.log:
            return math.exp(math.log(self.low) * (1 - place) + math.log(self.high) * place)
        return self.low + (self.high - self.low) * place


def axis(numbers: Iterable[float], log: bool) -> Axis:
    """Return an axis that holds all numbers that can be shown on it.

    >>> axis([0.0, 0.1, 10.0], log=True)
    Axis(low=0.1, high=10.0, log=True)
    """
    shown = [number for number in numbers if math.isfinite(number) and (number > 0 or not log)]
    return Axis(min(shown, default=1.0), max(shown, default=1.0), log)


def drawn(picture: Picture) -> str:
    """Return a picture as wide as the terminal, and half or two thirds as high."""
    size = shutil.get_terminal_size()
    if picture.axes:
        return "\n".join(_parallel(picture, size.columns, max(size.lines // 2, 8)))
    return "\n".join(plane(picture, size.columns, max(size.lines * 2 // 3, 8)))


def plane(picture: Picture, columns: int, lines: int) -> Iterator[str]:
    """Yield the lines of a picture of curves or dots: ``lines`` of them, axes and a legend."""
    across = axis((x for curve in picture.curves for x in curve.xs), "x" in picture.log)
    up = axis((y for curve in picture.curves for y in curve.ys), "y" in picture.log)
    canvas = [[" "] * max(columns - _LABEL - 2, 10) for _ in range(lines)]
    for number, curve in enumerate(picture.curves):
        mark = MARKS[number % len(MARKS)]
        points = list(_places(curve, across, up))
        _draw(canvas, points if picture.dots else list(between(points, len(canvas[0]))), mark)
    yield picture.up
    for at, row in enumerate(canvas):
        label = (
            f"{up.at(1 - at / (lines - 1)):.4g}"
            if at % _LABEL_EVERY == 0 or at == lines - 1
            else ""
        )
        yield f"{label:>{_LABEL}} |{''.join(row)}".rstrip()
    yield " " * _LABEL + " +" + "-" * len(canvas[0])
    low, high = f"{across.low:.4g}", f"{across.high:.4g}"
    middle = picture.across.center(len(canvas[0]) - len(low) - len(high))
    yield f"{' ' * (_LABEL + 2)}{low}{middle}{high}"
    for number, curve in enumerate(picture.curves):
        yield f"  {MARKS[number % len(MARKS)]}  {curve.label}"
    if picture.note:
        yield picture.note


def sparkline(values: Sequence[float], columns: int) -> str:
    """Return the last values as bars of eight heights, the lowest of them and zero at the bottom.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 4)
    '▅▆▇█'
    """
    shown = [value for value in values[-columns:] if math.isfinite(value)]
    low, high = min(0, *shown, 0), max(0, *shown, 0)
    return "".join(_BARS[round((value - low) / ((high - low) or 1) * 7)] for value in shown)


def _places(curve: Curve, across: Axis, up: Axis) -> Iterator[tuple[float, float]]:
    for x, y in zip(curve.xs, curve.ys, strict=True):
        place = across.place(x), up.place(y)
        if place[0] is not None and place[1] is not None:
            yield place[0], place[1]


def between(points: Sequence[tuple[float, float]], steps: int) -> Iterator[tuple[float, float]]:
    """Return points, and further ones on the line from each to the next.

    >>> list(between([(0, 0), (1, 1)], 2))
    [(0.0, 0.0), (0.5, 0.5), (1, 1)]
    """
    for (x, y), (right, top) in itertools.pairwise(points):
        number = max(math.ceil(abs(right - x) * steps), 1)
        for step in range(number):
            part = step / number
            yield x + (right - x) * part, y + (top - y) * part
    yield from points[-1:]


def _draw(canvas: list[list[str]], points: Iterable[tuple[float, float]], mark: str) -> None:
    """Put a mark on a canvas at each point; the last curve covers those before."""
    for x, y in points:
        row = round((1 - y) * (len(canvas) - 1))
        canvas[row][round(x * (len(canvas[0]) - 1))] = mark


def _parallel(picture: Picture, columns: int, lines: int) -> Iterator[str]:
    canvas = [[" "] * max(columns - 2, 10) for _ in range(lines)]
    places = [placed(column) for column in zip(*picture.lines, strict=True)]
    last = len(picture.axes) - 1
    for number, line in enumerate(zip(*places, strict=True)):
        points = [(at / last, place) for at, place in enumerate(line) if place is not None]
        _draw(canvas, between(points, len(canvas[0])), MARKS[number % len(MARKS)])
    yield picture.title
    yield from ("".join(row).rstrip() for row in canvas)
    room = max((columns - 2) // (last + 1), 4)
    yield "".join(head[: room - 1].ljust(room) for head in picture.axes).rstrip()
