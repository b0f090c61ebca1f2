"""What stands about a run in files that a table otherwise needs not: read only on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from runx.reading.kept import kept, launch_of
from runx.reading.standing import Standing, elapsed, started, where

_RECORDED = ("id", "tag", "created", "launch")
_LAUNCHED = ("note", "git")


def detailed(
    one: Standing, wanted: frozenset[str], now: float, warn: Callable[[str], None]
) -> Iterator[tuple[str, Any]]:
    """Give what is wanted of a run's details, times in seconds since 1970."""
    stands = {
        "host": where(one),
        "started": started(one),
        "elapsed": elapsed(one, now),
        "attempt": one.state.attempt or None,
    }
    yield from ((name, stands[name]) for name in wanted & stands.keys())
    if not wanted & {*_RECORDED, *_LAUNCHED}:
        return
    run = one.result.dir
    record = kept(run.record, warn)
    for name in wanted & set(_RECORDED):
        yield name, record.get(name)
    if wanted & set(_LAUNCHED) and record.get("launch"):
        launch = launch_of(run, record, warn)
        yield "note", launch.get("note") or None
        yield "git", commit(launch.get("git"))


def commit(git: Any) -> str | None:
    """Name a commit shortly, marked where there were changes on top of it.

    >>> commit({"commit": "c0ffee0123456789", "dirty": True})
    'c0ffee0123+'
    """
    if not isinstance(git, dict) or not git.get("commit"):
        return None
    return f"{git['commit'][:10]}{'+' if git.get('dirty') else ''}"
