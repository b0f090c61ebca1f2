"""The directories of steps: of new runs, of those that go on, and of those that runs share."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from runx.config.experiment import Experiment
from runx.errors import RunxError, StagingError, StoreError
from runx.launching.context import Ask, LaunchContext, handback_of, prepare
from runx.launching.create import create, is_abandoned, moved, record_of, spread, wait
from runx.launching.graph import farm_of_step, relative, step_runs
from runx.launching.plan import (
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    Namer,
    PlannedAttempt,
)
from runx.launching.restage import code_changes, described, mend, restage_code
from runx.launching.step_code import code_owner, restaged_runs, reuse_warnings
from runx.launching.step_plan import StepPlan, decide_steps
from runx.launching.step_routes import chosen_steps
from runx.rundir.claims import claim_text, fill_gaps
from runx.rundir.files import read_json, sync_disk, to_json, write_whole
from runx.rundir.paths import RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.rundir.steps import leaders
from runx.staging.materialize import set_modes, stage

Say = Callable[[str], None]


def create_steps(
    experiment: Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    say: Say,
    argv: Sequence[str] = (),
    ask: Ask | None = None,
) -> LaunchPlan | None:
    """Decide which steps of which runs start, and make what they need; None where none starts.

    A run is made first, then its steps, each completely or not at all: what a launch that was
    killed has left out, the next one makes.
    """
    decided = decide_steps(experiment, runs, options, say)
    attempts = decided.plan.attempts
    if options.single and len(attempts) > 1:
        raise RunxError(
            f"--attach takes a single step; {len(attempts)} would start: --limit 1, --step NAME"
        )
    adopted = tuple(filter(is_abandoned, decided.plan.left))
    plan = decided.plan._replace(adopted=adopted, gone=decided.gone)
    if not plan.attempts:
        return plan if adopted else None
    chosen = chosen_steps(experiment, attempts, say)
    plan = plan._replace(attempts=tuple(chosen))
    planned = [each.run for each in decided.runs]
    context = prepare(experiment, planned, argv, datetime.now().astimezone(), say, ask)
    context = replace(context, graph=decided.graph)
    if experiment.search is not None:
        from runx.launching.search_files import make_searches

        context = replace(context, searches=make_searches(experiment, say))
    for line in reuse_warnings(decided.graph, [each.dir for each in plan.left], context):
        say(f"warning: {line}")
    restaged = restaged_runs(experiment, attempts, _alive(plan.left), options)
    context, plan = _with_runs(decided, plan, context, new_name)
    _restage(plan, restaged, context, say)
    made = [_made(attempt, context, restaged) for attempt in plan.attempts]
    sync_disk(experiment.dir.path, say)
    return plan._replace(attempts=tuple(made), context=context)


def _alive(left: Sequence[ExistingRun]) -> frozenset[RunDir]:
    """Return the directories of code with which steps go on, or soon may, that are left alone."""
    alive = [each.dir for each in left if each.state.alive or each.state.name == "preempted"]
    return frozenset(each.owner for each in alive)


def _restage(
    plan: LaunchPlan, restaged: frozenset[RunDir], context: LaunchContext, say: Say
) -> None:
    """Give runs whose steps start today's code, or say what differs where they keep theirs."""
    owners = dict.fromkeys(code_owner(each.run) for each in plan.attempts)
    kept = [owner for owner in owners if owner not in restaged]
    if context.code is not None and (names := code_changes(kept, context)):
        say(described(names, len(kept)))
    if context.code is not None and (names := code_changes(restaged, context)):
        say(described(names, len(restaged), restaged=True))
    for owner in restaged:
        mend(owner)
        restage_code(owner, context)
        content = read_json(owner.record)
        write_whole(owner.record, to_json({**content, "code": context.code}))


def _with_runs(
    decided: StepPlan, plan: LaunchPlan, context: LaunchContext, new_name: Namer
) -> tuple[LaunchContext, LaunchPlan]:
    """Make the directories of new runs, and write what is new into the records of the others.

    Where a name was taken meanwhile, the steps that name its run are others.
    """
    made = [
        create(each.run, context, new_name) if each.is_new else each.run for each in decided.runs
    ]
    before = [each.run for each in decided.runs]
    if [run.dir for run in made] != [run.dir for run in before]:
        graph = step_runs(context.experiment, made)
        pairs = zip(decided.graph.steps, graph.steps, strict=True)
        renamed = {old.dir: new for old, new in pairs}
        attempts = [
            # What was chosen for a step holds for it under its other name.
            each._replace(run=renamed[each.run.dir]._replace(step=each.run.step))
            for each in plan.attempts
        ]
        context, plan = replace(context, graph=graph), plan._replace(attempts=tuple(attempts))
    assert context.graph is not None
    for run in made:
        steps = context.graph.record(run)
        content: dict[str, Any] = {}
        try:
            content = read_json(run.dir.record)
        except StoreError:  # It is damaged, as after a power failure.
            steps = record_of(run, context)
        if content.get("steps") != steps["steps"]:
            write_whole(run.dir.record, to_json({**content, **steps}))
    return context, plan


def _made(
    planned: PlannedAttempt, context: LaunchContext, restaged: frozenset[RunDir]
) -> PlannedAttempt:
    """Make a step's directory, or prepare it for another attempt."""
    run = planned.run
    if planned.is_new:
        _create(run, context)
        return planned
    assert run.step is not None
    planned = planned._replace(restaged=code_owner(run) in restaged)
    if planned.is_shared:
        wait(planned, context, staged_code(run.dir))
        return planned
    fill_gaps(run.dir, planned.attempt, claim_text(None, None))
    code = _code(run, context, planned.restaged)
    _write(run, context, run.dir, code)
    if farm_of_step(context.experiment, run.step) is None:
        wait(planned, context, code)
    return planned


def _code(run: Run, context: LaunchContext, restaged: bool = False) -> str | None:
    """Return the digest of the code that a step starts with: its run's, or its own."""
    return context.code if restaged else staged_code(code_owner(run)) or context.code


def _create(run: Run, context: LaunchContext) -> None:
    """Make the directory of a step elsewhere, and rename it into its place."""
    assert run.step is not None
    draft = context.experiment.dir.making / f"{run.name.replace('/', '.')}.{secrets.token_hex(4)}"
    try:
        draft.mkdir()
        _fill(run, context, RunDir(draft))
        parent = run.dir.path.parent
        parent.mkdir(exist_ok=True)
        if context.experiment.dir_mode and run.step.per.is_run:
            parent.chmod(context.experiment.dir_mode)
        if not moved(draft, run.dir.path):
            raise StagingError(f"{run.dir.path}: is there already, and is no step; move it away")
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _fill(run: Run, context: LaunchContext, draft: RunDir) -> None:
    """Write all that a step's directory has before its first attempt."""
    assert run.step is not None
    draft.attempts.mkdir()
    if not run.step.per.is_run:
        stage(context.frozen, draft.code, context.method)
    code = _code(run, context)
    _write(run, context, draft, code)
    if farm_of_step(context.experiment, run.step) is None:
        text = claim_text(None, code, context.launch)
        draft.wait(1, context.launch).write_text(text, encoding="utf-8")
    if context.experiment.dir_mode:
        set_modes(draft.path, context.experiment.dir_mode)


def _write(run: Run, context: LaunchContext, folder: RunDir, code: str | None) -> None:
    """Write run.json and run.sh of a step."""
    experiment = context.experiment
    assert run.step is not None
    settings = step_settings(context, run)
    there = experiment._replace(shell=settings.shell, farm=farm_of_step(experiment, run.step))
    text = script(run, settings, spread(there, run))
    write_whole(folder.script, text)
    if run.point.trial is not None:
        from runx.launching.bound import write_bound  # not at start

        write_bound(run, context, settings, spread(there, run), folder)
    write_whole(folder.record, to_json(_record(run, context, code)))


def step_settings(context: LaunchContext, run: Run) -> ScriptSettings:
    """Return what a step's run.sh has in common with others: its own, or the experiment's."""
    step = run.step
    assert step is not None
    farm = farm_of_step(context.experiment, step)
    usual = farm.requeue if farm else None
    return context.script._replace(
        shell=step.shell or context.script.shell,
        requeue=(step.requeue or usual) if farm else None,
        retries=context.experiment.retries if farm else None,
        handback=handback_of(context.experiment, farm) if farm else ("", 0, ""),
    )


def _record(run: Run, context: LaunchContext, code: str | None) -> dict[str, Any]:
    """Return the content of a step's run.json."""
    step, graph = run.step, context.graph
    assert step is not None and graph is not None
    hparams = {each.name: each for each in run.point.hparams}
    content: Mapping[str, Any] = record_of(run, replace(context, graph=None))
    folders = [each.dir.path.parent.parent for each in run.after]
    gathered = [each.name for each in folders if each != context.experiment.dir.path]
    return {
        **content,
        "id": graph.ids[run.dir],
        "code": code,
        "cmd": step.cmd,
        "hparams": {name: each.value for name, each in hparams.items()},
        "texts": {name: each.text for name, each in hparams.items()},
        "step": step.name,
        "job": leaders(context.experiment.steps)[step.name],
        "after": {relative(each.dir, run.dir): each.when for each in run.after},
        **({} if step.per.is_run else {"per": _per(run), "runs": gathered}),
    }


def _per(run: Run) -> Any:
    assert run.step is not None
    names = list(run.step.per.names)
    if run.step.per.without:
        return {"without": names}
    return names or "sweep"
