"""What initialize() opens: one run's files, its writers, and what it counts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from runx.errors import LogxError
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.records import Record
from runx.tracking import context, ranks
from runx.tracking.artifacts import IN_MEMORY, SideFiles
from runx.tracking.checkpoints import Checkpoints
from runx.tracking.context import Hparams, RunInfo, as_mapping, hparams_of
from runx.tracking.notes import Faults, Notes
from runx.tracking.scalars import number, numbers
from runx.tracking.writers import open_writer
from runx.tracking.writers.csv import Rows
from runx.tracking.writers.queue import Behind

PHASES = {
    **dict.fromkeys(("trn", "train", "training"), "train"),
    **dict.fromkeys(("val", "validate", "validation"), "val"),
    "test": "test",
}
"""The names of phases that scripts use, and the phase that each of them is."""


class Options(NamedTuple):
    """What initialize() was asked for, beside the place."""

    hparams: Mapping[str, Any]
    phases: Iterable[str]
    writers: Iterable[Any]
    no_timestamp: bool
    strict: bool
    system: bool | float
    is_worker: bool = False


class Session:
    """One run, as one process logs it."""

    def __init__(self, run: RunDir, rank: int, writes: bool, options: Options) -> None:
        self.run, self.rank, self.writes, self.options = run, rank, writes, options
        self.notes = Notes(run.logx)
        self.faults = Faults(self.notes, options.strict)
        self.checkpoints = Checkpoints(run, self.notes, self.faults)
        self._phases = known_phases(options.phases)
        self._epochs: dict[str, Any] = {}
        self._is_timed = not options.no_timestamp
        self._lock = RLock()
        self.beside = SideFiles(run, rank, self.faults)
        self._rows: Rows | None = None
        self.behind = Behind((), self.faults)
        self.is_on = writes or rank != 0
        if writes:
            self._open(options)

    @cached_property
    def hparams(self) -> Hparams:
        """The run's hyperparameters."""
        return hparams_of(self.run, self.options.hparams)

    @cached_property
    def info(self) -> RunInfo:
        """The run's name and whereabouts."""
        return RunInfo(self.run)

    def _open(self, options: Options) -> None:
        try:
            self.run.path.mkdir(parents=True, exist_ok=True)
            self._open_writers(options)
            if self._rows and not options.is_worker:
                now = time.time() if self._is_timed else None
                self._rows.write(Record("start", {"start/step": 0}, None, now))
        except OSError as error:
            raise LogxError(f"{self.run.path}: can't be logged to: {error.strerror}") from error
        if not options.is_worker:
            self.beside.watch(options.system)

    def _open_writers(self, options: Options) -> None:
        opened = [self._writer(each) for each in dict.fromkeys(options.writers)]
        self._rows = next((each for each in opened if isinstance(each, Rows)), None)
        others = [each for each in opened if each not in (None, self._rows)]
        self.behind = Behind(others, self.faults, options.is_worker)

    def _writer(self, writer: Any) -> Any:
        if not isinstance(writer, str):
            return writer
        try:
            return open_writer(writer, self)
        except (LogxError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  A server that is down must not stop a requeued run.
            self.faults.met(writer, error, "without it")
            return None

    def metric(self, phase: str, metrics: Mapping[str, Any], epoch: Any) -> None:
        """Record metrics: the row is in its file when this returns, all else follows."""
        canonical = self._phases.get(phase) or self._unknown(phase)
        values = numbers(metrics)
        epoch = self._epoch(canonical, epoch)
        now = time.time() if self._is_timed else None
        if self._rows:
            try:
                self._rows.write(Record(canonical, values, epoch, now))
            except OSError as error:
                self.faults.met(self.run.metrics_of(canonical).name, error, IN_MEMORY)
            else:
                if self.faults.standing:
                    self.faults.over(self.run.metrics_of(canonical).name)
        if self.behind.writers:
            self.behind.put(Record(phase, values, epoch, now))

    def scalar(self, name: str, value: Any, step: Any) -> None:
        """Give one number to every writer but the table of metrics."""
        step = None if step is None else number(step, "step")
        self.behind.put(Record("", {str(name): number(value, name)}, step, time.time()))

    def reduced(self, metrics: Mapping[str, Any], how: str) -> Mapping[str, Any]:
        """Combine metrics over all ranks."""
        return ranks.reduced(numbers(metrics), how) if self.is_on else metrics

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._lock = RLock()
        self.notes.forked()
        self.behind.forked()
        self.beside.forked()
        if self._rows:
            self._rows.forked()

    def close(self) -> None:
        """Write everything and close the files."""
        self.checkpoints.wait()
        self.behind.close()
        self.beside.close()
        if self._rows:
            self.faults.closing(self._rows)

    def _epoch(self, phase: str, epoch: Any) -> Any:
        if epoch is None:
            with self._lock:
                epoch = self._epochs.get(phase, 0)
                self._epochs[phase] = epoch + 1
            return epoch
        if type(epoch) is not int:
            epoch = number(epoch, "epoch")
        self._epochs[phase] = epoch
        return epoch

    def _unknown(self, phase: str) -> str:
        near = get_close_matches(str(phase), self._phases, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise LogxError(
            f"phase {phase!r} is not known; {hint}there are {', '.join(self._phases)}; "
            "initialize(phases=[...]) names further ones"
        )


def known_phases(further: Iterable[str]) -> dict[str, str]:
    """Map every name of a phase to the phase it is."""
    if isinstance(further, str):
        raise LogxError(f"phases= takes a list of names, not {further!r}")
    for name in further:
        if not name.replace("_", "").replace("-", "").isalnum() or name in ("start", "system"):
            raise LogxError(f"phases: {name!r} can't be a phase; use letters, digits, _ and -")
    return {**{name: name for name in further}, **PHASES}


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
    root = context.logroot(Path.cwd())
    if not coolname:
        return str(root / "default")
    # Other ranks learn the name where they can; without torch.distributed they need none.
    return ranks.shared(str(context.unique(root, context.slug)) if rank == 0 else str(root))


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
