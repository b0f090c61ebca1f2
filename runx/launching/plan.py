"""From an experiment to its runs, and from those to what a launch starts. Pure."""

from __future__ import annotations

import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from runx.config.experiment import Experiment
from runx.errors import ExpressionError, RunxError, SweepError
from runx.rundir.logdir import Logdir
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.state import STATES, UNKNOWN
from runx.sweeps.axes import RESOURCE
from runx.sweeps.naming import new_slugs, run_names, tag_names
from runx.sweeps.sweep import Sweep, read
from runx.sweeps.values import Hparam, Point, Value

if TYPE_CHECKING:
    from runx.launching.context import LaunchContext
    from runx.rundir.state import State
    from runx.sweeps.expressions import Expression


MAX_RUNS = 100_000
"""The largest cross product that is planned where nobody asks for more."""


NEW = "new"
"""What stands for the state of a run that there isn't yet."""


SETTLED = ("done", "running", "queued", "preempted")
"""States in which a run is never started by --resume: it has ended well, or is on its way."""


RETRIED = (NEW, *(name for name in STATES if name not in SETTLED))
"""What --resume starts where --retry doesn't narrow it."""


STATE, TAG = "state", "tag"


Namer: TypeAlias = Callable[[Point], str]
"""Names one point after another."""


class LaunchOptions(NamedTuple):
    """What is asked of a launch: which runs start, and how those that there are go on.

    ``resume`` starts existing runs again whose state is in ``retried``, with today's code if
    ``restage``; ``again`` makes even those anew that are alive. No more than one may start if
    ``single``. Of what might start, ``where`` selects, ``seed`` shuffles, then ``limit`` counts.
    """

    resume: bool = False
    again: bool = False
    retried: Collection[str] = RETRIED
    restage: bool = False
    single: bool = False
    where: Expression | None = None
    limit: int | None = None
    seed: int | str | None = None

    @property
    def selects(self) -> bool:
        """Whether some runs may be left out, or their order changed."""
        return (self.where, self.limit, self.seed) != (None, None, None)


class ExistingRun(NamedTuple):
    """A run that has a directory: its identity, its state, and the number of its last attempt.

    An ``orphan`` runs on this machine and its launcher is dead.
    """

    dir: RunDir
    id: str
    state: State
    attempts: int
    orphan: bool = False


class PlannedAttempt(NamedTuple):
    """A run, and the number of the attempt that a launch starts.

    ``state`` is that of the existing run which starts again, or ``new``.
    """

    run: Run
    attempt: int = 1
    state: str = NEW

    @property
    def is_new(self) -> bool:
        """Whether the run has no directory yet."""
        return self.state == NEW


class LaunchPlan(NamedTuple):
    """What a launch starts, existing runs first, and what it leaves alone.

    ``gone`` are no longer in the sweep; ``adopted`` go on here by themselves, because their
    launcher died. ``context`` is there once the directories of the runs are.
    """

    attempts: tuple[PlannedAttempt, ...]
    left: tuple[ExistingRun, ...] = ()
    gone: tuple[ExistingRun, ...] = ()
    adopted: tuple[ExistingRun, ...] = ()
    context: LaunchContext | None = None

    @classmethod
    def of_new(cls, runs: Iterable[Run]) -> LaunchPlan:
        """Return the plan that starts all of some runs, none of which there is."""
        return cls(tuple([PlannedAttempt(run) for run in runs]))

    @property
    def runs(self) -> list[Run]:
        """The runs that start."""
        return [each.run for each in self.attempts]


def sweep_of(experiment: Experiment, max_runs: int = MAX_RUNS) -> Sweep:
    """Read an experiment's sweep, unless it has more combinations than anyone asked for."""
    sweep = read(experiment.hparams, experiment.at, experiment.beside)
    if sweep.size > max_runs:
        raise SweepError(
            f"{experiment.at()}: HPARAMS has {sweep.size:,} combinations, more than"
            f" {max_runs:,}; say --max-runs {sweep.size} if that is meant"
        )
    return sweep


def plan(experiment: Experiment, sweep: Sweep, new_name: Namer) -> Iterator[Run]:
    """Name every point of an experiment's sweep, in the order of its file."""
    place = experiment.dir.run
    for point in sweep.points(experiment.tag):
        name = new_name(point)
        yield Run(name, place(name), point)


def named(experiment: Experiment, point: Point, name: str) -> Run:
    """Give a point its name and place."""
    return Run(name, experiment.dir.run(name), point)


def namer(
    experiment: Experiment, sweep: Sweep, now: datetime, slugs: Iterator[str] | None = None
) -> Namer:
    """Return the function that names an experiment's runs: two words and a date by default.

    None of them gives a name twice. The words are coolname's, or else those of ``slugs``.
    """
    if experiment.run_name and experiment.cooldir:
        return _by_template(experiment, sweep, slugs)
    new_name = run_names(now, slugs) if experiment.cooldir else tag_names()
    return lambda point: new_name(point.tag)


def _by_template(experiment: Experiment, sweep: Sweep, slugs: Iterator[str] | None) -> Namer:
    from runx.sweeps import summary
    from runx.sweeps.naming import Launch, named_by

    template = experiment.run_name
    needed = "{sweep}" in template or "{sep}" in template
    return named_by(
        template,
        Launch(experiment.texts, sweep.size, summary.varying(sweep) if needed else ()),
        summary.names(sweep),
        lambda point: id_of(experiment, point),
        (slugs or new_slugs()).__next__ if "{coolname}" in template else str,
        f"{experiment.settings['RUN_NAME'].origin}: RUN_NAME",
    )


def run_id(experiment: Experiment, run: Run) -> str:
    """Return the identity of what a run computes: equal CMD and hyperparameters, anywhere."""
    return id_of(experiment, run.point)


def id_of(experiment: Experiment, point: Point) -> str:
    """Return the identity of a point, whatever its name."""
    hparams = {hparam.name: hparam.value for hparam in point.hparams}
    return experiment.identity.of(experiment.cmd, hparams)


def resources_of(experiment: Experiment, run: Run) -> tuple[Hparam, ...]:
    """Return what a run needs: the experiment's RESOURCES, with the run's own over them."""
    logdir = Logdir.at(run.dir)
    needed = {each.name: _with_logdir(each, logdir) for each in experiment.resources}
    for name, value in run.point.resources:
        needed[name] = Hparam(name, value, None if isinstance(value, bool) else str(value))
    return tuple(needed.values())


def _with_logdir(resource: Hparam, logdir: Logdir) -> Hparam:
    text = logdir.in_value(resource.text)
    return resource._replace(text=tuple(text) if isinstance(text, list) else text)


def condition(text: str, names: Collection[str], with_state: bool) -> Expression:
    """Read ``--where``: over hyperparameters, and states where runs are told by them.

    >>> condition("lr < 1", ["lr"], False).holds({"lr": 0.1})
    True
    """
    from runx.sweeps.expressions import parse

    try:
        expression = parse(text, {*names, STATE, TAG})
    except ExpressionError as error:
        raise RunxError(f"--where {error}") from None
    if STATE in expression.names and STATE not in names and not with_state:
        raise RunxError(f"--where {text}: {STATE} goes with --resume; without, every run is new")
    return expression


def selected(plan: LaunchPlan, options: LaunchOptions) -> LaunchPlan:
    """Leave in a plan the attempts that are asked for."""
    if not options.selects:
        return plan
    attempts = [each for each in plan.attempts if _holds(options.where, each)]
    if options.seed is not None:
        from random import Random

        Random(f"runx {options.seed}").shuffle(attempts)
    attempts = attempts[: options.limit]
    return plan._replace(attempts=tuple(sorted(attempts, key=lambda each: each.is_new)))


def _holds(where: Expression | None, each: PlannedAttempt) -> bool:
    if where is None:
        return True
    try:
        return where.holds(named_values(each.run, each.state))
    except ExpressionError as error:
        raise RunxError(f"--where {error}") from None


def named_values(run: Run, state: str) -> dict[str, Value]:
    """Return what an expression may name of a run that is planned."""
    resources: dict[str, Any] = {RESOURCE + name.upper(): v for name, v in run.point.resources}
    return {STATE: state, TAG: run.tag, **resources, **run.hparams}


def reconcile(
    planned: Iterable[tuple[str, Run]],
    existing: Sequence[ExistingRun],
    retried: Collection[str] = RETRIED,
) -> LaunchPlan:
    """Match each planned run, given with its identity, with an existing one, one to one.

    Of equal runs those that need no start are matched first, then those nearest to an end.
    """
    unmatched: dict[str, deque[ExistingRun]] = defaultdict(deque)
    for each in sorted(existing, key=lambda each: (_rank(each.state.name), os.fspath(each.dir))):
        unmatched[each.id].append(each)
    wanted = set()
    new: list[PlannedAttempt] = []
    again: list[PlannedAttempt] = []
    left: list[ExistingRun] = []
    for key, run in planned:
        wanted.add(key)
        match = unmatched[key].popleft() if unmatched.get(key) else None
        if match is None:
            new.append(PlannedAttempt(run))
        elif match.state.name in retried:
            itself = Run(match.dir.path.name, match.dir, run.point)
            again.append(PlannedAttempt(itself, match.attempts + 1, match.state.name))
        else:
            left.append(match)
    gone = [each for key, rest in unmatched.items() if key not in wanted for each in rest]
    return LaunchPlan((*again, *(new if NEW in retried else ())), tuple(left), tuple(gone))


def _rank(state: str) -> int:
    order = (*SETTLED, *(name for name in STATES if name not in (*SETTLED, "planned")))
    return order.index(state) if state in order else len(order)


def summary(plan: LaunchPlan) -> str:
    """Return one line on what will be done.

    >>> summary(LaunchPlan(()))
    'nothing is planned: starting 0'
    """
    counts = Counter(each.state for each in plan.attempts)
    counts.update(each.state.name for each in plan.left)
    parts = [f"{counts[name]} {name}" for name in (*STATES, UNKNOWN, NEW) if counts[name]]
    line = f"{', '.join(parts) or 'nothing is planned'}: starting {len(plan.attempts)}"
    if plan.gone:
        line += f"; {len(plan.gone)} no longer in the sweep, left alone"
    return line
