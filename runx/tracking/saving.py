"""Checkpoints as a script saves and loads them; the half of logx that keeps models."""

from __future__ import annotations

from runx.tracking.script import Script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any


class Saving(Script):
    """Saves models, finds them again and goes on from them."""

    def save_model(
        self,
        save_dict: Mapping[str, Any],
        metric: Any,
        epoch: int,
        higher_better: bool = True,
        delete_old: bool = True,
        *,
        keep_last: int = 1,
        keep_every: int = 0,
        name: str | None = None,
        async_save: bool = False,
    ) -> bool | None:
        """Save the last checkpoint, and as the best if it is; tell whether it is."""
        from runx.tracking.checkpoints import Kept

        if not self._open.writes:
            return None
        kept = Kept(delete_old, keep_last, keep_every)
        return self._open.checkpoints.save_model(
            save_dict, metric, epoch, higher_better, kept, name, async_save
        )

    def restore(
        self,
        *,
        map_location: Any = None,
        path: str | PathLike[str] | None = None,
        weights_only: bool = True,
        **objects: Any,
    ) -> int:
        """Put model=, optimizer=, ... back as last saved; give the epoch to go on with."""
        session = self._open
        return session.checkpoints.restore(objects, path, map_location, weights_only, session.rank)

    def load_model(
        self, path: str | PathLike[str], map_location: Any = None, weights_only: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        """Read a checkpoint: its state_dict, and everything else in it."""
        from runx.tracking.loading import read_model

        return read_model(path, map_location, weights_only)

    def get_best_checkpoint(self) -> str | None:
        """Find the path of the best checkpoint, or None."""
        from runx.rundir.checkpoints import best

        path = best(self._open.run)
        return str(path) if path else None

    @property
    def best_metric(self) -> float | None:
        """The best metric that save_model was given so far."""
        return self._open.checkpoints.best_metric
