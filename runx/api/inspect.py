"""Reading runs that exist: their states, why they failed, everything about one."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from runx.api.printing import Say, warning
from runx.api.project import logroot_of
from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.analysis.failures import FailureGroup
    from runx.analysis.overview import Overview
    from runx.rundir.paths import RunDir
    from runx.rundir.run import RunRecord
    from runx.trials.outlook import Outlook

HINT = "name a run, or --where EXPR; see runx status"


@dataclass(frozen=True)
class Standings(Sequence["RunRecord"]):
    """Runs with their states, as ``runx status`` shows them."""

    records: tuple[RunRecord, ...]

    @overload
    def __getitem__(self, place: int) -> RunRecord: ...
    @overload
    def __getitem__(self, place: slice) -> Standings: ...
    def __getitem__(self, place: int | slice) -> RunRecord | Standings:
        """Return the record of one run, or of some."""
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
        """Return how many runs are in each state, as text."""
        from runx.analysis.overview import counts

        return counts(record.state for record in self.records)

    def took(self) -> list[str]:
        """Return how long runs took beside the time that was asked for them, by experiment."""
        from runx.analysis.took import took_lines

        return list(took_lines(self.records))

    def gpus(self) -> list[str]:
        """Return lines on the GPU-hours that were asked for, and on GPUs that are idle now."""
        from runx.analysis.gpus import gpu_lines

        return list(gpu_lines(self.records, time.time()))

    def searches(self, warn: Say = warning) -> list[Outlook]:
        """Return how each search goes that these runs are of."""
        if not any(record.trial for record in self.records):
            return []
        from runx.trials.outlooks import outlooks

        return outlooks(self.records, warn)

    def json(self, disk: bool = False) -> list[dict[str, Any]]:
        """Return an object for each run, as ``runx status --json`` prints it."""
        from runx.analysis.overview import runs_as_json
        from runx.analysis.remove import freed_bytes

        runs = runs_as_json(self.records, time.time())
        if disk:
            for run, record in zip(runs, self.records, strict=True):
                run["disk"] = freed_bytes(record.dir.path)
        return runs

    def failures(self) -> list[FailureGroup]:
        """Return the runs that ended badly, grouped by the reason, the most frequent first."""
        from runx.analysis.failures import Failure, digest
        from runx.rundir.state import ENDED_BADLY

        failures = [Failure.of(run) for run in self.records if run.state in ENDED_BADLY]
        others = [record for record in self.records if record.state not in ENDED_BADLY]
        return digest(failures, others)

    def retry_commands(self, warn: Say = warning) -> list[str]:
        """Return the commands that start again the runs that ended badly."""
        from runx.analysis.failures import retry_commands
        from runx.rundir.experiments import launches
        from runx.rundir.paths import ExperimentDir
        from runx.rundir.state import ENDED_BADLY

        records = [record for record in self.records if record.state in ENDED_BADLY]
        commands = {}
        for name, path in {record.experiment: record.dir.path.parent for record in records}.items():
            typed = [launch.typed for launch in launches(ExperimentDir(path), warn) if launch.typed]
            if typed:
                commands[name] = typed[-1]
        return list(retry_commands(records, commands, str(Path.cwd())))

    def changed_since(self) -> dict[str, list[str]]:
        """Return what has changed since runs that ended badly were launched, by experiment."""
        from runx.launching.changed import changed_since
        from runx.rundir.state import ENDED_BADLY

        runs: dict[str, list[RunDir]] = {}
        for record in self.records:
            if record.state in ENDED_BADLY:
                runs.setdefault(record.experiment, []).append(record.dir)
        return {name: changed_since(dirs) for name, dirs in runs.items()}

    def notes(self) -> list[str]:
        """Return what else is to be known of the experiments of these runs, a line each."""
        from runx.analysis.hosts import avoided, failing_hosts_of, may_fail
        from runx.analysis.overview import step_names
        from runx.analysis.step_records import of_shared
        from runx.api.here import launcher_line
        from runx.rundir.held import held_because
        from runx.rundir.paths import ExperimentDir

        runs: dict[Path, list[RunRecord]] = {}
        for record in self.records:
            runs.setdefault(record.dir.path.parent, []).append(record)
        lines = []
        for path, records in runs.items():
            name = path.name
            known = step_names(records)
            if known:
                lines += of_shared(ExperimentDir(path), known, lambda _: None)
            if any(record.state in ("queued", "running") for record in records):
                lines += filter(None, (launcher_line(ExperimentDir(path)),))
            if reason := held_because(ExperimentDir(path)):
                go_on = f"runx release {shlex.quote(name)} lets what waits start"
                lines.append(f"{name} is {reason}; {go_on}, --resume starts what has ended, too")
            is_needed = may_fail(record.attempts for record in records)
            hosts = failing_hosts_of(ExperimentDir(path)) if is_needed else {}
            lines += [f"{name}: {avoided(host, count)}" for host, count in hosts.items()]
        return lines

    def written(self, form: str = "table", disk: bool = False, width: int | None = None) -> str:
        """Return the table, in a format of ``sumx``.

        ``disk``: with what each run takes on disk. ``width``: without what matters least, so that
        it fits into so many columns; what still doesn't fit is cut.
        """
        from runx.analysis.cells import DIGITS
        from runx.analysis.overview import status_table
        from runx.export.formats import format_table
        from runx.export.table import cut, fitted

        table = status_table(self.records, time.time(), disk=disk)
        if width is None:
            return format_table(form, table)
        return cut(format_table(form, fitted(table, width, DIGITS)[0]), width)

    def __repr__(self) -> str:
        return self.written("table")

    def _repr_html_(self) -> str:
        return self.written("html")


def status(
    *names: str,
    where: str = "",
    label: Sequence[str] = (),
    logroot: str | Path | None = None,
    warn: Say = warning,
) -> Standings:
    """Return runs with their states: those of experiments, of names or parts of names, or all.

    Only those with all labels of ``label``, where there are any; a RunxError if there is none.
    """
    from runx.analysis.read import Reader
    from runx.analysis.select import records_of
    from runx.processes import worker_count

    labels, root = _labels(label), logroot_of(logroot)
    reader = Reader(warn=warn, processes=worker_count(), labels=labels)
    records = records_of(names, root, Path.cwd(), reader, where)
    if labels and not records and not where:
        raise _no_labelled(labels, root)
    return Standings(tuple(records))


def experiments(
    label: Sequence[str] = (),
    logroot: str | Path | None = None,
    warn: Say = warning,
    sizes: bool = False,
) -> list[Overview]:
    """Return every experiment under LOGROOT: its runs' states, title, last activity, last note.

    Only those with all labels of ``label``, where there are any; a RunxError if there is none. With
    ``sizes`` also the bytes that each takes on disk.
    """
    from runx.analysis.overview import overviews

    labels, root = _labels(label), logroot_of(logroot)
    shown = list(overviews(root, warn, labels, sizes))
    if labels and not shown:
        raise _no_labelled(labels, root)
    return shown


def _labels(label: Sequence[str]) -> tuple[str, ...]:
    return (label,) if isinstance(label, str) else tuple(label)


def _no_labelled(labels: Sequence[str], logroot: Path) -> RunxError:
    from runx.rundir.experiments import find, no_labelled

    return no_labelled(labels, find(["*"], logroot, logroot) if logroot.is_dir() else [])


def show(
    *names: str, where: str = "", logroot: str | Path | None = None, warn: Say = warning
) -> list[dict[str, Any]]:
    """Return everything about runs, as ``runx show --json`` prints it.

    Raises:
        RunxError: Nothing is named, or no run matches.
    """
    from runx.analysis.description import description
    from runx.analysis.read import Reader
    from runx.analysis.select import records_of

    if not (names or where):
        raise RunxError(HINT)
    records = records_of(names, logroot_of(logroot), Path.cwd(), Reader(warn=warn), where)
    if where and not records:
        raise RunxError(f"--where {where}: no run is like that")
    if not records:
        raise RunxError(f"{' '.join(names)}: no run that can be read; see the warnings above")
    return [description(record, time.time(), warn) for record in records]


def runs_named(
    names: Sequence[str], where: str, logroot: str | Path | None, warn: Say, hint: str
) -> list[RunDir]:
    """Return the runs that are named, or for which ``where`` holds.

    Raises:
        RunxError: Nothing is named (with ``hint`` as its text), or no run matches.
    """
    from runx.analysis.select import runs_of

    if not (names or where):
        raise RunxError(hint)
    return runs_of(names, logroot_of(logroot), Path.cwd(), where, warn)
