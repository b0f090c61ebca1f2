"""The curves of metrics over epochs, for one run and as the mean of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.decode import starts_in
from runx.analysis.found import measurements_of_run
from runx.analysis.groups import Spread
from runx.analysis.measurements import Measurements
from runx.analysis.reduce import series, tally
from runx.rundir.paths import METRICS, metrics_of
from runx.rundir.records import Record, text_of
from runx.rundir.run import RunRecord

PHASES = ("train", "val", "test")


class Curve(NamedTuple):
    """A line to be drawn: its points, and around each the band of one deviation over runs."""

    label: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def phase_of(name: str) -> tuple[str, str]:
    """Return the phase of a metric's name, and the name without it.

    >>> phase_of("train.loss"), phase_of("top.1")
    (('train', 'loss'), ('val', 'top.1'))
    """
    phase, dot, metric = name.partition(".")
    return (phase, metric) if dot and phase in PHASES else ("val", name)


def metric_history(run: RunRecord, metric: str, phase: str) -> list[tuple[float | None, Any]]:
    """Return a metric's values with their epochs."""
    found = measurements_of_run(run)
    courses = (
        series(content, metric, phase, starts=_starts(found, phase) if names is None else ())
        for content, names in found.contents(phase)
    )
    return next(filter(None, courses), [])


def last_metrics(run: RunRecord, phase: str) -> Mapping[str, Any]:
    """Return the metrics of the last epoch of a phase."""
    found = measurements_of_run(run)
    metrics: dict[str, Any] = {}
    for content, names in found.contents(phase):
        starts = _starts(found, phase) if names is None else ()
        metrics = {**tally(content, phase=phase, starts=starts, names=names).metrics, **metrics}
    return metrics


def _starts(found: Measurements, phase: str) -> Sequence[Record]:
    """Return the starts of a run's executions where logx's file of a phase has none."""
    return [] if metrics_of(phase) == METRICS else starts_in(text_of(found.own or b""))


def curve(label: str, points: Iterable[tuple[float | None, Any]], smooth: float = 0.0) -> Curve:
    """Return the curve of those points that are numbers; of an epoch that was repeated, the last.

    >>> curve("a", [(0, 1.0), (1, "n/a"), (1, 3.0)])
    Curve(label='a', xs=(0.0, 1.0), ys=(1.0, 3.0), low=(), high=())
    """
    by_epoch: dict[float, float] = {}
    for at, (epoch, value) in enumerate(points):
        if isinstance(value, (int, float)) and value == value:
            by_epoch[float(at if epoch is None else epoch)] = float(value)
    xs = sorted(by_epoch)
    return Curve(label, tuple(xs), tuple(smoothed([by_epoch[x] for x in xs], smooth)))


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Return the exponential moving average of values, corrected for its start.

    ``weight`` is that of all earlier values, from 0 to below 1.

    >>> smoothed([1.0, 2.0], 0.0)
    [1.0, 2.0]
    """
    total = weights = 0.0
    averages = []
    for value in values:
        total, weights = total * weight + value, weights * weight + 1
        averages.append(total / weights)
    return averages


def mean_curve(label: str, curves: Sequence[Curve]) -> Curve:
    """Return the mean of several curves at each point, with a band of one deviation.

    >>> one, two = Curve("", (0.0,), (1.0,)), Curve("", (0.0, 1.0), (3.0, 5.0))
    >>> mean_curve("ab", [one, two]).ys
    (2.0, 5.0)
    """
    points: dict[float, list[float]] = {}
    for curve in curves:
        for x, y in zip(curve.xs, curve.ys, strict=True):
            points.setdefault(x, []).append(y)
    xs = sorted(points)
    spreads = [Spread(tuple(points[x]), len(curves)) for x in xs]
    means = [spread.mean for spread in spreads]
    deviations = [spread.std if spread.n > 1 else 0.0 for spread in spreads]
    low = tuple(mean - std for mean, std in zip(means, deviations, strict=True))
    high = tuple(mean + std for mean, std in zip(means, deviations, strict=True))
    return Curve(label, tuple(xs), tuple(means), low, high)
