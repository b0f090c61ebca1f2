"""The preview of runs with STEPS: each step that would be executed, and how many of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from runx.config.experiment import LOCAL, Experiment
from runx.export.table import aligned
from runx.launching.graph import farm_of_step, resources_of_step, step_runs
from runx.rundir.run import Run
from runx.rundir.step_command import step_command
from runx.rundir.steps import Per, leaders
from runx.sweeps import summary
from runx.sweeps.values import Hparam

_HEAD = ("step", "starting", "per", "after", "where", "needs")


class StepCount(NamedTuple):
    """How many executions of a step would start, of what, after what, where, with what needs.

    Those are of the first where they ``differ``.
    """

    name: str
    starting: int
    per: str
    after: str
    where: str
    resources: tuple[Hparam, ...]
    differ: bool = False

    def json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        needs = {resource.name: resource.value for resource in self.resources}
        return {**self._asdict(), "resources": needs}


def lines(experiment: Experiment, runs: Sequence[Run]) -> Iterator[str]:
    """Return the command of each step, in the order in which they would be executed here."""
    steps = runs if all(run.step for run in runs) else step_runs(experiment, runs).steps
    for step in steps:
        yield step_command(step, experiment.style)


def step_counts(experiment: Experiment, starting: Iterable[Run]) -> list[StepCount]:
    """Return how many executions of each step would start, in the order of what is after what.

    Where they go to several farms, or ask for different things, the first tells what, with a sign.
    """
    by_name: dict[str, list[Run]] = {step.name: [] for step in experiment.steps}
    for run in starting:
        if run.step:
            by_name[run.step.name].append(run)
    leader = leaders(experiment.steps)
    found = []
    for named in experiment.steps:
        own = [run.step for run in by_name[named.name] if run.step] or [named]
        step = own[0]
        farm = farm_of_step(experiment, step)
        farms = dict.fromkeys(each.chosen.farm for each in own if each.chosen)
        where = ", ".join(farms) or (farm.name if farm else LOCAL)
        if leader[step.name] != step.name and farm:
            where = f"the job of {leader[step.name]}"
        after = ", ".join(
            f"{name} ended" if when == "ended" else name for name, when in step.after.items()
        )
        needs = resources_of_step(experiment, step) if leader[step.name] == step.name else ()
        differ = len({each.chosen.resources for each in own if each.chosen}) > 1
        found.append(
            StepCount(
                step.name,
                len(by_name[step.name]),
                per_text(step.per),
                after,
                where,
                needs,
                differ and bool(needs),
            )
        )
    return found


def per_text(per: Per) -> str:
    """Return of what there is one execution of a step, as PER says it.

    >>> per_text(Per((), True)), per_text(Per()), per_text(Per(("seed",), True))
    ('run', 'sweep', 'all but seed')
    """
    if not per.names:
        return "run" if per.without else "sweep"
    return f"{'all but ' if per.without else ''}{', '.join(per.names)}"


def table_of(counts: Sequence[StepCount]) -> str:
    """Return the counts as a table for the terminal."""
    rows = [
        (
            *(each.name, f"{each.starting:,}", each.per, each.after, each.where),
            ", ".join(f"{one.name}: {summary.shown(one)}" for one in each.resources)
            + "; others differ" * each.differ,
        )
        for each in counts
    ]
    shown = [at for at, name in enumerate(_HEAD) if name != "needs" or any(row[5] for row in rows)]
    right = [_HEAD[at] == "starting" for at in shown]
    return aligned([_HEAD[at] for at in shown], [[row[at] for at in shown] for row in rows], right)
