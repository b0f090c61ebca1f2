"""What has changed since a run's code was staged: files, links, ENV."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from runx.errors import StoreError
from runx.launching.context import LaunchContext
from runx.rundir.paths import RunDir
from runx.rundir.record import staged_code
from runx.rundir.script import environment_lines
from runx.staging.store import read_manifest


def changes(runs: Iterable[RunDir], context: LaunchContext) -> list[str]:
    """Return the names of what differs today from what runs were staged with, sorted."""
    names: set[str] = set()
    digests = set()
    wanted = environment_lines(context.script.shell)
    for run in runs:
        digests.add(staged_code(run))
        try:
            if wanted not in run.script.read_text(encoding="utf-8", errors="surrogateescape"):
                names.add("ENV")
        except OSError:
            continue
    for digest in digests - {None, context.code}:
        names.update(_differing(context, str(digest)))
    return sorted(names)


def described(names: list[str], runs: int) -> str:
    """Return a line on runs that go on as they were staged, though something has changed.

    >>> described(["ENV", "train.py"], 2)
    "2 of them go on as they were staged: ENV, train.py differ today; --restage takes today's"
    """
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "differs" if len(names) == 1 else "differ"
    line = f"{runs} of them go on as they were staged: {shown} {verb} today"
    return f"{line}; --restage takes today's"


def _differing(context: LaunchContext, digest: str) -> Iterator[str]:
    """Yield the files and links that differ between two frozen codes."""
    store = context.experiment.dir.code
    try:
        before, now = (_content(os.fspath(store / each)) for each in (digest, str(context.code)))
    except StoreError:
        yield "the code"
        return
    yield from (name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _content(folder: str) -> dict[str, str]:
    manifest = read_manifest(folder)
    files = {file.path: f"{file.digest} {file.mode & 0o111}" for file in manifest.files}
    return {**files, **{path: f"-> {target}" for path, target in manifest.links}}
