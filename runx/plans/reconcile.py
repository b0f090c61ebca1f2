"""What is planned against what there is: which runs are new, which start again, which are left."""

from __future__ import annotations

import os
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.cmdline.command import identity
from runx.rundir import RunDir
from runx.states.state import STATES, UNKNOWN
from runx.types import Run

if TYPE_CHECKING:
    from runx.states.state import State

NEW = "new"
SETTLED = ("done", "running", "queued", "preempted")
"""States in which a run is never started by --resume: it has ended well, or is on its way."""
RETRIED = (NEW, *(name for name in STATES if name not in SETTLED))
"""What --resume starts where --retry doesn't narrow it."""
_CMD = "CMD"


class Identity(NamedTuple):
    """What makes runs the same: CMD and hyperparameters, but for those that don't count.

    ``ignored`` never count, CMD among them if named; ``defaults`` don't while they are equal to
    the value given here, so that adding them to a sweep makes no finished run a new one.
    """

    ignored: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = {}

    def of(self, cmd: str, hparams: Mapping[str, Any]) -> str:
        """Give the identity of a run.

        >>> plain, lenient = Identity(), Identity(frozenset({"workers"}), {"dropout": 0})
        >>> plain.of("train", {"lr": 1}) == plain.of("train", {"lr": 1, "workers": 4})
        False
        >>> lenient.of("train", {"lr": 1}) == lenient.of("train", {"lr": 1, "workers": 4})
        True
        >>> lenient.of("train", {"lr": 1}) == lenient.of("train", {"lr": 1, "dropout": 0.0})
        True
        """
        counted = {
            name: value
            for name, value in hparams.items()
            if name not in self.ignored and not self._is_default(name, value)
        }
        return identity("" if _CMD in self.ignored else cmd, counted)

    def _is_default(self, name: str, value: Any) -> bool:
        if name not in self.defaults:
            return False
        return identity("", {name: value}) == identity("", {name: self.defaults[name]})


class There(NamedTuple):
    """A run that there is: its identity, how it stands, and the number of its last attempt.

    An ``orphan`` runs on this machine and its launcher is dead.
    """

    dir: RunDir
    id: str
    state: State
    attempts: int
    orphan: bool = False


class Again(NamedTuple):
    """A run that there is and that starts again, with the point of the plan that it is."""

    run: Run
    there: There


class Work(NamedTuple):
    """What a launch has to do, and what it leaves alone. ``gone`` are no longer in the plan."""

    new: tuple[Run, ...]
    again: tuple[Again, ...]
    left: tuple[There, ...]
    gone: tuple[There, ...]

    @property
    def starting(self) -> int:
        """How many runs start."""
        return len(self.new) + len(self.again)


def reconcile(
    planned: Iterable[tuple[str, Run]],
    there: Sequence[There],
    retried: Collection[str] = RETRIED,
) -> Work:
    """Match each planned run, given with its identity, with one that there is, one to one.

    Of equal runs those that need no start are matched first, then those nearest to an end.
    """
    waiting: dict[str, deque[There]] = defaultdict(deque)
    for one in sorted(there, key=lambda one: (_rank(one.state.name), os.fspath(one.dir))):
        waiting[one.id].append(one)
    wanted = set()
    new: list[Run] = []
    again: list[Again] = []
    left: list[There] = []
    for key, run in planned:
        wanted.add(key)
        found = waiting[key].popleft() if waiting.get(key) else None
        if found is None:
            new.append(run)
        elif found.state.name in retried:
            again.append(Again(run, found))
        else:
            left.append(found)
    gone = [one for key, rest in waiting.items() if key not in wanted for one in rest]
    kept = tuple(new) if NEW in retried else ()
    return Work(kept, tuple(again), tuple(left), tuple(gone))


def _rank(state: str) -> int:
    order = (*SETTLED, *(name for name in STATES if name not in (*SETTLED, "planned")))
    return order.index(state) if state in order else len(order)


def told(work: Work) -> str:
    """Say on one line what will be done.

    >>> told(Work((), (), (), ()))
    'nothing is planned: starting 0'
    """
    states = Counter(one.there.state.name for one in work.again)
    states.update(one.state.name for one in work.left)
    parts = [f"{states[name]} {name}" for name in (*STATES, UNKNOWN) if states[name]]
    parts += [f"{len(work.new)} {NEW}"] if work.new else []
    line = f"{', '.join(parts) or 'nothing is planned'}: starting {work.starting}"
    if work.gone:
        line += f"; {len(work.gone)} no longer in the sweep, left alone"
    return line
