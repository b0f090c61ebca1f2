"""bound.sh and fallback.sh: what run.sh executes of a run whose values a search has chosen.

Such a file defines the `train` of run.sh, and writes the files with the run's hyperparameters. What
it is made of besides its point stands in its last line, so that a run can be given another point
wherever it starts, with what its launch has set, whatever later launches set.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import StoreError
from runx.rundir.argv import unplaced
from runx.rundir.files import encodable
from runx.rundir.logdir import Logdir
from runx.rundir.paths import HPARAMS, RunDir
from runx.rundir.run import Run
from runx.rundir.script import ONE_PROCESS, NodeLayout, ScriptSettings, train
from runx.rundir.shell import Shell
from runx.rundir.step_command import is_directory
from runx.rundir.steps import RUN, Step
from runx.rundir.styles import Style
from runx.sweeps.values import Hparam, Point

if TYPE_CHECKING:
    from runx.rundir.configfile import ConfigFile

_MADE_OF = "# made of: "

_WRITE = """\
# Whole, or not at all: steps of one run may do so at a time.
give() {
  [ -s "$1" ] || { printf %s "$2" >"$1.$host.$$" && mv -f -- "$1.$host.$$" "$1"; } || return
}
"""


class Command(NamedTuple):
    """What the command of a run is made of, besides its point.

    ``step`` is the name of a step, whose CMD ``cmd`` is then; ``directories`` are those of what it
    is after, as its CMD takes them. ``config`` is the script's own file, where ``style`` has one.
    """

    cmd: str
    style: Style
    shell: Shell
    spread: NodeLayout = ONE_PROCESS
    step: str = ""
    directories: tuple[Hparam, ...] = ()
    config: ConfigFile | None = None


def command_of(
    run: Run,
    common: ScriptSettings,
    spread: NodeLayout = ONE_PROCESS,
    config: ConfigFile | None = None,
) -> Command:
    """Return what the command of a run, or of a step of its own, is made of."""
    step = run.step
    return Command(
        cmd=step.cmd if step else common.cmd,
        style=common.style,
        shell=common.shell,
        spread=spread,
        step=step.name if step else "",
        directories=tuple(each for each in run.point.hparams if step and is_directory(each)),
        config=config if common.style.style == "file" else None,
    )


def bound_text(command: Command, dir: RunDir, point: Point) -> str:
    """Return bound.sh of the run in a directory, or of a step, given the run's whole point."""
    run = Run(dir.path.name, dir, point)
    if command.step:
        step = Step(command.step, command.cmd, per=RUN)
        hparams = (*point.hparams, *command.directories)
        run = run._replace(point=point._replace(hparams=hparams), step=step)
    common = ScriptSettings("", command.cmd, "", "", "", command.style, command.shell)
    cmd = "" if command.step else command.cmd
    files = hparam_files(cmd, point, Logdir.at(dir.owner), command.style, command.config)
    lines = [
        "# The command of this run, with the values that its search has chosen; run.sh reads it.",
        train(run, common, command.spread),
        _WRITE.rstrip(),
        *(f'give "$RUNX_LOGDIR"/{name} {shlex.quote(text)} || return' for name, text in files),
        f"{_MADE_OF}{json.dumps(_encoded(command))}",
    ]
    return "\n".join(lines) + "\n"


def read_command(text: str) -> Command:
    """Return what a bound.sh or fallback.sh is made of.

    Raises:
        StoreError: It is damaged.
    """
    last = text.rstrip("\n").rpartition("\n")[2]
    try:
        if not last.startswith(_MADE_OF):
            raise ValueError("its last line is missing")
        return _decoded(json.loads(last.removeprefix(_MADE_OF)))
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"it is damaged: {error}") from error


def hparam_files(
    cmd: str, point: Point, logdir: Logdir, style: Style, config: ConfigFile | None
) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the files that a run has of its hyperparameters."""
    values = logdir.in_value({each.name: each.value for each in point.hparams})
    yield HPARAMS, encodable(json.dumps(values, indent=4, ensure_ascii=False)) + "\n"
    if style.style == "file":
        from runx.rundir.configfile import config_text  # not at start

        rest = unplaced(cmd, point, style, config.paths if config else ())
        yield f"config.{style.format}", config_text(rest, logdir, style, config)


def _encoded(command: Command) -> dict[str, Any]:
    config = command.config
    kept = config and (config.source, config.format, config.text, sorted(config.removed))
    return {**command._asdict(), "config": kept}


def _decoded(content: dict[str, Any]) -> Command:
    if content["config"]:
        from runx.rundir.configfile import config_file

        source, format, text, removed = content["config"]
        config = config_file(text, source, format)._replace(removed=frozenset(removed))
        content = {**content, "config": config}
    shell = Shell(*content["shell"])
    variables = tuple((name, value) for name, value in shell.environment)
    directories = tuple(Hparam(*map(_tupled, each)) for each in content["directories"])
    return Command(**content)._replace(
        style=Style(*content["style"]),
        shell=shell._replace(environment=variables),
        spread=NodeLayout(*content["spread"]),
        directories=directories,
    )


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
