"""The logger for Lightning's Trainer: ``Trainer(logger=RunxLogger())``.

    from runx.lightning import RunxLogger

    logger = RunxLogger()
    trainer = Trainer(logger=logger, max_epochs=10)
    trainer.fit(model, ckpt_path=logger.checkpoint)

Serves ``lightning`` and ``pytorch_lightning``: the one that the script has imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from runx.logx import logx
from runx.tracking import ranks
from runx.tracking.plain import as_mapping
from runx.tracking.session import Session, keep_hparams
from runx.tracking.trainers import known_logdir, log_values, newest

LIBRARIES = ("lightning.pytorch", "pytorch_lightning")
CHECKPOINTS = "checkpoints"
"""The folder of a run for checkpoints: Lightning's own choice, of the directories given here."""
STOPPED = "stopped.ckpt"


def _library() -> str:
    """Return the Lightning that the script has imported, or else one that is there."""
    loaded = [name for name in LIBRARIES if name in sys.modules]
    for name in loaded or LIBRARIES:
        try:
            return import_module(name).__name__
        except ModuleNotFoundError as error:
            if error.name not in (name, name.partition(".")[0]):
                raise
    raise ImportError("runx.lightning needs Lightning: pip install lightning")


_LIBRARY = _library()
_Logger: Any = import_module(f"{_LIBRARY}.loggers").Logger
_rank_zero: Any = import_module(f"{_LIBRARY}.utilities").rank_zero_only


class RunxLogger(_Logger):  # type: ignore[misc]
    """Logs by logx, to the run that runx launched; stops the training when the run is to end.

    ``within``: the seconds before the run's time limit at which to stop. All else is what
    ``logx.initialize`` takes; where the script has called that itself, it is left as it is.
    """

    def __init__(self, *, within: float = 0.0, **options: Any) -> None:
        super().__init__()
        self.within, self._options = within, options
        self.stopped = False
        self.place: float | None = None
        self.by_step = False
        self.trainer: Any = None
        self._known: set[str] = set()

    @property
    def name(self) -> str:
        """Nothing: Lightning makes folders of names, and a run has its own directory."""
        return ""

    @property
    def version(self) -> str:
        """Nothing, as the name."""
        return ""

    @property
    def save_dir(self) -> str:
        """The run's directory."""
        known = None if logx.initialized else known_logdir(self._options)
        return str(known or self._session.run.path)

    @property
    def log_dir(self) -> str:
        """The run's directory."""
        return self.save_dir

    @property
    def experiment(self) -> Any:
        """logx, for all beside metrics: ``self.logger.experiment.msg("...")``."""
        assert self._session
        return logx

    @property
    def checkpoint(self) -> str | None:
        """The run's newest checkpoint, for ``fit(ckpt_path=...)``; None at its first attempt."""
        return newest(Path(self.save_dir, CHECKPOINTS).glob("**/*.ckpt"))

    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        """Keep hyperparameters, those of ``save_hyperparameters()``."""
        if self._session.writes:
            keep_hparams(self._session, as_mapping(params))

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Write metrics: a row for each phase that their names tell."""
        values = dict(metrics)
        epoch = values.pop("epoch", None)
        phase, trainer = "train", self.trainer
        if trainer is not None:
            self._known.update(trainer.callback_metrics)
            phase = "test" if trainer.testing else "val" if trainer.validating else "train"
        if self.by_step or epoch is None:
            epoch = step
        elif phase == "train" and self.place is not None:
            epoch = self.place
        log_values(self._session, values, epoch, phase, self._known)

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Watch the trainer of a model, to which Lightning calls this before it begins."""
        trainer = getattr(model, "_trainer", None)
        if trainer is not None and trainer is not self.trainer:
            self.trainer = trainer
            trainer.callbacks.insert(0, _watch(self))

    def finalize(self, status: str) -> None:
        """Write all that waits in memory; logx itself closes at exit."""
        if logx.initialized:
            logx.flush()

    @property
    def _session(self) -> Session:
        if not logx.initialized:
            # Processes that Lightning starts know their rank by Lightning alone.
            rank = ranks.rank() or getattr(_rank_zero, "rank", 0)
            logx.initialize(**{"global_rank": rank, **self._options})
        assert logx._session is not None
        return logx._session

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process gets that is started with this logger: nothing of the trainer's."""
        return {**self.__dict__, "trainer": None}


def _watch(logger: RunxLogger) -> Any:
    """Return the callback that notes where a training is, and stops it when the run is to end."""
    base: Any = import_module(f"{_LIBRARY}.callbacks").Callback

    class Watch(base):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, model: Any) -> None:
            logger.stopped, between = False, trainer.val_check_batch
            # Where an epoch is validated several times, epochs can't tell these apart.
            is_often = not between or between < trainer.num_training_batches
            logger.by_step = trainer.check_val_every_n_epoch is None or is_often

        def on_train_batch_start(self, trainer: Any, model: Any, batch: Any, index: int) -> None:
            logger.place = trainer.current_epoch + index / trainer.num_training_batches

        def on_train_batch_end(
            self, trainer: Any, model: Any, outputs: Any, batch: Any, index: int
        ) -> None:
            # All ranks have to be asked, which takes its time.
            often = 1 if trainer.world_size == 1 else max(trainer.log_every_n_steps, 1)
            is_last = index + 1 >= trainer.num_training_batches
            if not is_last and (index + 1) % often == 0:
                self._stop_if_asked(trainer)

        def on_train_epoch_end(self, trainer: Any, model: Any) -> None:
            logger.place = None
            if not logger.stopped:
                self._stop_if_asked(trainer)

        def on_fit_end(self, trainer: Any, model: Any) -> None:
            path = Path(logger.save_dir, CHECKPOINTS, STOPPED)
            if trainer.is_global_zero and path.exists():
                # It is what to go on from: newer than those for which Lightning takes the epoch,
                # of which a part is left, for done; and of no use once the training is.
                os.utime(path) if logger.stopped else path.unlink()

        def _stop_if_asked(self, trainer: Any) -> None:
            asked = logx.should_stop(logger.within)
            if trainer.strategy.reduce_boolean_decision(asked, all=False):
                logger.stopped = trainer.should_stop = True
                if trainer.checkpoint_callbacks:
                    trainer.save_checkpoint(Path(logger.save_dir, CHECKPOINTS, STOPPED))

    return Watch()
