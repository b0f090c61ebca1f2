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
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import LogxError
from runx.rundir.files import write_whole
from runx.rundir.paths import RunDir
from runx.rundir.records import TORN, Record, encode
from runx.tracking import artifacts, ranks
from runx.tracking.checkpoints import Checkpoints
from runx.tracking.context import Hparams, RunInfo, as_mapping, hparams_of
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


IN_MEMORY = "what is logged is kept in memory and written when that is possible again"
"""What is done about a full disk, for warnings."""


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
            self.files.watch(options.system)

    def _open_writers(self, options: Options) -> None:
        opened = [self._writer(each) for each in dict.fromkeys(options.writers)]
        self._rows = next((each for each in opened if isinstance(each, Rows)), None)
        others = [each for each in opened if each not in (None, self._rows)]
        self.queue = WriterQueue(others, self.faults, options.is_worker)

    def _writer(self, writer: Any) -> Any:
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
        """Record metrics: the row is in its file when this returns, all else follows."""
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
        """Give one number to every writer but the table of metrics."""
        step = None if step is None else number(step, "step")
        self.queue.put(Record("", {str(name): number(value, name)}, step, time.time()))

    def reduced(self, metrics: Mapping[str, Any], how: str) -> Mapping[str, Any]:
        """Combine metrics over all ranks."""
        return ranks.reduced(numbers(metrics), how) if self.is_on else metrics

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._lock = RLock()
        self.notes.forked()
        self.queue.forked()
        self.files.forked()
        if self._rows:
            self._rows.forked()

    def close(self) -> None:
        """Write everything and close the files."""
        self.checkpoints.wait()
        self.queue.close()
        self.files.close()
        if self._rows:
            self.faults.close(self._rows)

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


class RankFiles:
    """The files of one rank, each opened when something is first written to it."""

    def __init__(self, run: RunDir, rank: int, faults: Faults) -> None:
        self._run, self._rank, self._faults = run, rank, faults
        self._messages = Appender(str(run.messages_of(rank)), torn=b"\n")
        self._system = Appender(str(run.system), torn=TORN)
        self._monitor: Monitor | None = None

    def message(self, text: str) -> None:
        """Append to this rank's log, and print if this is the first rank."""
        try:
            if self._rank == 0:
                print(text)
        except (OSError, ValueError) as error:
            self._faults.report("stdout", error)
        self._append(self._messages, f"{text}\n", self._run.messages_of(self._rank).name)

    def artifact(self, thing: Any, name: str | None) -> str | None:
        """Keep a thing under artifacts/."""
        try:
            return str(artifacts.keep(self._run, thing, name, utc_now()))
        except OSError as error:
            self._faults.report(f"artifact {name or thing}", error, "without it")
            return None

    def watch(self, system: bool | float) -> None:
        """Begin to note what the machine is doing, every so many seconds."""
        if system:
            self._monitor = Monitor(self._measured, INTERVAL if system is True else system)

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._monitor = None
        self._messages.forked()
        self._system.forked()

    def close(self) -> None:
        """Write what is left and close the files."""
        if self._monitor is not None:
            self._monitor.stop()
        for file in (self._messages, self._system):
            self._faults.close(file)

    def _measured(self, figures: dict[str, Metric]) -> None:
        self._append(self._system, encode("system", figures, None, time.time()), "system.csv")

    def _append(self, file: Appender, text: str, name: str) -> None:
        try:
            file.append(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._faults.report(name, error, IN_MEMORY)
        else:
            self._faults.resolve(name)


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
