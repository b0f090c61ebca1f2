"""Which steps a launch starts, by those of the planned runs and those that exist."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from runx.config.experiment import Experiment
from runx.launching.decide import check_twins, existing_runs, twins
from runx.launching.existing_steps import ExistingStep, existing_steps
from runx.launching.graph import StepRuns
from runx.launching.plan import (
    NEW,
    RETRIED,
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    PlannedAttempt,
    selected,
)
from runx.launching.reconcile import reconcile
from runx.launching.step_code import graph_of
from runx.rundir.attempts import clock
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.state import STATES, UNKNOWN, State
from runx.rundir.states import ENDED_WELL
from runx.rundir.step_states import (
    begun,
    derived,
    is_stale,
)

Say = Callable[[str], None]
_ALL = (NEW, *STATES, UNKNOWN)
_GOES_ON = (*ENDED_WELL, "running", "queued", "preempted")
"""States of a step after which another may start that needs it done, now or later."""


class StepPlan(NamedTuple):
    """What a launch of runs with STEPS makes and starts.

    ``runs`` are those whose steps are planned, ``new`` those of them that have no directory yet.
    ``plan`` has the attempts of steps; ``left`` there are existing steps that are left alone.
    """

    runs: tuple[PlannedAttempt, ...]
    graph: StepRuns
    plan: LaunchPlan
    gone: tuple[ExistingRun, ...] = ()

    @property
    def new(self) -> list[Run]:
        """The runs that have no directory yet."""
        return [each.run for each in self.runs if each.is_new]


class _Decision(NamedTuple):
    """What becomes of a step: its state as others see it, and its attempt where it starts."""

    state: State
    number: int
    attempt: PlannedAttempt | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is done, or will be as far as one can see."""
        return self.attempt is not None or self.state.name in _GOES_ON


def planned_steps(
    experiment: Experiment,
    graph: StepRuns,
    existing: Mapping[RunDir, ExistingStep],
    options: LaunchOptions,
    chosen: Collection[RunDir] | None = None,
) -> LaunchPlan:
    """Return the attempts of steps that start, and the existing steps that are left alone. Pure.

    Of runs that aren't ``chosen`` no step starts, nor one that only they need.
    """
    retried = options.retried if options.resume else RETRIED
    wanted = None if chosen is None else {each.dir for run in chosen for each in graph.of[run]}
    decisions: dict[RunDir, _Decision] = {}
    by_name: dict[str, list[Run]] = {step.name: [] for step in experiment.steps}
    needed = {each.dir for steps in graph.of.values() for each in steps}
    for run in graph.steps:
        assert run.step is not None
        by_name[run.step.name].append(run)
    for run in (run for runs in by_name.values() for run in runs):
        may = wanted is None or run.dir in wanted or run.dir not in needed
        decisions[run.dir] = _decided(
            run, graph.ids[run.dir], existing.get(run.dir), decisions, options, retried, may
        )
    starting = [each.attempt for run in graph.steps if (each := decisions[run.dir]).attempt]
    left = [
        existing[run.dir].standing._replace(state=decisions[run.dir].state)
        for run in graph.steps
        if run.dir in existing and decisions[run.dir].attempt is None
    ]
    return LaunchPlan(tuple(filter(None, starting)), tuple(left))


def _decided(
    run: Run,
    id: str,
    existing: ExistingStep | None,
    decisions: Mapping[RunDir, _Decision],
    options: LaunchOptions,
    retried: Collection[str],
    may: bool,
) -> _Decision:
    """Return what becomes of a step, given what becomes of those that it is after."""
    assert run.step is not None
    before = [(each, decisions[each.dir]) for each in run.after]
    may = may and all(
        each.goes_on or (needed.when == "ended" and each.state.name not in ("planned", UNKNOWN))
        for needed, each in before
    )
    is_named = run.step.name in options.steps
    may = may and (is_named or not options.steps)
    if existing is None:
        may = may and (NEW in retried or "planned" in retried)
        attempt = PlannedAttempt(run) if may else None
        return _Decision(State("planned"), 0, attempt)
    standing, attempts = existing
    stale = is_stale(attempts, sum(each.number for _, each in before))
    names = {os.fspath(needed.dir): each.state for needed, each in before}
    after = {os.fspath(needed.dir): needed.when for needed, _ in before}
    state = derived(standing.state, names, after, stale and not options.steps, run.step.per.is_run)
    is_other = standing.id != id or any(each.attempt for _, each in before)
    if state.name == "done" and (is_named if options.steps else is_other):
        state = State("planned", attempt=state.attempt)
    is_joined = standing.waits and "planned" in retried and standing.id == id
    starts = may and (state.name in retried or is_joined)
    attempt = None
    if starts:
        number = standing.attempts + 1
        is_other = standing.id != id
        attempt = PlannedAttempt(run, number, state.name, standing.waits, is_other=is_other)
    return _Decision(state, begun(attempts), attempt)


def decide_steps(
    experiment: Experiment, runs: Sequence[Run], options: LaunchOptions, say: Say
) -> StepPlan:
    """Return which steps of which runs start.

    Raises:
        RunxError: Equal runs are alive already.
    """

    def warn(line: str) -> None:
        say(f"warning: {line}")

    now = clock(experiment.dir.path)
    gone: tuple[ExistingRun, ...] = ()
    if options.resume:
        keyed = [(experiment.id_of(run.point), run) for run in runs]
        found = list(existing_runs(experiment.dir, experiment.identity, warn, has_steps=True))
        full = reconcile(keyed, found, _ALL)
        candidates, gone = full.attempts, full.gone
    else:
        new = selected(LaunchPlan.of_new(runs), options)
        keys = (experiment.id_of(run.point) for run in new.runs)
        check_twins(experiment, list(twins(experiment.dir, keys, warn)), options, say)
        candidates = new.attempts
    graph = graph_of(experiment, [each.run for each in candidates])
    existing = existing_steps(graph, warn, now)
    plan = planned_steps(experiment, graph, existing, options)
    if options.resume and options.selects:
        starting = {each.run.dir for each in plan.attempts}
        busy = [
            each
            for each in candidates
            if any(step.dir in starting for step in graph.of[each.run.dir])
        ]
        chosen = {each.run.dir for each in selected(LaunchPlan(tuple(busy)), options).attempts}
        candidates = tuple(each for each in candidates if not each.is_new or each.run.dir in chosen)
        graph = graph_of(experiment, [each.run for each in candidates])
        existing = existing_steps(graph, warn, now)
        plan = planned_steps(experiment, graph, existing, options, chosen)
    if options.resume:
        candidates = _needed(candidates, graph, plan)
    say(_summary(candidates, plan, gone))
    return StepPlan(tuple(candidates), graph, plan, gone)


def steps_to_start(
    experiment: Experiment, runs: Sequence[Run], options: LaunchOptions, say: Say
) -> StepPlan:
    """Return the steps that a launch would start; nothing is written."""
    if options.resume:
        return decide_steps(experiment, runs, options, say)
    new = selected(LaunchPlan.of_new(runs), options)
    graph = graph_of(experiment, new.runs)
    existing = existing_steps(graph, lambda _: None, clock(experiment.dir.path))
    return StepPlan(new.attempts, graph, planned_steps(experiment, graph, existing, options))


def _needed(
    candidates: Iterable[PlannedAttempt], graph: StepRuns, plan: LaunchPlan
) -> tuple[PlannedAttempt, ...]:
    """Return the existing runs, and those new ones of which some step starts."""
    starting = {each.run.dir for each in plan.attempts}
    return tuple(
        each
        for each in candidates
        if not each.is_new or any(step.dir in starting for step in graph.of[each.run.dir])
    )


def _summary(runs: Iterable[PlannedAttempt], plan: LaunchPlan, gone: Sequence[ExistingRun]) -> str:
    """Return one line on what will be done."""
    counts = Counter(each.state for each in runs)
    parts = [f"{counts[name]} {name}" for name in _order() if counts[name]]
    steps = Counter(each.run.step.name for each in plan.attempts if each.run.step)
    names = ", ".join(f"{count} {name}" for name, count in steps.items())
    line = f"{', '.join(parts) or 'nothing is planned'}: starting {names or 'nothing'}"
    return line + (f"; {len(gone)} no longer in the sweep, left alone" if gone else "")


def _order() -> list[str]:
    return [*STATES, UNKNOWN, NEW]
