"""From an experiment to its runs: pure, so that the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeAlias

from runx.errors import SweepError
from runx.plans.experiment import Experiment
from runx.sweeps.naming import new_slugs, run_names, tag_names
from runx.sweeps.sweep import Sweep, read
from runx.types import Point, Run

MAX_RUNS = 100_000
"""The largest cross product that is planned where nobody asks for more."""

Namer: TypeAlias = Callable[[Point], str]
"""Names one point after another."""


def sweep_of(experiment: Experiment, max_runs: int = MAX_RUNS) -> Sweep:
    """Read an experiment's sweep, unless it has more combinations than anyone asked for."""
    sweep = read(experiment.hparams, experiment.at, experiment.beside)
    if sweep.size > max_runs:
        raise SweepError(
            f"{experiment.at()}: HPARAMS has {sweep.size:,} combinations, more than"
            f" {max_runs:,}; say --max-runs {sweep.size} if that is meant"
        )
    return sweep


def plan(experiment: Experiment, sweep: Sweep, new_name: Namer) -> Iterator[Run]:
    """Name every point of an experiment's sweep, in the order of its file."""
    place = experiment.dir.run
    for point in sweep.points(experiment.tag):
        name = new_name(point)
        yield Run(name, place(name), point)


def named(experiment: Experiment, point: Point, name: str) -> Run:
    """Give a point its name and place."""
    return Run(name, experiment.dir.run(name), point)


def namer(
    experiment: Experiment, sweep: Sweep, now: datetime, slugs: Iterator[str] | None = None
) -> Namer:
    """Give the function that names an experiment's runs: two words and a date if it says nothing.

    None of them gives a name twice. The words are coolname's, or else those of ``slugs``.
    """
    if experiment.run_name and experiment.cooldir:
        return _by_template(experiment, sweep, slugs)
    new_name = run_names(now, slugs) if experiment.cooldir else tag_names()
    return lambda point: new_name(point.tag)


def _by_template(experiment: Experiment, sweep: Sweep, slugs: Iterator[str] | None) -> Namer:
    from runx.sweeps import survey
    from runx.sweeps.placeholders import Launch, named_by

    template = experiment.run_name
    told = "{sweep}" in template or "{sep}" in template
    return named_by(
        template,
        Launch(experiment.texts, sweep.size, survey.varying(sweep) if told else ()),
        survey.names(sweep),
        lambda point: id_of(experiment, point),
        (slugs or new_slugs()).__next__ if "{coolname}" in template else str,
        f"{experiment.settings['RUN_NAME'].origin}: RUN_NAME",
    )


def run_id(experiment: Experiment, run: Run) -> str:
    """Identify what a run computes: equal CMD and hyperparameters, wherever it lies."""
    return id_of(experiment, run.point)


def id_of(experiment: Experiment, point: Point) -> str:
    """Identify a point, whatever its name."""
    hparams = {hparam.name: hparam.value for hparam in point.hparams}
    return experiment.identity.of(experiment.cmd, hparams)
