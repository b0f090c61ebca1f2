"""Words of commands, as several kinds of farms write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runx.experiment import Farm
from runx.types import Hparam

CHUNK = 500
"""Job ids that one command is given."""


def long_flags(resource: Hparam) -> tuple[str, ...]:
    """Write a resource that only the farm knows as ``--k=v``; true is a bare flag, a list repeats.

    >>> long_flags(Hparam("exclusive", True, None)), long_flags(Hparam("gres", "a:1", "a:1"))
    (('--exclusive',), ('--gres=a:1',))
    """
    if resource.value is True:
        return (f"--{resource.name}",)
    return tuple(f"--{resource.name}={text}" for text in texts(resource))


def texts(resource: Hparam) -> tuple[str, ...]:
    """Give the values of a resource; false has none.

    >>> texts(Hparam("mount", ("/a", "/b"), ("/a", "/b"))), texts(Hparam("x", False, None))
    (('/a', '/b'), ())
    """
    if resource.value is None or resource.value is False:
        return ()
    if isinstance(resource.text, tuple):
        return resource.text
    return (resource.text or "",)


def chunked(ids: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """Cut a list of job ids into as many as one command takes.

    >>> list(chunked(["1", "2", "3"], 2))
    [['1', '2'], ['3']]
    """
    return (ids[at : at + size] for at in range(0, len(ids), size))


def each(*words: str) -> Callable[[Sequence[str], Farm], list[tuple[str, ...]]]:
    """Make a function that appends job ids to a command, in as many commands as it takes."""

    def commands(ids: Sequence[str], farm: Farm) -> list[tuple[str, ...]]:
        return [(*words, *some) for some in chunked(ids)]

    return commands
