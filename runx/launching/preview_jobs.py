"""The preview of a farm's jobs, and of runs as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from runx.analysis.runjson import run_as_json
from runx.config.experiment import Experiment
from runx.errors import FarmError, RunxError, SettingsError
from runx.farms.base import Farm, JobArray, Submission, Wait
from runx.farms.commands import shell_line
from runx.farms.jobs import farm_of
from runx.farms.places import located
from runx.farms.registry import farm_type_of
from runx.launching.jobs import planned_arrays
from runx.launching.plan import resources_of
from runx.launching.searches import shower
from runx.rundir.argv import arguments, shell_command
from runx.rundir.files import encodable
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run, RunRecord
from runx.rundir.state import State
from runx.rundir.step_command import logdir_of, of_step, step_command


def check_jobs(experiment: Experiment, farm: Farm, runs: Sequence[Run]) -> None:
    """Raise a SettingsError for resources that the farm can't provide, each set checked once."""
    farm_type = farm_type_of(farm.type)
    arrays = planned_arrays(experiment, farm, runs)
    for array in {array.needs: array for array in reversed(arrays)}.values():
        submission = farm_type.submission(array, farm_of(array, farm))
        if farm_type.script:
            farm_type.script(array, farm)
        if not farm_type.portable:
            _check_used(array, farm, submission)


def _check_used(array: JobArray, farm: Farm, submission: Submission) -> None:
    """Raise a SettingsError for a resource that a template of SUBMIT_CMD makes no use of."""
    [job] = array.jobs
    for resource in job.resources:
        text = f"{resource.text}{resource.text}0"
        other = tuple(
            each._replace(value=text, text=text) if each is resource else each
            for each in job.resources
        )
        changed = replace(array, jobs=(replace(job, resources=other),))
        try:
            is_used = farm_type_of(farm.type).submission(changed, farm) != submission
        except (RunxError, TypeError):
            is_used = True  # the template computes with it
        if not is_used and resource.text:
            name = f"resources.{resource.name}"
            raise SettingsError(
                f"RESOURCES.{resource.name}: SUBMIT_CMD makes no use of it; write {{{{ {name} }}}}"
                " or {{ resources | flags }} into it, or leave it out"
            )


def job_lines(
    experiment: Experiment, farm: Farm, runs: Iterable[Run], after: tuple[Wait, ...] = ()
) -> Iterator[str]:
    """Return lines for each job: its runs' commands, the first script, and what submits it."""
    farm, farm_type = _located(farm), farm_type_of(farm.type)
    runs = list(runs)
    check_jobs(experiment, farm, runs)
    commands = {run.name: _command(experiment, run) for run in runs}
    for array in planned_arrays(experiment, farm, runs, after):
        for job in array.members:
            yield _commented(commands[job.run])
        if farm_type.script and (array.is_array or array.number == 0):
            yield _commented(f"{array.script}:\n{farm_type.script(array, farm_of(array, farm))}")
        yield shell_line(farm_type.submission(array, farm_of(array, farm)))


def objects(
    experiment: Experiment, runs: Iterable[Run], after: tuple[Wait, ...] = ()
) -> Iterator[str]:
    """Return a JSON object for each run."""
    submissions: dict[str, Submission] = {}
    if experiment.farm:
        runs = list(runs)
        submissions = _submissions(experiment, experiment.farm, runs, after)
    show = shower(experiment)
    for run in runs:
        submission = submissions.get(run.name)
        content = {
            **_content(experiment, run, show(run)),
            "farm": experiment.farm and experiment.farm.name,
            "submit": submission and list(submission.words),
        }
        if submission and submission.stdin:
            content["stdin"] = submission.stdin
        yield encodable(json.dumps(content, ensure_ascii=False))


def _submissions(
    experiment: Experiment, farm: Farm, runs: Sequence[Run], after: tuple[Wait, ...]
) -> dict[str, Submission]:
    """Return what submits each run, by the run's name."""
    farm, submission = _located(farm), farm_type_of(farm.type).submission
    arrays = planned_arrays(experiment, farm, runs, after)
    made = [(array, submission(array, farm_of(array, farm))) for array in arrays]
    return {job.run: each for array, each in made for job in array.members}


def _located(farm: Farm) -> Farm:
    """Return a farm with the place of its jobs, if they can go there, which is said elsewhere."""
    with suppress(FarmError):
        return located(farm)
    return farm


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _command(experiment: Experiment, run: Run) -> str:
    if run.step is not None:
        return step_command(run, experiment.style)
    return shell_command(experiment.cmd, run.point, Logdir.at(run.dir), experiment.style)


def _content(experiment: Experiment, run: Run, shown: Run) -> dict[str, Any]:
    cmd, point, style = experiment.cmd, shown.point, experiment.style
    logdir = Logdir.at(run.dir)
    if run.step is not None:
        cmd, point, style = of_step(shown, style)
        logdir = logdir_of(run)
    argv = arguments(point, style, cmd)
    resources = resources_of(experiment, run)
    record = RunRecord(
        name=run.name,
        dir=run.dir,
        hparams=logdir.in_value(run.hparams),
        status=State("planned"),
        metrics={},
        experiment=experiment.name,
        resources={each.name: logdir.in_value(each.value) for each in resources},
        tag=run.tag,
        trial=run.point.trial,
    )
    return {
        **run_as_json(record, 0.0),
        **({"step": run.step.name} if run.step else {"id": experiment.id_of(run.point)}),
        "argv": logdir.in_value(argv),
        "command": shell_command(cmd, point, logdir, style),
    }
