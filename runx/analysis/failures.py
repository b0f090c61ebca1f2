"""Why runs failed: their last words grouped, and the hyperparameters that go with each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines, strict
from runx.analysis.columns import IGNORED, identity, names_of
from runx.analysis.commands import again_command, there
from runx.rundir.record import Typed
from runx.rundir.run import RunRecord

_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Interrupt|Exit|Failure|Fault)\b")


_TRACEBACK = "Traceback (most recent call last):"


# Launchers put a rank or a time in front, torchrun for one: [rank0]: ValueError: ...
_PREFIX = re.compile(r"^(?:\[[^\]]*\]:?\s?)+")


_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d[\d.,:e+-]*")


_LONGEST = 160


class Failure(NamedTuple):
    """A run that ended badly, and the last lines of its output."""

    run: RunRecord
    tail: str


class Group(NamedTuple):
    """Runs that ended for one reason, and the values that they share and no other run has."""

    reason: str
    results: tuple[RunRecord, ...]
    shared: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        """Give what JSON has of it."""
        return {
            "reason": self.reason,
            "runs": [f"{run.experiment}/{run.name}" for run in self.results],
            "shared": strict(self.shared),
            "output": str(self.results[0].dir.output),
        }


def digest(failures: Iterable[Failure], others: Sequence[RunRecord]) -> list[Group]:
    """Group failed runs by their reason, the most frequent first.

    Numbers in a message (bytes, line numbers, addresses) don't tell reasons apart.
    """
    groups: dict[str, list[tuple[str, RunRecord]]] = {}
    for failure in failures:
        text = reason(failure).replace(str(failure.run.dir.path), "LOGDIR")
        groups.setdefault(_NUMBERS.sub("#", text), []).append((text, failure.run))
    members = {key: [result for _, result in group] for key, group in groups.items()}
    found = []
    for key, group in groups.items():
        rest = [*others, *(one for other in members if other != key for one in members[other])]
        found.append(Group(group[0][0], tuple(members[key]), shared(members[key], rest)))
    return sorted(found, key=lambda group: (-len(group.results), group.reason))


def reason(failure: Failure) -> str:
    """Say why a run failed: its exception, else how it ended and the last thing it said."""
    if failure.run.state != "failed":
        return str(failure.run.status)
    return last_exception(failure.tail) or _last_words(failure)


def last_exception(tail: str) -> str:
    r"""Find the last line of the last exception that Python, or a tool like it, wrote.

    >>> last_exception("Traceback (most recent call last):\n  File \"a\"\nKeyError: 'lr'\nbye\n")
    "KeyError: 'lr'"
    """
    lines = [_PREFIX.sub("", line) for line in tail.splitlines()]
    traces = [at for at, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    if traces:
        after = (line for line in lines[traces[-1] + 1 :] if line.strip() and line[0] not in " \t")
        if said := next(after, ""):
            return said.strip()[:_LONGEST]
    found = (line for line in reversed(lines) if _EXCEPTION.match(line))
    return next(found, "").strip()[:_LONGEST]


def _last_words(failure: Failure) -> str:
    lines = [line.strip() for line in failure.tail.splitlines() if line.strip()]
    how = failure.run.status.reason or failure.run.state
    return f"{how}: {lines[-1][:_LONGEST]}" if lines else how


def shared(group: Sequence[RunRecord], others: Sequence[RunRecord]) -> dict[str, Any]:
    """Give the values that every run of a group has and none of the others.

    >>> shared([], [])
    {}
    """
    if not group or not others:
        return {}
    found = {}
    for name in names_of(run.hparams for run in group):
        values = {identity(run.hparams.get(name)) for run in group}
        theirs = {identity(run.hparams.get(name)) for run in others}
        if len(values) == 1 and not values & theirs and name not in IGNORED:
            found[name] = group[0].hparams.get(name)
    return found


def retry_commands(
    failed: Sequence[RunRecord], launched: Mapping[str, Typed], here: str
) -> Iterator[str]:
    """Say what starts these runs again: what was last typed for each experiment, with --retry.

    Where that isn't known, the sweep's file may be called as its experiment is.
    """
    for name in dict.fromkeys(run.experiment for run in failed):
        states = ",".join(dict.fromkeys(run.state for run in failed if run.experiment == name))
        typed = launched.get(name, Typed((f"{name}.yml",), here))
        yield there(again_command(typed.argv, states), typed.cwd, here)


def digest_lines(groups: Sequence[Group]) -> list[str]:
    """Write the digest as lines for people: what, how often, with what, where."""
    lines = []
    for group in groups:
        all_with = ", ".join(f"{name}={for_machines(one)}" for name, one in group.shared.items())
        alike = f", all with {all_with}" if all_with else ""
        lines.append(f"{len(group.results)} x {group.reason}{alike}")
        lines.append(f"    {group.results[0].dir.output}")
    return lines
