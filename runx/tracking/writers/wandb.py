"""The writer to Weights & Biases: one wandb run for each run, which later attempts continue."""

from __future__ import annotations

import os
import re
import sys
from zlib import crc32

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.plain import plain
from runx.tracking.writers import Destination


class Wandb:
    """Logs to wandb, by WANDB_PROJECT, WANDB_MODE and its other variables."""

    def __init__(self, destination: Destination) -> None:
        try:
            import wandb
        except ImportError as error:
            raise LogxError("the writer wandb needs wandb: pip install wandb") from error
        info, environment = destination.info, os.environ
        self._run = wandb.init(
            project=environment.get("WANDB_PROJECT") or stable_name(info.experiment),
            group=environment.get("WANDB_RUN_GROUP") or info.experiment,
            name=environment.get("WANDB_NAME") or info.name,
            id=environment.get("WANDB_RUN_ID") or stable_name(f"{info.experiment}-{info.name}"),
            tags=[info.tag] if info.tag else None,
            config=plain(dict(destination.hparams)),
            dir=str(destination.run.path),
            resume="allow",
        )
        # Each phase has its own epochs, and wandb's own step may never decrease.
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    def write(self, record: Record) -> None:
        """Log the metrics of a record, as PHASE/NAME."""
        prefix = f"{record.phase}/" if record.phase else ""
        values = {f"{prefix}{name}": value for name, value in record.metrics.items()}
        self._run.log({**values, "epoch": record.epoch or 0})

    def close(self) -> None:
        """Finish the wandb run, as failed where the script has raised an exception."""
        self._run.finish(exit_code=int(hasattr(sys, "last_type")))


def stable_name(text: str) -> str:
    """Return a name that wandb allows as an id: at most 64 letters, digits, _, . and -.

    >>> stable_name("wise-owl_2026.02.06_14.19")
    'wise-owl_2026.02.06_14.19'
    >>> stable_name("a/b")
    'a-b-07f4401c'
    """
    plain = re.sub(r"[^\w.-]", "-", text)
    if plain == text and len(text) <= 64:
        return text
    return f"{plain[:55]}-{crc32(text.encode('utf-8', 'replace')):08x}"
