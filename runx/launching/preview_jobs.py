"""The preview of a farm's jobs, and of runs as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runx.config.experiment import Experiment
from runx.farms.base import Farm
from runx.farms.registry import farm_type_of
from runx.farms.submit import shell_line
from runx.launching.jobs import planned_arrays
from runx.launching.plan import resources_of
from runx.rundir.argv import arguments, shell_command
from runx.rundir.files import encodable
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run


def check_jobs(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> None:
    """Raise a SettingsError for resources that the farm can't provide, each set checked once."""
    farm_type = farm_type_of(farm.type)
    arrays = planned_arrays(experiment, farm, runs)
    for array in {array.needs: array for array in reversed(arrays)}.values():
        farm_type.submission(array, farm)
        if farm_type.script:
            farm_type.script(array, farm)


def job_lines(experiment: Experiment, farm: Farm, runs: Iterable[Run]) -> Iterator[str]:
    """Return lines for each job: its runs' commands, the first script, and what submits it."""
    farm_type = farm_type_of(farm.type)
    runs = list(runs)
    commands = {run.name: _command(experiment, run) for run in runs}
    for array in planned_arrays(experiment, farm, runs):
        for job in array.jobs:
            yield _commented(commands[job.run])
        if farm_type.script and (array.is_array or array.number == 0):
            yield _commented(f"{array.script}:\n{farm_type.script(array, farm)}")
        yield shell_line(farm_type.submission(array, farm))


def objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    """Return the lines of a JSON list, an object for each run."""
    words: dict[str, list[str]] = {}
    if experiment.farm:
        runs = list(runs)
        words = _submit_words(experiment, experiment.farm, runs)
    line = "["
    for run in runs:
        yield line
        content = {**_content(experiment, run), "submit": words.get(run.name)}
        line = encodable(json.dumps(content, ensure_ascii=False)) + ","
    yield line.rstrip(",") + ("]" if line == "[" else "\n]")


def _submit_words(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the words of the command that submits each run, by the run's name."""
    submission = farm_type_of(farm.type).submission
    arrays = planned_arrays(experiment, farm, runs)
    words = [(array, list(submission(array, farm).words)) for array in arrays]
    return {job.run: command for array, command in words for job in array.jobs}


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _command(experiment: Experiment, run: Run) -> str:
    return shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)


def _content(experiment: Experiment, run: Run) -> dict[str, Any]:
    logdir = Logdir.at(run.dir)
    argv = arguments(run.point, experiment.style, experiment.cmd)
    return {
        "name": run.name,
        "id": experiment.id_of(run.point),
        "tag": run.tag,
        "hparams": logdir.in_value(run.hparams),
        "argv": logdir.in_value(argv),
        "command": shell_command(experiment.cmd, run.point, logdir, experiment.style),
        "logdir": str(run.dir.path),
        "resources": {
            each.name: logdir.in_value(each.value) for each in resources_of(experiment, run)
        },
    }
