"""trainer_state.json, in which the Trainer of transformers keeps what it has logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runx.readers.base import FileReader, Row, Warn
from runx.readers.phases import split
from runx.readers.shaping import Measurement, measurement, rows_of

STATE = "trainer_state.json"


def recognise(path: str) -> bool:
    """Return whether a file is a trainer's state."""
    return path.rpartition("/")[2] == STATE


def read(path: str, warn: Warn) -> list[Row]:
    """Return what a trainer has logged."""
    try:
        history = json.loads(Path(path).read_bytes())["log_history"]
        entries = [entry for entry in history if isinstance(entry, dict)]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        warn(f"{path}: left out: no trainer's state: {error!r}")
        return []
    return rows_of([_measured(entry) for entry in entries])


def _measured(entry: Mapping[str, Any]) -> Measurement:
    """Return an entry: that of training has names without a prefix, and its own at the end.

    >>> _measured({"loss": 2.0, "epoch": 0.5, "step": 10}).phase
    'train'
    """
    each = measurement(entry)
    is_end = "train_runtime" in entry
    phase = "train" if is_end or not any(split(name).phase for name in each.values) else ""
    # The mean loss over all of the training is another than the last one.
    names = {"train_loss": "mean_loss"} if is_end else {}
    values = {names.get(name, name): value for name, value in each.values.items()}
    return each._replace(phase=phase, values={**values})


READER = FileReader("trainer_state.json", recognise, read)
