"""Output folders of HF's Trainer: trainer_state.json, in the folder or in its checkpoints.

The arguments of a training are a pickle, which is never opened: there are no hyperparameters.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.content import is_file
from runx.readers.measured import rows_beneath

_CHECKPOINT = re.compile(r"checkpoint-\d+")


def _is_run(folder: Path) -> bool:
    if _CHECKPOINT.fullmatch(folder.name):
        return False  # of the folder above
    if is_file(f"{folder}/trainer_state.json"):
        return True
    try:
        names = [name for name in os.listdir(folder) if _CHECKPOINT.fullmatch(name)]
    except OSError:
        return False
    return any(is_file(f"{folder}/{name}/trainer_state.json") for name in names)


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    yield FoundRun(folder.name, folder, {}, rows_beneath(folder, warn))


READER = DirReader("transformers", _is_run, _read, "checkpoint-*/trainer_state.json")
