"""The steps of the runs of a plan, as runs of their own that wait for each other. Pure."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runx.config.experiment import LOCAL, Experiment
from runx.farms.base import Farm
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.step_command import DIRECTORY
from runx.rundir.steps import Predecessor, Step, When, ancestors, leaders
from runx.sweeps.identity import identity
from runx.sweeps.values import Hparam, Point


class StepRuns(NamedTuple):
    """The steps of runs: all in the order in which they are best executed, and those of each run.

    A run's own chain follows the shared steps that it waits for. ``of`` has what a run needs: its
    own steps and the shared ones that come before. ``ids`` are the identities.
    """

    steps: tuple[Run, ...]
    of: Mapping[RunDir, tuple[Run, ...]]
    ids: Mapping[RunDir, str]

    def record(self, run: Run) -> dict[str, Any]:
        """Return what run.json of a run has of its steps; none yet where it was renamed."""
        steps = self.of.get(run.dir, ())
        names = {step.dir: step.step.name for step in steps if step.step is not None}
        return {
            "steps": [
                {
                    "name": names[step.dir],
                    "dir": relative(step.dir, run.dir),
                    "after": {
                        names[each.dir]: each.when for each in step.after if each.dir in names
                    },
                }
                for step in steps
            ]
        }


class _Instance:
    """One execution of a step: for the runs with these indices, after these others.

    ``upstream``: the directories of all without which it never begins.
    """

    __slots__ = ("after", "hparams", "members", "run", "step", "upstream")

    def __init__(self, step: Step, hparams: tuple[Hparam, ...]) -> None:
        self.step, self.hparams = step, hparams
        self.members: list[int] = []
        self.after: dict[_Instance, When] = {}
        self.upstream: dict[RunDir, None] = {}
        self.run: Run


_Instances = Mapping[str, "list[_Instance]"]


def step_runs(
    experiment: Experiment, runs: Sequence[Run], codes: Mapping[str, str] = {}
) -> StepRuns:
    """Return a Run for each step of each run, and for each step that several runs share.

    ``codes`` are the digests of the files of CODE, by the names of steps.
    """
    instances: dict[str, list[_Instance]] = {}
    ids: dict[RunDir, str] = {}
    for step in experiment.steps:
        instances[step.name] = _instances(experiment, step, runs)
        for index, instance in enumerate(instances[step.name]):
            for name, when in step.after.items():
                instance.after[instances[name][index]] = when
        for instance in dict.fromkeys(instances[step.name]):
            id = _identity(experiment, instance, ids, codes.get(step.name, ""))
            instance.run = _run(experiment, instance, runs, instances, id)
            ids[instance.run.dir] = id
    return StepRuns(*_ordered(experiment, runs, instances), ids)


def _instances(experiment: Experiment, step: Step, runs: Sequence[Run]) -> list[_Instance]:
    """Return for each run the execution of a step that is its own, or that it shares."""
    by_key: dict[object, _Instance] = {}
    instances = []
    for index, run in enumerate(runs):
        hparams = hparams_of(step, run.point)
        key: object = index
        if not step.per.is_run:
            key = experiment.identity.of("", {each.name: each.value for each in hparams})
        instance = by_key.get(key)
        if instance is None:
            instance = by_key[key] = _Instance(step, hparams)
        instance.members.append(index)
        instances.append(instance)
    return instances


def hparams_of(step: Step, point: Point) -> tuple[Hparam, ...]:
    """Return the hyperparameters of a point by which executions of a step differ."""
    per = step.per
    if per.is_run:
        return point.hparams
    return tuple(each for each in point.hparams if (each.name in per.names) != per.without)


def _identity(
    experiment: Experiment, instance: _Instance, ids: Mapping[RunDir, str], code: str
) -> str:
    """Return the identity of a step: of its CMD, its hyperparameters, and what it is after.

    For what gathers steps of runs, the names of the runs count, too.
    """
    step = instance.step
    id = experiment.identity.of(step.cmd, {each.name: each.value for each in instance.hparams})
    after = [
        f"{each.run.name} {ids[each.run.dir]}" if gathers else ids[each.run.dir]
        for each in instance.after
        for gathers in [each.step.per.is_run and not step.per.is_run]
    ]
    return identity(json.dumps([id, sorted(after), code]), {}) if after or code else id


def _run(
    experiment: Experiment,
    instance: _Instance,
    runs: Sequence[Run],
    instances: _Instances,
    id: str,
) -> Run:
    """Return an execution of a step as a run, with its directory and its point."""
    step, first = instance.step, runs[instance.members[0]]
    name = f"steps/{step.name}-{id[:8]}"
    if step.per.is_run:
        name = f"{first.name}/steps/{step.name}"
    hparams = (*instance.hparams, *_directories(instance, runs, instances))
    point = Point(hparams)
    if step.per.is_run:
        point = point._replace(resources=first.point.resources, trial=first.point.trial)
    dir = first.dir.step(step.name) if step.per.is_run else experiment.dir.run(name)
    after = tuple(
        [
            Predecessor(each.run.dir, when, tuple(each.upstream) if when == "ended" else ())
            for each, when in instance.after.items()
        ]
    )
    for each, when in instance.after.items():
        if when == "done":
            instance.upstream |= {**each.upstream, each.run.dir: None}
    return Run(name, dir, point, step, after)


def _directories(
    instance: _Instance, runs: Sequence[Run], instances: _Instances
) -> tuple[Hparam, ...]:
    """Return the values of what CMD names of earlier steps, as ``{tokens.dir}``."""
    hparams = {}
    for name, many in DIRECTORY.findall(instance.step.cmd):
        if name in instances and name != instance.step.name:
            of = dict.fromkeys(instances[name][index] for index in instance.members)
            paths = tuple(_path(each, instance, runs) for each in of)
            value = paths if many == "dirs" else paths[0]
            hparams[name, many] = Hparam(f"{name}.{many}", value, value)
    return tuple(hparams.values())


def _path(before: _Instance, instance: _Instance, runs: Sequence[Run]) -> str:
    """Return LOGDIR of an earlier step as a path from that of one after it."""
    up = "LOGDIR/.." if instance.step.per.is_run else "LOGDIR/../.."
    if not before.step.per.is_run:
        return f"{up}/{before.run.name}"
    return "LOGDIR" if instance.step.per.is_run else f"{up}/{runs[before.members[0]].name}"


def _ordered(
    experiment: Experiment, runs: Sequence[Run], instances: _Instances
) -> tuple[tuple[Run, ...], dict[RunDir, tuple[Run, ...]]]:
    """Return all steps, a run's chain before the next run's, and what each run needs."""
    before = ancestors(experiment.steps)
    own = [step.name for step in experiment.steps if step.per.is_run]
    needed = {name for step in own for name in (step, *before[step])}
    ordered: dict[RunDir, Run] = {}
    of: dict[RunDir, tuple[Run, ...]] = {}
    for index, run in enumerate(runs):
        of[run.dir] = tuple(instances[name][index].run for name in instances if name in needed)
        for step in of[run.dir]:
            ordered.setdefault(step.dir, step)
    for name in instances:
        for instance in dict.fromkeys(instances[name]):
            ordered.setdefault(instance.run.dir, instance.run)
    return tuple(ordered.values()), of


def resources_of_step(experiment: Experiment, step: Step) -> tuple[Hparam, ...]:
    """Return what a step asks for: as it was chosen, else RESOURCES of the one that leads its job.

    Those are the experiment's where that says none.
    """
    if step.chosen is not None:
        return step.chosen.resources
    leader = leaders(experiment.steps)[step.name]
    own = next(each.resources for each in experiment.steps if each.name == leader)
    return experiment.resources if own is None else own


def farm_of_step(experiment: Experiment, step: Step) -> Farm | None:
    """Return the farm of a step, None where it runs on this machine."""
    if step.chosen is not None:
        name = step.chosen.farm
    else:
        leader = leaders(experiment.steps)[step.name]
        name = next(each.farm for each in experiment.steps if each.name == leader)
    if name == LOCAL:
        return None
    return experiment.farms.get(name, experiment.farm)


def relative(dir: RunDir, start: RunDir) -> str:
    """Return the path of a directory from another.

    >>> relative(RunDir("/x/steps/tokens-1"), RunDir("/x/owl/steps/train"))
    '../../../steps/tokens-1'
    """
    return os.path.relpath(dir, start)
