"""run.sh: what a run executes, made from one template that needs bash and nothing of runx."""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from runx.command import is_execable, script_command, script_exports
from runx.styles import DASHES, Style
from runx.types import Run


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run.sh of a launch has in common.

    ``path`` is the launcher's PATH, ``pythonpath`` has LOGDIR in it, ``project`` is where the
    launch was made.
    """

    experiment: str
    cmd: str
    pythonpath: str
    path: str
    project: str
    style: Style = DASHES


def script(run: Run, around: Surroundings) -> str:
    """Render the run.sh of one run; it holds no path of the run's own, so that it can be moved."""
    exports = script_exports(run.point, around.style)
    command = script_command(around.cmd, run.point, around.style)
    words = {
        "COMMAND": exports + ("exec " if is_execable(around.cmd) else "") + command,
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
        "PYTHONPATH": '"$RUNX_LOGDIR"'.join(map(shlex.quote, around.pythonpath.split("LOGDIR"))),
        "PATH": shlex.quote(around.path),
    }


@functools.lru_cache(maxsize=1)
def _parts() -> tuple[str, ...]:
    template = Path(__file__).with_name("run.sh.in").read_text(encoding="utf-8")
    return tuple(re.split(r"@([A-Z_]+)@", template))
