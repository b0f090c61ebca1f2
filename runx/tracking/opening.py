"""initialize(): where to log, which rank this is, and what is known of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.files import write_whole
from runx.rundir import RunDir
from runx.tracking.session import Options, Session
from runx.training import place, ranks
from runx.training.context import as_mapping


def open_session(
    logdir: Any, coolname: bool, hparams: Any, global_rank: int | None, options: Options
) -> Session:
    """Open what initialize() was asked for."""
    rank = ranks.rank() if global_rank is None else int(global_rank)
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    path = choose_logdir(logdir, coolname and is_on, rank)
    run = RunDir(Path(path).absolute())
    given = {} if hparams is None else as_mapping(hparams)
    writes = is_on and rank == 0
    session = Session(run, rank, writes, options._replace(hparams=given))
    session.is_on = is_on
    if writes and given:
        keep_hparams(session, given)
    return session


def join_session(path: Path, rank: int, options: Options) -> Session:
    """Open a run in a worker process, beside the process that began it."""
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    names = tuple(each for each in options.writers if each in ("csv", "tensorboard"))
    worker = options._replace(writers=names, is_worker=True)
    return Session(RunDir(path), rank, is_on and rank == 0, worker)


def choose_logdir(logdir: Any, coolname: bool, rank: int) -> str:
    """Decide where to log: what was given, what the launcher says, else under LOGROOT."""
    given = os.fspath(logdir) if logdir is not None else os.environ.get("RUNX_LOGDIR")
    if given:
        return str(given)
    root = place.logroot(Path.cwd())
    if not coolname:
        return str(root / "default")
    # Other ranks learn the name where they can; without torch.distributed they need none.
    return ranks.shared(str(place.unique(root, place.slug)) if rank == 0 else str(root))


def keep_hparams(session: Session, given: dict[str, Any]) -> None:
    """Write the script's hyperparameters to hparams.json, or beside what runx wrote there."""
    run = session.run
    plain = json.loads(json.dumps(given, default=str))
    try:
        if run.record.exists():
            session.notes.keep(hparams=plain)
        else:
            write_whole(run.hparams, json.dumps(plain, indent=2) + "\n")
    except OSError as error:
        raise LogxError(f"{run.path}: can't be written to: {error.strerror}") from error
