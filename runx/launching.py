"""From planned runs to run directories, and from there to a farm."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runx.claims import claim_text
from runx.command import shell_command, with_logdir
from runx.errors import FarmError, RunxError, SettingsError, StagingError
from runx.experiment import Experiment, Farm
from runx.farms import Errand, command, kind_of
from runx.plan import named, run_id
from runx.processes import ran
from runx.resources import needs
from runx.rundir import RunDir, to_json, write_whole
from runx.runscript import Surroundings, script
from runx.staging import Frozen, Method, open_to, stage
from runx.types import Hparam, Job, Run, Submission
from runx.wrapping import Spread


@dataclass(frozen=True, slots=True)
class Kit:
    """What all the runs of one launch are made with."""

    experiment: Experiment
    launch: str
    frozen: Frozen
    method: Method
    around: Surroundings

    @property
    def code(self) -> str | None:
        """The digest of the frozen code, or None where runs start in the project itself."""
        return self.frozen.digest or None


def make(kit: Kit, run: Run, new_name: Callable[[str], str]) -> Run:
    """Make a run's directory, whole or not at all; a name that is taken is drawn again.

    The directory is built elsewhere and renamed into place, which fails where there is one.
    """
    making = kit.experiment.dir.making
    beside = making / f"{run.name}.{secrets.token_hex(4)}"
    beside.mkdir()
    try:
        fill(kit, run, RunDir(beside))
        while not _moved(beside, run.dir.path):
            run = _renamed(kit, run, new_name)
            write_whole(RunDir(beside).record, to_json(record(kit, run)))
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return run


def _moved(beside: Path, place: Path) -> bool:
    try:
        beside.rename(place)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    return True


def _renamed(kit: Kit, run: Run, new_name: Callable[[str], str]) -> Run:
    if not kit.experiment.cooldir:
        raise StagingError(
            f"{run.dir.path}: is there already; choose another --tag, or leave out --no_cooldir"
        )
    return named(kit.experiment, run.point, new_name(run.tag))


def fill(kit: Kit, run: Run, place: RunDir) -> None:
    """Write all that a run's directory begins with."""
    place.attempts.mkdir()
    stage(kit.frozen, place.code, kit.method)
    hparams = json.dumps(placed(run), indent=4, ensure_ascii=False) + "\n"
    farm = kit.experiment.farm
    for path, text in (
        (place.hparams, hparams),
        (place.script, script(run, kit.around, spread(kit.experiment, run))),
        (place.claim(1), claim_text(farm.name if farm else None, kit.code, kit.launch)),
        (place.record, to_json(record(kit, run))),
    ):
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    if kit.experiment.dir_mode:
        open_to(place.path, kit.experiment.dir_mode)


def spread(experiment: Experiment, run: Run) -> Spread:
    """Say on how many nodes, with how many processes each, torchrun is to start a run."""
    if not experiment.shell.launch:
        return Spread()
    need = needs(resources(experiment, run))
    several = need.nodes or 1
    if several > 1 and (experiment.farm is None or experiment.farm.type != "slurm"):
        raise SettingsError(
            "LAUNCH: torchrun on several nodes needs a farm of TYPE slurm, whose srun starts it;"
            " elsewhere write the whole command into CMD"
        )
    return Spread(several, need.gpus or 1)


def placed(run: Run) -> dict[str, Any]:
    """Give the typed hyperparameters with the run's own directory for LOGDIR."""
    logdir = str(run.dir.path)

    def value(it: Any) -> Any:
        if isinstance(it, str):
            return with_logdir(it, logdir)
        return [value(item) for item in it] if isinstance(it, tuple) else it

    return {hparam.name: value(hparam.value) for hparam in run.point.hparams}


def record(kit: Kit, run: Run) -> dict[str, Any]:
    """Say what a run is, for run.json: LOGDIR stays symbolic."""
    experiment = kit.experiment
    return {
        "name": run.name,
        "experiment": experiment.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "cmd": experiment.cmd,
        "hparams": run.hparams,
        "texts": {hparam.name: hparam.text for hparam in run.point.hparams},
        "resources": {resource.name: resource.value for resource in resources(experiment, run)},
        "pythonpath": experiment.pythonpath,
        "code": kit.code,
        "project": kit.around.project,
        "launch": kit.launch,
        "created": time.time(),
    }


def resources(experiment: Experiment, run: Run) -> tuple[Hparam, ...]:
    """Give what a run needs: the experiment's RESOURCES, with the run's own over them."""
    logdir = str(run.dir.path)
    found = {resource.name: _resource(resource, logdir) for resource in experiment.resources}
    for name, value in run.point.resources:
        found[name] = Hparam(name, value, None if isinstance(value, bool) else str(value))
    return tuple(found.values())


def _resource(resource: Hparam, logdir: str) -> Hparam:
    text = resource.text
    if isinstance(text, tuple):
        return resource._replace(text=tuple(with_logdir(item, logdir) for item in text))
    return resource if text is None else resource._replace(text=with_logdir(text, logdir))


def errand(experiment: Experiment, run: Run) -> Errand:
    """Say to a farm what it is to take."""
    return Errand(
        experiment=experiment.name,
        run=run.name,
        tag=run.tag,
        logdir=run.dir.path,
        script=run.dir.script,
        command=shell_command(experiment.cmd, run.point, str(run.dir.path)),
        hparams=placed(run),
        resources=resources(experiment, run),
    )


def submission(experiment: Experiment, farm: Farm, run: Run) -> Submission:
    """Say exactly what submits a run."""
    order: Submission = command.submission(errand(experiment, run), farm.submit_cmd)
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
    kit: Kit, runs: Iterable[Run], new_name: Callable[[str], str], say: Callable[[str], None]
) -> Iterator[Job]:
    """Make each run and hand it to the farm, one after another; a refusal stops it all."""
    farm = kit.experiment.farm
    assert farm is not None
    waiting = list(runs)
    for gone, planned in enumerate(waiting):
        run = make(kit, planned, new_name)
        order = submission(kit.experiment, farm, run)
        say(shown(order))
        try:
            yield handed_over(run, farm, order)
        except FarmError as error:
            raise FarmError(
                f"{error} ({gone} of {len(waiting)} runs submitted; {len(waiting) - gone} remain,"
                f" {run.name} the first of them)"
            ) from None


def handed_over(run: Run, farm: Farm, order: Submission) -> Job:
    """Submit a run and keep the farm's answer beside it."""
    write_whole(run.dir.submit_command, shown(order) + "\n")
    try:
        finished = ran(order.words, environment=order.environment, stdin=order.stdin)
    except RunxError as error:
        raise FarmError(f"farm {farm.name}: {error}") from None
    if finished.status:
        words = (finished.errors.strip() or finished.output.strip()).replace("\n", " | ")
        raise FarmError(f"farm {farm.name} refused {run.name}, status {finished.status}: {words}")
    job = Job(run, farm.name, command.job_id(finished.output), finished.output)
    content = {"farm": job.farm, "id": job.id, "answer": job.answer, "time": time.time()}
    write_whole(run.dir.job(1), to_json(content))
    return job


def writable(experiment: Experiment) -> None:
    """Make the experiment's directory, or say why LOGROOT can't be written."""
    try:
        for folder in (experiment.dir.code, experiment.dir.launches, experiment.dir.making):
            folder.mkdir(parents=True, exist_ok=True)
        probe = experiment.dir.making / f"probe.{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        origin = experiment.settings["LOGROOT"].origin
        raise SettingsError(
            f"{origin}: LOGROOT {experiment.logroot} can't be written: {error.strerror};"
            " set LOGROOT or RUNX_LOGROOT to a folder of yours"
        ) from None
