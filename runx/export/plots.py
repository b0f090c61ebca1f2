"""``--plot``: which curves, dots or lines of the runs are drawn, in the terminal or to a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, finite, resolve, value, varying
from runx.analysis.curves import Curve, curve, mean_curve, metric_history, phase_of
from runx.analysis.groups import groups
from runx.analysis.question import TableOptions
from runx.analysis.table import ranked, sort_keys
from runx.errors import RunxError
from runx.export.picture import Picture, draw
from runx.nearest import listed, nearest_first
from runx.rundir.run import RunRecord

MOST = 12
"""Curves that are drawn at most: of more nobody can tell which is which."""


def plot_runs(what: str, runs: Sequence[RunRecord], request: TableOptions) -> str:
    """Return the drawing as text; with ``-o`` write it to that file and return a line about it."""
    picture = pictured(what, runs, request)
    if request.output:
        draw(picture, request.output)
        number = len(picture.curves) or len(picture.lines)
        return f"{request.output}: {picture.note or f'{number} drawn'}"
    from runx.export.terminal import drawn

    return drawn(picture)


def pictured(what: str, runs: Sequence[RunRecord], request: TableOptions) -> Picture:
    """Return the picture of ``--plot``: METRIC over epochs, ``X vs Y``, or ``parallel``.

    Raises: RunxError: no run has what is to be drawn.
    """
    best_first = ranked(runs, sort_keys(runs, request.question))
    if what == "parallel":
        return _parallel(best_first[: request.top], request)
    left, versus, right = what.partition(" vs ")
    if versus:
        return _scatter(left.strip(), right.strip(), best_first[: request.top], request)
    return _curves(what, best_first, request)


def _curves(name: str, runs: Sequence[RunRecord], request: TableOptions) -> Picture:
    phase, metric = phase_of(name)
    by = [Column(key, "hparam", key) for key in varying(runs, (*request.ignore, *request.over))]
    curves = []
    for members in groups(runs, by) if request.over else [[run] for run in runs]:
        label = _label(members[0], by) or members[0].name
        own = [curve(label, metric_history(run, metric, phase), request.smooth) for run in members]
        own = [line for line in own if line.xs]
        if own:
            curves.append(mean_curve(label, own) if request.over else own[0])
    if not curves:
        metrics = sorted({key for run in runs for key in run.metrics})
        if any(metric_history(run, metric, phase) for run in request.others):
            raise RunxError(f"--plot {name}: only runs that --where leaves out have it")
        choices = listed(nearest_first(name, metrics))
        raise RunxError(f"--plot {name}: no run has it; there {choices}")
    curves = curves[: request.top]
    note = f"{MOST} of {len(curves)}; --where or --top choose" if len(curves) > MOST else ""
    return Picture(name, "epoch", name, request.log, tuple(curves[:MOST]), note=note)


def _label(run: RunRecord, by: Sequence[Column]) -> str:
    return " ".join(f"{column.name}={for_machines(value(run, column)) or 'null'}" for column in by)


def _scatter(across: str, up: str, runs: Sequence[RunRecord], request: TableOptions) -> Picture:
    named = [*runs, *request.others]
    columns = [resolve(name, named) for name in (across, up)]
    points, left_out = [], []
    for run in runs:
        cells = [value(run, column) for column in columns]
        x, y = map(finite, cells)
        if x is not None and y is not None:
            points.append((x, y))
        else:
            left_out.append(_lack(columns, cells))
    if not points:
        raise RunxError(f"--plot {across} vs {up}: no run has numbers for both")
    xs, ys = zip(*sorted(points), strict=True)
    curves = (Curve(f"{up} by {across}", xs, ys),)
    note = _left_out(left_out, len(runs))
    return Picture(f"{up} by {across}", across, up, request.log, curves, dots=True, note=note)


def _lack(columns: Sequence[Column], cells: Sequence[Any]) -> str:
    """Return why a run is no dot: the first of its cells that is no finite number."""
    pairs = zip(columns, cells, strict=True)
    column, cell = next(pair for pair in pairs if finite(pair[1]) is None)
    name = column.heading
    return f"no {name}" if cell is None else f"{name} is {for_machines(cell):.40}"


def _left_out(reasons: Sequence[str], total: int) -> str:
    """Return a line on the runs that are no dots, with the most frequent reasons; else empty."""
    if not reasons:
        return ""
    counts = [f"{reason} ({n})" for reason, n in Counter(reasons).most_common(3)]
    more = " and others" if len(set(reasons)) > len(counts) else ""
    return f"{len(reasons)} of {total} runs are no dots: {', '.join(counts)}{more}"


def _parallel(runs: Sequence[RunRecord], request: TableOptions) -> Picture:
    hparams = [Column(name, "hparam", name) for name in varying(runs, request.ignore)]
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    axes = (*hparams, *(Column(name, "metric", name) for name in metrics))
    if len(axes) < 2:
        raise RunxError("--plot parallel: there are not two things that differ between runs")
    lines = tuple(tuple(value(run, column) for column in axes) for run in runs)
    headings = tuple(column.heading for column in axes)
    # The best run comes last, so that its line lies on top of the others.
    return Picture("parallel coordinates", "", "", "", axes=headings, lines=lines[::-1])
