"""One piece of work done by several processes: forks of this one, which tell what they found."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

Part = TypeVar("Part")
Done = TypeVar("Done")

MOST = 8
"""More processes than these gain little, and others want to work here too."""


def hands() -> int:
    """Say how many processes may work at once."""
    may = getattr(os, "sched_getaffinity", None)
    return min(len(may(0)) if may else os.cpu_count() or 1, MOST)


def shared_out(work: Callable[[Part], Done], parts: Sequence[Part]) -> list[Done]:
    """Do the same with each part: with the first here, with every other in a fork of this process.

    What a fork can't do, or can't tell, is done here after all. Only for work that changes nothing,
    and comes to something that can be pickled.

    >>> shared_out(sum, [[1, 2], [3, 4]])
    [3, 7]
    """
    import pickle  # Both are slow to import, and most have little to share out.
    import threading

    # A lock that another thread holds would never be let go in a fork.
    alone = threading.active_count() == 1
    forks = [_forked(work, part) if alone else None for part in parts[1:]]
    done = [work(part) for part in parts[:1]]
    for fork, part in zip(forks, parts[1:], strict=True):
        told = _told(*fork) if fork else b""
        done.append(pickle.loads(told) if told else work(part))
    return done


def _forked(work: Callable[[Part], Done], part: Part) -> tuple[int, int] | None:
    """Do a part in a fork; give its process and where it tells its result."""
    reading, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:  # Too many processes, or too little memory for one more.
        os.close(reading)
        os.close(writing)
        return None
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as file:
            import pickle

            pickle.dump(work(part), file)
        status = 0
    finally:
        # Without a word, and past everything that waits for the end of the process it is a copy of.
        os._exit(status)


def _told(process: int, reading: int) -> bytes:
    """Read what a fork has to tell; nothing where it didn't come to its end."""
    with os.fdopen(reading, "rb") as file:
        told = file.read()
    try:
        _, status = os.waitpid(process, 0)
    except ChildProcessError:  # Whoever started us has it that nobody waits for a process.
        return b""
    return b"" if status else told
