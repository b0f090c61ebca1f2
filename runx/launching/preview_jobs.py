"""The jobs of a farm as -n shows them, and runs in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runx.config.experiment import Experiment
from runx.farms.base import Farm
from runx.farms.registry import farm_type_of
from runx.farms.submit import shown
from runx.launching.jobs import planned_arrays
from runx.launching.plan import resources_of, run_id
from runx.rundir.argv import arguments, shell_command
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run


def check_jobs(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> None:
    """Raise SettingsError for what the farm could not be given: of all runs with the same needs."""
    farm_type = farm_type_of(farm.type)
    arrays = planned_arrays(experiment, farm, runs)
    for array in {array.needs: array for array in reversed(arrays)}.values():
        farm_type.submission(array, farm)
        if farm_type.script:
            farm_type.script(array, farm)


def job_lines(experiment: Experiment, farm: Farm, runs: Iterable[Run]) -> Iterator[str]:
    """Write each job: its runs' commands, its script the first time, and what submits it."""
    farm_type = farm_type_of(farm.type)
    runs = list(runs)
    commands = {run.name: _command(experiment, run) for run in runs}
    for array in planned_arrays(experiment, farm, runs):
        for job in array.jobs:
            yield _commented(commands[job.run])
        if farm_type.script and (array.is_array or array.number == 0):
            yield _commented(f"{array.script}:\n{farm_type.script(array, farm)}")
        yield shown(farm_type.submission(array, farm))


def objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Write a list of JSON objects, a line each."""
    words: dict[str, list[str]] = {}
    if experiment.farm:
        runs = list(runs)
        words = _submit_words(experiment, experiment.farm, runs)
    before = "["
    for run in runs:
        yield before
        content = {**described(experiment, run), "submit": words.get(run.name)}
        before = json.dumps(content, ensure_ascii=False) + ","
    yield before.rstrip(",") + ("]" if before == "[" else "\n]")


def _submit_words(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the words that submit each run."""
    submission = farm_type_of(farm.type).submission
    arrays = planned_arrays(experiment, farm, runs)
    words = [(array, list(submission(array, farm).words)) for array in arrays]
    return {job.run: each for array, each in words for job in array.jobs}


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _command(experiment: Experiment, run: Run) -> str:
    return shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)


def described(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Return what a run would be, for JSON."""
    logdir = Logdir.at(run.dir)
    words = arguments(run.point, experiment.style, experiment.cmd)
    return {
        "name": run.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "hparams": logdir.in_value(run.hparams),
        "argv": logdir.in_value(words),
        "command": shell_command(experiment.cmd, run.point, logdir, experiment.style),
        "logdir": str(run.dir.path),
        "resources": {
            each.name: logdir.in_value(each.value) for each in resources_of(experiment, run)
        },
    }
