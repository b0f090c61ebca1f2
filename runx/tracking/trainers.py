"""What the loggers of trainers share: metrics told apart by phase, and the newest checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.rundir.phases import phases_of, split
from runx.tracking.logroot import choose_logdir
from runx.tracking.scalars import number
from runx.tracking.session import Session


def log_values(
    session: Session, values: Mapping[str, Any], epoch: float | None, phase: str, known: set[str]
) -> None:
    """Write what a trainer has measured, by the phases that names tell: ``val_loss``, ``eval/acc``.

    ``phase`` is that of names that tell none. ``known`` are all names so far, to which these are
    added. What is no number is left out, with a warning: it ends no training.
    """
    known.update(values)
    named = phases_of(known)
    rows: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name not in named:
            continue
        own = split(name).phase or phase
        try:
            rows.setdefault(own, {})[named[name].metric] = number(value, name)
        except LogxError as error:
            session.faults.warn_once(name, f"{error}; it is left out")
    for own, metrics in rows.items():
        if session.writes and metrics:
            session.metric(own, metrics, epoch)


def newest(checkpoints: Iterable[Path]) -> str | None:
    """Return the path of the checkpoint that was written last, None without any."""
    dated = [(path.stat().st_mtime_ns, str(path)) for path in checkpoints]
    return max(dated)[1] if dated else None


def known_logdir(options: Mapping[str, Any]) -> Path | None:
    """Return the directory that ``logx.initialize`` will log to; None where it makes a new one."""
    is_given = options.get("logdir") or os.environ.get("RUNX_LOGDIR")
    if not is_given and (options.get("coolname") or options.get("config") is not None):
        return None
    return Path(choose_logdir(options.get("logdir"), False, 0)).absolute()
