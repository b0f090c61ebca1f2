"""Processes that a test's daemons have started, found and ended by their ids."""

import os
import signal
from pathlib import Path


def processes():
    """Give the id, the parent's and the words of every process."""
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        yield int(folder.name), int(parent), words


def below(pids):
    """Give processes and all that they have started."""
    found = list(pids)
    for pid, parent, _ in processes():
        if parent in found and pid not in found:
            found.append(pid)
    return found


def end(pid, how=signal.SIGKILL):
    """End a process, if it is still there."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass
