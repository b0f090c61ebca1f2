"""Changing runs that exist: cancel, hold, release and remove them, and thin out checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.api.inspect import runs_named
from runx.api.printing import Say, remark, warning
from runx.api.project import logroot_of
from runx.errors import RunxError
from runx.nearest import first_of

if TYPE_CHECKING:
    from runx.analysis.remove import Removal, Thinned
    from runx.launching.control import Changed
    from runx.rundir.attempts import JobStatuses
    from runx.rundir.paths import RunDir


_MOST_NAMES = 20
"""Names of runs that one line may have."""
_HINT = "name a run or an experiment, or say --where EXPR; see runx status"


class Count(NamedTuple):
    """How many runs were changed, of how many that were named.

    ``left``: runs that were to be changed and are not, each with the reason. ``ended``: how many
    had ended, so that there was nothing to hold or release.
    """

    done: int
    named: int
    left: Mapping[str, str] = {}
    ended: int = 0

    def __repr__(self) -> str:
        left = f", left={dict(self.left)}" if self.left else ""
        return f"Count(done={self.done}, named={self.named}{left})"

    def lines(self, done: str) -> list[str]:
        """Return why runs were not changed, and how many were, as lines; ``done`` says how.

        >>> Count(1, 2, {"owl": "it is done"}).lines("held")
        ['owl: not held: it is done', '1 of 2 runs held']
        >>> Count(0, 2, ended=2).lines("held")
        ['0 of 2 runs held; 2 have ended']
        """
        names_of: dict[str, list[str]] = {}
        for name, why in self.left.items():
            names_of.setdefault(why, []).append(name)
        left = [
            f"{first_of(names, _MOST_NAMES)}: not {done}: {why}" for why, names in names_of.items()
        ]
        over = f"; {self.ended} {'has' if self.ended == 1 else 'have'} ended" if self.ended else ""
        return [*left, f"{self.done} of {self.named} runs {done}{over}"]

    @classmethod
    def of(cls, changed: Changed, named: int) -> Count:
        """Return the count of what was changed, its runs by their names."""
        left = {run.name: why for run, why in changed.left.items()}
        return cls(changed.done, named, left, changed.ended)


def cancel(
    *names: str,
    where: str = "",
    step: str = "",
    logroot: str | Path | None = None,
    say: Say = remark,
    warn: Say = warning,
) -> Count:
    """Cancel runs that wait or run: those named, all of an experiment, or those ``where`` holds.

    Of runs with steps one ``step`` is cancelled, or all. Their farms are asked afterwards: what is
    still there is ``left``, and not cancelled.
    """
    from runx.analysis.step_places import places
    from runx.launching.control import cancel

    runs = places(runs_named(names, where, logroot, warn, _HINT), step)
    return Count.of(cancel(runs, say, warn), len(runs))


def hold(
    *names: str, step: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> Count:
    """Keep queued runs from starting, or one ``step`` of them."""
    from runx.launching.hold import hold

    runs = _selected(names, step, logroot, warn)
    return Count.of(hold(runs, warn), len(runs))


def release(
    *names: str,
    step: str = "",
    logroot: str | Path | None = None,
    say: Say = remark,
    warn: Say = warning,
) -> Count:
    """Let held runs start, or one ``step`` of them.

    What has ended since its experiment was held starts by --resume.
    """
    from runx.launching.hold import release

    runs = _selected(names, step, logroot, warn)
    return Count.of(release(runs, say, warn), len(runs))


def _selected(
    names: Sequence[str], step: str, logroot: str | Path | None, warn: Say
) -> list[RunDir]:
    from runx.analysis.select import select
    from runx.analysis.step_places import places

    return places(select(names, logroot_of(logroot), Path.cwd(), warn), step)


class Removals(NamedTuple):
    """Runs to remove: those that can be, those that must stay, and the states of their jobs."""

    removable: tuple[Removal, ...]
    staying: tuple[Removal, ...]
    statuses: JobStatuses

    def size(self, run: RunDir) -> int:
        """Return the bytes of a run, with what its job wrote elsewhere."""
        from runx.analysis.remove import freed_bytes
        from runx.rundir.workspace import workspace_of

        place = workspace_of(run)
        return freed_bytes(run.path) + (freed_bytes(place) if place else 0)

    def carry_out(self, say: Say = remark) -> int:
        """Remove the runs that can be removed; return how many were."""
        from runx.analysis.remove import remove

        return remove([removal.run for removal in self.removable], say, self.statuses)


def removal(
    *names: str, where: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> Removals:
    """Return which of the named runs can be removed; remove none."""
    from runx.analysis.remove import removals
    from runx.farms.query import query, submitted_jobs
    from runx.rundir.attempts import attempts_of
    from runx.rundir.steps import own_steps

    runs = runs_named(names, where, logroot, warn, _HINT)
    attempts = attempts_of(runs, warn)
    steps = attempts_of([step for run in runs for step in own_steps(run)], warn)
    statuses = query(submitted_jobs({**attempts, **steps}.items(), warn), warn)
    named = list(removals(attempts, statuses))
    removable = tuple(removal for removal in named if not removal.why_not)
    return Removals(removable, tuple(removal for removal in named if removal.why_not), statuses)


def remove(
    *names: str,
    where: str = "",
    logroot: str | Path | None = None,
    say: Say = remark,
    warn: Say = warning,
) -> Count:
    """Remove the directories of runs that have ended; the others stay."""
    removals = removal(*names, where=where, logroot=logroot, warn=warn)
    for staying in removals.staying:
        say(f"{staying.run.path.name}: stays: {staying.why_not}")
    return Count(removals.carry_out(say), len(removals.removable) + len(removals.staying))


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

    Raises:
        RunxError: Which is better, more or less of ``by``, is neither given nor clear by its name.
    """
    from runx.analysis.better import direction
    from runx.analysis.question import Question
    from runx.analysis.read import Reader
    from runx.analysis.remove import thinned
    from runx.analysis.select import records_of

    metric = Question().sort_measure(by).metric
    if lower is higher and (lower or direction(metric) is None):
        raise RunxError(f"--by {by}: say --higher or --lower: which is better?")
    metrics = (metric,)
    question = Question((by,), lower=metrics if lower else (), higher=metrics if higher else ())
    reader = Reader(measures=question.measures, warn=warn)
    records = records_of((experiment,), logroot_of(logroot), Path.cwd(), reader)
    runs = thinned(records, keep_top, question)
    if delete:
        delete_checkpoints(runs)
    return runs


def delete_checkpoints(runs: Sequence[Thinned]) -> None:
    """Remove the checkpoints of runs that ``thin`` returned."""
    from runx.rundir.workspace import remove_file

    for run in runs:
        for checkpoint in run.checkpoints:
            remove_file(checkpoint)
