"""Running what is measured, each time from the same clean environment."""

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
    """An interpreter, and the folder that it imports from besides its own."""

    program: str
    path: str = ""

    def words(self, *arguments: str) -> list[str]:
        """Give the words of a call."""
        return [self.program, *arguments]

    def script(self, folder: str, name: str, *arguments: object) -> list[str]:
        """Give the words that run one of our scripts."""
        return [self.program, str(HERE / folder / f"{name}.py"), *map(str, arguments)]

    def entry(self, module: str, *arguments: str) -> list[str]:
        """Give the words of a command as pip installs it: no ``-m``, which costs milliseconds."""
        return [self.program, "-c", f"from runx.{module} import main; main()", *arguments]


BARE = Python(sys.executable)
OURS = Python(sys.executable, str(ROOT))
PEERS = Python(str(ROOT / ".venv-bench" / "bin" / "python"))
"""Where ``make bench`` installs the original and the peers."""


def peer(name: str, folder: Path) -> Path:
    """Put the files of a peer's project into a folder."""
    shutil.copytree(HERE / "peers" / name, folder, dirs_exist_ok=True)
    return folder


class Failed(Exception):
    """A command that was to be measured did not do its job."""


@cache
def has(python: Python, module: str) -> bool:
    """Say whether an interpreter has a module."""
    asked = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    if not os.path.exists(python.program):
        return False
    command = [python.program, "-c", asked]
    # From elsewhere: our own runx is beside.
    done = subprocess.run(command, cwd="/", env=environment(python, HERE), check=False)
    return not done.returncode


def environment(python: Python, home: Path) -> dict[str, str]:
    """Give what a measured command sees: nothing that makes Python behave otherwise."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    path = {"PYTHONPATH": python.path} if python.path else {}
    return {**kept, **path, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}


def timed(
    words: Sequence[str], cwd: Path, python: Python = BARE, statuses: Iterable[int] = (0,)
) -> Cost:
    """Run a command to its end: its time, the CPU and memory of it and its children."""
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
            said = errors.read().decode(errors="replace").strip()
            raise Failed(f"{' '.join(words)}: exit status {process.returncode}: {said[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def told(words: Sequence[str], cwd: Path, python: Python = BARE) -> Cost:
    """Run a script that measures itself and prints the fields of its cost as its last line."""
    done = subprocess.run(
        words, cwd=cwd, env=environment(python, cwd), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(words)}: exit status {done.returncode}: {done.stderr[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def left(cost: Cost, folder: Path) -> Cost:
    """Add to a cost what lies in a folder; a file with many names counts once."""
    sizes: dict[int, int] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            about = os.lstat(f"{place}/{name}")
            sizes[about.st_ino] = about.st_blocks * 512
    return cost._replace(inodes=len(sizes), disk=sum(sizes.values()) / 1e6)
