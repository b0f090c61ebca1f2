"""The code of runs that go on: what has changed since it was staged, and today's in its place."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator

from runx.errors import StoreError
from runx.launching.context import LaunchContext
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.script import environment_lines
from runx.staging.materialize import stage
from runx.staging.store import read_manifest

Say = Callable[[str], None]


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


def restage(run: Run, context: LaunchContext, text: str, say: Say) -> None:
    """Replace a run's code by that of this launch; what it had becomes code.1, code.2, ...

    ``text`` is its run.sh of today.
    """
    folder = run.dir
    if staged_code(folder) == context.code and folder.code.exists():
        write_whole(folder.script, text)
        return
    fresh = folder.path / f"code.{secrets.token_hex(4)}.new"
    stage(context.frozen, fresh, context.method)
    if folder.code.exists():
        old = folder.path / f"code.{max(_old_codes(folder), default=0) + 1}"
        say(f"{run.name}: today's code is another; what it was staged with is {old.name}")
        folder.code.rename(old)
    fresh.rename(folder.code)
    write_whole(folder.script, text)


def mend(run: RunDir) -> None:
    """Undo a restaging of a run that was killed: put its code back, remove the new one."""
    for fresh in run.path.glob("code.*.new"):
        shutil.rmtree(fresh)
    old = _old_codes(run)
    if not run.code.exists() and old:
        (run.path / f"code.{old[-1]}").rename(run.code)


def _old_codes(run: RunDir) -> list[int]:
    """Return the numbers of code.1, code.2, ..., the latest last."""
    names = (path.name.removeprefix("code.") for path in run.path.glob("code.*"))
    return sorted(int(name) for name in names if name.isdecimal())
