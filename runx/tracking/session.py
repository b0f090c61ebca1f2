"""The session of logx from initialize() to close(): the files and writers of one run."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError
from runx.rundir.files import is_full, write_whole
from runx.rundir.paths import RunDir
from runx.rundir.records import Record
from runx.tracking import ranks
from runx.tracking.checkpoints import Checkpoints
from runx.tracking.context import Hparams, attempt_of, hparams_of, note_logdir, place_of
from runx.tracking.info import RunInfo
from runx.tracking.logroot import choose_logdir
from runx.tracking.notes import Faults, Notes
from runx.tracking.options import Options, known_phases
from runx.tracking.plain import as_mapping, flag, plain, text_of
from runx.tracking.rankfiles import IN_MEMORY, RankFiles
from runx.tracking.scalars import epoch_number, number, numbers
from runx.tracking.writers import LOCAL, open_writer
from runx.tracking.writers.csv import Rows
from runx.tracking.writers.queue import WriterQueue

if TYPE_CHECKING:
    from runx.tracking.config import Config
    from runx.tracking.judging import Judging


class Session:
    """One run and the files that this process writes of it.

    ``writes``: whether it writes metrics, which rank 0 does. ``is_on``: whether logging is on.
    ``place``: where it writes all but checkpoints and artifacts, the step's where the run has such.
    """

    def __init__(self, run: RunDir, rank: int, writes: bool, options: Options) -> None:
        self.run, self.rank, self.writes, self.options = run, rank, writes, options
        self.place = place_of(run)
        self.notes = Notes(self.place.logx)
        self.faults = Faults(self.notes, options.strict)
        self.checkpoints = Checkpoints(
            run, self.notes, self.faults, self.last_step, self.place is not run
        )
        self._phases = known_phases(options.phases)
        self._started = time.time()
        self.epochs: dict[str, Any] = defaultdict(int)
        self._is_timed = not options.no_timestamp
        self._lock = RLock()
        self.files = RankFiles(run, self.place, rank, self.faults)
        self._rows: Rows | None = None
        self.queue = WriterQueue((), self.faults)
        self.is_on = writes or rank != 0
        self.judging: Judging | None = None
        if writes and "RUNX_SEARCH" in os.environ:
            from runx.tracking.judging import Judging  # of runs of searches alone

            self.judging = Judging(run, self.place, self.faults)
        if writes:
            self._open(options)

    @cached_property
    def hparams(self) -> Hparams:
        """The run's hyperparameters."""
        return hparams_of(self.run, self.options.hparams)

    @cached_property
    def config(self) -> Config:
        """The script's configuration."""
        if self.options.config is None:
            raise LogxError("there is no configuration; give logx.initialize(config=...) its file")
        from runx.tracking.config import Config  # not at start: it reads YAML

        return Config(self.options.config)

    @cached_property
    def info(self) -> RunInfo:
        """Where, when and from what the run runs."""
        return RunInfo(self.run, started=self._started)

    def _open(self, options: Options) -> None:
        """Create the directory, open the writers and write the first row of metrics.csv."""
        try:
            self.run.path.mkdir(parents=True, exist_ok=True)
            self._open_writers(options)
            if self._rows and not options.is_worker:
                now = time.time() if self._is_timed else None
                # Two sessions of one attempt are no resume: readers tell them by its number.
                started: dict[str, Any] = {"start/step": 0, **attempt_of(self.run)}
                self._write_row(Record("start", started, None, now))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LogxError(f"{self.run.path}: can't be logged to: {reason}") from error
        if not options.is_worker:
            self.files.watch(options.system)

    def _write_row(self, record: Record) -> None:
        """Write the first row, which may wait in memory while a disk is full."""
        assert self._rows is not None
        try:
            self._rows.write(record)
        except OSError as error:
            if not is_full(error):
                raise
            self.faults.report(self.place.metrics.name, error, IN_MEMORY)

    def _open_writers(self, options: Options) -> None:
        different = {each if isinstance(each, str) else id(each): each for each in options.writers}
        opened = [self._writer(writer) for writer in different.values()]
        self._rows = next((writer for writer in opened if isinstance(writer, Rows)), None)
        others = [writer for writer in opened if writer not in (None, self._rows)]
        self.queue = WriterQueue(others, self.faults, options.is_worker)
        for board in self.queue.boards if not options.is_worker else ():
            self.queue.forgiving(board, board.begin)()

    def _writer(self, writer: Any) -> Any:
        """Return a writer, opened if it is given by name; None, with a warning, if that fails."""
        if not isinstance(writer, str):
            if not all(callable(getattr(writer, name, None)) for name in ("write", "close")):
                raise LogxError(f"writers: {text_of(writer)} has no write(record) and close()")
            return writer
        try:
            return open_writer(writer, self)
        except LogxError:
            raise
        except Exception as error:
            # Where the run's own files can't be written nothing is left to log to; but a server
            # that is down, which is an OSError with some, must not stop a requeued run.
            if writer in LOCAL and isinstance(error, OSError):
                raise
            self.faults.report(writer, error, "without it")
            return None

    def has_phase(self, name: str) -> bool:
        """Return whether a name is one of a phase."""
        return name in self._phases

    def metric(self, phase: str, metrics: Mapping[str, Any], epoch: Any) -> None:
        """Write metrics: the row of metrics.csv at once, all else by the queue."""
        canonical = (isinstance(phase, str) and self._phases.get(phase)) or self._unknown(phase)
        values = numbers(metrics)
        if "epoch" in values:
            epoch = self._named_epoch(values, epoch)
        epoch = self._epoch(canonical, epoch)
        now = time.time() if self._is_timed else None
        if self._rows:
            try:
                self._rows.write(Record(canonical, values, epoch, now))
            except OSError as error:
                self.faults.report(self.place.metrics_of(canonical).name, error, IN_MEMORY)
            except ValueError as error:  # an integer of thousands of digits
                raise LogxError(f"a metric is no number: {error}") from error
            else:
                if self.faults.active:
                    self.faults.resolve(self.place.metrics_of(canonical).name)
        if self.queue.writers:
            self.queue.put(Record(phase, values, epoch, now))
        if self.judging is not None:
            self.judging.metric(canonical, values, epoch)

    def scalar(self, name: str, value: Any, step: Any) -> None:
        """Write a number by all writers but csv."""
        try:
            step = None if step is None else epoch_number(step, "step")
            name = text_of(name)
            record = Record("", {name: number(value, name)}, step, time.time())
        except LogxError as error:
            self.faults.report("add_scalar", error)
        else:
            self.queue.put(record)

    def last_step(self) -> int:
        """Return the highest step that TensorBoard was given so far, -1 without any."""
        return int(max([self.queue.last_step, *(board.last_step for board in self.queue.boards)]))

    def resumed(self, epoch: int, last_step: int) -> None:
        """Have TensorBoard forget what came after the checkpoint, by epochs or iterations."""
        for board in self.queue.boards:
            self.queue.forgiving(board, board.start)(max(epoch, last_step + 1))
        self.queue.last_step = max(self.queue.last_step, last_step)

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
        if self.is_on and self.rank and (warning := ranks.without_rank0(self.place)):
            self.faults.say(warning)
        with ExitStack() as steps:  # The last is the first, and each is taken whatever they raise.
            if self._rows:
                steps.callback(self.faults.close, self._rows)
            steps.callback(self.files.close)
            steps.callback(self.queue.close)
            self.checkpoints.close()

    def _named_epoch(self, values: dict[str, Any], epoch: Any) -> Any:
        """Return the epoch of a row among whose metrics is one of that name, which is taken out."""
        named = values.pop("epoch")
        if epoch is not None and epoch_number(epoch, "epoch") != named:
            self.faults.warn_once(
                "epoch", f"a metric called epoch is left out: the row has epoch {epoch}; rename it"
            )
        return named if epoch is None else epoch

    def _epoch(self, phase: str, epoch: Any) -> Any:
        """Return the epoch as a number, by default the one after the phase's last."""
        if epoch is None:
            with self._lock:
                epoch = self.epochs[phase]
                self.epochs[phase] = epoch + 1
            return epoch
        if type(epoch) is not int:
            epoch = epoch_number(epoch, "epoch")
        self.epochs[phase] = epoch
        return epoch

    def _unknown(self, phase: str) -> str:
        """Raise LogxError for an unknown phase."""
        from difflib import get_close_matches

        near = get_close_matches(text_of(phase), self._phases, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise LogxError(
            f"phase {text_of(phase)!r} is not known; {hint}there are {', '.join(self._phases)}; "
            "initialize(phases=[...]) names further ones"
        )


def open_session(
    logdir: Any,
    coolname: bool,
    hparams: Any,
    global_rank: int | None,
    options: Options,
    config: Any = None,
    words: Sequence[str] = (),
) -> Session:
    """Return the session that initialize() opens; ``words`` are those of the command line."""
    rank = int(ranks.rank() if global_rank is None else epoch_number(global_rank, "global_rank"))
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    values = {} if hparams is None else as_mapping(hparams)
    if config is not None:
        from runx.tracking.config import read_script_config

        options = options._replace(config=read_script_config(config, words))
        values = {**(options.config or {}), **values}
    by_hand = is_on and config is not None
    path = choose_logdir(logdir, flag(coolname, "coolname=") and is_on, rank, by_hand)
    run = RunDir(Path(path).absolute())
    writes = is_on and rank == 0
    session = Session(run, rank, writes, options._replace(hparams=values))
    session.is_on = is_on
    if writes and by_hand and not logdir and "RUNX_LOGDIR" not in os.environ:
        session.faults.say(f"logging to {os.path.relpath(path)}", "")
    if writes:
        _write_hparams(session, values)
        if logdir is not None and (warning := note_logdir(run)):
            session.faults.warn(warning)
    return session


def join_session(path: Path, rank: int, options: Options) -> Session:
    """Return the session of a worker process, for the same run as its parent."""
    is_on = os.environ.get("RUNX_LOGX", "").lower() != "off"
    return Session(RunDir(path), rank, is_on and rank == 0, options)


def keep_hparams(session: Session, hparams: Mapping[str, Any]) -> None:
    """Add hyperparameters to those of a session: a trainer knows its model's when it begins."""
    known = {**session.options.hparams, **hparams}
    session.options = session.options._replace(hparams=known)
    session.__dict__.pop("hparams", None)  # which is cached
    _write_hparams(session, known)


def _write_hparams(session: Session, hparams: Mapping[str, Any]) -> None:
    """Write the script's hyperparameters to hparams.json; where runx wrote one, to logx.json."""
    if not hparams:
        return
    run, content = session.run, plain(hparams)
    try:
        if run.record.exists():
            session.notes.keep(hparams=content)
        else:
            write_whole(run.hparams, json.dumps(content, indent=2) + "\n")
    except OSError as error:
        session.faults.report("hparams", error, "without them")
