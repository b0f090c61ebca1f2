"""Saving and restoring the checkpoints of a run: the last ones, and the best as a link to one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.rundir.checkpoints import Checkpoint, best_checkpoint, checkpoints_in, epoch_of
from runx.rundir.paths import RunDir
from runx.tracking.loading import (
    OURS,
    DamagedError,
    fill,
    import_torch,
    load,
    more_than_weights,
)
from runx.tracking.notes import Faults, Notes
from runx.tracking.plain import path_of, text_of
from runx.tracking.saving import (
    ONLY_LAST,
    STILL_WRITTEN,
    BackgroundSave,
    Retention,
    link_as,
    remove_partial,
    snapshot,
    write,
)
from runx.tracking.scalars import epoch_number, number
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


class Checkpoints:
    """Saves and restores the checkpoints of one run.

    ``last_step`` gives the highest step logged so far; ``restored_step`` is what it gave when the
    checkpoint was saved that was restored. ``of_step``: other steps of the run may have theirs in
    the same directory. ``names`` has the last checkpoint that was saved
    and the best, by the names that NVIDIA's logx has for them, ``metric`` that of the last.
    """

    def __init__(
        self,
        run: RunDir,
        notes: Notes,
        faults: Faults,
        last_step: Callable[[], int],
        of_step: bool = False,
    ) -> None:
        self._run, self._notes, self._faults, self._last_step = run, notes, faults, last_step
        self._of_step = of_step
        self.names: dict[str, str] = {}
        self.metric: Any = None
        self.restored_step = -1
        self._saver = BackgroundSave()
        self._recent: list[Checkpoint] | None = None
        self._best_metric: float | None = None
        self._is_best_known = False

    @property
    def best_metric(self) -> Any:
        """The best metric so far, by logx.json or, where that has none, by the checkpoint."""
        self.wait()
        if not self._is_best_known:
            self._best_metric = self._read_best()
            self._is_best_known = True
        return self._best_metric

    @best_metric.setter
    def best_metric(self, metric: Any) -> None:
        self._best_metric = None if metric is None else number(metric, "best_metric")
        self._is_best_known = True

    def save_model(
        self,
        save_dict: Mapping[str, Any],
        metric: Any,
        epoch: Any,
        higher_better: bool = True,
        retention: Retention = ONLY_LAST,
        name: str | None = None,
        async_save: bool = False,
    ) -> bool:
        """Save a checkpoint; return whether it is the best so far.

        With ``name`` it is saved under that name only.
        """
        import_torch()
        if not isinstance(save_dict, Mapping):
            raise LogxError(
                f"save_model takes a dictionary, not a {type(save_dict).__name__};"
                " save_model({'state_dict': model.state_dict()}, ...)"
            )
        value = None if metric is None else number(metric, "metric", "save_model")
        epoch = self._next_epoch() if epoch is None else epoch_number(epoch, "epoch")
        is_best = (
            name is None and value is not None and is_better(value, self.best_metric, higher_better)
        )
        # A new dictionary: the script's own isn't changed.
        added = {"epoch": epoch, "step": self._last_step(), "random": random_states()}
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

    def close(self) -> None:
        """Wait for the background; what it has met is a warning, since nothing can be done now."""
        try:
            self.wait()
        except LogxError as error:
            self._faults.warn(str(error))

    def _next_epoch(self) -> int:
        """Return the epoch after that of the newest checkpoint, for scripts that give none."""
        self.wait()
        found = checkpoints_in(self._run)
        return int(found[-1].epoch // 1) + 1 if found else 0

    def _try(self, work: Callable[[], object]) -> bool:
        """Save; return False, with a warning, where the file can't be written.

        Raises LogxError where what it holds can't be.
        """
        try:
            work()
        except OSError as error:
            self._faults.report("checkpoint", error, "without it")
            return False
        except LogxError:
            raise
        except Exception as error:  # pickle may run any code of the script's
            raise LogxError(
                f"save_model: what the checkpoint holds can't be saved: {text_of(error)}"
            ) from error
        self._faults.resolve("checkpoint")
        return True

    def save(
        self, content: dict[str, Any], epoch: int | float, retention: Retention, is_best: bool
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
        self._warn_of_objects(last)
        self.names["save_ckpt_fn"], self.metric = str(last.path), content["__metric"]
        if is_best:
            self._link_best(last.path, epoch, content["__metric"])
        self._recent = [*earlier, last]
        self._remove_old(retention)

    def _warn_of_objects(self, last: Checkpoint) -> None:
        """Warn, at the first checkpoint, of what restore() will not load by itself."""
        if not self.names and (objects := more_than_weights(last.path)):
            self._faults.warn(
                f"{last.path.name} holds {', '.join(objects)}: restore() will load it only with "
                "weights_only=False; save the state_dict() of whole objects instead"
            )

    def _path_of(self, name: str) -> Path:
        """Return the file of a named checkpoint; raises LogxError where the name is not allowed."""
        is_plain = isinstance(name, str) and PLAIN_NAME.fullmatch(name) is not None
        if not is_plain or epoch_of(f"{name}.pth") is not None:
            raise LogxError(f"save_model: name={text_of(name)!r:.60} can't be a checkpoint's name")
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
            [each.path for each in reversed(checkpoints_in(self._run))]
            if path is None
            else [Path(path_of(path, "restore: path="))]
        )
        damaged: list[str] = []
        for candidate in candidates:
            try:
                content = load(candidate, map_location, weights_only)
                epoch = self._load_into(objects, content, candidate, rank)
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
            # NVIDIA's runx has no such list, and one last checkpoint.
            if names is None and not self._of_step:
                names = list(by_name)[-1:]
            self._recent = [by_name[name] for name in names or () if name in by_name]
            remove_partial(self._run.path, STILL_WRITTEN if self._of_step else 0)
        return self._recent

    def _remove_old(self, retention: Retention) -> None:
        assert self._recent is not None
        for old in self._recent[: -retention.last]:
            if not retention.every or old.epoch % retention.every:
                old.path.unlink(missing_ok=True)
        self._recent = self._recent[-retention.last :]

    def _link_best(self, last: Path, epoch: int | float, metric: float) -> None:
        """Link a checkpoint as the best, and remove the previous best."""
        target = self._run.checkpoint("best", epoch)
        best_ones = [each.path for each in checkpoints_in(self._run) if each.kind == "best"]
        link_as(last, target)
        self._best_metric, self._is_best_known = metric, True
        self._notes.keep(best_metric=metric, best_checkpoint=target.name)
        self.names["best_ckpt_fn"] = str(target)
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
            return float(metric) if isinstance(metric, (int, float)) else None
        try:
            metric = load(path, "cpu").get("__metric")
            return None if metric is None else float(number(metric, "__metric"))
        except LogxError as error:
            self._faults.warn(f"the best metric so far is not known: {error}")
            return None

    def _load_into(
        self, objects: Mapping[str, Any], content: Mapping[str, Any], path: Path, rank: int
    ) -> int:
        """Load a checkpoint into objects and random generators; return the epoch after it."""
        added = content.get(OURS) or {}
        named = epoch_of(path.name)
        epoch = added.get("epoch", content.get("epoch", -1) if named is None else named)
        try:
            following = int(epoch_number(epoch, "epoch") // 1) + 1
        except LogxError as error:
            raise DamagedError(f"{path}: {error}") from error
        targets = {name: target for name, target in objects.items() if target is not None}
        fill(content, targets, path)
        # The states are those of rank 0: with them all ranks would draw the same noise.
        if "random" in added and rank == 0:
            try:
                restore_states(added["random"])
            except Exception as error:  # noqa: BLE001  whatever a damaged state makes them raise
                self._faults.warn(f"{path.name}: its random states can't be set: {text_of(error)}")
        step = added.get("step")
        self.restored_step = step if isinstance(step, int) else -1
        return following
