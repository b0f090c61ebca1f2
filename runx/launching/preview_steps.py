"""The preview of runs with STEPS: each step that would be executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runx.config.experiment import Experiment
from runx.launching.graph import step_runs
from runx.rundir.run import Run
from runx.rundir.step_command import step_command


def lines(experiment: Experiment, runs: Sequence[Run]) -> Iterator[str]:
    """Return the command of each step, in the order in which they would be executed here."""
    steps = runs if all(run.step for run in runs) else step_runs(experiment, runs).steps
    for step in steps:
        yield step_command(step, experiment.style)
