"""What logx does for a search while a run trains: it enters metrics at rungs, and stops the run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.errors import StoreError
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir
from runx.rundir.record import trial_in
from runx.rundir.searches import ENVIRONMENT, SearchDir
from runx.tracking.context import attempt_of
from runx.tracking.notes import Faults

if TYPE_CHECKING:
    from runx.rundir.rungs import Judge


class Judging:
    """Judges a run of a search by what it measures, where the search has `prune`."""

    def __init__(self, run: RunDir, place: RunDir, faults: Faults) -> None:
        self._run, self._place, self._faults = run, place, faults
        self._attempt = attempt_of(run).get("attempt")
        self._is_open = bool(self._attempt)
        self._judge: Judge | None = None
        self._point = 0
        self._rung: int | None = None

    def metric(self, phase: str, values: Mapping[str, Any], epoch: float) -> None:
        """Enter what a run has measured, and have it stop where it is among the worse."""
        if not self._is_open:
            return
        try:
            self._enter(phase, values, epoch)
        except (OSError, StoreError) as error:
            self._faults.report("its rung of the search", error)

    def _enter(self, phase: str, values: Mapping[str, Any], epoch: float) -> None:
        from runx.rundir.rungs import judge_of, stop

        if self._judge is None:
            step = self._place.path.name if self._place.is_step else ""
            self._judge = judge_of(SearchDir(Path(os.environ[ENVIRONMENT])), step)
            if self._judge is None:
                self._is_open = False
                return
            trial = trial_in(read_json(self._place.owner.record))
            self._point = trial.number if trial else 0
        judge, value = self._judge, values.get(self._judge.metric)
        rung = judge.rule.rung(epoch) if phase == judge.phase else None
        if rung is None or rung == self._rung or not isinstance(value, (int, float)):
            return
        judgement = judge.enter(self._run.path.name, self._point, epoch, _as_float(value))
        self._rung = rung
        if judgement is not None and judgement.verdict.stops:
            stop(judge, self._place, self._attempt or 0, judgement)
            self._is_open = False


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf
