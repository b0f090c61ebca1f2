"""From planned runs to run directories: each whole, or not there at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from runx.config.experiment import Experiment
from runx.errors import SettingsError, StagingError
from runx.farms.resources import needs
from runx.launching.context import LaunchContext, check_root, prepare
from runx.launching.decide import decide
from runx.launching.plan import (
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    Namer,
    PlannedAttempt,
    named,
    resources_of,
    run_id,
)
from runx.rundir.argv import config_text
from runx.rundir.claims import claim_text, take
from runx.rundir.files import to_json, write_whole
from runx.rundir.logdir import Logdir
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.script import Spread, script
from runx.rundir.turns import turn
from runx.staging.materialize import open_to, stage

Say = Callable[[str], None]


def create_runs(
    experiment: Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    say: Say,
    argv: Sequence[str] = (),
) -> LaunchPlan | None:
    """Decide what starts and make its directories; None where nothing does.

    No other launcher decides meanwhile. What is to run here is claimed before one does.
    """
    check_root(experiment)
    writable(experiment)
    with turn(experiment.dir, say):
        clear(experiment.dir)
        plan = decide(experiment, runs, options, say)
        if experiment.farm is None:
            plan = plan._replace(adopted=tuple(filter(_is_left_alone, plan.left)))
        if not plan.attempts:
            return plan if plan.adopted else None
        context = prepare(experiment, plan.runs, argv, datetime.now().astimezone(), say)
        _tell_code(context, plan, options, say)
        attempts = [
            PlannedAttempt(create(each.run, context, new_name))
            if each.is_new
            else _ready(each, context, options, say)
            for each in plan.attempts
        ]
    return plan._replace(attempts=tuple(filter(None, attempts)), context=context)


def _is_left_alone(run: ExistingRun) -> bool:
    return run.state.name == "running" and run.orphan


def clear(experiment: ExperimentDir) -> None:
    """Throw away what launchers that were killed had begun to make, or to remove.

    Whoever has the turn knows that nobody else is about it.
    """
    for begun in experiment.making.iterdir():
        if begun.is_dir():
            shutil.rmtree(begun)


def _ready(
    planned: PlannedAttempt, context: LaunchContext, options: LaunchOptions, say: Say
) -> PlannedAttempt | None:
    """Ready a run for a further attempt; None where somebody has begun it by hand meanwhile."""
    run = planned.run
    mend(run.dir)
    if options.restage:
        restage(run, context, say)
    if context.experiment.farm is not None:
        return planned
    code = context.code if options.restage else staged_code(run.dir)
    return planned if take(run.dir, planned.attempt, claim_text(None, code)) else None


def _tell_code(context: LaunchContext, plan: LaunchPlan, options: LaunchOptions, say: Say) -> None:
    if options.restage or context.code is None:
        return
    again = [each.run.dir for each in plan.attempts if not each.is_new]
    older = sum(staged_code(run) not in (None, context.code) for run in again)
    if older:
        say(
            f"{older} of them go on with the code that they were staged with, which is not"
            " today's; --restage takes that"
        )


def create(run: Run, context: LaunchContext, new_name: Namer) -> Run:
    """Make a run's directory, whole or not at all; a name that is taken is drawn again.

    The directory is built elsewhere and renamed into place, which fails where there is one.
    """
    beside = context.experiment.dir.making / f"{run.name}.{secrets.token_hex(4)}"
    try:
        beside.mkdir()
        _fill(run, context, RunDir(beside))
        while not _moved(beside, run.dir.path):
            run = _renamed(run, context.experiment, new_name)
            _describe(run, context, RunDir(beside))
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


def _renamed(run: Run, experiment: Experiment, new_name: Namer) -> Run:
    template = experiment.run_name
    if not experiment.cooldir:
        raise StagingError(
            f"{run.dir.path}: is there already; choose another --tag, or leave out --no_cooldir"
        )
    if not template:
        return named(experiment, run.point, new_name(run.point))
    if "{coolname}" not in template:
        raise StagingError(
            f"{run.dir.path}: is there already; --resume goes on with what there is,"
            " or put {date} or {coolname} into RUN_NAME"
        )
    # The words were drawn for a place in the sweep, which a second draw would move.
    return named(experiment, run.point, f"{run.name}-{secrets.token_hex(2)}")


def _fill(run: Run, context: LaunchContext, place: RunDir) -> None:
    """Write all that a run's directory begins with."""
    place.attempts.mkdir()
    stage(context.frozen, place.code, context.method)
    _describe(run, context, place)
    if context.experiment.farm is None:
        # What runs here is about to; what goes to a farm is claimed when it is submitted.
        place.claim(1).write_text(claim_text(None, context.code), encoding="utf-8")
    if context.experiment.dir_mode:
        open_to(place.path, context.experiment.dir_mode)


def _describe(run: Run, context: LaunchContext, place: RunDir) -> None:
    """Write the files that say what a run is, and where."""
    experiment, logdir = context.experiment, Logdir.at(run.dir)
    hparams = json.dumps(logdir.in_value(run.hparams), indent=4, ensure_ascii=False) + "\n"
    written = [
        (place.hparams, hparams),
        (place.script, script(run, context.script, spread(experiment, run))),
        (place.record, to_json(record(run, context))),
    ]
    if experiment.style.style == "file":
        written.append((place.config, config_text(run.point, logdir, experiment.has_config)))
    for path, text in written:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


def spread(experiment: Experiment, run: Run) -> Spread:
    """Return on how many nodes, with how many processes each, torchrun is to start a run."""
    if not experiment.shell.launch:
        return Spread()
    need = needs(resources_of(experiment, run))
    several = need.nodes or 1
    if several > 1 and (experiment.farm is None or experiment.farm.type != "slurm"):
        raise SettingsError(
            "LAUNCH: torchrun on several nodes needs a farm of TYPE slurm, whose srun starts it;"
            " elsewhere write the whole command into CMD"
        )
    return Spread(several, need.gpus or 1)


def record(run: Run, context: LaunchContext) -> dict[str, Any]:
    """Return what a run is, for run.json: LOGDIR stays symbolic."""
    experiment = context.experiment
    return {
        "name": run.name,
        "experiment": experiment.name,
        "id": run_id(experiment, run),
        "tag": run.tag,
        "cmd": experiment.cmd,
        "hparams": run.hparams,
        "texts": {hparam.name: hparam.text for hparam in run.point.hparams},
        "resources": {resource.name: resource.value for resource in resources_of(experiment, run)},
        "pythonpath": experiment.pythonpath,
        "code": context.code,
        "project": context.script.project,
        "launch": context.launch,
        "created": time.time(),
    }


def restage(run: Run, context: LaunchContext, say: Say) -> None:
    """Give a run today's code, and keep what it had as code.1, code.2, ..."""
    here = run.dir
    if staged_code(here) == context.code and here.code.exists():
        return
    fresh = here.path / f"code.{secrets.token_hex(4)}.new"
    stage(context.frozen, fresh, context.method)
    if here.code.exists():
        kept = here.path / f"code.{max(_kept(here), default=0) + 1}"
        say(f"{run.name}: today's code is another; what it was staged with is {kept.name}")
        here.code.rename(kept)
    fresh.rename(here.code)
    write_whole(here.script, script(run, context.script, spread(context.experiment, run)))


def mend(run: RunDir) -> None:
    """Put back the code of a run whose restaging never came to its end, and clear that away."""
    for begun in run.path.glob("code.*.new"):
        shutil.rmtree(begun)
    kept = _kept(run)
    if not run.code.exists() and kept:
        (run.path / f"code.{kept[-1]}").rename(run.code)


def _kept(run: RunDir) -> list[int]:
    names = (path.name.removeprefix("code.") for path in run.path.glob("code.*"))
    return sorted(int(name) for name in names if name.isdecimal())


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
