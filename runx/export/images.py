"""Pictures in files (png, svg, pdf), by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runx.analysis.cells import for_machines
from runx.errors import RunxError
from runx.export.picture import Picture, placed

SUFFIXES = (".png", ".svg", ".pdf")


_FAINT = 0.2


_COLOURS = 10
"""So many lines get a colour of their own; the next begin again, dashed."""


def draw(picture: Picture, name: str) -> None:
    """Draw to a file, its kind told by its ending."""
    file = Path(name)
    if file.suffix not in SUFFIXES:
        raise RunxError(f"-o {file}: a picture is one of {', '.join(SUFFIXES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RunxError("--plot -o FILE needs matplotlib: pip install matplotlib") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    if picture.axes:
        _across(axes, picture)
    else:
        _over(axes, picture)
    axes.set_title(picture.title + (f" ({picture.note})" if picture.note else ""))
    try:
        figure.savefig(file)
    except OSError as error:
        raise RunxError(f"-o {file}: can't be written: {error.strerror}") from error


def _over(axes: Any, picture: Picture) -> None:
    for at, curve in enumerate(picture.curves):
        if picture.dots:
            axes.scatter(curve.xs, curve.ys, label=curve.label)
            continue
        style = "--" if at >= _COLOURS else "-"
        [line] = axes.plot(curve.xs, curve.ys, style, label=curve.label)
        if curve.low:
            band = {"color": line.get_color(), "alpha": _FAINT, "linewidth": 0}
            axes.fill_between(curve.xs, curve.low, curve.high, **band)
    if "x" in picture.log:
        axes.set_xscale("log")
    if "y" in picture.log:
        axes.set_yscale("log")
    axes.set_xlabel(picture.across)
    axes.set_ylabel(picture.up)
    if not picture.dots:
        axes.legend()


def _across(axes: Any, picture: Picture) -> None:
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
        ends = dict(zip(places[at], column, strict=True))
        for end, side in ((1.0, "bottom"), (0.0, "top")):
            if end in ends:
                axes.annotate(_short(ends[end]), (at, end + (end - 0.5) / 50), ha="center", va=side)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else for_machines(value)
