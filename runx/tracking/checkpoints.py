"""Checkpoints in a run's directory: written whole, the best a second name of the same file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import LogxError
from runx.rundir.checkpoints import NAME, Found, best, checkpoints_in
from runx.rundir.paths import RunDir
from runx.tracking.loading import OURS, DamagedError, fill, import_torch, load
from runx.tracking.notes import Faults, Notes
from runx.tracking.saving import BackgroundSave, link_as, remove_partial, snapshot, write
from runx.tracking.scalars import number
from runx.tracking.seeding import random_states, restore_states

TYPE_CHECKING = False

if TYPE_CHECKING:
    pass


PLAIN_NAME = re.compile(r"[\w][\w.+-]*")


def is_better(metric: float, than: float | None, higher_better: bool) -> bool:
    """Tell whether a metric is the best so far; anything is better than not a number.

    >>> is_better(0.2, 0.3, higher_better=False), is_better(0.2, float("nan"), True)
    (True, True)
    """
    if than is None or than != than:
        return True
    return metric > than if higher_better else metric < than


class Retention(NamedTuple):
    """Which earlier checkpoints stay beside the newest."""

    delete_old: bool = True
    last: int = 1
    every: int = 0


KEPT = Retention()


class Checkpoints:
    """Saves and finds the checkpoints of one run."""

    def __init__(self, run: RunDir, notes: Notes, faults: Faults) -> None:
        self._run, self._notes, self._faults = run, notes, faults
        self._saver = BackgroundSave()
        self._recent: list[Found] | None = None
        self._best_metric: float | None = None
        self._is_best_known = False

    @property
    def best_metric(self) -> float | None:
        """The best metric so far: as noted, or where that is missing from the checkpoint."""
        self.wait()
        if not self._is_best_known:
            self._best_metric = self._read_best()
            self._is_best_known = True
        return self._best_metric

    def save_model(
        self,
        save_dict: Mapping[str, Any],
        metric: Any,
        epoch: int,
        higher_better: bool = True,
        kept: Retention = KEPT,
        name: str | None = None,
        async_save: bool = False,
    ) -> bool:
        """Save a checkpoint; tell whether it is the best so far."""
        import_torch()
        value = None if metric is None else number(metric, "metric")
        is_best = (
            name is None and value is not None and is_better(value, self.best_metric, higher_better)
        )
        # The script's own dictionary is left as it is.
        ours = {"epoch": epoch, "random": random_states()}
        content = {**save_dict, "__metric": value, OURS: ours}
        work = partial(self.save, content, epoch, kept, is_best)
        if name is not None:
            work = partial(write, content, self._named(name))
        if not async_save:
            return self._try(work) and is_best
        content.update(snapshot(content))
        self._saver.start(partial(self._try, work))
        return is_best

    def wait(self) -> None:
        """Wait for the checkpoint that is being written in the background."""
        self._saver.wait()

    def _try(self, work: Any) -> bool:
        try:
            work()
        except OSError as error:
            self._faults.report("checkpoint", error, "without it")
            return False
        self._faults.resolve("checkpoint")
        return True

    def save(self, content: dict[str, Any], epoch: int, kept: Retention, is_best: bool) -> None:
        """Write the last checkpoint, name it the best if it is, then remove what is not kept.

        Killed at any moment, this leaves a whole checkpoint and at worst one too many.
        """
        last = Found(epoch, "last", self._run.checkpoint("last", epoch))
        ours = [each for each in self._ours() if each != last]
        if not kept.delete_old:
            ours = []
        # Noted before it is there: whatever a kill leaves over, the next attempt removes.
        self._notes.keep(last_checkpoints=[each.path.name for each in (*ours, last)])
        write(content, last.path)
        if is_best:
            self._name_best(last.path, epoch, content["__metric"])
        self._recent = [*ours, last]
        self._remove_old(kept)

    def _named(self, name: str) -> Path:
        if not PLAIN_NAME.fullmatch(name) or NAME.fullmatch(f"{name}.pth"):
            raise LogxError(f"save_model: name={name!r} can't be a checkpoint's name")
        return self._run.path / f"{name}.pth"

    def restore(
        self,
        objects: Mapping[str, Any],
        path: str | os.PathLike[str] | None,
        map_location: Any = None,
        weights_only: bool = True,
        rank: int = 0,
    ) -> int:
        """Put objects and random states back as the newest whole checkpoint has them.

        Gives the epoch to go on with, 0 where there is nothing to go on from.
        """
        self.wait()
        candidates = (
            [Path(path)] if path else [each.path for each in reversed(checkpoints_in(self._run))]
        )
        damaged: list[str] = []
        for candidate in candidates:
            try:
                content = load(candidate, map_location, weights_only)
            except DamagedError as error:
                damaged.append(str(error))
                continue
            for text in damaged:
                self._faults.warn(f"{text}; going on from {candidate.name}")
            return _put_back(content, objects, candidate, rank)
        if damaged:
            raise LogxError(f"no checkpoint loads; move them away to begin anew: {damaged[0]}")
        return 0

    def _ours(self) -> list[Found]:
        """List, oldest first, the last ones that are to go when newer ones come."""
        if self._recent is None:
            noted = self._notes.get("last_checkpoints")
            there = {
                each.path.name: each for each in checkpoints_in(self._run) if each.kind == "last"
            }
            # The original keeps no notes, and one last checkpoint.
            names = list(there)[-1:] if noted is None else noted
            self._recent = [there[name] for name in names if name in there]
            remove_partial(self._run.path)
        return self._recent

    def _remove_old(self, kept: Retention) -> None:
        assert self._recent is not None
        for old in self._recent[: -kept.last]:
            if not kept.every or old.epoch % kept.every:
                old.path.unlink(missing_ok=True)
        self._recent = self._recent[-kept.last :]

    def _name_best(self, last: Path, epoch: int, metric: float) -> None:
        target = self._run.checkpoint("best", epoch)
        old = [each.path for each in checkpoints_in(self._run) if each.kind == "best"]
        link_as(last, target)
        self._best_metric, self._is_best_known = metric, True
        self._notes.keep(best_metric=metric, best_checkpoint=target.name)
        for path in old:
            if path != target:
                path.unlink(missing_ok=True)

    def _read_best(self) -> float | None:
        path = best(self._run)
        if path is None:
            return None
        if self._notes.get("best_checkpoint") == path.name:
            noted = self._notes.get("best_metric")
            return None if noted is None else float(noted)
        try:
            metric = load(path, "cpu").get("__metric")
        except LogxError as error:
            self._faults.warn(f"the best metric so far is not known: {error}")
            return None
        return None if metric is None else float(metric)


def _put_back(content: Mapping[str, Any], objects: Mapping[str, Any], path: Path, rank: int) -> int:
    given = {name: target for name, target in objects.items() if target is not None}
    fill(content, given, path)
    ours = content.get(OURS) or {}
    # The states are rank 0's; shared by all ranks they would make all see the same noise.
    if "random" in ours and rank == 0:
        restore_states(ours["random"])
    match = NAME.fullmatch(path.name)
    named = int(match[2]) if match else int(content.get("epoch", -1))
    return int(ours.get("epoch", named)) + 1
