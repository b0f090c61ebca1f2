"""The callback for the Trainer of transformers: ``Trainer(callbacks=[RunxCallback()], ...)``.

from runx.transformers import RunxCallback

runx = RunxCallback()
args = TrainingArguments(output_dir=runx.output_dir)
trainer = Trainer(model, args, callbacks=[runx], ...)
trainer.train(resume_from_checkpoint=runx.checkpoint)
"""

from __future__ import annotations

import os
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from runx.logx import logx
from runx.tracking.session import Session, keep_hparams
from runx.tracking.trainers import known_logdir, log_values, newest

STATE = "trainer_state.json"
"""What the Trainer writes last: a checkpoint without it is not complete."""
PLACES = frozenset({"output_dir", "logging_dir", "run_name", "hub_token"})
"""Arguments of a training that are no hyperparameters."""


class RunxCallback(TrainerCallback):
    """Logs by logx, to the run that runx launched; stops the training when the run is to end.

    ``within``: the seconds before the run's time limit at which to stop. All else is what
    ``logx.initialize`` takes; where the script has called that itself, it is left as it is.
    """

    def __init__(self, *, within: float = 0.0, **options: Any) -> None:
        self.within, self._options = within, options
        self.stopped = False
        self._known: set[str] = set()

    @property
    def output_dir(self) -> str:
        """The folder of the run for the Trainer's checkpoints, for ``TrainingArguments``."""
        return str(self._folder / "checkpoints")

    @property
    def checkpoint(self) -> str | None:
        """The newest complete checkpoint in the run, for ``train(resume_from_checkpoint=...)``."""
        folder = self._folder
        found = [*folder.glob(f"checkpoint-*/{STATE}"), *folder.glob(f"*/checkpoint-*/{STATE}")]
        newest_state = newest(found)
        return newest_state and str(Path(newest_state).parent)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the arguments of the training that aren't the default ones."""
        self.stopped = False
        session = self._session(state)
        if session.writes:
            keep_hparams(session, _chosen(args))

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write metrics: a row for each phase that their names tell."""
        values = dict(logs or {})
        epoch = values.pop("epoch", state.epoch)
        if "train_runtime" in values and "train_loss" in values:
            # The mean over all of the training, which is another than the last one.
            values["train_mean_loss"] = values.pop("train_loss")
        log_values(self._session(state), values, epoch, "train", self._known)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Save and stop when the run is to end; with several ranks, all of them together."""
        every = 1 if args.world_size == 1 else max(int(args.logging_steps), 1)
        if not self.stopped and state.global_step % every == 0:
            self._session(state)
            if logx.should_stop(self.within, all_ranks=True):
                self.stopped = control.should_training_stop = control.should_save = True
        return control

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write all that waits in memory; logx itself closes at exit."""
        if logx.initialized:
            logx.flush()

    @property
    def _folder(self) -> Path:
        known = None if logx.initialized else known_logdir(self._options)
        return known or self._session(None).run.path

    def _session(self, state: Any) -> Session:
        if not logx.initialized:
            options = dict(self._options)
            if state is not None and not state.is_world_process_zero:
                options.setdefault("global_rank", int(os.environ.get("RANK", "") or 1))
            logx.initialize(**options)
        assert logx._session is not None
        return logx._session


def _chosen(args: Any) -> dict[str, Any]:
    """Return the arguments of a training that aren't the default ones: numbers, words, switches."""
    defaults = {each.name: each.default for each in fields(args) if each.default is not MISSING}
    set_ones = {
        name: getattr(args, name)
        for name, default in defaults.items()
        if name not in PLACES and getattr(args, name, default) != default
    }
    values = {name: getattr(value, "value", value) for name, value in set_ones.items()}  # of enums
    return {name: each for name, each in values.items() if isinstance(each, (int, float, str))}
