"""What a launch would execute, exactly, and what it would miss.

Most is printed of runs that are made here: what a farm needs is imported where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from runx.config.experiment import Experiment
from runx.errors import SweepError
from runx.launching.plan import LaunchOptions, LaunchPlan, selected
from runx.rundir.argv import nested, shell_command
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run
from runx.rundir.styles import DASHES


def obstacles(experiment: Experiment, environment: Mapping[str, str]) -> Iterator[str]:
    """Name what a launch would stop at."""
    if experiment.farm:
        from runx.farms.submit import missing_program

        if problem := missing_program(experiment.farm, environment):
            yield problem
    folder = experiment.logroot
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield f"LOGROOT {experiment.logroot} can't be written"


def starting(
    experiment: Experiment,
    runs: Iterable[Run],
    options: LaunchOptions,
    say: Callable[[str], None],
) -> Iterable[Run]:
    """Return the runs that a launch would start; existing ones by their own names."""
    if options.resume:
        from runx.launching.decide import decide

        return decide(experiment, list(runs), options, say).runs
    return selected(LaunchPlan.of_new(runs), options).runs if options.selects else runs


def check_first(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Raise an error for what no farm or script could be given: resources, values."""
    _check_told(experiment, runs)
    if experiment.farm:
        from runx.launching.preview_jobs import check_jobs

        check_jobs(experiment, experiment.farm, runs)


def _check_told(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Find what ARGS can't tell; the plain style tells everything."""
    with args_named(experiment):
        if experiment.style.style == "file":
            for run in runs:
                nested(run.point, experiment.has_config)
        elif experiment.style != DASHES:
            for run in runs:
                shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)


@contextmanager
def args_named(experiment: Experiment) -> Iterator[None]:
    """Say of what ARGS can't tell where ARGS stands."""
    try:
        yield
    except SweepError as error:
        raise SweepError(f"{experiment.settings['ARGS'].origin}: ARGS: {error}") from None


def lines(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Write each run as a shell takes it: its training command, or above it what submits that."""
    with args_named(experiment):
        if experiment.farm:
            from runx.launching.preview_jobs import job_lines

            yield from job_lines(experiment, experiment.farm, runs)
            return
        for run in runs:
            yield shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)
