"""Pictures of results: in the terminal, or as an image file."""

from __future__ import annotations

from collections.abc import Sequence

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, resolve, value, varying
from runx.analysis.curves import Curve, course, curve, phase_of, together
from runx.analysis.groups import groups
from runx.analysis.question import Asked
from runx.analysis.table import deciding, ranked
from runx.errors import RunxError
from runx.export.picture import Picture
from runx.nearest import listed, nearest_first
from runx.rundir.run import RunRecord

MOST = 12
"""More curves than this nobody tells apart: the rest are left out, with a word."""


def plotted(what: str, runs: Sequence[RunRecord], asked: Asked) -> str:
    """Draw what is asked for; give the drawing, or say which file it went to."""
    picture = pictured(what, runs, asked)
    if asked.output:
        from runx.export.images import draw

        draw(picture, asked.output)
        number = len(picture.curves) or len(picture.lines)
        return f"{asked.output}: {picture.note or f'{number} drawn'}"
    from runx.export.terminal import drawn

    return drawn(picture)


def pictured(what: str, runs: Sequence[RunRecord], asked: Asked) -> Picture:
    """Say what is to be drawn: curves over epochs, a scatter, or parallel coordinates."""
    ordered = ranked(runs, deciding(runs, asked.question))
    if what == "parallel":
        return _parallel(ordered[: asked.top], asked)
    left, versus, right = what.partition(" vs ")
    if versus:
        return _scatter(left.strip(), right.strip(), ordered[: asked.top], asked)
    return _curves(what, ordered, asked)


def _curves(name: str, runs: Sequence[RunRecord], asked: Asked) -> Picture:
    phase, metric = phase_of(name)
    names = varying(runs, (*asked.ignore, *asked.over))
    by = [Column(one, "hparam", one) for one in names]
    found = []
    members = groups(runs, by) if asked.over else [[run] for run in runs]
    for group in members:
        label = _label(group[0], by) or group[0].name
        several = [curve(label, course(run, metric, phase), asked.smooth) for run in group]
        several = [one for one in several if one.xs]
        if several:
            found.append(together(label, several) if asked.over else several[0])
    if not found:
        metrics = sorted({one for run in runs for one in run.metrics})
        there = listed(nearest_first(name, metrics))
        raise RunxError(f"--plot {name}: no run has it; there {there}")
    found = found[: asked.top]
    note = f"{MOST} of {len(found)}; --where or --top choose" if len(found) > MOST else ""
    return Picture(name, "epoch", name, asked.log, tuple(found[:MOST]), note=note)


def _label(run: RunRecord, by: Sequence[Column]) -> str:
    return " ".join(f"{column.name}={for_machines(value(run, column)) or 'null'}" for column in by)


def _scatter(across: str, up: str, runs: Sequence[RunRecord], asked: Asked) -> Picture:
    columns = [resolve(name, runs) for name in (across, up)]
    points = []
    for run in runs:
        x, y = (value(run, column) for column in columns)
        if isinstance(x, (int, float)) and isinstance(y, (int, float)):
            points.append((float(x), float(y)))
    if not points:
        raise RunxError(f"--plot {across} vs {up}: no run has numbers for both")
    xs, ys = zip(*sorted(points), strict=True)
    curves = (Curve(f"{up} by {across}", xs, ys),)
    return Picture(f"{up} by {across}", across, up, asked.log, curves, dots=True)


def _parallel(runs: Sequence[RunRecord], asked: Asked) -> Picture:
    names = [Column(one, "hparam", one) for one in varying(runs, asked.ignore)]
    measured = dict.fromkeys(one for run in runs for one in run.metrics)
    axes = (*names, *(Column(one, "metric", one) for one in measured))
    lines = tuple(tuple(value(run, column) for column in axes) for run in runs)
    if len(axes) < 2:
        raise RunxError("--plot parallel: there are not two things that differ between runs")
    heads = tuple(column.heading for column in axes)
    # The best on top of the others, which are drawn first.
    return Picture("parallel coordinates", "", "", "", axes=heads, lines=lines[::-1])
