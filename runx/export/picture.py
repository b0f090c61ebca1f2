"""A picture of results: what it shows, where values lie on its axes, and its file (matplotlib)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.curves import Curve
from runx.errors import RunxError

SUFFIXES = (".png", ".svg", ".pdf")

_BAND_OPACITY = 0.2

_COLOURS = 10
"""Curves with a colour of their own; the next begin with the first colour again, dashed."""

_DECADES_FROM = 100
"""The ratio of the largest to the smallest positive number from which an axis is logarithmic."""


class Picture(NamedTuple):
    """Curves or dots over two axes, or lines across several."""

    title: str
    across: str
    up: str
    log: str = ""
    curves: tuple[Curve, ...] = ()
    dots: bool = False
    note: str = ""
    axes: tuple[str, ...] = ()
    lines: tuple[tuple[Any, ...], ...] = ()


def placed(values: Sequence[Any]) -> list[float | None]:
    """Return places from 0 to 1 on an axis: numbers by their size, other values by their order.

    >>> placed([1, 3, 2]), placed(["b", "a", None])
    ([0.0, 1.0, 0.5], [1.0, 0.0, None])
    """
    present = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        numbers = [None if value is None or value != value else float(value) for value in values]
    else:
        order = {text: float(at) for at, text in enumerate(sorted(map(for_machines, present)))}
        numbers = [None if value is None else order[for_machines(value)] for value in values]
    if all(number is None or number > 0 for number in numbers):
        numbers = _in_decades(numbers)
    real = [number for number in numbers if number is not None]
    low, high = min(real, default=0.0), max(real, default=0.0)
    spread = high - low
    return [
        None if number is None else (number - low) / spread if spread else 0.5 for number in numbers
    ]


def _in_decades(numbers: list[float | None]) -> list[float | None]:
    """Return the logarithms of numbers that are far apart, such as learning rates."""
    real = [number for number in numbers if number is not None]
    if not real or max(real) < _DECADES_FROM * min(real):
        return numbers
    return [number and math.log(number) for number in numbers]


def draw(picture: Picture, name: str) -> None:
    """Write a picture to a file, of the kind that its suffix names.

    Raises: RunxError: the suffix is another, matplotlib is missing, or the file can't be written.
    """
    file = Path(name)
    if file.suffix not in SUFFIXES:
        raise RunxError(f"-o {file}: a picture is one of {', '.join(SUFFIXES)}")
    figure = _figure(picture)
    try:
        figure.savefig(file)
    except OSError as error:
        raise RunxError(f"-o {file}: can't be written: {error.strerror}") from error


def svg(picture: Picture) -> str:
    """Return a picture as SVG, for a notebook; raises RunxError without matplotlib."""
    content = io.StringIO()
    _figure(picture).savefig(content, format="svg")
    return content.getvalue()


def _figure(picture: Picture) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RunxError("--plot -o FILE needs matplotlib: pip install matplotlib") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    if picture.axes:
        _draw_parallel(axes, picture)
    else:
        _draw_plane(axes, picture)
    axes.set_title(picture.title + (f" ({picture.note})" if picture.note else ""))
    return figure


def _draw_plane(axes: Any, picture: Picture) -> None:
    for at, curve in enumerate(picture.curves):
        if picture.dots:
            axes.scatter(curve.xs, curve.ys, label=curve.label)
            continue
        style = "--" if at >= _COLOURS else "-"
        [line] = axes.plot(curve.xs, curve.ys, style, label=curve.label)
        if curve.low:
            band = {"color": line.get_color(), "alpha": _BAND_OPACITY, "linewidth": 0}
            axes.fill_between(curve.xs, curve.low, curve.high, **band)
    if "x" in picture.log:
        axes.set_xscale("log")
    if "y" in picture.log:
        axes.set_yscale("log")
    axes.set_xlabel(picture.across)
    axes.set_ylabel(picture.up)
    if not picture.dots:
        axes.legend()


def _draw_parallel(axes: Any, picture: Picture) -> None:
    from matplotlib import colormaps

    columns = list(zip(*picture.lines, strict=True))
    places = [placed(column) for column in columns]
    colours = colormaps["viridis"]
    last = max(len(picture.lines) - 1, 1)
    for nth, line in enumerate(zip(*places, strict=True)):
        xs = [at for at, place in enumerate(line) if place is not None]
        axes.plot(xs, [line[at] for at in xs], color=colours(nth / last), alpha=0.6)
    axes.set_xticks(range(len(picture.axes)), picture.axes)
    axes.set_yticks([])
    for at, column in enumerate(columns):
        values = dict(zip(places[at], column, strict=True))
        for end, side in ((1.0, "bottom"), (0.0, "top")):
            if end in values:
                label = _short(values[end])
                axes.annotate(label, (at, end + (end - 0.5) / 50), ha="center", va=side)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else for_machines(value)
