"""The code of runs that go on: what has changed since it was staged, and today's in its place."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator

from runx.errors import StoreError
from runx.launching.context import LaunchContext
from runx.launching.plan import LaunchOptions, LaunchPlan, PlannedAttempt
from runx.launching.progress import has_progress, left_nothing
from runx.nearest import first_of
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.record import staged_code
from runx.rundir.run import Run
from runx.rundir.script import environment_lines, setup, teardown
from runx.staging.difference import differing
from runx.staging.materialize import stage

Say = Callable[[str], None]
_MENDED = ("failed", "killed", "oom")
"""States of which the code may be the reason; that of time, or of a machine that is gone, isn't."""
_NO_ENV, _SETUP = "esac\n\n# ---- Events", "setup_depth=${#"
"""What run.sh has where ENV is empty, and where SETUP is not."""


def with_restaged(plan: LaunchPlan, options: LaunchOptions, rule: str) -> LaunchPlan:
    """Return a plan that tells which runs take today's code, by ``--restage`` and RESTAGE."""
    attempts = (
        attempt._replace(restaged=not attempt.is_new and takes_today(attempt, options, rule))
        for attempt in plan.attempts
    )
    return plan._replace(attempts=tuple(attempts))


def takes_today(attempt: PlannedAttempt, options: LaunchOptions, rule: str) -> bool:
    """Return whether what starts again takes today's code, by its state and what it has left."""
    if options.restage or rule == "always":
        return True
    if rule == "never" or attempt.state not in _MENDED:
        return False
    run = attempt.run.dir
    return not has_progress(run) if rule == "failed" else left_nothing(run)


def note_code(plan: LaunchPlan, context: LaunchContext, say: Say) -> None:
    """Print which code runs that go on get, where it isn't what they were staged with."""
    again = [attempt for attempt in plan.attempts if not attempt.is_new]
    for restaged in (False, True):
        runs = [attempt.run.dir for attempt in again if attempt.restaged == restaged]
        if differing := changes(runs, context):
            say(described(differing, len(runs), restaged))


def changes(runs: Iterable[RunDir], context: LaunchContext) -> list[str]:
    """Return the names of what differs today from what runs were staged with, sorted."""
    names: set[str] = set()
    shell = context.script.shell
    wanted = {
        "ENV": environment_lines(shell) or _NO_ENV,
        "SETUP": setup(shell) if shell.setup else "",
        "TEARDOWN": teardown(shell),
        "WRAP": shell.wrap,
    }
    for run in (runs := list(runs)):
        try:
            texts = [run.script, *([run.fallback] if run.fallback.exists() else [])]
            text = "\n".join(
                each.read_text(encoding="utf-8", errors="surrogateescape") for each in texts
            )
            names.update(name for name, lines in wanted.items() if lines not in text)
            if not shell.setup and _SETUP in text:
                names.add("SETUP")
        except OSError:
            continue
    return sorted(names.union(code_changes(runs, context)))


def code_changes(runs: Iterable[RunDir], context: LaunchContext) -> list[str]:
    """Return the names of the files that differ today from what runs were staged with, sorted."""
    names: set[str] = set()
    for digest in {staged_code(run) for run in runs} - {None, context.code}:
        names.update(_differing(context, str(digest)))
    return sorted(names)


def described(names: list[str], runs: int, restaged: bool = False) -> str:
    """Return a line on the code of runs that go on, where something has changed since.

    >>> described(["ENV", "train.py"], 2)
    "2 of them go on as they were staged: ENV, train.py differ today; --restage takes today's"
    >>> described(["train.py"], 1, restaged=True)
    "1 of them takes today's code: train.py differs from what it was staged with"
    """
    shown = first_of(names, most=3)
    differ = f"{shown} differs" if len(names) == 1 else f"{shown} differ"
    take, go, were = ("takes", "goes", "it was") if runs == 1 else ("take", "go", "they were")
    if restaged:
        return f"{runs} of them {take} today's code: {differ} from what {were} staged with"
    return f"{runs} of them {go} on as {were} staged: {differ} today; --restage takes today's"


def _differing(context: LaunchContext, digest: str) -> Iterator[str]:
    """Return the files and links that differ between two frozen codes."""
    try:
        store = context.experiment.dir.code
        names = differing(store / digest, store / str(context.code))
    except StoreError:
        names = ["the code"]
    links = context.experiment.code.links
    return (f"CODE_LINKS: {name}" if name in links else name for name in names)


def restage(run: Run, context: LaunchContext, text: str) -> None:
    """Replace a run's code by that of this launch; what it had becomes code.1, code.2, ...

    ``text`` is its run.sh of today.
    """
    restage_code(run.dir, context)
    write_whole(run.dir.script, text)


def restage_code(folder: RunDir, context: LaunchContext) -> None:
    """Replace the code in a directory by that of this launch; what it had becomes code.1, ..."""
    if staged_code(folder) == context.code and folder.code.exists():
        return
    fresh = folder.path / f"code.{secrets.token_hex(4)}.new"
    stage(context.frozen, fresh, context.method)
    if folder.code.exists():
        folder.code.rename(folder.path / f"code.{max(_old_codes(folder), default=0) + 1}")
    fresh.rename(folder.code)


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
