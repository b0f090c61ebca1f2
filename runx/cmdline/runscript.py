"""run.sh: what a run executes, made from one template that needs bash and nothing of runx."""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from runx.cmdline.command import is_execable, script_command, script_exports
from runx.cmdline.styles import DASHES, Style
from runx.cmdline.wrapping import (
    PLAIN,
    Requeue,
    Shell,
    Spread,
    body,
    exports,
    on_warning,
    teardown,
    way_back,
)
from runx.types import Run

_ALONE = Spread()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run.sh of a launch has in common.

    ``path`` is the launcher's PATH, ``pythonpath`` has LOGDIR in it, ``project`` is where the
    launch was made. A run goes back to its scheduler by ``handback``, a command and an exit status.
    """

    experiment: str
    cmd: str
    pythonpath: str
    path: str
    project: str
    style: Style = DASHES
    shell: Shell = PLAIN
    requeue: Requeue | None = None
    handback: tuple[str, int] = ("", 0)


def script(run: Run, around: Surroundings, spread: Spread = _ALONE) -> str:
    """Render the run.sh of one run; it holds no path of the run's own, so that it can be moved."""
    told = script_exports(run.point, around.style)
    command = script_command(around.cmd, run.point, around.style)
    words = {
        "COMMAND": told + body(command, is_execable(around.cmd), around.shell, spread),
        "RUN": run.name,
        **_common(around),
    }
    parts = list(_parts())
    parts[1::2] = [words[name] for name in parts[1::2]]
    return "".join(parts)


@functools.lru_cache(maxsize=8)
def _common(around: Surroundings) -> dict[str, str]:
    return {
        "EXPERIMENT": around.experiment.replace("\n", " "),
        "EXPERIMENT_WORD": shlex.quote(around.experiment),
        "PROJECT": shlex.quote(around.project),
        "PYTHONPATH": _by_variable(around.pythonpath),
        "PATH": shlex.quote(around.path),
        "ENV": exports(around.shell),
        "ERRORS": "2>>errors.log" if around.shell.separate else "2>&1",
        "ON_WARNING": on_warning(around.requeue),
        "TEARDOWN": teardown(around.shell),
        "AGAIN": way_back(around.requeue, *around.handback),
    }


def _by_variable(text: str) -> str:
    parts = (shlex.quote(part) if part else "" for part in text.split("LOGDIR"))
    return '"$RUNX_LOGDIR"'.join(parts)


@functools.lru_cache(maxsize=1)
def _parts() -> tuple[str, ...]:
    template = Path(__file__).with_name("run.sh.in").read_text(encoding="utf-8")
    return tuple(re.split(r"@([A-Z_]+)@", template))
