"""From a plan to run directories that wait for their attempts: decided and made in one turn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runx.deciding import Wish, decide
from runx.experiment import Experiment
from runx.launching import Kit, make, restage, writable
from runx.plan import Namer
from runx.preparing import check_root, prepare
from runx.reconcile import Again, There
from runx.submitting import Handover
from runx.turns import turn
from runx.types import Run


class Placed(NamedTuple):
    """The runs of a launch, each with the attempt that it starts; and those that go on by
    themselves, because their launcher died.
    """

    kit: Kit
    handovers: tuple[Handover, ...]
    adopted: tuple[There, ...]


def place(
    experiment: Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    wish: Wish,
    say: Callable[[str], None],
) -> Placed | None:
    """Decide what starts and make it; None where nothing does.

    No other launcher decides meanwhile, so that none starts what this one does.
    """
    check_root(experiment)
    writable(experiment)
    with turn(experiment.dir, say):
        work = decide(experiment, runs, wish, say)
        adopted = tuple(one for one in work.left if one.state.name == "running" and one.orphan)
        if not work.starting and not adopted:
            return None
        starting = [*work.new, *(one.run for one in work.again)]
        kit = prepare(experiment, starting, sys.argv, say)
        made = tuple(Handover(make(kit, run, new_name), 1) for run in work.new)
    again = tuple(_again(kit, one, wish, say) for one in work.again)
    return Placed(kit, (*again, *made), adopted)


def _again(kit: Kit, one: Again, wish: Wish, say: Callable[[str], None]) -> Handover:
    run = Run(one.there.dir.path.name, one.there.dir, one.run.point)
    if wish.restage:
        restage(kit, run, say)
    return Handover(run, one.there.attempts + 1)
