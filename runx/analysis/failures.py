"""Failed runs grouped by their reason, with the hyperparameters that each group shares. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import IGNORED, identity, names_of
from runx.analysis.commands import in_folder, resume_command
from runx.analysis.runjson import json_safe
from runx.rundir.record import CommandLine
from runx.rundir.run import RunRecord

_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Interrupt|Exit|Failure|Fault)\b")
_TRACEBACK = "Traceback (most recent call last):"


# Launchers put a rank or a time in front, torchrun for one: [rank0]: ValueError: ...
_PREFIX = re.compile(r"^(?:\[[^\]]*\]:?\s?)+")
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d[\d.,:e+-]*")
_ABOUT_LEFT = "run.sh: its script ended with "  # says what the script has left, not why it failed
_LONGEST = 160
"""The length, in characters, at which a message is cut off."""


class Failure(NamedTuple):
    """A failed run, and the last lines of its output."""

    run: RunRecord
    tail: str


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
            "output": str(self.results[0].dir.output),
        }


def digest(failures: Iterable[Failure], others: Sequence[RunRecord]) -> list[FailureGroup]:
    """Return failed runs grouped by their reason, the most frequent first.

    Messages that differ in numbers alone (bytes, line numbers, addresses) are one reason.
    """
    groups: dict[str, list[tuple[str, RunRecord]]] = {}
    for failure in failures:
        text = reason(failure).replace(str(failure.run.dir.path), "LOGDIR")
        groups.setdefault(_NUMBERS.sub("#", text), []).append((text, failure.run))
    members = {key: [run for _, run in group] for key, group in groups.items()}
    digested = []
    for key, group in groups.items():
        rest = [*others, *(run for other in members if other != key for run in members[other])]
        digested.append(FailureGroup(group[0][0], tuple(members[key]), shared(members[key], rest)))
    return sorted(digested, key=lambda group: (-len(group.results), group.reason))


def reason(failure: Failure) -> str:
    """Return why a run failed: its exception, else how it ended and the last line of its output."""
    if failure.run.state != "failed":
        return str(failure.run.status)
    return last_exception(failure.tail) or _last_line(failure)


def last_exception(tail: str) -> str:
    r"""Return the last line of the last exception in an output, of Python or a tool like it.

    >>> last_exception("Traceback (most recent call last):\n  File \"a\"\nKeyError: 'lr'\nbye\n")
    "KeyError: 'lr'"
    """
    lines = [_PREFIX.sub("", line) for line in tail.splitlines()]
    traces = [at for at, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    if traces:
        after = (line for line in lines[traces[-1] + 1 :] if line.strip() and line[0] not in " \t")
        if message := next(after, ""):
            return message.strip()[:_LONGEST]
    exceptions = (line for line in reversed(lines) if _EXCEPTION.match(line))
    return next(exceptions, "").strip()[:_LONGEST]


def _last_line(failure: Failure) -> str:
    lines = [line.strip() for line in failure.tail.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_ABOUT_LEFT)]
    end = failure.run.status.reason or failure.run.state
    last = lines[-1][:_LONGEST] if lines else ""
    return f"{end}: {last}" if last and last != end[:_LONGEST] else end


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
        yield in_folder(resume_command(typed.argv, states), typed.cwd, here)


def digest_lines(groups: Sequence[FailureGroup]) -> list[str]:
    """Return the lines of a digest for people: number, reason, what is shared, an output."""
    lines = []
    for group in groups:
        hparams = ", ".join(f"{name}={for_machines(each)}" for name, each in group.shared.items())
        suffix = f", all with {hparams}" if hparams else ""
        lines.append(f"{len(group.results)} x {group.reason}{suffix}")
        lines.append(f"    {group.results[0].dir.output}")
    return lines
