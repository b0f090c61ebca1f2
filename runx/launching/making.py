"""From planned runs to run directories: each whole, or not there at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.cmdline.command import with_logdir
from runx.cmdline.configfile import config_text
from runx.cmdline.resources import needs
from runx.cmdline.runscript import Surroundings, script
from runx.cmdline.wrapping import Spread
from runx.disk.claims import claim_text
from runx.errors import SettingsError, StagingError
from runx.files import to_json
from runx.plans.experiment import Experiment
from runx.plans.plan import Namer, named, run_id
from runx.rundir import RunDir
from runx.types import Hparam, Run, Value

if TYPE_CHECKING:
    from runx.staging import Frozen, Method


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


def make(kit: Kit, run: Run, new_name: Namer) -> Run:
    """Make a run's directory, whole or not at all; a name that is taken is drawn again.

    The directory is built elsewhere and renamed into place, which fails where there is one.
    """
    making = kit.experiment.dir.making
    beside = making / f"{run.name}.{secrets.token_hex(4)}"
    try:
        beside.mkdir()
        fill(kit, run, RunDir(beside))
        while not _moved(beside, run.dir.path):
            run = _renamed(kit, run, new_name)
            _describe(kit, run, RunDir(beside))
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


def _renamed(kit: Kit, run: Run, new_name: Namer) -> Run:
    template = kit.experiment.run_name
    if not kit.experiment.cooldir:
        raise StagingError(
            f"{run.dir.path}: is there already; choose another --tag, or leave out --no_cooldir"
        )
    if not template:
        return named(kit.experiment, run.point, new_name(run.point))
    if "{coolname}" not in template:
        raise StagingError(
            f"{run.dir.path}: is there already; --resume goes on with what there is,"
            " or put {date} or {coolname} into RUN_NAME"
        )
    # The words were drawn for a place in the sweep, which a second draw would move.
    return named(kit.experiment, run.point, f"{run.name}-{secrets.token_hex(2)}")


def fill(kit: Kit, run: Run, place: RunDir) -> None:
    """Write all that a run's directory begins with."""
    from runx.staging import open_to, stage  # not at start: a preview stages nothing

    place.attempts.mkdir()
    stage(kit.frozen, place.code, kit.method)
    _describe(kit, run, place)
    if kit.experiment.farm is None:
        # What runs here is about to; what goes to a farm is claimed when it is submitted.
        place.claim(1).write_text(claim_text(None, kit.code), encoding="utf-8")
    if kit.experiment.dir_mode:
        open_to(place.path, kit.experiment.dir_mode)


def _describe(kit: Kit, run: Run, place: RunDir) -> None:
    """Write the files that say what a run is, and where."""
    hparams = json.dumps(placed(run), indent=4, ensure_ascii=False) + "\n"
    written = [
        (place.hparams, hparams),
        (place.script, script(run, kit.around, spread(kit.experiment, run))),
        (place.record, to_json(record(kit, run))),
    ]
    if kit.experiment.style.style == "file":
        text = config_text(run.point, str(run.dir.path), kit.experiment.has_config)
        written.append((place.config, text))
    for path, text in written:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


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
    return {hparam.name: filled(hparam.value, logdir) for hparam in run.point.hparams}


def filled(value: Value, logdir: str) -> Any:
    """Put a run's directory in the place of LOGDIR in a value, and a list in that of a tuple."""
    if isinstance(value, tuple):
        return [filled(item, logdir) for item in value]
    return with_logdir(value, logdir) if isinstance(value, str) else value


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
            f"{origin}: LOGROOT: {experiment.dir.path} can't be written: {error.strerror};"
            " set LOGROOT or RUNX_LOGROOT to a folder of yours"
        ) from None
