"""A part of the runs that would start: where an expression holds, so many, in another order."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import ExpressionError, RunxError
from runx.plans.reconcile import NEW, Again, Work
from runx.sweeps.axes import RESOURCE
from runx.types import Run, Value

if TYPE_CHECKING:
    from runx.language.expressions import Expression

STATE, TAG = "state", "tag"


class Pick(NamedTuple):
    """Which runs start of those that might: ``seed`` shuffles them, then ``limit`` counts."""

    where: Expression | None = None
    limit: int | None = None
    seed: int | str | None = None

    @property
    def is_all(self) -> bool:
        """Tell whether every run starts, in order."""
        return self == Pick()


def condition(text: str, names: Collection[str], with_state: bool) -> Expression:
    """Read ``--where``: over hyperparameters, and states where runs are told by them.

    >>> condition("lr < 1", ["lr"], False).holds({"lr": 0.1})
    True
    """
    from runx.language.expressions import parse

    try:
        found = parse(text, {*names, STATE, TAG})
    except ExpressionError as error:
        raise RunxError(f"--where {error}") from None
    if STATE in found.names and STATE not in names and not with_state:
        raise RunxError(f"--where {text}: {STATE} goes with --resume; without, every run is new")
    return found


def picked(work: Work, pick: Pick) -> Work:
    """Leave in a launch's work what is picked of it."""
    if pick.is_all:
        return work
    starting: list[Again | Run] = [
        *(one for one in work.again if _fits(one.run, one.there.state.name, pick)),
        *(run for run in work.new if _fits(run, NEW, pick)),
    ]
    if pick.seed is not None:
        from random import Random

        Random(f"runx {pick.seed}").shuffle(starting)
    starting = starting[: pick.limit]
    return work._replace(
        new=tuple(one for one in starting if isinstance(one, Run)),
        again=tuple(one for one in starting if isinstance(one, Again)),
    )


def _fits(run: Run, state: str, pick: Pick) -> bool:
    if pick.where is None:
        return True
    try:
        return pick.where.holds(named_values(run, state))
    except ExpressionError as error:
        raise RunxError(f"--where {error}") from None


def named_values(run: Run, state: str) -> dict[str, Value]:
    """Give what an expression may name of a run that is planned."""
    resources: dict[str, Any] = {RESOURCE + name.upper(): v for name, v in run.point.resources}
    return {STATE: state, TAG: run.tag, **resources, **run.hparams}
