"""What is known of a search: how its points have ended, by the records of their runs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from runx.rundir.run import RunRecord
from runx.rundir.searches import Search
from runx.search.observations import End, Observation
from runx.sweeps.values import Value
from runx.trials.spaces import losses_of

Points: TypeAlias = Mapping[int, Mapping[str, Value]]
"""The values of the points that are bound, by number."""

_FROM_OUTSIDE = frozenset({"TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "USR2"})
_FAILED = frozenset({"failed", "oom", "timeout", "blocked"})


class RunEnd(NamedTuple):
    """How a run counts that has ended: by its state, and by what it has measured."""

    run: RunRecord
    end: End
    losses: tuple[float, ...] = ()

    @property
    def key(self) -> str:
        """What names it: a run that starts again has another end."""
        return f"{self.run.name} {self.run.status.attempt}"


class History(NamedTuple):
    """What a search knows: its observations, the values of points that go on, and all ends.

    Those of runs that went the same wrong way from the first on, for which the search was held, are
    no observations: their points count as going on.
    """

    observations: tuple[Observation, ...]
    running: tuple[Mapping[str, Value], ...]
    ends: tuple[RunEnd, ...]

    @property
    def best(self) -> float | None:
        """The least loss of a point that is done, of the first metric; None without one."""
        done = [each for each in self.observations if each.state == "done" and each.number >= 0]
        return min((each.losses[0] for each in done), default=None)


def history_of(
    search: Search, points: Points, records: Iterable[RunRecord], held: Collection[str] = ()
) -> History:
    """Return what is known of a search; ``held`` are the keys of the ends that it was held for."""
    of_points: dict[int, list[RunRecord]] = {number: [] for number in points}
    for record in records:
        trial = record.trial
        if trial is not None and trial.search == search.name and trial.number in of_points:
            of_points[trial.number].append(record)
    observations = _earlier(search)
    running: list[Mapping[str, Value]] = []
    ends: list[RunEnd] = []
    for number, runs in of_points.items():
        own = [_end_of(search, run) for run in runs]
        ends += [each for each in own if each is not None]
        counted = [None if each is None or each.key in held else each for each in own]
        observation = _observation(number, points[number], counted)
        if observation is None:
            running.append(points[number])
        else:
            observations.append(observation)
    return History(tuple(observations), tuple(running), tuple(ends))


def _earlier(search: Search) -> list[Observation]:
    """Return the runs of other experiments that count, with negative numbers."""
    signs = [1 if goal == "minimize" else -1 for goal in search.goals]
    return [
        Observation(
            -place,
            prior.values,
            tuple(sign * metric for sign, metric in zip(signs, prior.metrics, strict=True)),
        )
        for place, prior in enumerate(search.warm, 1)
    ]


def _end_of(search: Search, run: RunRecord) -> RunEnd | None:
    """Return how a run has ended, None where it goes on, or would with the same point."""
    if run.state in ("done", "pruned"):
        losses = losses_of(search, run)
        if losses is None or not all(map(isfinite, losses)):
            return RunEnd(run, "failed")
        return RunEnd(run, "pruned" if run.state == "pruned" else "done", losses)
    signal = run.status.signal if run.state == "killed" else None
    is_own = run.state in _FAILED or (signal is not None and signal not in _FROM_OUTSIDE)
    return RunEnd(run, "failed") if is_own else None


def _observation(
    number: int, values: Mapping[str, Value], ends: Sequence[RunEnd | None]
) -> Observation | None:
    """Return what a point counts as: the mean of its seeds that are done, or pruned."""
    for state in ("pruned", "done"):
        losses = [each.losses for each in ends if each is not None and each.end == state]
        if losses:
            mean = tuple(sum(column) / len(column) for column in zip(*losses, strict=True))
            rungs = [each.run.epoch for each in ends if each and each.end == "pruned"]
            rung = max((float(epoch) for epoch in rungs if epoch is not None), default=None)
            return Observation(number, values, mean, state, rung)
    if ends and all(each is not None for each in ends):
        return Observation(number, values, (), "failed")
    return None


def is_reached(search: Search, history: History) -> bool:
    """Return whether a point is as good as the target, where there is one."""
    if search.target is None or history.best is None:
        return False
    if search.goals[0] == "minimize":
        return history.best <= search.target
    return -history.best >= search.target


def all_failed(history: History, held: Collection[str], most: int) -> tuple[RunEnd, ...]:
    """Return the ends since the search was last held, where all are failures, and many enough."""
    ends = tuple(each for each in history.ends if each.key not in held)
    has_failed = all(each.end == "failed" for each in history.ends)
    return ends if has_failed and len(ends) >= most else ()


def measured_names(ends: Iterable[RunEnd]) -> list[str]:
    """Return the names of the metrics that runs have."""
    names: dict[str, Any] = {name: None for each in ends for name in each.run.metrics}
    return sorted(names)
