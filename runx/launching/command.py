"""CMD checked when it is planned: bash can read it, and each hyperparameter has its place in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from runx.config.experiment import Experiment
from runx.errors import SettingsError
from runx.rundir.placement import is_program, placed_names, placement, refusal, trimmed
from runx.sweeps import summary
from runx.sweeps.shelltext import LOGDIR, LOGDIR_MARK, may_be_malformed
from runx.sweeps.sweep import Sweep

_SECONDS = 10
"""How long bash may take to read a text."""

_HOSTILE = re.compile(r"['\"$`\\\n]")


def check_command(experiment: Experiment, sweep: Sweep) -> None:
    """Raise a SettingsError where CMD, SETUP, WRAP or TEARDOWN could not be executed as meant."""
    cmd = trimmed(experiment.cmd)
    for name, text in (("CMD", cmd), *_of_shell(experiment)):
        if "\0" in text:
            raise _error(experiment, name, "holds a NUL, which no command line can; remove it")
    names: tuple[str, ...] = ()
    if "{" in cmd or not is_program(cmd):
        reserved = {name for grid in sweep.grids for name in grid.reserved}
        names = tuple([name for name in summary.names(sweep) if name not in reserved])
    _check_syntax(experiment, names)
    if names or experiment.style.style == "file":
        _check_places(experiment, sweep, cmd, names)


def check_step(experiment: Experiment, sweep: Sweep, names: tuple[str, ...]) -> None:
    """Raise a SettingsError where CMD of one step could not be executed with some hyperparameters.

    Nothing follows at its end.
    """
    for name, text in (("CMD", experiment.cmd), *_of_shell(experiment)):
        if "\0" in text:
            raise _error(experiment, name, "holds a NUL, which no command line can; remove it")
    _check_syntax(experiment, names)
    for name in placed_names(experiment.cmd, names, experiment.style.style):
        if name in names and not _is_everywhere(sweep, name):
            advice = f"write {name}: None where it is to be empty"
            raise _error(experiment, "CMD", f"{{{name}}}: not every run has {name}; {advice}")


def _check_places(experiment: Experiment, sweep: Sweep, cmd: str, names: tuple[str, ...]) -> None:
    """Raise if CMD has no place for a hyperparameter, or a place that some runs have none for."""
    from runx.sweeps.shellfill import MARK

    style = experiment.style.style
    if problem := refusal(cmd, names, style):
        raise _error(experiment, "CMD", problem)
    placed = placement(cmd, names, style)
    if placed.names and (mark := MARK.search(cmd)):
        raise _error(experiment, "CMD", f"has the character {mark[0]!a}; remove it")
    for name in placed.names:
        if name in names and not _is_everywhere(sweep, name):
            advice = f"write {name}: None where it is to be empty"
            raise _error(experiment, "CMD", f"{{{name}}}: not every run has {name}; {advice}")
    if placed.names and _HOSTILE.search(str(experiment.dir.path)):
        _check_folder(experiment, sweep, placed.text)


def _check_folder(experiment: Experiment, sweep: Sweep, text: str) -> None:
    """Raise where LOGDIR would stand inside of another shell's quotes that its path would close."""
    from runx.sweeps.shellfill import nested_marks

    choices = [choice for grid in sweep.grids for axis in grid.axes for choice in axis.choices]
    has_logdir = any(LOGDIR in str(each.text) for choice in choices for each in choice)
    if nested_marks(text) and (has_logdir or experiment.style.style == "file"):
        problem = f"{experiment.dir.path} has quotes or a dollar sign, and CMD has another shell"
        raise _error(experiment, "LOGROOT", f"{problem} read LOGDIR; choose another folder")


def _is_everywhere(sweep: Sweep, name: str) -> bool:
    """Return whether every point of a sweep has a hyperparameter."""
    for grid in sweep.grids:
        if summary.is_base(grid):
            continue
        axis = next((axis for axis in grid.axes if name in axis.names), None)
        if axis is None:
            return False
        if not all(any(each.name == name for each in choice) for choice in axis.choices):
            return False
    return True


def _check_syntax(experiment: Experiment, names: tuple[str, ...]) -> None:
    """Raise if bash can't read a text that it is to execute; it is started where it might not."""
    texts = [(name, text) for name, text in _texts(experiment, names) if may_be_malformed(text)]
    if texts and _complaint("\n".join(text for _, text in texts)):
        for name, text in texts:
            if complaint := _complaint(text):
                raise _error(experiment, name, f"bash can't read it: {complaint}")


def _texts(experiment: Experiment, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the shell text of each setting, a word in the place of each value."""
    placed = placement(experiment.cmd, names, experiment.style.style)
    text = placed.text.replace(LOGDIR_MARK, "x")
    if placed.names:
        from runx.sweeps.shellfill import MARK

        text = MARK.sub("x", text)
    yield "CMD", text
    yield from _of_shell(experiment)


def _of_shell(experiment: Experiment) -> list[tuple[str, str]]:
    """Return the settings around CMD that are shell text, WRAP with a word for what follows it."""
    shell = experiment.shell
    texts = [("SETUP", shell.setup), ("TEARDOWN", shell.teardown)]
    return [*texts, ("WRAP", f"{shell.wrap} x")] if shell.wrap else texts


def _complaint(text: str) -> str:
    """Return what bash says of a text that it can't read, or that its end cuts off."""
    from runx.processes import CommandError, run_command

    environment = {**dict.fromkeys(os.environ), "PATH": os.environ.get("PATH"), "LC_ALL": "C"}
    words = ["bash", "--norc", "--noprofile", "-n"]
    try:
        done = run_command(words, environment=environment, stdin=f"{text}\n", timeout=_SECONDS)
    except CommandError:
        return ""  # where there is no bash, no run could start anyway
    lines = [line.removeprefix("bash: ") for line in done.errors.splitlines()]
    return ": ".join(lines[:1])


def _error(experiment: Experiment, name: str, problem: str) -> SettingsError:
    return SettingsError(f"{experiment.settings[name].origin}: {name}: {problem}")
