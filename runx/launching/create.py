"""Run directories: each is made completely, or not at all; and the code of runs that go on."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from runx.config.experiment import Experiment
from runx.errors import SettingsError, StagingError
from runx.farms.resources import needs
from runx.launching.context import Ask, LaunchContext, check_root, prepare
from runx.launching.decide import decide
from runx.launching.plan import (
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    Namer,
    PlannedAttempt,
    named,
    resources_of,
)
from runx.launching.record import record_metrics, run_content
from runx.launching.restage import mend, note_code, restage, with_restaged
from runx.launching.routes import routes
from runx.rundir.claims import claim_text, fill_gaps, wait_for
from runx.rundir.files import (
    disk_problem,
    is_blank,
    is_full,
    sync_disk,
    to_json,
)
from runx.rundir.held import let_go
from runx.rundir.logdir import Logdir
from runx.rundir.numbers import hold
from runx.rundir.paths import RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.script import NodeLayout, script
from runx.rundir.turns import clear_unfinished, turn, unless_empty
from runx.staging.materialize import set_modes, stage

Say = Callable[[str], None]
_GO_ON = "go on with --resume"


def create_runs(
    experiment: Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    say: Say,
    argv: Sequence[str] = (),
    ask: Ask | None = None,
    make_steps: Callable[..., LaunchPlan | None] | None = None,
) -> list[LaunchPlan]:
    """Decide which runs start and make their directories; return a plan for each farm of theirs.

    Of an experiment with STEPS this is what ``make_steps`` does.

    Launchers take turns at this. For runs that execute here a launcher waits, as others see, from
    before the turn ends; what was made of them is on disk before the first one starts.
    """
    check_root(experiment)
    if experiment.number:
        hold(experiment.logroot, experiment.number)
    is_new = not experiment.dir.path.exists()
    writable(experiment)
    folder = experiment.dir
    with disk_errors(folder.path), turn(folder, say), unless_empty(folder, is_new):
        writable(experiment)  # It may have been removed meanwhile.
        clear_unfinished(folder)
        if record_metrics(experiment) and not is_new:
            say(f"METRICS holds for all runs of {experiment.name} from now on; sumx reads it")
        if reason := let_go(folder):
            say(f"no longer {reason}")
        if make_steps is not None:
            plan = make_steps(experiment, runs, new_name, options, say, argv, ask)
            return [plan] if plan else []
        plan = decide(experiment, runs, options, say)
        if experiment.farm is None and not experiment.candidates:
            plan = plan._replace(adopted=tuple(filter(is_abandoned, plan.left)))
        plan = with_restaged(plan, options, experiment.restage)
        if not plan.attempts:
            if experiment.search is not None:  # It holds for runs that wait, too.
                from runx.launching.search_files import make_searches

                make_searches(experiment, say)
            return [plan] if plan.adopted else []
        made: list[LaunchPlan] = []
        for route in routes(experiment, plan.attempts, say):
            # What is frozen, and what was said of it, is the same for all.
            first = (say, ask) if not made else (_ignore, _record_changes)
            part = plan._replace(attempts=tuple(route.attempts))
            made.append(_created(route.experiment, part, new_name, argv, say, *first))
        sync_disk(experiment.dir.path, say)
    return made


def _created(
    experiment: Experiment,
    plan: LaunchPlan,
    new_name: Namer,
    argv: Sequence[str],
    say: Say,
    remark: Say,
    ask: Ask | None,
) -> LaunchPlan:
    """Make the runs of one farm; ``remark`` takes what is said of their code."""
    context = prepare(experiment, plan.runs, argv, datetime.now().astimezone(), remark, ask)
    if context.code is not None:
        note_code(plan, context, say)
    if experiment.search is not None:
        from runx.launching.search_files import make_searches

        context = replace(context, searches=make_searches(experiment, remark))
    attempts = [
        PlannedAttempt(create(attempt.run, context, new_name))
        if attempt.is_new
        else _restarted(attempt, context, say)
        for attempt in plan.attempts
    ]
    return plan._replace(attempts=tuple(filter(None, attempts)), context=context)


def _ignore(_: str) -> None:
    """Drop a remark that was made before."""


def _record_changes(_problem: str, _changes: Sequence[str]) -> str:
    """Answer what was asked before: what is still not committed is recorded."""
    return ""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Raise a StagingError where the disk of a folder turns out to be full or read-only."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise StagingError(f"{disk_problem(error, folder)}; make room, then {_GO_ON}") from None


def writable(experiment: Experiment) -> None:
    """Make the experiment's directory; raise a SettingsError where LOGROOT can't be written."""
    try:
        folders = [experiment.dir.code, experiment.dir.launches, experiment.dir.making]
        folders += [experiment.dir.failures] if experiment.max_failures else []
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        probe = experiment.dir.making / f"probe.{os.urandom(4).hex()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        origin = experiment.settings["LOGROOT"].origin
        path = experiment.dir.path
        problem = f"{path} can't be written: {error.strerror}"
        if is_full(error):
            problem = disk_problem(error, path)
        raise SettingsError(
            f"{origin}: LOGROOT: {problem}; set LOGROOT or RUNX_LOGROOT to a folder of yours"
            + (", or make room, as with runx rm" if is_full(error) else "")
        ) from None


def is_abandoned(run: ExistingRun) -> bool:
    """Return whether a run goes on here without its launcher, which has died."""
    return run.state.name == "running" and run.orphan


def _restarted(planned: PlannedAttempt, context: LaunchContext, say: Say) -> PlannedAttempt | None:
    """Prepare a run for another attempt; return None where it is another launcher's."""
    run = planned.run
    if planned.is_shared:
        return _shared(planned, context, say)
    fill_gaps(run.dir, planned.attempt, claim_text(None, None))
    mend(run.dir)
    is_lost = is_blank(run.dir.record)
    if is_lost:
        planned = planned._replace(restaged=True)
    if planned.restaged:
        restage(run, context, script(run, context.script, spread(context.experiment, run)))
        if run.point.trial is not None:
            _write_bound(run, context, run.dir)
    if is_lost:
        _write_files(run, context, run.dir)
    if context.experiment.farm is not None:
        return planned
    code = context.code if planned.restaged else staged_code(run.dir)
    wait(planned, context, code)
    return planned


def _shared(planned: PlannedAttempt, context: LaunchContext, say: Say) -> PlannedAttempt | None:
    """Prepare a run that waits in another launcher, too; its code is that launcher's business."""
    run, code = planned.run, staged_code(planned.run.dir)
    if planned.restaged and code != context.code:
        say(f"{run.name}: left alone: it waits in another launcher, with other code")
        return None
    wait(planned, context, code)
    return planned


def wait(planned: PlannedAttempt, context: LaunchContext, code: str | None) -> None:
    """Wait for the turn to execute an attempt here, with code of this digest."""
    text = claim_text(None, code, context.launch)
    wait_for(planned.run.dir, planned.attempt, text, context.launch, planned.is_shared)


def create(run: Run, context: LaunchContext, new_name: Namer) -> Run:
    """Make a run's directory, completely or not at all; return the run, renamed if need be.

    The directory is made elsewhere and renamed into place, which fails where there is one.

    Raises:
        StagingError: There is one, and the run can't have another name; or the code is damaged.
    """
    draft = context.experiment.dir.making / f"{run.name}.{secrets.token_hex(4)}"
    try:
        draft.mkdir()
        _fill(run, context, RunDir(draft))
        while not moved(draft, run.dir.path):
            run = _renamed(run, context.experiment, new_name)
            _write_files(run, context, RunDir(draft))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return run


def moved(draft: Path, target: Path) -> bool:
    """Rename a directory; return whether there was none in its place."""
    try:
        draft.rename(target)
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
    # Another draw of words would shift those of the points after this one.
    return named(experiment, run.point, f"{run.name}-{secrets.token_hex(2)}")


def _fill(run: Run, context: LaunchContext, draft: RunDir) -> None:
    """Write all that a run's directory has before its first attempt, or its steps."""
    stage(context.frozen, draft.code, context.method)
    _write_files(run, context, draft)
    if context.graph is None:
        draft.attempts.mkdir()
    if context.graph is None and context.experiment.farm is None:
        # Runs here start next; those of a farm are claimed when they are submitted.
        text = claim_text(None, context.code, context.launch)
        draft.wait(1, context.launch).write_text(text, encoding="utf-8")
    if context.experiment.dir_mode:
        set_modes(draft.path, context.experiment.dir_mode)


def _write_files(run: Run, context: LaunchContext, draft: RunDir) -> None:
    """Write the files that depend on a run's name or hyperparameters."""
    from runx.rundir.bound_script import hparam_files  # not at start

    experiment = context.experiment
    files = [(draft.record, to_json(record_of(run, context)))]
    if context.graph is None:
        files.append((draft.script, script(run, context.script, spread(experiment, run))))
    if run.point.trial is None:
        cmd = experiment.cmd if context.graph is None else ""
        own = hparam_files(cmd, run.point, Logdir.at(run.dir), experiment.style, experiment.config)
        files += [(draft.path / name, text) for name, text in own]
    elif context.graph is None:
        _write_bound(run, context, draft)
    for path, text in files:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


def _write_bound(run: Run, context: LaunchContext, folder: RunDir) -> None:
    from runx.launching.bound import write_bound  # not at start

    write_bound(run, context, context.script, spread(context.experiment, run), folder)


def spread(experiment: Experiment, run: Run) -> NodeLayout:
    """Return the nodes of a run, and the processes that torchrun starts on each."""
    if not experiment.shell.launch:
        return NodeLayout()
    need = needs(resources_of(experiment, run), experiment.limits)
    nodes = need.nodes or 1
    if nodes > 1 and (experiment.farm is None or experiment.farm.type != "slurm"):
        raise SettingsError(
            "LAUNCH: torchrun on several nodes needs a farm of TYPE slurm, whose srun starts it;"
            " elsewhere write the whole command into CMD"
        )
    return NodeLayout(nodes, need.gpus or 1)


def record_of(run: Run, context: LaunchContext) -> dict[str, Any]:
    """Return the content of run.json; LOGDIR stays symbolic."""
    resources = resources_of(context.experiment, run)
    content = run_content(context.experiment, run, resources, context.frozen, context.launch)
    return content if context.graph is None else {**content, **context.graph.record(run)}
