"""From a plan to run directories that wait for their attempts: decided and made in one turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from runx.disk.claims import claim_text, take
from runx.launching.deciding import Wish, decide
from runx.launching.handover import Handover
from runx.launching.making import Kit, make, writable
from runx.launching.preparing import check_root, prepare
from runx.launching.restaging import mend, restage, staged_code
from runx.launching.turns import turn
from runx.plans.experiment import Experiment
from runx.plans.plan import Namer
from runx.plans.reconcile import Again, There, Work
from runx.rundir import ExperimentDir
from runx.types import Run

Say = Callable[[str], None]


class Placed(NamedTuple):
    """The runs of a launch, each with the attempt that it starts.

    ``adopted`` go on here by themselves, because their launcher died. Where there is nothing else,
    there is no ``kit``.
    """

    experiment: Experiment
    kit: Kit | None
    handovers: tuple[Handover, ...]
    adopted: tuple[There, ...]


def place(
    experiment: Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    wish: Wish,
    say: Say,
    argv: Sequence[str] = (),
) -> Placed | None:
    """Decide what starts and make it; None where nothing does.

    No other launcher decides meanwhile. What is to run here is claimed before one does. ``argv`` is
    what was typed to launch, recorded with it; empty, where nothing was.
    """
    check_root(experiment)
    writable(experiment)
    with turn(experiment.dir, say):
        clear(experiment.dir)
        work = decide(experiment, runs, wish, say)
        adopted = () if experiment.farm else tuple(filter(_is_left_alone, work.left))
        if not work.starting:
            return Placed(experiment, None, (), adopted) if adopted else None
        starting = [*work.new, *(one.run for one in work.again)]
        kit = prepare(experiment, starting, argv, datetime.now().astimezone(), say)
        _tell_code(kit, work, wish, say)
        again = tuple(_again(kit, one, wish, say) for one in work.again)
        made = tuple(Handover(make(kit, run, new_name), 1) for run in work.new)
    return Placed(experiment, kit, (*(one for one in again if one), *made), adopted)


def _is_left_alone(one: There) -> bool:
    return one.state.name == "running" and one.orphan


def clear(experiment: ExperimentDir) -> None:
    """Throw away what launchers that were killed had begun to make, or to remove.

    Whoever has the turn knows that nobody else is about it.
    """
    for begun in experiment.making.iterdir():
        if begun.is_dir():
            shutil.rmtree(begun)


def _again(kit: Kit, one: Again, wish: Wish, say: Say) -> Handover | None:
    """Ready a run for a further attempt; None where somebody has begun it by hand meanwhile."""
    there = one.there
    run = Run(there.dir.path.name, there.dir, one.run.point)
    mend(run.dir)
    if wish.restage:
        restage(kit, run, say)
    handover = Handover(run, there.attempts + 1)
    if kit.experiment.farm is not None:
        return handover
    code = kit.code if wish.restage else staged_code(run.dir)
    return handover if take(run.dir, handover.attempt, claim_text(None, code)) else None


def _tell_code(kit: Kit, work: Work, wish: Wish, say: Say) -> None:
    if wish.restage or kit.code is None:
        return
    older = sum(staged_code(one.there.dir) not in (None, kit.code) for one in work.again)
    if older:
        say(
            f"{older} of them go on with the code that they were staged with, which is not"
            " today's; --restage takes that"
        )
