"""Handing runs to a farm, and keeping its answers."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from runx.cmdline.argv import shell_command
from runx.cmdline.logdir import Logdir
from runx.disk.claims import claim_text, take
from runx.errors import FarmError, RunxError
from runx.farms import Errand, command, kind_of
from runx.files import to_json, write_whole
from runx.launching.context import LaunchContext
from runx.plans.experiment import Experiment, Farm
from runx.plans.plan import PlannedAttempt, resources_of
from runx.processes import ran
from runx.rundir import RunDir
from runx.types import Job, Run, Submission

_LATER = """\
#!/usr/bin/env bash
# Attempt {attempt} of this run: the job of an attempt that was called off is not taken for it.
exec bash {script} {attempt}
"""


def errand(experiment: Experiment, run: Run, attempt: int = 1) -> Errand:
    """Say to a farm what it is to take."""
    logdir = Logdir.at(run.dir)
    return Errand(
        experiment=experiment.name,
        run=run.name,
        tag=run.tag,
        logdir=run.dir.path,
        script=run.dir.script_of(attempt),
        command=shell_command(experiment.cmd, run.point, logdir, experiment.style),
        hparams=logdir.in_value(run.hparams),
        resources=resources_of(experiment, run),
    )


def submission(experiment: Experiment, farm: Farm, run: Run, attempt: int = 1) -> Submission:
    """Say exactly what submits a run."""
    order: Submission = command.submission(errand(experiment, run, attempt), farm.submit_cmd)
    return order


def shown(submission: Submission) -> str:
    """Write a submission as a line that a shell takes."""
    if submission.words[:2] == ("bash", "-c"):
        return submission.words[2]
    variables = (f"{name}={shlex.quote(value)}" for name, value in submission.environment.items())
    return " ".join([*variables, shlex.join(submission.words)])


def missing_program(farm: Farm, environment: Mapping[str, str]) -> str | None:
    """Say what is wrong with the program that submits, if it can't be found."""
    kind = kind_of(farm.type)
    program = kind.programs[0] if kind.programs else command.program(farm.submit_cmd)
    if program is None or shutil.which(program, path=environment.get("PATH")):
        return None
    if kind.programs:
        return f"{program}: not found on PATH; {kind.package}, or run here with -i"
    return (
        f"{program}: not found on PATH; SUBMIT_CMD of farm {farm.name} starts it."
        " Install it, load its module, or run here with -i"
    )


def submit(
    context: LaunchContext, handovers: Sequence[PlannedAttempt], say: Callable[[str], None]
) -> Iterator[Job]:
    """Hand each run to the farm, one after another; a refusal stops it all.

    An attempt is claimed just before it is submitted, so that what never was stays planned; one
    that another launcher has claimed is theirs.
    """
    farm = context.experiment.farm
    assert farm is not None
    for gone, one in enumerate(handovers):
        if not take(one.run.dir, one.attempt, claim_text(farm.name, context.code)):
            continue
        order = submission(context.experiment, farm, one.run, one.attempt)
        say(shown(order))
        try:
            yield handed_over(one, farm, order)
        except FarmError as error:
            remaining = len(handovers) - gone
            raise FarmError(
                f"{error} ({gone} of {len(handovers)} runs submitted; {remaining} remain,"
                f" {one.run.name} the first of them; --resume submits just those)"
            ) from None


def handed_over(one: PlannedAttempt, farm: Farm, order: Submission) -> Job:
    """Submit a run and keep the farm's answer beside it, a refusal too."""
    run = one.run
    if one.attempt > 1:
        write_whole(run.dir.script_of(one.attempt), _later(run.dir, one.attempt))
    write_whole(run.dir.submit_command, shown(order) + "\n")
    try:
        finished = ran(order.words, environment=order.environment, stdin=order.stdin)
    except RunxError as error:
        _keep(one, {"farm": farm.name, "refused": True, "answer": str(error)})
        raise FarmError(f"farm {farm.name}: {error}") from None
    if finished.status:
        answer = finished.errors.strip() or finished.output.strip()
        _keep(one, {"farm": farm.name, "refused": True, "answer": answer})
        words = answer.replace("\n", " | ") or "it said nothing"
        raise FarmError(f"farm {farm.name} refused {run.name}, status {finished.status}: {words}")
    job = Job(run, farm.name, command.job_id(finished.output), finished.output)
    _keep(one, {"farm": job.farm, "id": job.id, "answer": job.answer})
    return job


def _later(run: RunDir, attempt: int) -> str:
    return _LATER.format(attempt=attempt, script=shlex.quote(str(run.script)))


def _keep(one: PlannedAttempt, content: Mapping[str, object]) -> None:
    write_whole(one.run.dir.job(one.attempt), to_json({**content, "time": time.time()}))
