"""The command of a step: what of a point it places; nothing follows at its end."""

from __future__ import annotations

import re

from runx.rundir.argv import shell_command
from runx.rundir.logdir import Logdir
from runx.rundir.placement import ARGS, FILE, placed_names
from runx.rundir.run import Run
from runx.rundir.styles import Style
from runx.sweeps.values import Hparam, Point

DIRECTORY = re.compile(r"(?<![{$])\{([A-Za-z]\w*)\.(dirs?)\}")
"""What stands in a step's CMD for the directories of a step that it is after."""
_EXPERIMENT = re.compile(r"(?<![\w$])(?<!\$\{)EXPERIMENT(?!\w)")


def with_experiment(cmd: str, is_shared: bool) -> str:
    """Return a step's CMD with the experiment's directory, from its LOGDIR, for EXPERIMENT.

    >>> with_experiment("sumx EXPERIMENT $EXPERIMENT", is_shared=True)
    'sumx LOGDIR/../.. $EXPERIMENT'
    """
    return _EXPERIMENT.sub("LOGDIR/../.." if is_shared else "LOGDIR/..", cmd)


def is_directory(hparam: Hparam) -> bool:
    """Return whether a value of a step's point is a directory of what it is after."""
    return DIRECTORY.fullmatch(f"{{{hparam.name}}}") is not None


def of_step(run: Run, style: Style) -> tuple[str, Point, Style]:
    """Return the CMD of a step, that part of its point which CMD takes, and the style it does in.

    In the environment, or in a file that CMD names, all hyperparameters are.
    """
    assert run.step is not None
    placed = placed_names(run.step.cmd, [each.name for each in run.point.hparams], style.style)
    takes_all = ARGS in placed or FILE in placed or style.style == "env"
    hparams = tuple(
        each
        for each in run.point.hparams
        if each.name in placed or (takes_all and not is_directory(each))
    )
    if style.style == "file" and FILE not in placed:
        style = style._replace(style="dashes")
    cmd = with_experiment(run.step.cmd, not run.step.per.is_run)
    return cmd, run.point._replace(hparams=hparams), style


def logdir_of(run: Run) -> Logdir:
    """Return LOGDIR of a step: its run's, or its own directory where runs share it.

    >>> from runx.rundir.paths import RunDir
    >>> from runx.rundir.steps import Step
    >>> logdir_of(Run("owl/steps/eval", RunDir("/x/owl/steps/eval"), Point(()), Step("eval", "")))
    Logdir(path='/x/owl')
    """
    is_own = run.step is not None and run.step.per.is_run
    return Logdir.at(run.dir.path.parent.parent if is_own else run.dir)


def step_command(run: Run, style: Style) -> str:
    """Return the command of a step with the paths of its directories."""
    cmd, point, style = of_step(run, style)
    return shell_command(cmd, point, logdir_of(run), style)
