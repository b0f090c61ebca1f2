"""Lightning's folders ``lightning_logs/version_N``: hparams.yaml, and metrics.csv or events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.content import is_file, object_or_empty
from runx.readers.measured import rows_beneath
from runx.rundir.record import dotted
from runx.rundir.tensorboard import event_files

_VERSION = re.compile(r"version_\d+")


def _is_run(folder: Path) -> bool:
    is_named = _VERSION.fullmatch(folder.name) is not None
    has_hparams = is_file(f"{folder}/hparams.yaml")
    has_metrics = is_file(f"{folder}/metrics.csv")
    return (is_named or has_hparams) and (
        has_metrics or (has_hparams and (is_named or bool(event_files(folder))))
    )


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    hparams = dotted(object_or_empty(folder / "hparams.yaml", warn))
    yield FoundRun(folder.name, folder, hparams, rows_beneath(folder, warn))


READER = DirReader("lightning", _is_run, _read, "hparams.yaml, or version_N/metrics.csv")
