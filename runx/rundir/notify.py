"""What a launch keeps of NOTIFY beside its runs: whom to tell of what, and a script that does so.

The address may hold a token: only the owner may read it, and it stands in no other file.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.rundir.files import VERSION, read_json
from runx.rundir.paths import ExperimentDir

EVENTS = ("end", "failure", "best")
"""What can be told: no run goes on any more, the first one has failed, the best was beaten."""
SETTINGS, SCRIPT = "notify.json", "notify.sh"


class Notify(NamedTuple):
    """Whom to tell, a command or a URL, and of which events.

    ``best`` is the metric by which runs are compared, ``lower`` whether less of it is better.
    ``digest``: what runs printed may be told to a URL, too.
    """

    to: str
    on: tuple[str, ...] = ("end", "failure")
    best: str = ""
    lower: bool = False
    digest: bool = False


def write_notify(
    experiment: ExperimentDir, launch: str, notify: Notify, python: str, path: Sequence[str]
) -> None:
    """Write who is to be told of a launch, and the script that does, by this Python.

    ``path`` is its sys.path. run.sh finds the script, which must not be there before all jobs of
    the launch are: until then what is missing has not ended.
    """
    folder = experiment.launches / launch
    content = {"version": VERSION, **notify._asdict(), "cwd": str(Path.cwd())}
    _write_private(folder / SETTINGS, json.dumps(content) + "\n", 0o600)
    program = "from runx.notify.main import main; main(sys.argv[1])"
    words = shlex.join([python, "-I", "-c", f"import sys; sys.path[:] = {[*path]!r}; {program}"])
    script = f'#!/bin/sh\n# on: {" ".join(notify.on)}\nexec {words} "$(dirname "$0")"\n'
    _write_private(folder / SCRIPT, script, 0o700)


def _write_private(path: Path, text: str, mode: int) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    beside.replace(path)


def read_notify(folder: Path) -> tuple[Notify, Path]:
    """Return what a launch keeps of NOTIFY, and the folder that it was launched in.

    Raises:
        StoreError: It can't be read.
    """
    content: dict[str, Any] = read_json(folder / SETTINGS)
    fields = {name: content[name] for name in Notify._fields if name in content}
    return Notify(**{**fields, "on": tuple(fields["on"])}), Path(content["cwd"])
