"""The steps of runs as a graph: what is after what, and how they stand. And those of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.step_records import gatherers
from runx.report.details import LOG, command, log_end
from runx.rundir.paths import STEPS, ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.rundir.steps import When

Warn = Callable[[str], None]


class GraphStep(NamedTuple):
    """A step of a sweep: what it is after, and the number of its executions by their states.

    ``gathers``: no run has it among its own.
    """

    name: str
    after: dict[str, When]
    states: Counter[str]
    gathers: bool = False


def step_graph(records: Sequence[RunRecord], warn: Warn) -> list[dict[str, Any]]:
    """Return the graph of the steps of some runs as a page has it, each after what it is after.

    A step that runs share counts once. Those that gather runs stand by their files alone.
    """
    steps: dict[str, GraphStep] = {}
    counted: set[RunDir] = set()
    for record in records:
        for step in record.steps:
            node = steps.setdefault(step.name, GraphStep(step.name, {}, Counter()))
            node.after.update(step.after)
            if step.dir not in counted:
                counted.add(step.dir)
                node.states[step.status.name] += 1
    if steps:
        known = frozenset(steps)
        for folder in dict.fromkeys(record.dir.path.parent for record in records):
            _add_gatherers(steps, folder, known, warn)
    return [node._asdict() for node in _in_order(steps)]


def _add_gatherers(
    steps: dict[str, GraphStep], experiment: Path, known: frozenset[str], warn: Warn
) -> None:
    for each in gatherers(ExperimentDir(experiment), known, warn):
        node = steps.setdefault(each.name, GraphStep(each.name, {}, Counter(), gathers=True))
        node.after.update(each.after)
        node.states[each.state] += 1


def _in_order(steps: Mapping[str, GraphStep]) -> list[GraphStep]:
    """Return steps, each after those that it is after; names of none that is there are left out."""
    left = [step._replace(after=_present(step, steps)) for step in steps.values()]
    ordered: list[GraphStep] = []
    while left:
        names = {step.name for step in left}
        # Records of several experiments may contradict each other: a circle is cut anywhere.
        ready = [step for step in left if not names & step.after.keys()] or left[:1]
        ordered += ready
        left = [step for step in left if step not in ready]
    return ordered


def _present(step: GraphStep, steps: Mapping[str, GraphStep]) -> dict[str, When]:
    return {name: when for name, when in step.after.items() if name in steps}


def step_details(record: RunRecord) -> dict[str, Any]:
    """Return for each step of a run its command, the end of its log, its metrics' names.

    Together the logs take as much room as that of a run without steps.
    """
    places = [(name, Path(file).parts) for name, file in record.sources.items()]
    return {
        step.name: {
            "command": command(step.dir, {}),
            "log": log_end(step.dir, LOG // len(record.steps)),
            "metrics": [name for name, parts in places if parts[:2] == (STEPS, step.name)],
        }
        for step in record.steps
    }
