"""From an experiment to its runs: pure, so that the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runx.errors import SweepError
from runx.experiment import Experiment
from runx.sweep import points, size
from runx.types import Point, Run

MAX_RUNS = 100_000
"""The largest cross product that is planned where nobody asks for more."""


def plan(
    experiment: Experiment, new_name: Callable[[str], str], max_runs: int = MAX_RUNS
) -> Iterator[Run]:
    """Name every point of an experiment's sweep, in the order of its file.

    ``new_name`` makes a name that begins with a tag and that it has never made before.
    """
    combinations = size(experiment.hparams, experiment.at)
    if combinations > max_runs:
        raise SweepError(
            f"{experiment.at()}: HPARAMS has {combinations:,} combinations, more than"
            f" {max_runs:,}; say --max-runs {combinations} if that is meant"
        )
    place = experiment.dir.run
    for point in points(experiment.hparams, experiment.at, experiment.tag):
        name = new_name(point.tag)
        yield Run(name, place(name), point)


def named(experiment: Experiment, point: Point, name: str) -> Run:
    """Give a point its name and place."""
    return Run(name, experiment.dir.run(name), point)


def run_id(experiment: Experiment, run: Run) -> str:
    """Identify what a run computes: equal CMD and hyperparameters, wherever it lies."""
    return experiment.identity.of(experiment.cmd, run.hparams)
