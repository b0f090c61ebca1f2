"""STEPS checked against the hyperparameters of a sweep: names, places, PER, shell text, farms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runx.config.experiment import LOCAL, Experiment, Setting
from runx.errors import SettingsError
from runx.launching.command import check_step
from runx.launching.targets import places_of_job
from runx.nearest import suggestion
from runx.rundir.placement import ARGS, FILE, placed_names
from runx.rundir.step_command import DIRECTORY
from runx.rundir.steps import Step, ancestors, leaders
from runx.sweeps import summary
from runx.sweeps.sweep import Sweep


def check_steps(experiment: Experiment, sweep: Sweep) -> None:
    """Raise a SettingsError where the steps of an experiment could not be executed as meant."""
    reserved = {name for grid in sweep.grids for name in grid.reserved}
    names = [name for name in summary.names(sweep) if name not in reserved]
    for step in experiment.steps:
        _check_names(experiment, step, names)
        _check_places(experiment, step, names)
        check_step(_of_step(experiment, step), sweep, tuple(_own(step, names)))
        _check_farms(experiment, step)
    _check_all_placed(experiment, names)


def _error(experiment: Experiment, step: Step, key: str, problem: str) -> SettingsError:
    place = experiment.entries["STEPS"].at(step.name, key) if key else step.origin
    return SettingsError(f"{place}: STEPS.{step.name}: {problem}")


def _of_step(experiment: Experiment, step: Step) -> Experiment:
    """Return an experiment with the CMD of a step, and what stands around it."""
    entry = experiment.entries["STEPS"]
    shell = step.shell or experiment.shell
    own = {
        key: Setting("", f"{entry.at(step.name, key)}: STEPS.{step.name}")
        for key in ("CMD", "SETUP", "TEARDOWN", "WRAP")
    }
    settings: Mapping[str, Setting] = {**experiment.settings, **own}
    return experiment._replace(cmd=step.cmd, shell=shell, settings=settings)


def _own(step: Step, names: list[str]) -> list[str]:
    """Return the hyperparameters by which executions of a step differ."""
    per = step.per
    return [name for name in names if per.is_run or (name in per.names) != per.without]


def _check_names(experiment: Experiment, step: Step, names: list[str]) -> None:
    if step.name in names:
        raise _error(experiment, step, "", "a hyperparameter has this name, too; choose another")
    for name in step.per.names:
        if name not in names:
            advice = suggestion(name, names)
            raise _error(experiment, step, "PER", f"PER: {name} is no hyperparameter; {advice}")


def _check_places(experiment: Experiment, step: Step, names: list[str]) -> None:
    """Raise for a place in CMD of which the step has nothing, or more than it takes."""
    own = _own(step, names)
    for name in placed_names(step.cmd, names, experiment.style.style):
        if name in names and name not in own:
            raise _error(
                experiment,
                step,
                "CMD",
                f"CMD: {{{name}}} isn't the same for all runs that share it; add it to PER",
            )
    steps = {each.name: each for each in experiment.steps}
    before = ancestors(experiment.steps)[step.name]
    for name, many in DIRECTORY.findall(step.cmd):
        place = f"{{{name}.{many}}}"
        if f"{name}.{many}" in names:
            continue
        if name not in steps:
            raise _error(
                experiment, step, "CMD", f"CMD: {place}: no such step; {suggestion(name, steps)}"
            )
        if name not in before:
            raise _error(
                experiment, step, "CMD", f"CMD: {place}: it isn't after {name}; add that to AFTER"
            )
        if many == "dirs" and not _stands_alone(place, step.cmd):
            problem = f"CMD: {place} becomes several words: it must stand alone, as in"
            advice = f"`for run in {place}; do cat $run/x; done`"
            raise _error(experiment, step, "CMD", f"{problem} {advice}")
        if many == "dir" and not _is_one(step, steps[name], names):
            raise _error(
                experiment, step, "CMD", f"CMD: {place}: there are several; write {{{name}.dirs}}"
            )


def _stands_alone(place: str, cmd: str) -> bool:
    """Return whether a place is a word of its own wherever it stands in a command.

    >>> _stands_alone("{a.dirs}", "cat {a.dirs}; ls"), _stands_alone("{a.dirs}", "cat {a.dirs}/x")
    (True, False)
    """
    alone = re.findall(rf"(?<![^\s(]){re.escape(place)}(?![^\s;|&)])", cmd)
    return len(alone) == cmd.count(place)


def _is_one(step: Step, before: Step, names: list[str]) -> bool:
    """Return whether one execution of an earlier step falls into each of a step."""
    if before.per.is_run:
        return step.per.is_run
    return set(_own(before, names)) <= set(_own(step, names)) or step.per.is_run


def _check_all_placed(experiment: Experiment, names: list[str]) -> None:
    """Raise for a hyperparameter that no step is given."""
    style = experiment.style.style
    placed: set[str] = set()
    for step in experiment.steps:
        own = placed_names(step.cmd, names, style)
        takes_all = style == "env" or ARGS in own or FILE in own
        placed.update(_own(step, names) if takes_all else own)
    for name in names:
        if name not in placed:
            raise SettingsError(
                f"{experiment.at(name)}: {name}: no step is given it; write {{{name}}}, or {{args}}"
                " for all, into the CMD of one"
            )


def _check_farms(experiment: Experiment, step: Step) -> None:
    """Raise where a step would wait for one of another farm, but for one here, at launch."""
    own = _farms(experiment, step)
    for name, farms in _farms_before(experiment, step):
        if not {*own, LOCAL} & {*farms}:
            raise _error(
                experiment,
                step,
                "AFTER",
                f"it is for {' or '.join(own)}, after {name} at {' or '.join(farms)}, and jobs"
                " can't wait for those of another farm; only FARM: local may come before one",
            )


def _farms_before(experiment: Experiment, step: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in experiment.steps:
        if each.name in step.after:
            yield each.name, _farms(experiment, each)


def _farms(experiment: Experiment, step: Step) -> tuple[str, ...]:
    """Return the names of the farms that a step may go to."""
    leader = leaders(experiment.steps)[step.name]
    own = next(each for each in experiment.steps if each.name == leader)
    return places_of_job(experiment, own)
