"""The courses of metrics over epochs, and of several runs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.groups import Spread
from runx.analysis.reduce import series, tally
from runx.rundir.run import RunRecord

PHASES = ("train", "val", "test")


class Curve(NamedTuple):
    """A line to be drawn: points, and around each how far its runs lie apart."""

    label: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def phase_of(name: str) -> tuple[str, str]:
    """Split a metric's name into its phase and its own.

    >>> phase_of("train.loss"), phase_of("top.1")
    (('train', 'loss'), ('val', 'top.1'))
    """
    phase, dot, metric = name.partition(".")
    return (phase, metric) if dot and phase in PHASES else ("val", name)


def course(run: RunRecord, metric: str, phase: str) -> list[tuple[float | None, Any]]:
    """Give a metric's values with their epochs."""
    return series(_content(run, phase), metric, phase)


def latest(run: RunRecord, phase: str) -> Mapping[str, Any]:
    """Give the metrics of the last epoch of a phase."""
    return tally(_content(run, phase), phase=phase).metrics


def _content(run: RunRecord, phase: str) -> bytes:
    try:
        return run.dir.metrics_of(phase).read_bytes()
    except FileNotFoundError:
        return b""


def curve(label: str, points: Iterable[tuple[float | None, Any]], smooth: float = 0.0) -> Curve:
    """Make a curve of numbers; where an epoch was done again, the later one counts.

    >>> curve("a", [(0, 1.0), (1, "n/a"), (1, 3.0)])
    Curve(label='a', xs=(0.0, 1.0), ys=(1.0, 3.0), low=(), high=())
    """
    found: dict[float, float] = {}
    for at, (epoch, value) in enumerate(points):
        if isinstance(value, (int, float)) and value == value:
            found[float(at if epoch is None else epoch)] = float(value)
    xs = sorted(found)
    return Curve(label, tuple(xs), tuple(smoothed([found[x] for x in xs], smooth)))


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Average each value with those before it, the weight of which falls; corrected at the start.

    >>> smoothed([1.0, 2.0], 0.0)
    [1.0, 2.0]
    """
    total = weighed = 0.0
    found = []
    for value in values:
        total, weighed = total * weight + value, weighed * weight + 1
        found.append(total / weighed)
    return found


def together(label: str, curves: Sequence[Curve]) -> Curve:
    """Make one curve of several: their mean at each point, and one deviation around it.

    >>> one, two = Curve("", (0.0,), (1.0,)), Curve("", (0.0, 1.0), (3.0, 5.0))
    >>> together("ab", [one, two]).ys
    (2.0, 5.0)
    """
    points: dict[float, list[float]] = {}
    for one in curves:
        for x, y in zip(one.xs, one.ys, strict=True):
            points.setdefault(x, []).append(y)
    xs = sorted(points)
    spreads = [Spread(tuple(points[x]), len(curves)) for x in xs]
    means = [one.mean for one in spreads]
    apart = [one.std if one.n > 1 else 0.0 for one in spreads]
    low = tuple(mean - std for mean, std in zip(means, apart, strict=True))
    high = tuple(mean + std for mean, std in zip(means, apart, strict=True))
    return Curve(label, tuple(xs), tuple(means), low, high)
