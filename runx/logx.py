"""logx: logging from a training script.

    from runx.logx import logx

    logx.initialize(tensorboard=True)
    logx.metric("val", {"acc": 91.2}, epoch)
    logx.save_model({"state_dict": model.state_dict()}, metric=91.2, epoch=epoch)

Every training script imports this module, so it imports next to nothing; initialize() does.
"""

from __future__ import annotations

import os

from runx.tracking.script import ScriptCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from os import PathLike
    from typing import Any

    from runx.rundir.paths import RunDir
    from runx.tracking.ending import Ending


__all__ = ["LogX", "logx"]


class LogX(ScriptCalls):
    """The logger of a run. Each process has one: ``logx``."""

    def __init__(self) -> None:
        self.logdir: str = ""
        self.rank0: bool = True
        self.eager_flush = True
        self.no_timestamp = False
        self._is_registered = False
        self._ending: Ending | None = None

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
        config: str | PathLike[str] | None = None,
        phases: Iterable[str] | None = (),
        writers: Iterable[Any] | None = ("csv",),
        strict: bool = False,
        system: bool | float = True,
    ) -> None:
        """Start logging to ``logdir``, by default to the directory of the launched run.

        ``config``: the script's configuration, which logx.config then is.
        """
        import sys

        from runx.tracking.options import options_of
        from runx.tracking.session import open_session

        self.close()
        options = options_of(phases, writers, tensorboard, no_timestamp, strict, system)
        self._session = open_session(
            logdir, coolname, hparams, global_rank, options, config, sys.argv[1:]
        )
        # As it was given, for scripts that make paths of it.
        self.logdir = os.fsdecode(logdir) if logdir else str(self._session.run.path)
        self.rank0 = self._session.rank == 0
        self.eager_flush, self.no_timestamp = eager_flush, no_timestamp
        if self._ending is None and self._session.writes and "RUNX_ATTEMPT" not in os.environ:
            self._ending = self._watched(self._session.place)
        self._register()

    def main(
        self,
        function: Callable[..., Any] | None = None,
        *,
        config: str | PathLike[str] | None = None,
        seed: Any = None,
        **options: Any,
    ) -> Any:
        """Return a decorator: the function gets a run, which lasts from its call to its end.

        ``seed``: a function that gets the hyperparameter seed, a number, or False; by default logx
        seeds. ``options`` are those of initialize().
        """
        from runx.tracking.main import as_main

        if function is not None:
            return as_main(self, function, config, seed, options)
        return lambda function: as_main(self, function, config, seed, options)

    def msg(self, msg: object, all_ranks: bool = False) -> None:
        """Print a message and append it to logging.log; other ranks have logs of their own."""
        if self._open.writes or (all_ranks and self._open.is_on):
            from runx.tracking.plain import shown

            self._open.files.message(shown(msg))

    def metric(
        self,
        phase: str,
        metrics: Mapping[str, Any],
        epoch: float | None = None,
        *,
        reduce: str | None = None,
    ) -> None:
        """Write the metrics of a phase: train, val, test or one of initialize(phases=...).

        With reduce="mean" (or sum, min, max) they are reduced over all ranks, which all call this.
        """
        session = self._session or self._open
        if reduce is not None:
            metrics = session.reduced(metrics, reduce)
        if session.writes:
            session.metric(phase, metrics, epoch)

    def add_scalar(self, name: str, val: Any, idx: float | None = None) -> None:
        """Write a number to TensorBoard and the other writers but csv."""
        if self._open.writes:
            self._open.scalar(name, val, idx)

    def add_image(self, path: str, img: Any, step: int | None = None) -> None:
        """Write an image to TensorBoard."""
        self.tensorboard.add_image(path, img, step)

    def add_figure(self, path: str, figure: Any, step: int | None = None) -> None:
        """Write a figure of matplotlib to TensorBoard."""
        self.tensorboard.add_figure(path, figure, step)

    def add_histogram(self, path: str, values: Any, step: int | None = None) -> None:
        """Write a histogram of values to TensorBoard."""
        self.tensorboard.add_histogram(path, values, step)

    def add_text(self, path: str, text: str, step: int | None = None) -> None:
        """Write a text to TensorBoard."""
        self.tensorboard.add_text(path, text, step)

    def add_hparams(self, hparams: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Write hyperparameters with metrics to TensorBoard."""
        queue = self._open.queue
        for board in queue.boards:
            queue.forgiving(board, board.add_hparams)(hparams, metrics)

    def artifact(self, thing: Any, name: str | None = None, kind: str | None = None) -> str | None:
        """Write a file, array, table, figure, tensors or JSON to artifacts/; return its path.

        ``kind``: another than that of the object's type: "text", "torch", "pickle", ...
        """
        session = self._open
        return session.files.artifact(thing, name, kind, self._kinds) if session.writes else None

    @property
    def tensorboard(self) -> Any:
        """A SummaryWriter; without tensorboard=True, an object that ignores all calls."""
        from runx.tracking.writers.queue import Summaries

        return Summaries(self._open.queue)

    def suspend_flush(self, flush_at_end: bool = True) -> AbstractContextManager[None]:
        """Return a context that writes nothing to TensorBoard until its end, then everything."""
        from runx.tracking.writers.queue import Suspended

        return Suspended(self._open.queue, flush_at_end)

    def flush(self) -> None:
        """Write all records of the queue now."""
        self._open.queue.flush()

    def close(self) -> None:
        """Write everything and close the files; called at exit, too."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def initialized(self) -> bool:
        """Whether initialize() was called."""
        return self._session is not None

    @staticmethod
    def _watched(run: RunDir) -> Ending | None:
        """Return the record of how the script ends; None where runx has launched no such run."""
        from runx.tracking.context import claimed_attempt

        attempt = claimed_attempt(run)
        if not attempt:
            return None
        from runx.tracking.ending import watch  # not for runs by hand: it has much to import

        return watch(run, attempt)

    def _register(self) -> None:
        import atexit

        # Last registered is first called: before the exit handlers of the writers.
        atexit.unregister(self.close)
        atexit.register(self.close)
        if not self._is_registered:
            os.register_at_fork(after_in_child=self._forked)
            self._is_registered = True

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle for a worker process that was not forked: there it logs to the same run."""
        session = self._session
        if session is None:
            return _in_worker, (None,)
        return _in_worker, ((session.run.path, session.rank, session.options.for_workers()),)

    def _join(self, path: Any, rank: int, options: Any) -> None:
        from runx.tracking.session import join_session

        self._session = join_session(path, rank, options)
        self.logdir, self.rank0 = str(path), rank == 0
        self._register()

    def _forked(self) -> None:
        if self._session is not None:
            self._session.forked()

    @property
    def logx(self) -> LogX:
        """Itself: after ``import runx.logx``, ``runx.logx.logx`` is the logger too."""
        return self


logx = LogX()


def _in_worker(state: Any) -> LogX:
    """Return the logger of a worker process, initialized for the run of its parent."""
    if state is not None and not logx.initialized:
        logx._join(*state)
    return logx
