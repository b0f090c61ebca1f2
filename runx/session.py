"""What initialize() opens: one run's files, its writers, and what it counts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from threading import RLock
from typing import Any, NamedTuple

from runx.checkpoints import Checkpoints
from runx.errors import LogxError
from runx.records import Record
from runx.rundir import RunDir
from runx.training.context import Hparams, RunInfo, hparams_of
from runx.training.faults import Faults
from runx.training.notes import Notes
from runx.training.scalars import number, numbers
from runx.writers import Destination, open_writer
from runx.writers.appender import Appender
from runx.writers.behind import Behind
from runx.writers.rows import Rows

PHASES = {
    **dict.fromkeys(("trn", "train", "training"), "train"),
    **dict.fromkeys(("val", "validate", "validation"), "val"),
    "test": "test",
}
"""The names of phases that scripts use, and the phase that each of them is."""

IN_MEMORY = "values are kept in memory and written when that is possible again"


class Options(NamedTuple):
    """What initialize() was asked for, beside the place."""

    hparams: Mapping[str, Any]
    phases: Iterable[str]
    writers: Iterable[Any]
    no_timestamp: bool
    strict: bool
    is_worker: bool = False


class Session:
    """One run, as one process logs it."""

    def __init__(self, run: RunDir, rank: int, writes: bool, options: Options) -> None:
        self.run, self.rank, self.writes = run, rank, writes
        self.notes = Notes(run.logx)
        self.faults = Faults(self.notes, options.strict)
        self.hparams: Hparams = hparams_of(run, options.hparams)
        self.info = RunInfo(run)
        self.checkpoints = Checkpoints(run, self.notes, self.faults)
        self._phases = known_phases(options.phases)
        self._epochs: dict[str, Any] = {}
        self._is_timed = not options.no_timestamp
        self._lock = RLock()
        self._messages: Appender | None = None
        self._rows: Rows | None = None
        self.behind = Behind((), self.faults)
        if writes:
            self._open(options)

    def _open(self, options: Options) -> None:
        try:
            self.run.path.mkdir(parents=True, exist_ok=True)
            self._open_writers(options)
            if self._rows and not options.is_worker:
                now = time.time() if self._is_timed else None
                self._rows.write(Record("start", {"start/step": 0}, None, now))
        except OSError as error:
            raise LogxError(f"{self.run.path}: can't be logged to: {error.strerror}") from error

    def _open_writers(self, options: Options) -> None:
        destination = Destination(self.run, self.info, self.hparams, self.notes)
        opened = [
            open_writer(each, destination) if isinstance(each, str) else each
            for each in dict.fromkeys(options.writers)
        ]
        self._rows = next((each for each in opened if isinstance(each, Rows)), None)
        others = [each for each in opened if each is not self._rows]
        self.behind = Behind(others, self.faults, options.is_worker)

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

    def message(self, text: str) -> None:
        """Append to this rank's log, and print if this is the first rank."""
        try:
            if self.rank == 0:
                print(text)
        except (OSError, ValueError) as error:
            self.faults.met("stdout", error)
        path = self.run.messages_of(self.rank)
        if self._messages is None:
            self._messages = Appender(str(path), torn=b"\n")
        try:
            self._messages.append(f"{text}\n".encode("utf-8", "backslashreplace"))
        except OSError as error:
            self.faults.met(path.name, error, IN_MEMORY)
        else:
            self.faults.over(path.name)

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._lock = RLock()
        self.behind.forked()
        for file in (self._rows, self._messages):
            if file is not None:
                file.forked()

    def close(self) -> None:
        """Write everything and close the files; what can't be written is counted and told."""
        self.checkpoints.wait()
        self.behind.close()
        for file in (self._rows, self._messages):
            if file is not None:
                try:
                    file.close()
                except OSError as error:
                    lost = f"{file.waiting()} lines were never written"
                    self.faults.warn(f"{lost}: {error.strerror}")
        self._rows = self._messages = None

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
