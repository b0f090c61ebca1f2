"""Changing what there is: runs are cancelled, held, released or removed, checkpoints thinned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.api.inspect import Say, logroot_of, runs_named, warning
from runx.api.output import remark
from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.analysis.remove import Removal, Thinned
    from runx.rundir.attempts import Words
    from runx.rundir.paths import RunDir


_ASK = "name a run or an experiment, or say --where EXPR; see runx status"


class Count(NamedTuple):
    """How many runs something was done to, of how many that were named."""

    done: int
    named: int


def cancel(
    *names: str,
    where: str = "",
    logroot: str | Path | None = None,
    say: Say = remark,
    warn: Say = warning,
) -> Count:
    """End the runs of experiments, or those named, that wait or run."""
    from runx.launching.control import cancel

    runs = _named(names, where, logroot, warn)
    return Count(cancel(runs, say, warn), len(runs))


def hold(*names: str, logroot: str | Path | None = None, warn: Say = warning) -> Count:
    """Keep waiting runs from starting."""
    from runx.launching.control import hold

    runs = _selected(names, logroot)
    return Count(hold(runs, warn), len(runs))


def release(*names: str, logroot: str | Path | None = None, warn: Say = warning) -> Count:
    """Let held runs start."""
    from runx.launching.control import release

    runs = _selected(names, logroot)
    return Count(release(runs, warn), len(runs))


def _selected(names: Sequence[str], logroot: str | Path | None) -> list[RunDir]:
    from runx.analysis.select import select

    return select(names, logroot_of(logroot), Path.cwd())


class Removals(NamedTuple):
    """Runs that somebody wants to be rid of: those that can go, and those that must stay.

    ``words`` is what their schedulers have said of them.
    """

    going: tuple[Removal, ...]
    staying: tuple[Removal, ...]
    words: Words

    def size(self, run: RunDir) -> int:
        """Return the bytes of a run, with what its job wrote elsewhere."""
        from runx.analysis.remove import weight
        from runx.rundir.workspace import elsewhere

        place = elsewhere(run)
        return weight(run.path) + (weight(place) if place else 0)

    def carry_out(self, say: Say = remark) -> int:
        """Remove the runs that can go; return how many are gone."""
        from runx.analysis.remove import remove

        return remove([each.run for each in self.going], say, self.words)


def removal(
    *words: str, where: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> Removals:
    """Return which of the runs of experiments, or of those named, can be removed."""
    from runx.analysis.remove import removals
    from runx.farms.query import query, submitted_jobs
    from runx.rundir.attempts import clock, read_attempts

    runs = _named(words, where, logroot, warn)
    attempts = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    statuses = query(submitted_jobs(attempts.items(), warn), warn)
    wanted = list(removals(attempts, statuses))
    going = tuple(each for each in wanted if not each.why_not)
    return Removals(going, tuple(each for each in wanted if each.why_not), statuses)


def remove(
    *words: str,
    where: str = "",
    logroot: str | Path | None = None,
    say: Say = remark,
    warn: Say = warning,
) -> Count:
    """Remove the directories of runs that have ended; the others stay."""
    wanted = removal(*words, where=where, logroot=logroot, warn=warn)
    for found in wanted.staying:
        say(f"{found.run.path.name}: stays: {found.why_not}")
    return Count(wanted.carry_out(say), len(wanted.going) + len(wanted.staying))


def thin(
    experiment: str,
    keep_top: int,
    by: str,
    *,
    higher: bool = False,
    lower: bool = False,
    delete: bool = False,
    logroot: str | Path | None = None,
    warn: Say = warning,
) -> list[Thinned]:
    """Return the runs that are done and not among the best, with their checkpoints.

    ``delete`` removes these checkpoints; everything else of the runs stays.
    """
    from runx.analysis.better import direction
    from runx.analysis.question import Question
    from runx.analysis.read import Reader
    from runx.analysis.remove import thinned
    from runx.analysis.select import records_of

    metric = Question().deciding(by).metric
    if lower is higher and (lower or direction(metric) is None):
        raise RunxError(f"--by {by}: say --higher or --lower: which is better?")
    names = (metric,)
    question = Question((by,), lower=names if lower else (), higher=names if higher else ())
    reader = Reader(measures=question.measures, warn=warn)
    runs = records_of((experiment,), logroot_of(logroot), Path.cwd(), reader)
    going = thinned(runs, keep_top, question)
    if delete:
        delete_checkpoints(going)
    return going


def delete_checkpoints(runs: Sequence[Thinned]) -> None:
    """Remove the checkpoints of runs that ``thin`` has named."""
    from runx.rundir.workspace import remove_file

    for run in runs:
        for checkpoint in run.checkpoints:
            remove_file(checkpoint)


def _named(words: Sequence[str], where: str, logroot: str | Path | None, warn: Say) -> list[RunDir]:
    return runs_named(words, where, logroot, warn, _ASK)
