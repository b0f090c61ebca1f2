"""From an experiment to its runs, and which of them a launch starts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from runx.config.experiment import Experiment
from runx.errors import ExpressionError, RunxError, SweepError
from runx.rundir.logdir import Logdir
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.state import STATES
from runx.rundir.states import ENDED_WELL, PASSED
from runx.sweeps.axes import RESOURCE
from runx.sweeps.grid import holds_template
from runx.sweeps.naming import new_slugs, run_names, tag_names
from runx.sweeps.scalars import value_text
from runx.sweeps.sweep import Sweep, read
from runx.sweeps.values import Hparam, Point, Value

if TYPE_CHECKING:
    from runx.launching.context import LaunchContext
    from runx.rundir.state import State
    from runx.sweeps.expressions import Expression


MAX_RUNS = 100_000
"""The largest cross product that is planned without --max-runs."""
NEW = "new"
"""The state of a run that has no directory yet, beside STATES."""
SETTLED = (*ENDED_WELL, "running", "queued", "preempted")
"""States of runs that --resume never starts: they have ended well, or will go on."""
RETRIED = (NEW, *(name for name in STATES if name not in SETTLED))
"""States of runs that --resume starts, unless --retry narrows them."""
RETRIABLE = (*RETRIED, *PASSED)
"""States that --retry may name."""
STATE, TAG, RUN = "state", "tag", "run"
"""What ``--where`` may name besides hyperparameters and resources."""
Namer: TypeAlias = Callable[[Point], str]
"""A function that returns a new name for a point."""


class LaunchOptions(NamedTuple):
    """Options of a launch: which runs start, and how existing ones are restarted.

    ``resume`` restarts existing runs whose state is in ``retried``, with today's code if
    ``restage``; ``again`` launches even equals of runs that are alive. No more than one may start
    if ``single``. ``where`` selects runs, then ``seed`` shuffles them, then ``limit`` counts them.
    Of runs with STEPS these ``steps`` alone start, again if they are done.
    """

    resume: bool = False
    again: bool = False
    retried: Collection[str] = RETRIED
    restage: bool = False
    single: bool = False
    where: Expression | None = None
    limit: int | None = None
    seed: int | str | None = None
    steps: tuple[str, ...] = ()

    @property
    def selects(self) -> bool:
        """Whether some runs may be left out, or their order changed."""
        return (self.where, self.limit, self.seed) != (None, None, None)


class ExistingRun(NamedTuple):
    """A run that has a directory: its identity, its state, and the number of its last attempt.

    An ``orphan`` runs on this machine and its launcher is dead. One that ``waits`` for its turn in
    a launcher here may be started by another one, too: whoever claims the attempt first.
    """

    dir: RunDir
    id: str
    state: State
    attempts: int
    orphan: bool = False
    waits: bool = False


class PlannedAttempt(NamedTuple):
    """A run, and the number of the attempt that a launch starts.

    ``state`` is that of the existing run before it is restarted, or ``new``. One that ``is_shared``
    waits in another launcher, too. One that is ``restaged`` takes today's code. A step that
    ``is_other`` has another command, or values, than when it ran before.
    """

    run: Run
    attempt: int = 1
    state: str = NEW
    is_shared: bool = False
    restaged: bool = False
    is_other: bool = False

    @property
    def is_new(self) -> bool:
        """Whether the run has no directory yet."""
        return self.state == NEW


class LaunchPlan(NamedTuple):
    """The attempts that a launch starts, existing runs first, and the runs that it leaves alone.

    ``gone`` are no longer in the sweep; ``adopted`` run here without their launcher, which died.
    ``context`` is None until the directories of the runs are made.
    """

    attempts: tuple[PlannedAttempt, ...]
    left: tuple[ExistingRun, ...] = ()
    gone: tuple[ExistingRun, ...] = ()
    adopted: tuple[ExistingRun, ...] = ()
    context: LaunchContext | None = None

    @classmethod
    def of_new(cls, runs: Iterable[Run]) -> LaunchPlan:
        """Return the plan that starts all of some runs, none of which exists."""
        return cls(tuple([PlannedAttempt(run) for run in runs]))

    @property
    def runs(self) -> list[Run]:
        """The runs that start."""
        return [attempt.run for attempt in self.attempts]


def sweep_of(experiment: Experiment, max_runs: int = MAX_RUNS) -> Sweep:
    """Return an experiment's sweep.

    Raises:
        SweepError: It has more than ``max_runs`` combinations, or is malformed.
    """
    if experiment.search is None:
        sweep = outline = read(experiment.hparams, experiment.at, experiment.sweep_context)
    else:
        from runx.launching.searches import fixed_sweep, outline_of, parts_of

        parts = parts_of(experiment)
        sweep, outline = fixed_sweep(experiment, parts), outline_of(experiment, parts)
    size = sweep.size * trials_of(experiment)
    if size > max_runs:
        what = f"{experiment.at()}: HPARAMS has {size:,} combinations"
        if experiment.search is not None:
            what = f"{experiment.entries['SEARCH'].at('trials')}: SEARCH has {size:,} runs"
        advice = f"say --max-runs {size} if that is meant"
        raise SweepError(f"{what}, more than {max_runs:,}; {advice}")
    if experiment.types:
        _check_types(experiment, outline)
    return sweep


def trials_of(experiment: Experiment) -> int:
    """Return how many points each search has, 1 where nothing is searched."""
    return experiment.search.trials if experiment.search else 1


def _check_types(experiment: Experiment, sweep: Sweep) -> None:
    """Raise an error for a value that HPARAMS_TYPES doesn't allow, or a name there that is wrong.

    Names that another file has, which may serve several experiments, need not be those of this one.
    """
    from runx.sweeps.hparam_types import check, check_names
    from runx.sweeps.summary import names

    shared = tuple(f"{path}:" for path in experiment.sources if path != experiment.file)
    places = {name: experiment.entries["HPARAMS_TYPES"].at(name) for name in experiment.types}
    own = {name: place for name, place in places.items() if not place.startswith(shared)}
    check_names(own, [name for name in names(sweep) if not name.startswith(RESOURCE)])
    points = sweep.points()
    if experiment.search is not None:  # Its outline has more combinations than runs.
        choices = (choice for grid in sweep.grids for axis in grid.axes for choice in axis.choices)
        points = (Point(tuple(e for e in c if not holds_template(e.value))) for c in choices)
    check(points, experiment.types, experiment.hparams, experiment.at)


def plan(experiment: Experiment, sweep: Sweep, new_name: Namer) -> Iterator[Run]:
    """Return the named run of every point of an experiment's sweep, in the order of its file."""
    run_dir = experiment.dir.run
    points = sweep.points(experiment.tag)
    if experiment.search is not None:
        from runx.launching.searches import trial_points

        points = trial_points(experiment)
    for point in points:
        name = new_name(point)
        yield Run(name, run_dir(name), point)


def named(experiment: Experiment, point: Point, name: str) -> Run:
    """Return the run of a point by its name."""
    return Run(name, experiment.dir.run(name), point)


def namer(
    experiment: Experiment, sweep: Sweep, now: datetime, slugs: Iterator[str] | None = None
) -> Namer:
    """Return the function that names an experiment's runs: two words and a date by default.

    It returns no name twice. The words are those of ``slugs``, coolname's by default.
    """
    if experiment.run_name and experiment.cooldir:
        return _by_template(experiment, sweep, slugs)
    new_name = run_names(now, slugs) if experiment.cooldir else tag_names()
    return lambda point: new_name(point.tag)


def _by_template(experiment: Experiment, sweep: Sweep, slugs: Iterator[str] | None) -> Namer:
    from runx.sweeps import summary
    from runx.sweeps.naming import NameContext, template_names

    template = experiment.run_name
    needed = "{sweep}" in template or "{sep}" in template
    varying, names = summary.varying(sweep) if needed else (), summary.names(sweep)
    context = NameContext(experiment.texts, sweep.size * trials_of(experiment), varying)
    if experiment.names:
        from runx.sweeps.own_names import own_texts

        place_of, environment = experiment.entries["NAMES"].at, sweep.context.environment
        own = own_texts(experiment.names, template, names, place_of, environment)
        context, names = context._replace(own=own), [*names, *experiment.names]
    return template_names(
        template,
        context,
        names,
        experiment.id_of,
        (slugs or new_slugs()).__next__ if "{coolname}" in template else str,
        f"{experiment.settings['RUN_NAME'].origin}: RUN_NAME",
    )


def resources_of(experiment: Experiment, run: Run) -> tuple[Hparam, ...]:
    """Return the resources of a run: the experiment's RESOURCES, replaced by the run's own."""
    logdir, shared = Logdir.at(run.dir), experiment.resources
    if run.step is not None:
        from runx.launching.graph import resources_of_step

        shared = resources_of_step(experiment, run.step)
    resources = {each.name: _with_logdir(each, logdir) for each in shared}
    for name, value in run.point.resources:
        text = None if isinstance(value, bool) else str(value)
        words = tuple(map(value_text, value)) if isinstance(value, tuple) else text
        resources[name] = _with_logdir(Hparam(name, value, words), logdir)
    return tuple(resources.values())


def _with_logdir(resource: Hparam, logdir: Logdir) -> Hparam:
    text = logdir.in_value(resource.text)
    return resource._replace(text=tuple(text) if isinstance(text, list) else text)


def condition(text: str, names: Collection[str], with_state: bool) -> Expression:
    """Read ``--where``, over hyperparameters, resources, the tag and, ``with_state``, what only
    runs have that exist: their state and name.

    Raises:
        RunxError: It is malformed, or names something else.

    >>> condition("lr < 1", ["lr"], False).holds({"lr": 0.1})
    True
    """
    from runx.sweeps.expressions import parse

    try:
        expression = parse(text, {*names, STATE, TAG, RUN})
    except ExpressionError as error:
        raise RunxError(f"--where {error}") from None
    of_existing = [name for name in (STATE, RUN) if name in expression.names - {*names}]
    if of_existing and not with_state:
        raise RunxError(
            f"--where {text}: {of_existing[0]} goes with --resume; without, every run is new"
        )
    return expression


def selected(plan: LaunchPlan, options: LaunchOptions) -> LaunchPlan:
    """Return a plan with those of its attempts that the options select."""
    if not options.selects:
        return plan
    attempts = list(plan.attempts)
    if options.where:
        values = (named_values(attempt.run, attempt.state) for attempt in attempts)
        try:
            attempts = list(compress(attempts, options.where.choose(values)))
        except ExpressionError as error:
            raise RunxError(f"--where {error}") from None
    if options.seed is not None:
        from random import Random

        Random(f"runx {options.seed}").shuffle(attempts)
    attempts = attempts[: options.limit]
    return plan._replace(attempts=tuple(sorted(attempts, key=lambda attempt: attempt.is_new)))


def named_values(run: Run, state: str) -> dict[str, Value]:
    """Return what an expression may name of a planned run, by name."""
    resources: dict[str, Any] = {
        RESOURCE + name.upper(): value for name, value in run.point.resources
    }
    return {STATE: state, RUN: run.name, TAG: run.tag, **resources, **run.hparams}
