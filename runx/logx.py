"""logx: what a training script logs with.

    from runx.logx import logx

    logx.initialize(tensorboard=True)
    logx.metric("val", {"acc": 91.2}, epoch)
    logx.save_model({"state_dict": model.state_dict()}, metric=91.2, epoch=epoch)

This module is imported by every training script, so it imports next to nothing; the rest comes
with initialize().
"""

from __future__ import annotations

import os

from runx.errors import LogxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from os import PathLike
    from typing import Any

    from runx.session import Session

__all__ = ["LogX", "logx"]


class LogX:
    """A run's logger. There is one for each process: ``logx``."""

    def __init__(self) -> None:
        self.logdir: str = ""
        self.rank0: bool = True
        self._session: Session | None = None
        self._is_registered = False

    def initialize(
        self,
        logdir: str | PathLike[str] | None = None,
        coolname: bool = False,
        hparams: Any = None,
        tensorboard: bool = False,
        no_timestamp: bool = False,
        global_rank: int | None = None,
        eager_flush: bool = True,
        *,
        phases: Iterable[str] = (),
        writers: Iterable[Any] = ("csv",),
        strict: bool = False,
    ) -> None:
        """Begin to log: under runx into the run's directory, else where logdir says."""
        from runx.opening import open_session
        from runx.session import Options

        self.close()
        if tensorboard:
            writers = (*writers, "tensorboard")
        options = Options({}, phases, writers, no_timestamp, strict)
        self._session = open_session(logdir, coolname, hparams, global_rank, options)
        self.logdir = str(self._session.run.path) if logdir is None else os.fspath(logdir)
        self.rank0 = self._session.rank == 0
        self._register()

    def msg(self, msg: object) -> None:
        """Print a message and append it to logging.log."""
        if self._open.writes:
            self._open.message(str(msg))

    def metric(self, phase: str, metrics: Mapping[str, Any], epoch: float | None = None) -> None:
        """Record the metrics of a phase, one of train, val, test and those that were named."""
        session = self._session or self._open
        if session.writes:
            session.metric(phase, metrics, epoch)

    def add_scalar(self, name: str, val: Any, idx: float | None = None) -> None:
        """Give one number to TensorBoard and the like."""
        if self._open.writes:
            self._open.scalar(name, val, idx)

    def add_image(self, path: str, img: Any, step: int | None = None) -> None:
        """Give an image to TensorBoard."""
        self.tensorboard.add_image(path, img, step)

    @property
    def tensorboard(self) -> Any:
        """A SummaryWriter where TensorBoard was asked for; else something that takes any call."""
        from runx.writers.behind import Summaries

        return Summaries(self._open.behind)

    def suspend_flush(self, flush_at_end: bool = True) -> AbstractContextManager[None]:
        """While this context lasts, write nothing to TensorBoard; at its end, everything."""
        from runx.writers.behind import Held

        return Held(self._open.behind, flush_at_end)

    def flush(self) -> None:
        """Write all that is written behind the script's back, now."""
        self._open.behind.flush()

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
        from runx.checkpoints import Kept

        if not self._open.writes:
            return None
        kept = Kept(delete_old, keep_last, keep_every)
        return self._open.checkpoints.save_model(
            save_dict, metric, epoch, higher_better, kept, name, async_save
        )

    def load_model(
        self, path: str | PathLike[str], map_location: Any = None, weights_only: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        """Read a checkpoint: its state_dict, and everything else in it."""
        from runx.training.loading import read_model

        return read_model(path, map_location, weights_only)

    def get_best_checkpoint(self) -> str | None:
        """Find the path of the best checkpoint, or None."""
        from runx.checkpoints import best

        path = best(self._open.run)
        return str(path) if path else None

    @property
    def best_metric(self) -> float | None:
        """The best metric that save_model was given so far."""
        return self._open.checkpoints.best_metric

    def close(self) -> None:
        """Write everything and close the files; done at exit by itself."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def initialized(self) -> bool:
        """Whether initialize() was called."""
        return self._session is not None

    @property
    def _open(self) -> Session:
        if self._session is None:
            raise LogxError("logx is not initialized; call logx.initialize() first")
        return self._session

    def _register(self) -> None:
        if not self._is_registered:
            import atexit

            atexit.register(self.close)
            os.register_at_fork(after_in_child=self._forked)
            self._is_registered = True

    def _forked(self) -> None:
        if self._session is not None:
            self._session.forked()

    @property
    def logx(self) -> LogX:
        """Itself: after ``import runx.logx``, ``runx.logx.logx`` is the logger too."""
        return self


logx = LogX()
