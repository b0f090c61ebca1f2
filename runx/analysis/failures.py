"""Failed runs grouped by their reason, with the hyperparameters that each group shares."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.causes import LONGEST, Cause, cause_of, last_words
from runx.analysis.cells import for_machines
from runx.analysis.columns import IGNORED, identity, names_of
from runx.analysis.commands import in_folder, resume_command
from runx.analysis.runjson import json_safe
from runx.rundir.output import output_of
from runx.rundir.paths import RunDir
from runx.rundir.record import CommandLine
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import fingerprint
from runx.rundir.states import ENDED_BADLY, State


class Failure(NamedTuple):
    """A failed run, and the last lines of its output."""

    run: RunRecord
    tail: str

    @classmethod
    def of(cls, run: RunRecord) -> Failure:
        """Read the output of a run's last attempt."""
        return cls(run, output_of(run.place, run.status.attempt))


class FailureGroup(NamedTuple):
    """Runs that failed for one reason, and the hyperparameters that they alone have in common."""

    reason: str
    results: tuple[RunRecord, ...]
    shared: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the group as JSON has it."""
        return {
            "reason": self.reason,
            "runs": [f"{run.experiment}/{run.name}" for run in self.results],
            "shared": json_safe(self.shared),
            "output": str(self.results[0].place.output),
        }


def digest(failures: Iterable[Failure], others: Sequence[RunRecord]) -> list[FailureGroup]:
    """Return failed runs grouped by their reason, the most frequent first."""
    return grouped_by_cause(((failure.run, reason(failure)) for failure in failures), others)


def grouped_by_cause(
    failed: Iterable[tuple[RunRecord, Cause]], others: Sequence[RunRecord]
) -> list[FailureGroup]:
    """Return failed runs grouped by their cause, the most frequent first.

    Messages that differ in numbers alone (bytes, line numbers, addresses) are one reason.
    """
    groups: dict[str, list[tuple[str, RunRecord]]] = {}
    for run, why in failed:
        groups.setdefault(why.key, []).append((str(why), run))
    members = {key: [run for _, run in group] for key, group in groups.items()}
    digested = []
    for key, group in groups.items():
        rest = [*others, *(run for other in members if other != key for run in members[other])]
        digested.append(FailureGroup(group[0][0], tuple(members[key]), shared(members[key], rest)))
    return sorted(digested, key=lambda group: (-len(group.results), group.reason))


def reason(failure: Failure) -> Cause:
    """Return why a run failed: what its output says, else how it ended and the last line.

    Its folder is called LOGDIR, so that one reason of several runs is the same.
    """
    status, folder = failure.run.status, failure.run.dir.owner.path
    tail = failure.tail.replace(str(folder), "LOGDIR")
    if status.name != "failed":
        return Cause(str(status))
    return cause_of(tail) or _last_line(status.reason or status.name, tail)


class Causes:
    """Why runs failed; an output is read again only when it or the run's state has changed."""

    def __init__(self) -> None:
        self._known: dict[RunDir, tuple[State, int | None, Cause]] = {}

    def of(self, run: RunRecord) -> Cause:
        """Return why a run failed."""
        output = fingerprint(os.fspath(run.place), [run.place.output.name])
        known = self._known.get(run.place)
        if known is None or known[:2] != (run.status, output):
            known = self._known[run.place] = run.status, output, reason(Failure.of(run))
        return known[2]


def cause_in(record: RunRecord) -> str | None:
    """Return why a run ended badly, by its output; None where it did not."""
    if record.state not in ENDED_BADLY:
        return None
    return str(reason(Failure.of(record)))


def _last_line(end: str, tail: str) -> Cause:
    last = last_words(tail)[:LONGEST]
    return Cause(f"{end}: {last}" if last and last != end[:LONGEST] else end)


def shared(group: Sequence[RunRecord], others: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the hyperparameters that all runs of a group have in common, and none of the others.

    >>> shared([], [])
    {}
    """
    if not group or not others:
        return {}
    common = {}
    for name in names_of(run.hparams for run in group):
        values = {identity(run.hparams.get(name)) for run in group}
        other_values = {identity(run.hparams.get(name)) for run in others}
        if len(values) == 1 and not values & other_values and name not in IGNORED:
            common[name] = group[0].hparams.get(name)
    return common


def retry_commands(
    failed: Sequence[RunRecord], launched: Mapping[str, CommandLine], here: str
) -> Iterator[str]:
    """Return the commands that retry failed runs: each experiment's last launch, with --retry.

    Where that isn't recorded, the sweep's file is assumed to have its experiment's name.
    """
    for name in dict.fromkeys(run.experiment for run in failed):
        states = ",".join(dict.fromkeys(run.state for run in failed if run.experiment == name))
        typed = launched.get(name, CommandLine((f"{name}.yml",), here))
        yield in_folder(resume_command(typed.argv, states, typed.source), typed.cwd, here)


def digest_lines(groups: Sequence[FailureGroup]) -> list[str]:
    """Return the lines of a digest for people: number, reason, what is shared, an output."""
    lines = []
    for group in groups:
        hparams = ", ".join(f"{name}={for_machines(each)}" for name, each in group.shared.items())
        suffix = f", all with {hparams}" if hparams else ""
        lines.append(f"{len(group.results)} x {group.reason}{suffix}")
        lines.append(f"    {group.results[0].place.output}")
    return lines
