"""Looking at runs: how they stand, why they failed, all about one, what they print."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.analysis.failures import Group
    from runx.analysis.overview import Overview
    from runx.rundir.paths import RunDir
    from runx.rundir.run import RunRecord


Say = Callable[[str], None]


_PAUSE = 0.2  # seconds between looks at logs that are followed


def warning(line: str) -> None:
    """Print a warning, for callers that have no way of their own."""
    from runx.api.output import remark

    remark(f"warning: {line}")


def logroot_of(given: str | Path | None, config: Path | None = None) -> Path:
    """Return where experiments lie: as is given, or the environment or settings say."""
    if given:
        return Path(given).expanduser()
    from runx.config.load import logroot

    return logroot(Path.cwd(), os.environ, config)


@dataclass(frozen=True)
class Standings(Sequence["RunRecord"]):
    """How runs stand, as ``runx status`` shows it."""

    records: tuple[RunRecord, ...]

    @overload
    def __getitem__(self, place: int) -> RunRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Standings: ...
    def __getitem__(self, place: int | slice) -> RunRecord | Standings:
        """Return how one run stands, or how some do."""
        return Standings(self.records[place]) if isinstance(place, slice) else self.records[place]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def states(self) -> dict[str, str]:
        """The state of each run, by its name."""
        return {record.name: record.state for record in self.records}

    @property
    def any_failed(self) -> bool:
        """Whether any run has ended badly."""
        from runx.analysis.overview import any_failed

        return any_failed(record.status for record in self.records)

    def counts(self) -> str:
        """Return how many runs are in each state, in words."""
        from runx.analysis.overview import counts

        return counts(record.state for record in self.records)

    def json(self) -> list[dict[str, Any]]:
        """Return what JSON has of each run."""
        from runx.analysis.overview import objects

        return objects(self.records, time.time())

    def failures(self) -> list[Group]:
        """Group the runs that ended badly by their reason, the most frequent first."""
        from runx.analysis.failures import Failure, digest
        from runx.rundir.output import tail
        from runx.rundir.state import ENDED_BADLY

        failures = [
            Failure(record, tail(record.dir.output))
            for record in self.records
            if record.state in ENDED_BADLY
        ]
        others = [record for record in self.records if record.state not in ENDED_BADLY]
        return digest(failures, others)

    def retry_commands(self, warn: Say = warning) -> list[str]:
        """Return the commands that start again what ended badly."""
        from runx.analysis.failures import retry_commands
        from runx.rundir.experiments import launches
        from runx.rundir.paths import ExperimentDir
        from runx.rundir.state import ENDED_BADLY

        results = [record for record in self.records if record.state in ENDED_BADLY]
        typed = {}
        for name, path in {run.experiment: run.dir.path.parent for run in results}.items():
            known = [one.typed for one in launches(ExperimentDir(path), warn) if one.typed]
            if known:
                typed[name] = known[-1]
        return list(retry_commands(results, typed, str(Path.cwd())))

    def written(self, form: str = "table") -> str:
        """Return the table, in a format of ``sumx``."""
        from runx.analysis.overview import status as table
        from runx.export.formats import written

        return written(form, table(self.records, time.time()))

    def __repr__(self) -> str:
        return self.written("table")

    def _repr_html_(self) -> str:
        return self.written("html")


def status(
    *words: str, where: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> Standings:
    """Return how runs stand: those of experiments, of names or parts of names, or all."""
    from runx.analysis.read import Reader
    from runx.analysis.select import records_of
    from runx.processes import hands

    reader = Reader(warn=warn, hands=hands())
    return Standings(tuple(records_of(words, logroot_of(logroot), Path.cwd(), reader, where)))


def experiments(logroot: str | Path | None = None, warn: Say = warning) -> list[Overview]:
    """Return every experiment under LOGROOT: the states of its runs, its title, its last event."""
    from runx.analysis.overview import overviews

    return list(overviews(logroot_of(logroot), warn))


def show(
    *words: str, where: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> list[dict[str, Any]]:
    """Return everything about runs: what they are, how they stand, how to do them again."""
    from runx.analysis.overview import description
    from runx.analysis.read import Reader
    from runx.analysis.select import records_of

    if not (words or where):
        raise RunxError("name a run, or --where EXPR; see runx status")
    records = records_of(words, logroot_of(logroot), Path.cwd(), Reader(warn=warn), where)
    if where and not records:
        raise RunxError(f"--where {where}: no run is like that")
    if not records:
        raise RunxError(f"{' '.join(words)}: no run that can be read; see the warnings above")
    return [description(record, time.time(), warn) for record in records]


@dataclass(frozen=True)
class Logs:
    """The lines that runs have printed, each with its run, as they are read."""

    runs: tuple[RunDir, ...]
    lines: Iterator[tuple[RunDir, str]]

    def __iter__(self) -> Iterator[tuple[RunDir, str]]:
        return self.lines


def logs(
    *words: str,
    where: str = "",
    follow: bool = False,
    lines: int | None = None,
    logroot: str | Path | None = None,
    warn: Say = warning,
) -> Logs:
    """Return what runs have printed; only the last ``lines`` lines of each.

    ``follow`` goes on until the runs have ended.
    """
    from runx.rundir.output import Follower, start_of_last
    from runx.rundir.workspace import elsewhere, join

    runs = runs_named(words, where, logroot, warn, "name a run, or --where EXPR; see runx status")
    for run in runs:
        if elsewhere(run):
            join(run, warn)
    if not follow and not any(run.output.exists() for run in runs):
        names = ", ".join(run.path.name for run in runs) or " ".join(words)
        raise RunxError(f"{names}: no output yet; see runx status {' '.join(words)}")
    begun = [0 if lines is None else start_of_last(run.output, lines) for run in runs]
    logs = [Follower(run.output, place) for run, place in zip(runs, begun, strict=True)]
    return Logs(tuple(runs), _followed(runs, logs, follow, warn))


def _followed(
    runs: Sequence[RunDir], logs: Sequence[Any], follow: bool, warn: Say
) -> Iterator[tuple[RunDir, str]]:
    """Return what is added, in the order of the runs."""
    while follow and any(_is_alive(run, warn) for run in runs):
        for run, log in zip(runs, logs, strict=True):
            yield from ((run, line) for line in log.more())
        time.sleep(_PAUSE)
    for run, log in zip(runs, logs, strict=True):
        yield from ((run, line) for line in log.more(True))


def _is_alive(run: RunDir, warn: Say) -> bool:
    from runx.rundir.attempts import clock, read_attempts
    from runx.rundir.state import state

    return state(read_attempts(run, clock(run.path.parent), warn)).alive


def runs_named(
    words: Sequence[str], where: str, logroot: str | Path | None, warn: Say, remedy: str
) -> list[RunDir]:
    """Return the runs that words stand for, or for which ``where`` holds.

    Raises:
        RunxError: Nothing is named (told with ``remedy``), or no run is like that.
    """
    from runx.analysis.select import runs_of

    if not (words or where):
        raise RunxError(remedy)
    return runs_of(words, logroot_of(logroot), Path.cwd(), where, warn)
