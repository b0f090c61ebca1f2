"""The steps of a run, as STEPS says them: what each executes, for whom, after what, and where."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from runx.rundir.paths import RECORD, STEPS, ExperimentDir, RunDir

if TYPE_CHECKING:
    from runx.rundir.handback import Requeue
    from runx.rundir.shell import Shell
    from runx.sweeps.values import Hparam

When: TypeAlias = Literal["done", "ended"]
"""When a step may start that waits for another: when that is done, or has ended somehow."""


class Per(NamedTuple):
    """Of what there is one execution of a step: of each run, of the sweep, or of some values.

    Of the sweep: no ``names`` and not ``without``. Of each run: nothing and ``without``, since all
    hyperparameters differ but none. Else of each combination of the values of ``names``, or of all
    but these.

    >>> Per((), True).is_run, Per(("dataset",)).is_run
    (True, False)
    """

    names: tuple[str, ...] = ()
    without: bool = False

    @property
    def is_run(self) -> bool:
        """Whether each run has it for itself."""
        return self.without and not self.names


RUN, SWEEP = Per((), True), Per()


class Choice(NamedTuple):
    """Where a step goes, by the name of a farm or ``local``, and what it asks for there."""

    farm: str
    resources: tuple[Hparam, ...]


class Step(NamedTuple):
    """One entry of STEPS.

    ``resources``: None where the step goes into the job of the step before. ``farm``: the name of
    one of its own, ``local`` for this machine, "" for the experiment's. ``requeue``, ``shell``:
    None where they are the experiment's. ``code``: the names of the files that a shared step rests
    on, None where it doesn't say. ``origin``: where it stands, as ``sweep.yml:12``.

    ``resources`` are the first of the ``alternatives``. ``choices``: the step as it is at each of
    the farms that it, or its job, may go to, where there are several; it goes where it starts
    ``soonest``, or else to the first that fits. ``chosen`` is there once that is decided.
    """

    name: str
    cmd: str
    after: Mapping[str, When] = {}
    per: Per = RUN
    resources: tuple[Hparam, ...] | None = None
    farm: str = ""
    requeue: Requeue | None = None
    shell: Shell | None = None
    code: tuple[str, ...] | None = None
    origin: str = ""
    alternatives: tuple[tuple[Hparam, ...], ...] = ()
    choices: Mapping[str, Step] = {}
    soonest: bool = False
    chosen: Choice | None = None


class Predecessor(NamedTuple):
    """What a step waits for: the directory of another, until that is done or has ended.

    ``upstream``: of one that is to end, those that it is itself after. It never begins where one
    of them fails.
    """

    dir: RunDir
    when: When = "done"
    upstream: tuple[RunDir, ...] = ()


def ancestors(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """Return the names of the steps that each is after, directly or not."""
    before: dict[str, frozenset[str]] = {}
    for step in steps:
        before[step.name] = frozenset(step.after).union(*(before[name] for name in step.after))
    return before


def leaders(steps: Sequence[Step]) -> dict[str, str]:
    """Return for each step the one whose job it goes into, its own name where that is its own.

    A step that says nothing of RESOURCES, FARM and REQUEUE goes into the job of the steps PER the
    same that it is after, where these are in one.
    """
    leader: dict[str, str] = {}
    per = {step.name: step.per for step in steps}
    before = ancestors(steps)
    for step in steps:
        says = step.resources is not None or step.farm or step.requeue is not None
        same = {leader[name] for name in step.after if per[name] == step.per}
        others = {name for name in step.after if per[name] != step.per}
        joins = not says and len(same) == 1 and others <= before[next(iter(same))]
        leader[step.name] = same.pop() if joins else step.name
    return leader


def own_steps(run: RunDir) -> list[RunDir]:
    """Return the directories of a run's own steps, none for most runs."""
    folder = f"{os.fspath(run)}/{STEPS}"
    return [RunDir(f"{folder}/{name}") for name in _names(folder)]


def shared_steps(experiment: ExperimentDir) -> list[RunDir]:
    """Return the directories of the steps that runs of an experiment share."""
    return [experiment.run(f"{STEPS}/{name}") for name in _names(experiment.steps)]


def _names(folder: str | Path) -> list[str]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if os.path.isfile(f"{folder}/{name}/{RECORD}")]  # noqa: PTH113
