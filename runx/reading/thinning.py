"""Checkpoints that are not worth their place any more: those of all but the best runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import RunxError
from runx.tables.columns import value
from runx.tables.question import Question
from runx.tables.ranking import deciding, ranked
from runx.training.found import found
from runx.types import Result


class Thinned(NamedTuple):
    """A run that is to lose its checkpoints, and what its metric is."""

    run: Result
    metric: float
    checkpoints: tuple[Path, ...]


def thinned(runs: Sequence[Result], top: int, question: Question) -> list[Thinned]:
    """Name the runs behind the best ones, best first, that have checkpoints to lose.

    Only a run that is done loses any, and only by its metric: others may need theirs to go on.
    """
    keys = deciding(runs, question)
    if not keys:
        return []
    key = keys[0]
    if key.column.kind != "measured":
        raise RunxError(f"--by {question.sortwith[0]}: is no metric of these runs; sumx shows them")
    judged = [run for run in ranked(runs, [key]) if _is_number(value(run, key.column))]
    return [
        Thinned(run, value(run, key.column), checkpoints)
        for run in judged[top:]
        if run.state == "done" and (checkpoints := tuple(one.path for one in found(run.dir)))
    ]


def _is_number(metric: object) -> bool:
    return isinstance(metric, (int, float)) and metric == metric
