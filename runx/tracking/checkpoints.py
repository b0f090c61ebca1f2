"""Saving and restoring the checkpoints of a run: the last ones, and the best as a link to one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import LogxError
from runx.rundir.checkpoints import NAME, Checkpoint, best_checkpoint, checkpoints_in
from runx.rundir.paths import RunDir
from runx.tracking.loading import OURS, DamagedError, fill, import_torch, load
from runx.tracking.notes import Faults, Notes
from runx.tracking.saving import BackgroundSave, link_as, remove_partial, snapshot, write
from runx.tracking.scalars import number
from runx.tracking.seeding import random_states, restore_states

PLAIN_NAME = re.compile(r"[\w][\w.+-]*")
"""The names that save_model(name=...) takes."""


def is_better(metric: float, best: float | None, higher_better: bool) -> bool:
    """Return whether a metric is better than the best so far; any is better than NaN.

    >>> is_better(0.2, 0.3, higher_better=False), is_better(0.2, float("nan"), True)
    (True, True)
    """
    if best is None or best != best:
        return True
    return metric > best if higher_better else metric < best


class Retention(NamedTuple):
    """Which checkpoints are kept: the last ``last``, and those of every ``every``th epoch.

    Without ``delete_old`` all are.
    """

    delete_old: bool = True
    last: int = 1
    every: int = 0


ONLY_LAST = Retention()


class Checkpoints:
    """Saves and restores the checkpoints of one run."""

    def __init__(self, run: RunDir, notes: Notes, faults: Faults) -> None:
        self._run, self._notes, self._faults = run, notes, faults
        self._saver = BackgroundSave()
        self._recent: list[Checkpoint] | None = None
        self._best_metric: float | None = None
        self._is_best_known = False

    @property
    def best_metric(self) -> float | None:
        """The best metric so far, by logx.json or, where that has none, by the checkpoint."""
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
        retention: Retention = ONLY_LAST,
        name: str | None = None,
        async_save: bool = False,
    ) -> bool:
        """Save a checkpoint; return whether it is the best so far.

        With ``name`` it is saved under that name only.
        """
        import_torch()
        value = None if metric is None else number(metric, "metric")
        is_best = (
            name is None and value is not None and is_better(value, self.best_metric, higher_better)
        )
        # A new dictionary: the script's own isn't changed.
        added = {"epoch": epoch, "random": random_states()}
        content = {**save_dict, "__metric": value, OURS: added}
        work = partial(self.save, content, epoch, retention, is_best)
        if name is not None:
            work = partial(write, content, self._path_of(name))
        if not async_save:
            return self._try(work) and is_best
        content.update(snapshot(content))
        self._saver.start(partial(self._try, work))
        return is_best

    def wait(self) -> None:
        """Wait for the checkpoint that is being written in the background."""
        self._saver.wait()

    def _try(self, work: Callable[[], object]) -> bool:
        """Save; return False, with a warning, where the file can't be written."""
        try:
            work()
        except OSError as error:
            self._faults.report("checkpoint", error, "without it")
            return False
        self._faults.resolve("checkpoint")
        return True

    def save(
        self, content: dict[str, Any], epoch: int, retention: Retention, is_best: bool
    ) -> None:
        """Write the last checkpoint, link it as the best if it is, then remove old ones.

        Killed at any moment, this leaves a complete checkpoint and at most one too many.
        """
        last = Checkpoint(epoch, "last", self._run.checkpoint("last", epoch))
        earlier = [checkpoint for checkpoint in self._earlier() if checkpoint != last]
        if not retention.delete_old:
            earlier = []
        # Listed before it is written, so that the next attempt removes what a kill leaves.
        self._notes.keep(last_checkpoints=[checkpoint.path.name for checkpoint in (*earlier, last)])
        write(content, last.path)
        if is_best:
            self._link_best(last.path, epoch, content["__metric"])
        self._recent = [*earlier, last]
        self._remove_old(retention)

    def _path_of(self, name: str) -> Path:
        """Return the file of a named checkpoint; raises LogxError where the name is not allowed."""
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
        """Load objects and random states from a checkpoint, by default the newest complete one.

        Return the epoch to continue with, 0 where there is no checkpoint. Raises LogxError where
        none can be loaded.
        """
        self.wait()
        candidates = (
            [Path(path)] if path else [each.path for each in reversed(checkpoints_in(self._run))]
        )
        damaged: list[str] = []
        for candidate in candidates:
            try:
                content = load(candidate, map_location, weights_only)
                epoch = _load_into(objects, content, candidate, rank)
            except DamagedError as error:
                damaged.append(str(error))
                continue
            for text in damaged:
                self._faults.warn(f"{text}; going on from {candidate.name}")
            return epoch
        if damaged:
            raise LogxError(f"no checkpoint loads; move them away to begin anew: {damaged[0]}")
        return 0

    def _earlier(self) -> list[Checkpoint]:
        """Return, oldest first, the last checkpoints that newer ones replace."""
        if self._recent is None:
            names = self._notes.get("last_checkpoints")
            by_name = {
                checkpoint.path.name: checkpoint
                for checkpoint in checkpoints_in(self._run)
                if checkpoint.kind == "last"
            }
            if names is None:  # NVIDIA's runx has no such list, and one last checkpoint.
                names = list(by_name)[-1:]
            self._recent = [by_name[name] for name in names if name in by_name]
            remove_partial(self._run.path)
        return self._recent

    def _remove_old(self, retention: Retention) -> None:
        assert self._recent is not None
        for old in self._recent[: -retention.last]:
            if not retention.every or old.epoch % retention.every:
                old.path.unlink(missing_ok=True)
        self._recent = self._recent[-retention.last :]

    def _link_best(self, last: Path, epoch: int, metric: float) -> None:
        """Link a checkpoint as the best, and remove the previous best."""
        target = self._run.checkpoint("best", epoch)
        best_ones = [each.path for each in checkpoints_in(self._run) if each.kind == "best"]
        link_as(last, target)
        self._best_metric, self._is_best_known = metric, True
        self._notes.keep(best_metric=metric, best_checkpoint=target.name)
        for path in best_ones:
            if path != target:
                path.unlink(missing_ok=True)

    def _read_best(self) -> float | None:
        """Return the metric of the best checkpoint, None where it is unknown."""
        path = best_checkpoint(self._run)
        if path is None:
            return None
        if self._notes.get("best_checkpoint") == path.name:
            metric = self._notes.get("best_metric")
            return None if metric is None else float(metric)
        try:
            metric = load(path, "cpu").get("__metric")
        except LogxError as error:
            self._faults.warn(f"the best metric so far is not known: {error}")
            return None
        return None if metric is None else float(metric)


def _load_into(
    objects: Mapping[str, Any], content: Mapping[str, Any], path: Path, rank: int
) -> int:
    """Load a checkpoint into objects and random generators; return the epoch after it."""
    targets = {name: target for name, target in objects.items() if target is not None}
    fill(content, targets, path)
    added = content.get(OURS) or {}
    # The states are those of rank 0: with them all ranks would draw the same noise.
    if "random" in added and rank == 0:
        restore_states(added["random"])
    match = NAME.fullmatch(path.name)
    epoch = int(match[2]) if match else int(content.get("epoch", -1))
    return int(added.get("epoch", epoch)) + 1
