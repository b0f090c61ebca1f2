"""What is done to runs: by the API, or by the command that launched them."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from threading import Thread
from typing import NamedTuple

from runx.analysis.commands import resume_words
from runx.api import control
from runx.nearest import first_of
from runx.printable import one_line
from runx.processes import start_command
from runx.rundir.experiments import launches
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

Say = Callable[[str], None]
DONE: Mapping[str, str] = {"cancel": "cancelled", "hold": "held", "release": "released"}
"""What is done to runs by the API, and how it is said."""
_PROGRAM = f"""\
import sys
sys.path[0], sys.argv[0] = {str(Path(__file__).parents[2])!r}, "runx"
from runx.runx import main
main()
"""
"""runx, whatever lies in the folder that it is started in."""
_LONG = 400
"""Letters of a command that are shown."""
_LINE = 4_096
"""Bytes of a line, of what a command prints, that are taken at once."""
_FEW = 6
"""Names of runs that a question lists."""


class Command(NamedTuple):
    """A command of runx, without the program's name, and the folder that it is run in.

    ``source`` is the file that it reads as its standard input, "" for none.
    """

    words: tuple[str, ...]
    folder: Path
    source: str = ""

    def __str__(self) -> str:
        """Return it as it is typed, of a long one its beginning and end."""
        text = one_line(f"runx {shlex.join(self.words)}")
        return text if len(text) < _LONG else f"{text[: _LONG // 2]} ... {text[-_LONG // 2 :]}"


def named(records: Sequence[RunRecord]) -> str:
    """Return some runs as the object of a question."""
    names = [one_line(record.name) for record in records]
    count = "" if len(names) == 1 else f"{len(names)} runs: "
    return f"{count}{first_of(names, _FEW)}"


def change(verb: str, records: Sequence[RunRecord], logroot: Path, say: Say) -> None:
    """Cancel, hold or release runs, and say what came of it."""
    paths = [str(record.dir.path.absolute()) for record in records]

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if verb == "cancel":
        count = control.cancel(*paths, logroot=logroot, say=say, warn=warn)
    else:
        by_verb = {"hold": control.hold, "release": control.release}
        count = by_verb[verb](*paths, logroot=logroot, warn=warn)
    for line in count.lines(DONE[verb]):
        say(line)


def retries(records: Sequence[RunRecord], every: Sequence[RunRecord], say: Say) -> list[Command]:
    """Return the commands that start runs again: each experiment's last launch, with --resume.

    Of ``every`` run those in the same states are left out by ``--where``.
    """
    by_folder: dict[Path, list[RunRecord]] = {}
    for record in records:
        by_folder.setdefault(record.dir.path.parent, []).append(record)
    return [
        command
        for folder, members in by_folder.items()
        for command in _retry(folder, members, every, say)
    ]


def _retry(
    folder: Path, records: Sequence[RunRecord], every: Sequence[RunRecord], say: Say
) -> Iterator[Command]:
    from runx.launching.plan import RETRIED  # not at start: it brings the configuration

    retried = [record for record in records if record.state in RETRIED]
    if left := [record for record in records if record.state not in RETRIED]:
        say(f"{named(left)}: not retried: {first_of(sorted({one.state for one in left}))}")
    typed = [each.typed for each in launches(ExperimentDir(folder), say) if each.typed]
    if not retried:
        return
    if not typed:
        say(f"{folder.name}: how it was launched isn't recorded; runx FILE --resume retries it")
        return
    states = ",".join(dict.fromkeys(record.state for record in retried))
    more: list[str] = []
    same = [
        one for one in every if one.dir.path.parent == folder and one.state in states.split(",")
    ]
    if len(same) > len(retried):
        names = json.dumps([record.name for record in retried], ensure_ascii=False)
        more = ["--where", f"run in {names}"]
    words = resume_words(typed[-1].argv, states, more)
    yield Command(tuple(words), Path(typed[-1].cwd), typed[-1].source)


def run(command: Command, say: Say) -> Popen[bytes]:
    """Start a command of runx that goes on when this process ends, and say what it prints."""
    with Path(command.source or os.devnull).open("rb") as source:
        process = start_command(
            [sys.executable, "-c", _PROGRAM, *command.words],
            cwd=command.folder,
            stdin=source,
            stdout=PIPE,
            stderr=STDOUT,
            new_session=True,
        )
    Thread(target=_listen, args=(process, say), daemon=True).start()
    return process


def _listen(process: Popen[bytes], say: Say) -> None:
    assert process.stdout is not None  # it is a pipe
    with suppress(OSError):
        while line := process.stdout.readline(_LINE):
            say(one_line(line.decode("utf-8", "replace").rstrip()))
    if process.wait():
        say(f"it ended with exit status {process.returncode}")
