"""The session of logx from initialize() to close(): the files and writers of one run."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import LogxError
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.records import TORN, Record, encode
from runx.tracking import artifacts, ranks
from runx.tracking.checkpoints import Checkpoints
from runx.tracking.context import Hparams, RunInfo, as_mapping, attempt_of, hparams_of
from runx.tracking.logroot import choose_logdir
from runx.tracking.notes import Faults, Notes, utc_now
from runx.tracking.scalars import number, numbers
from runx.tracking.system import INTERVAL, Monitor
from runx.tracking.writers import open_writer
from runx.tracking.writers.appender import Appender
from runx.tracking.writers.csv import Rows
from runx.tracking.writers.queue import WriterQueue

if TYPE_CHECKING:
    from runx.rundir.records import Metric

PHASES = {
    **dict.fromkeys(("trn", "train", "training"), "train"),
    **dict.fromkeys(("val", "validate", "validation"), "val"),
    "test": "test",
}
"""The names that scripts use for phases, and the phase of each."""


class Options(NamedTuple):
    """The arguments of initialize() other than the directory."""

    hparams: Mapping[str, Any]
    phases: Iterable[str]
    writers: Iterable[Any]
    no_timestamp: bool
    strict: bool
    system: bool | float
    is_worker: bool = False


IN_MEMORY = "what is logged is kept in memory and written when that is possible again"
"""The consequence of a full disk, for warnings."""


class Session:
    """One run and the files that this process writes of it.

    ``writes``: whether it writes metrics, which rank 0 does. ``is_on``: whether logging is on.
    """

    def __init__(self, run: RunDir, rank: int, writes: bool, options: Options) -> None:
        self.run, self.rank, self.writes, self.options = run, rank, writes, options
        self.notes = Notes(run.logx)
        self.faults = Faults(self.notes, options.strict)
        self.checkpoints = Checkpoints(run, self.notes, self.faults)
        self._phases = known_phases(options.phases)
        self._epochs: dict[str, Any] = {}
        self._is_timed = not options.no_timestamp
        self._lock = RLock()
        self.files = RankFiles(run, rank, self.faults)
        self._rows: Rows | None = None
        self.queue = WriterQueue((), self.faults)
        self.is_on = writes or rank != 0
        if writes:
            self._open(options)

    @cached_property
    def hparams(self) -> Hparams:
        """The run's hyperparameters."""
        return hparams_of(self.run, self.options.hparams)

    @cached_property
    def info(self) -> RunInfo:
        """The run's name, experiment, tag, attempt and directory."""
        return RunInfo(self.run)

    def _open(self, options: Options) -> None:
        """Create the directory, open the writers and write the first row of metrics.csv."""
        try:
            self.run.path.mkdir(parents=True, exist_ok=True)
            self._open_writers(options)
            if self._rows and not options.is_worker:
                now = time.time() if self._is_timed else None
                # Two sessions of one attempt are no resume: readers tell them by its number.
                started: dict[str, Metric] = {"start/step": 0, **attempt_of(self.run)}
                self._rows.write(Record("start", started, None, now))
        except OSError as error:
            raise LogxError(f"{self.run.path}: can't be logged to: {error.strerror}") from error
        if not options.is_worker:
            self.files.watch(options.system)

    def _open_writers(self, options: Options) -> None:
        opened = [self._writer(writer) for writer in dict.fromkeys(options.writers)]
        self._rows = next((writer for writer in opened if isinstance(writer, Rows)), None)
        others = [writer for writer in opened if writer not in (None, self._rows)]
        self.queue = WriterQueue(others, self.faults, options.is_worker)

    def _writer(self, writer: Any) -> Any:
        """Return a writer, opened if it is given by name; None, with a warning, if that fails."""
        if not isinstance(writer, str):
            return writer
        try:
            return open_writer(writer, self)
        except (LogxError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  A server that is down must not stop a requeued run.
            self.faults.report(writer, error, "without it")
            return None

    def metric(self, phase: str, metrics: Mapping[str, Any], epoch: Any) -> None:
        """Write metrics: the row of metrics.csv at once, all else by the queue."""
        canonical = self._phases.get(phase) or self._unknown(phase)
        values = numbers(metrics)
        epoch = self._epoch(canonical, epoch)
        now = time.time() if self._is_timed else None
        if self._rows:
            try:
                self._rows.write(Record(canonical, values, epoch, now))
            except OSError as error:
                self.faults.report(self.run.metrics_of(canonical).name, error, IN_MEMORY)
            else:
                if self.faults.active:
                    self.faults.resolve(self.run.metrics_of(canonical).name)
        if self.queue.writers:
            self.queue.put(Record(phase, values, epoch, now))

    def scalar(self, name: str, value: Any, step: Any) -> None:
        """Write a number by all writers but csv."""
        step = None if step is None else number(step, "step")
        self.queue.put(Record("", {str(name): number(value, name)}, step, time.time()))

    def reduced(self, metrics: Mapping[str, Any], how: str) -> Mapping[str, Any]:
        """Return metrics reduced over all ranks."""
        return ranks.reduced(numbers(metrics), how) if self.is_on else metrics

    def forked(self) -> None:
        """Forget, in a forked process, what the parent will write."""
        self._lock = RLock()
        self.notes.forked()
        self.queue.forked()
        self.files.forked()
        if self._rows:
            self._rows.forked()

    def close(self) -> None:
        """Write all that is in memory and close the files; warn where no rank 0 has written."""
        if self.is_on and self.rank and (warning := ranks.without_rank0(self.run)):
            print(f"logx: warning: {warning}", file=sys.stderr, flush=True)
        self.checkpoints.wait()
        self.queue.close()
        self.files.close()
        if self._rows:
            self.faults.close(self._rows)

    def _epoch(self, phase: str, epoch: Any) -> Any:
        """Return the epoch as a number, by default the one after the phase's last."""
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
        """Raise LogxError for an unknown phase."""
        near = get_close_matches(str(phase), self._phases, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise LogxError(
            f"phase {phase!r} is not known; {hint}there are {', '.join(self._phases)}; "
            "initialize(phases=[...]) names further ones"
        )


class RankFiles:
    """The files of one rank besides metrics: messages, artifacts, system.csv."""

    def __init__(self, run: RunDir, rank: int, faults: Faults) -> None:
        self._run, self._rank, self._faults = run, rank, faults
        self._messages = Appender(str(run.messages_of(rank)), torn=b"\n")
        self._system = Appender(str(run.system), torn=TORN)
        self._monitor: Monitor | None = None

    def message(self, text: str) -> None:
        """Append a message to this rank's log, and print it on rank 0."""
        try:
            if self._rank == 0:
                print(text)
        except (OSError, ValueError) as error:
            self._faults.report("stdout", error)
        self._append(self._messages, f"{text}\n", self._run.messages_of(self._rank).name)

    def artifact(self, thing: Any, name: str | None) -> str | None:
        """Write an artifact and return its path; None, with a warning, where the disk is full."""
        try:
            return str(artifacts.save(self._run, thing, name, utc_now()))
        except OSError as error:
            self._faults.report(f"artifact {name or thing}", error, "without it")
            return None

    def watch(self, system: bool | float) -> None:
        """Start to measure the load for system.csv, at an interval in seconds."""
        if system:
            self._monitor = Monitor(self._write_load, INTERVAL if system is True else system)

    def forked(self) -> None:
        """Forget, in a forked process, what the parent will write."""
        self._monitor = None
        self._messages.forked()
        self._system.forked()

    def close(self) -> None:
        """Stop measuring, write what is in memory and close the files."""
        if self._monitor is not None:
            self._monitor.stop()
        for file in (self._messages, self._system):
            self._faults.close(file)

    def _write_load(self, load: dict[str, Metric]) -> None:
        self._append(self._system, encode("system", load, None, time.time()), "system.csv")

    def _append(self, file: Appender, text: str, name: str) -> None:
        try:
            file.append(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._faults.report(name, error, IN_MEMORY)
        else:
            self._faults.resolve(name)


def known_phases(further: Iterable[str]) -> dict[str, str]:
    """Return a phase for each name of one; raises LogxError where a name is not allowed."""
    if isinstance(further, str):
        raise LogxError(f"phases= takes a list of names, not {further!r}")
    for name in further:
        if not name.replace("_", "").replace("-", "").isalnum() or name in ("start", "system"):
            raise LogxError(f"phases: {name!r} can't be a phase; use letters, digits, _ and -")
    return {**{name: name for name in further}, **PHASES}


def open_session(
    logdir: Any, coolname: bool, hparams: Any, global_rank: int | None, options: Options
) -> Session:
    """Return the session that initialize() opens."""
    rank = ranks.rank() if global_rank is None else int(global_rank)
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    path = choose_logdir(logdir, coolname and is_on, rank)
    run = RunDir(Path(path).absolute())
    values = {} if hparams is None else as_mapping(hparams)
    writes = is_on and rank == 0
    session = Session(run, rank, writes, options._replace(hparams=values))
    session.is_on = is_on
    if writes and values:
        _write_hparams(session, values)
    return session


def join_session(path: Path, rank: int, options: Options) -> Session:
    """Return the session of a worker process, for the same run as its parent."""
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    names = tuple(writer for writer in options.writers if writer in ("csv", "tensorboard"))
    worker = options._replace(writers=names, is_worker=True)
    return Session(RunDir(path), rank, is_on and rank == 0, worker)


def _write_hparams(session: Session, hparams: dict[str, Any]) -> None:
    """Write the script's hyperparameters to hparams.json; where runx wrote one, to logx.json."""
    run = session.run
    plain = json.loads(json.dumps(hparams, default=str))
    try:
        if run.record.exists():
            session.notes.keep(hparams=plain)
        else:
            write_whole(run.hparams, json.dumps(plain, indent=2) + "\n")
    except OSError as error:
        raise LogxError(f"{run.path}: can't be written to: {error.strerror}") from error
