"""Which of the planned runs a launch starts, given those that there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from runx.errors import RunxError
from runx.plans.experiment import Experiment
from runx.plans.picking import Pick, picked
from runx.plans.plan import run_id
from runx.plans.reconcile import RETRIED, There, Work, reconcile, told
from runx.types import Run

Say = Callable[[str], None]


class Wish(NamedTuple):
    """What a person wants of runs that there are: go on with them, or make them all again.

    ``single`` says that no more than one may start.
    """

    resume: bool = False
    again: bool = False
    retried: Collection[str] = RETRIED
    restage: bool = False
    single: bool = False
    pick: Pick = Pick()


def decide(experiment: Experiment, runs: Sequence[Run], wish: Wish, say: Say) -> Work:
    """Match the plan with what there is, and say what that comes to."""
    # Not at start: a preview looks at no run.
    from runx.launching.existing import existing_runs, twins

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if wish.resume:
        keyed = [(run_id(experiment, run), run) for run in runs]
        there = list(existing_runs(experiment.dir, experiment.identity, warn))
        found = reconcile(keyed, there, wish.retried)
        work = picked(found, wish.pick)
        say(told(work) + _left_out(found.starting - work.starting))
        _tell_unseen(work, say)
    else:
        work = picked(Work(tuple(runs), (), (), ()), wish.pick)
        if out := len(runs) - work.starting:
            say(f"starting {work.starting} of {len(runs)} runs{_left_out(out)}")
        same = list(twins(experiment.dir, (run_id(experiment, run) for run in work.new), warn))
        _check_twins(experiment, same, wish, say)
    if wish.single and work.starting > 1:
        raise RunxError(f"--attach takes a single run; {work.starting} would start")
    return work


def _left_out(count: int) -> str:
    return f"; {count} left out by --where or --limit" if count else ""


def _tell_unseen(work: Work, say: Say) -> None:
    alike: dict[str, list[str]] = {}
    for one in work.left:
        if one.state.alive and one.state.reason:
            alike.setdefault(str(one.state), []).append(one.dir.path.name)
    for stands, names in alike.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(f"{names[0]}{more}: left alone: {stands}")


def _check_twins(experiment: Experiment, same: Sequence[There], wish: Wish, say: Say) -> None:
    alive = [one for one in same if one.state.alive]
    if alive and not wish.again:
        some = (
            f"{len(alive)} of these runs are {alive[0].state.name}"
            if len(alive) > 1
            else (f"{alive[0].dir.path.name} is such a run, and is {alive[0].state.name}")
        )
        raise RunxError(
            f"{experiment.dir.path}: {some}; --resume starts only what is missing,"
            " --again all of them anew"
        )
    done = sum(one.state.name == "done" for one in same)
    if done:
        such = "such run is" if done == 1 else "such runs are"
        say(f"{done} {such} done already; --resume would start only what is missing")
