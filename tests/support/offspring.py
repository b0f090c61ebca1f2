"""The processes that the daemons of a test have started: listed, and ended by their ids."""

import os
import signal
from pathlib import Path


def processes():
    """Yield the id, the parent's id and the command line of every process."""
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        yield int(folder.name), int(parent), command


def below(pids):
    """Return the ids of processes and of all that they have started."""
    tree = list(pids)
    for pid, parent, _ in processes():
        if parent in tree and pid not in tree:
            tree.append(pid)
    return tree


def end(pid, number=signal.SIGKILL):
    """End a process, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
