"""The calls of logx that read the run, save its models and load them: the base of LogX.

Every training script imports this with logx: the modules that do the work are imported when called.
"""

from __future__ import annotations

from runx.errors import LogxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike
    from typing import Any

    from runx.tracking.artifact_kinds import Kind
    from runx.tracking.config import Config
    from runx.tracking.context import Hparams
    from runx.tracking.info import RunInfo
    from runx.tracking.session import Session


class ScriptCalls:
    """Access to the run that this process belongs to: its hyperparameters, time and checkpoints."""

    _session: Session | None = None
    _kinds: Mapping[str, Kind] = {}
    logdir: str = ""

    @property
    def _open(self) -> Session:
        if self._session is None:
            raise LogxError("logx is not initialized; call logx.initialize() first")
        return self._session

    @property
    def hparams(self) -> Hparams:
        """The run's hyperparameters, read-only: logx.hparams.lr or logx.hparams["lr"]."""
        if self._session is not None:
            return self._session.hparams
        from runx.tracking.context import hparams_of, launched

        return hparams_of(launched(), {})

    @property
    def config(self) -> Config:
        """The configuration of initialize(config=...), with this run's values: read-only."""
        return self._open.config

    @property
    def run(self) -> RunInfo:
        """The run's name, experiment, attempt, host, commit and the like: see RunInfo."""
        if self._session is not None:
            return self._session.info
        from runx.tracking.context import launched
        from runx.tracking.info import RunInfo

        return RunInfo(launched())

    def seed(
        self,
        seed: Any = None,
        *,
        deterministic: bool = False,
        function: Callable[[Any], object] | None = None,
    ) -> Any:
        """Seed Python, NumPy and torch and return the seed, by default the hyperparameter seed.

        A ``function`` gets the seed, of any type, instead.
        """
        if seed is None and "seed" not in self.hparams:
            raise LogxError("seed: there is no hyperparameter seed; add one, or give logx.seed(1)")
        value = self.hparams["seed"] if seed is None else seed
        if function is not None:
            function(value)
        else:
            from runx.tracking.seeding import seed_all

            seed_all(value, deterministic)
        return value

    def remaining_time(self) -> float | None:
        """Return the seconds until the run's time limit, or None without a limit."""
        import time

        from runx.tracking.context import remaining

        return remaining(time.time())

    def should_stop(self, within: float = 0.0, all_ranks: bool = False) -> bool:
        """Return whether to save and exit: the run is to end, or has ``within`` seconds left.

        With ``all_ranks`` every rank has to call this, and all get the same result.
        """
        from runx.tracking.context import is_ending, launched
        from runx.tracking.ranks import any_rank
        from runx.tracking.scalars import number

        within = number(within, "within", "should_stop")
        run = launched() if self._session is None else self._session.run
        is_over = is_ending(run, within)
        return any_rank(is_over) if all_ranks else is_over

    @property
    def stop_reason(self) -> str:
        """Why the run is to stop, as "pruned: epoch 9: 14th of 17; ..."; "" if it was not asked to.

        In a search with `prune` logx.metric decides that; then should_stop() returns true.
        """
        from runx.tracking.context import launched, stop_reason

        return stop_reason(launched() if self._session is None else self._session.run)

    def save_model(
        self,
        save_dict: Mapping[str, Any],
        metric: Any,
        epoch: Any = None,
        higher_better: bool = True,
        delete_old: bool = True,
        *,
        keep_last: int = 1,
        keep_every: int = 0,
        name: str | None = None,
        async_save: bool = False,
    ) -> bool | None:
        """Save the last checkpoint, and as the best if it is; return whether it is."""
        from runx.tracking.plain import flag
        from runx.tracking.saving import Retention

        if not self._open.writes:
            return None
        if not isinstance(keep_last, int) or keep_last < 1 or not isinstance(keep_every, int):
            raise LogxError("save_model: keep_last= is a whole number above 0, keep_every= from 0")
        higher_better = flag(higher_better, "higher_better=")
        async_save = flag(async_save, "async_save=")
        retention = Retention(flag(delete_old, "delete_old="), keep_last, keep_every)
        return self._open.checkpoints.save_model(
            save_dict, metric, epoch, higher_better, retention, name, async_save
        )

    def restore(
        self,
        *,
        map_location: Any = None,
        path: str | PathLike[str] | None = None,
        weights_only: bool = True,
        **objects: Any,
    ) -> int:
        """Restore model=, optimizer=, ... from the last checkpoint; return the next epoch."""
        session = self._open
        checkpoints = session.checkpoints
        epoch = checkpoints.restore(objects, path, map_location, weights_only, session.rank)
        if path is None:
            session.resumed(epoch, checkpoints.restored_step)
        return epoch

    def load_model(
        self, path: str | PathLike[str], map_location: Any = None, weights_only: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        """Return the state_dict in a checkpoint, and everything else in it."""
        from runx.tracking.loading import read_model

        return read_model(path, map_location, weights_only)

    def load_artifact(
        self, name: str, kind: str | None = None, *, run: str | PathLike[str] | None = None
    ) -> Any:
        """Return what artifact() has kept under a name; of files, folders and figures the path.

        ``run``: the directory of another run. A pickle is read if ``kind`` is "pickle" alone.
        """
        from runx.rundir.paths import RunDir
        from runx.tracking.artifacts import load
        from runx.tracking.context import launched
        from runx.tracking.plain import path_of

        if run is not None:
            return load(RunDir(path_of(run, "run=")), name, kind, self._kinds)
        own = launched() if self._session is None else self._session.run
        return load(own, name, kind, self._kinds)

    def register_kind(
        self,
        name: str,
        save: Callable[[Any, Any], object],
        load: Callable[[Any], Any],
        suffix: str = "",
    ) -> None:
        """Add a kind of artifacts, by save(thing, path) and load(path) of files in ``suffix``."""
        from runx.tracking.artifact_kinds import own_kind

        self._kinds = {**self._kinds, name: own_kind(name, save, load, suffix)}

    def get_best_checkpoint(self) -> str | None:
        """Return the path of the best checkpoint, or None."""
        from runx.rundir.checkpoints import best_checkpoint

        path = best_checkpoint(self._open.run)
        return str(path) if path else None

    # The attributes of NVIDIA's logx that training scripts read and, some of them, set:

    @property
    def best_metric(self) -> Any:
        """The best metric that save_model was given so far."""
        return self._open.checkpoints.best_metric

    @best_metric.setter
    def best_metric(self, metric: Any) -> None:
        self._open.checkpoints.best_metric = metric

    @property
    def save_ckpt_fn(self) -> str:
        """The path of the checkpoint that save_model wrote last, "" before the first."""
        return self._open.checkpoints.names.get("save_ckpt_fn", "")

    @save_ckpt_fn.setter
    def save_ckpt_fn(self, path: str) -> None:
        self._open.checkpoints.names["save_ckpt_fn"] = path

    @property
    def best_ckpt_fn(self) -> str:
        """The path of the best checkpoint, "" without one."""
        named = self._open.checkpoints.names.get("best_ckpt_fn")
        return named or self.get_best_checkpoint() or ""

    @best_ckpt_fn.setter
    def best_ckpt_fn(self, path: str) -> None:
        self._open.checkpoints.names["best_ckpt_fn"] = path

    @property
    def save_metric(self) -> Any:
        """The metric that save_model was given last, None before."""
        return self._open.checkpoints.metric

    @save_metric.setter
    def save_metric(self, metric: Any) -> None:
        self._open.checkpoints.metric = metric

    @staticmethod
    def is_better(save_metric: Any, best_metric: Any, higher_better: bool) -> bool:
        """Return whether a metric is better than the best so far."""
        from runx.tracking.checkpoints import is_better

        return is_better(save_metric, best_metric, higher_better)

    @property
    def epoch(self) -> dict[str, Any]:
        """The epoch of each phase, by which metrics without one are counted."""
        return self._open.epochs

    @property
    def tb_writer(self) -> Any:
        """What logx.tensorboard is, None without tensorboard=True and on other ranks."""
        from runx.tracking.writers.queue import Summaries

        return Summaries(self._open.queue) if self._open.queue.boards else None

    @property
    def metrics_fp(self) -> Any:
        """metrics.csv, opened to append rows to it."""
        return self._open.files.appended(self._open.place.metrics)

    @property
    def metrics_writer(self) -> Any:
        """A csv.writer of metrics.csv."""
        import csv

        return csv.writer(self.metrics_fp, lineterminator="\n")

    @property
    def log_file(self) -> Any:
        """logging.log, opened to append lines to it."""
        return self._open.files.appended(self._open.place.messages)

    @property
    def logger(self) -> Any:
        """A logging.Logger whose records are messages, as those of msg()."""
        from runx.tracking.rankfiles import message_logger

        return message_logger(self._open.files.message if self._open.writes else None)
