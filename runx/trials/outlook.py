"""How a search goes: what its points came to, the best, what was saved, what waits. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import names_of
from runx.analysis.gpus import gpu_use
from runx.analysis.runjson import json_safe
from runx.nearest import first_of, listed
from runx.rundir.held import HELD
from runx.rundir.run import RunRecord
from runx.rundir.searches import Search
from runx.search.observations import Observation, front
from runx.trials.history import history_of
from runx.trials.spaces import losses_of

TOLD = ("done", "pruned", "failed")
"""The states of points of which the sampler is told something."""
POINT_STATES = (*TOLD, "running", "waiting", "skipped")
"""The states of points."""
_MOST_SHOWN = 5


class PointOutlook(NamedTuple):
    """A point of a search, as its runs show it, one for each seed.

    ``metrics`` are its means over them, empty where there are none. ``sampler`` asked for it, when
    ``known`` others had ended.
    """

    number: int
    state: str
    runs: tuple[RunRecord, ...]
    values: Mapping[str, Any]
    metrics: tuple[float, ...] = ()
    sampler: str = ""
    known: int | None = None

    @property
    def ended(self) -> float | None:
        """When the last of its runs ended, in seconds since 1970."""
        return max((run.ended for run in self.runs if run.ended is not None), default=None)

    def json(self) -> dict[str, Any]:
        """Return the point as JSON has it."""
        return {
            "point": self.number,
            "state": self.state,
            "values": json_safe(self.values),
            "metrics": list(self.metrics),
            "sampler": self.sampler or None,
            "known": self.known,
            "runs": [run.name for run in self.runs],
            "ended": self.ended,
        }


class Outlook(NamedTuple):
    """How a search of an experiment goes.

    ``failures`` are the causes of failed runs, each with how many. ``now`` is in seconds since
    1970.
    """

    search: Search
    experiment: str
    points: tuple[PointOutlook, ...]
    failures: tuple[tuple[str, int], ...] = ()
    now: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """How many points are in each state; those without a run yet are waiting."""
        number = Counter(point.state for point in self.points)
        number["waiting"] += max(self.search.trials - len(self.points), 0)
        return {state: number[state] for state in POINT_STATES if number[state]}

    @property
    def best(self) -> tuple[PointOutlook, ...]:
        """The best point that is done, of several metrics those that no other is better than."""
        points = [each for each in self.points if each.state == "done" and each.metrics]
        losses = [self.losses(each) for each in points]
        best = [points[place] for place in front(losses)]
        return tuple(best if len(self.search.metrics) > 1 else best[:1])

    def losses(self, point: PointOutlook) -> tuple[float, ...]:
        """Return the metrics of a point, less of each being better."""
        pairs = zip(point.metrics, self.search.goals, strict=True)
        return tuple(each if goal == "minimize" else -each for each, goal in pairs)

    @property
    def saved(self) -> float | None:
        """The share of all epochs, from 0 to 1, that weren't trained since runs were stopped early.

        None where none was, or none is done by which to judge.
        """
        reached = [run.epoch for run in self._runs("pruned") if run.epoch is not None]
        full = [run.epoch for run in self._runs("done") if run.epoch is not None]
        if not reached or not full or max(full) <= 0:
            return None
        rest = fsum(max(max(full) - epoch, 0.0) for epoch in reached)
        return rest / (max(full) * (len(reached) + len(full)))

    @property
    def gpu_hours(self) -> float:
        """The GPU-hours that its runs took until now."""
        uses = (gpu_use(run, self.now) for point in self.points for run in point.runs)
        return fsum(use.hours for use in uses if use)

    def _runs(self, state: str) -> Iterator[RunRecord]:
        return (run for point in self.points for run in point.runs if run.state == state)

    def lines(self) -> Iterator[str]:
        """Return the lines that say how it goes, for people."""
        told = {state: number for state, number in self.counts.items() if state in TOLD}
        rest = {state: number for state, number in self.counts.items() if state not in TOLD}
        parts = ", ".join(f"{number} {state}" for state, number in told.items())
        ended = f"{sum(told.values())} of {self.search.trials} points told to {self.search.sampler}"
        others = "".join(f", {number} {state}" for state, number in rest.items())
        yield f"{self.search.name}: {ended}{f' ({parts})' if parts else ''}{others}"
        yield from (f"    {line}" for line in (*self._best_lines(), *self._other_lines()))

    def _best_lines(self) -> Iterator[str]:
        best, metrics = self.best, self.search.metrics
        if len(metrics) > 1 and best:
            names = ", ".join(metrics)
            yield f"{len(best)} points on the front of {names}; sumx --pareto lists them"
        for point in best[:_MOST_SHOWN]:
            pairs = zip(metrics, point.metrics, strict=True)
            numbers = ", ".join(f"{metric} {number:.6g}" for metric, number in pairs)
            names = first_of([run.name for run in point.runs])
            yield f"best {numbers}: point {point.number}, {shown(point.values)} ({names})"
        done = list(self._runs("done"))
        if done and not any(losses_of(self.search, run) for run in done):
            there = names_of(run.metrics for run in done)
            advice = f"there {listed(there)}" if there else "they have no metrics"
            yield f"no run that is done has {', '.join(metrics)}; {advice}"

    def _other_lines(self) -> Iterator[str]:
        yield from (f"failed: {number} x {cause}" for cause, number in self.failures)
        if (saved := self.saved) is not None:
            stopped = sum(1 for _ in self._runs("pruned"))
            yield f"stopped early: {stopped}, which saved {saved:.0%} of all epochs"
        if reason := next((run.status.reason for run in self._runs("skipped")), ""):
            yield f"ended: {reason}"
        reasons = (run.status.reason for point in self.points for run in point.runs)
        yield from [reason for reason in reasons if reason.startswith(HELD)][-1:]
        if self.search.target is not None:
            yield f"target: {self.search.metrics[0]} {self.search.target:g}"
        if self.search.budget is not None:
            yield f"budget: {self.gpu_hours:.3g} of {self.search.budget:g} GPU-hours used"
        if self.search.warm:
            yield f"warm start: {len(self.search.warm)} earlier runs count"

    def json(self) -> dict[str, Any]:
        """Return how it goes as JSON has it."""
        return {
            "search": self.search.name,
            "experiment": self.experiment,
            "metrics": list(self.search.metrics),
            "goals": list(self.search.goals),
            "sampler": self.search.sampler,
            "trials": self.search.trials,
            "searched": list(self.search.searched),
            "fixed": json_safe(self.search.fixed),
            "states": self.counts,
            "best": [point.number for point in self.best],
            "saved": self.saved,
            "gpu_hours": self.gpu_hours,
            "failures": [{"cause": cause, "runs": number} for cause, number in self.failures],
            "warm_start": len(self.search.warm),
            "points": [point.json() for point in self.points],
        }


def shown(values: Mapping[str, Any]) -> str:
    """Return the values of a point as text.

    >>> shown({"lr": 0.012345678, "opt": "adam"})
    'lr=0.0123457, opt=adam'
    """
    return ", ".join(
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={for_machines(value)}"
        for name, value in values.items()
    )


def outlook(
    search: Search,
    records: Iterable[RunRecord],
    points: Mapping[int, Mapping[str, Any]],
    failures: Iterable[tuple[str, int]] = (),
    now: float = 0.0,
    held: Collection[str] = (),
) -> Outlook:
    """Return how a search goes, of the records of its runs and the files of its points.

    ``held`` are the keys of the ends that it was held for, of which no sampler is told.
    """
    runs: dict[int, list[RunRecord]] = {}
    for record in sorted(records, key=lambda record: record.name):
        if record.trial is not None:
            runs.setdefault(record.trial.number, []).append(record)
    values = {number: point.get("values") or {} for number, point in points.items()}
    every = [run for members in runs.values() for run in members]
    told = {each.number: each for each in history_of(search, values, every, held).observations}
    made = tuple(
        _point(search, number, runs[number], points.get(number), told.get(number))
        for number in sorted(runs)
    )
    names = sorted({run.experiment for run in every})
    return Outlook(search, ", ".join(names), made, tuple(failures), now)


def _point(
    search: Search,
    number: int,
    runs: Sequence[RunRecord],
    bound: Mapping[str, Any] | None,
    told: Observation | None,
) -> PointOutlook:
    """Return a point as its runs show it, and what the sampler is told of it."""
    state: str
    if told is not None:
        state = told.state
    elif {run.state for run in runs} == {"skipped"}:
        state = "skipped"
    else:
        is_running = any(run.state in ("running", "unknown") for run in runs)
        state = "running" if bound is not None and is_running else "waiting"
    signs = [1 if goal == "minimize" else -1 for goal in search.goals]
    losses = told.losses if told else ()
    metrics = tuple(sign * loss + 0.0 for sign, loss in zip(signs, losses, strict=False))
    asked = bound or {}
    sampler, known = str(asked.get("sampler") or ""), asked.get("known")
    return PointOutlook(
        number, state, tuple(runs), asked.get("values") or {}, metrics, sampler, known
    )
