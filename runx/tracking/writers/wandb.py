"""Weights & Biases: one run there for each run here, the same one over all attempts."""

from __future__ import annotations

import os
import re
import sys
from zlib import crc32

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.writers import Destination


class Wandb:
    """Logs to wandb; WANDB_PROJECT, WANDB_MODE and the like count as always."""

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
            config=dict(destination.hparams),
            dir=str(destination.run.path),
            resume="allow",
        )
        # Phases count their epochs apart, and wandb's own step may never go back.
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    def write(self, record: Record) -> None:
        """Log the record's numbers, each under its phase."""
        prefix = f"{record.phase}/" if record.phase else ""
        values = {f"{prefix}{name}": value for name, value in record.metrics.items()}
        self._run.log({**values, "epoch": record.epoch or 0})

    def close(self) -> None:
        """Finish the run there; a script that ended in an exception has failed."""
        self._run.finish(exit_code=int(hasattr(sys, "last_type")))


def stable_name(text: str) -> str:
    """Make a name that wandb takes as an id: short, of plain letters, the same every time.

    >>> stable_name("wise-owl_2026.02.06_14.19")
    'wise-owl_2026.02.06_14.19'
    >>> stable_name("a/b")
    'a-b-07f4401c'
    """
    plain = re.sub(r"[^\w.-]", "-", text)
    if plain == text and len(text) <= 64:
        return text
    return f"{plain[:55]}-{crc32(text.encode('utf-8', 'replace')):08x}"
