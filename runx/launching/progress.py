"""What the script of a run has left, by which a run that failed takes today's code or its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from runx.rundir.files import read_lines
from runx.rundir.paths import METRICS, RunDir

_OWN = re.compile(
    r"run\.json|hparams\.json|config\.\w+|run\.sh|submit_cmd\.sh|output\.log|errors\.log"
    r"|attempts|orders|steps|code(?:\.\d+|\.\w+\.new)?|stop_requested|logx\.json|logging[\w.]*\.log"
    r"|system\.csv|metrics(?:\.\w+)?\.csv|\.nfs.*"
)
"""What runx and logx write for every run."""
_METRICS = re.compile(r"metrics(?:\.\w+)?\.csv")
_EVENTS = re.compile(r".*tfevents.*")
_CHECKPOINT = re.compile(
    r"(?i).*\.(?:pth|pt|ckpt|safetensors|keras|h5|hdf5|npz|pkl|orbax|msgpack|tar)|checkpoint.*"
)
_NO_METRICS = ("start", "hparam", "")
"""The phases of the rows that logx writes before a script has measured anything."""
_MOST = 20_000
"""Files that are looked at; who has left more has left something."""


def left_nothing(run: RunDir) -> bool:
    """Return whether there is nothing below LOGDIR but what runx and logx write for every run."""
    names = os.listdir(run)  # noqa: PTH208
    if any(_EVENTS.fullmatch(name) for name in names) and METRICS not in names:
        return False
    return not _has_metrics(run, names) and all(
        _OWN.fullmatch(name) or _EVENTS.fullmatch(name) for name in names
    )


def has_progress(run: RunDir) -> bool:
    """Return whether there is a checkpoint or a metric of the run, from which it would go on."""
    if _has_metrics(run, os.listdir(run)):  # noqa: PTH208
        return True
    for count, name in enumerate(_files(run.path)):
        if count > _MOST or _CHECKPOINT.fullmatch(name):
            return True
    return False


def _has_metrics(run: RunDir, names: list[str]) -> bool:
    """Return whether logx has written any metric."""
    rows = (
        line.partition(",")[0].strip()
        for name in names
        if _METRICS.fullmatch(name)
        for line in read_lines(run.path / name)
    )
    return any(phase not in _NO_METRICS for phase in rows)


def _files(folder: Path) -> Iterator[str]:
    """Yield the names of what the script has left, in folders, too; not of its code."""
    for at, folders, files in os.walk(folder):
        if at == os.fspath(folder):
            folders[:] = [name for name in folders if not _OWN.fullmatch(name)]
        yield from (*folders, *files)
