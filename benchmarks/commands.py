"""The commands that are measured, each run in the same clean environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.turns import Cost

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent


class Python(NamedTuple):
    """An interpreter, and a folder that it imports from besides its own."""

    program: str
    path: str = ""

    def words(self, *arguments: str) -> list[str]:
        """Return the command with these arguments."""
        return [self.program, *arguments]

    def script(self, folder: str, name: str, *arguments: object) -> list[str]:
        """Return the command of one of our scripts."""
        return [self.program, str(HERE / folder / f"{name}.py"), *map(str, arguments)]

    def entry(self, module: str, *arguments: str) -> list[str]:
        """Return a command as pip installs it: without ``-m``, which costs milliseconds."""
        return [self.program, "-c", f"from runx.{module} import main; main()", *arguments]


BARE = Python(sys.executable)
OURS = Python(sys.executable, str(ROOT))
PEERS = Python(str(ROOT / ".venv-bench" / "bin" / "python"))
"""The environment into which ``make bench`` installs the original and the peers."""
TOOLS = Python(str(ROOT / ".venv-tools" / "bin" / "python"))
"""The environment into which ``make .venv-tools/made`` installs what sumx reads directories of."""


def peer(name: str, folder: Path) -> Path:
    """Copy the project of a peer into a folder, and return that."""
    shutil.copytree(HERE / "peers" / name, folder, dirs_exist_ok=True)
    return folder


class Failed(Exception):
    """A command that was to be measured has failed."""


@cache
def has(python: Python, module: str) -> bool:
    """Return whether an interpreter has a module."""
    program = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    if not os.path.exists(python.program):
        return False
    command = [python.program, "-c", program]
    # From elsewhere: our own runx is beside.
    done = subprocess.run(command, cwd="/", env=environment(python, HERE), check=False)
    return not done.returncode


def environment(python: Python, home: Path) -> dict[str, str]:
    """Return the environment of a measured command, without what makes Python behave otherwise."""
    names = ("PATH", "LANG", "TMPDIR")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    path = {"PYTHONPATH": python.path} if python.path else {}
    return {**inherited, **path, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}


def timed(
    words: Sequence[str], cwd: Path, python: Python = BARE, statuses: Iterable[int] = (0,)
) -> Cost:
    """Run a command; return its time, and the CPU time and memory of it and its children.

    Raises:
        Failed: It ended with a status that is not in ``statuses``.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment(python, cwd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in statuses:
            errors.seek(0)
            message = errors.read().decode(errors="replace").strip()
            raise Failed(f"{' '.join(words)}: exit status {process.returncode}: {message[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def self_timed(words: Sequence[str], cwd: Path, python: Python = BARE) -> Cost:
    """Return the cost that a script measures itself and prints as its last line, in JSON."""
    done = subprocess.run(
        words, cwd=cwd, env=environment(python, cwd), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(words)}: exit status {done.returncode}: {done.stderr[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def with_disk(cost: Cost, folder: Path) -> Cost:
    """Return a cost with the inodes and disk space of a folder; hard links count once."""
    sizes: dict[int, int] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(f"{place}/{name}")
            sizes[status.st_ino] = status.st_blocks * 512
    return cost._replace(inodes=len(sizes), disk=sum(sizes.values()) / 1e6)
