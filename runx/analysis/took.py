"""How long runs really took, beside the time that was asked for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from runx.analysis.ask import read_states
from runx.analysis.index import open_index
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.sweeps.scalars import duration_text, seconds

MOST_READ = 256
"""Runs that are read for a preview, beyond those of which the index knows."""


class Took(NamedTuple):
    """The seconds that the longest of some runs that are done took, in its last attempt."""

    longest: float
    runs: int

    def line(self, times: Iterable[str]) -> str:
        """Return it beside the times that were asked for.

        >>> Took(2460.5, 12).line(["3h"]), Took(70, 1).line(["1h", "2h"])
        ('time: 3h, runs took at most 42 min', 'time: 1h to 2h, the run that is done took 2 min')
        """
        asked = list(dict.fromkeys(times))
        asked.sort(key=lambda text: seconds(text) or 0.0)
        span = asked[0] if len(asked) == 1 else f"{asked[0]} to {asked[-1]}"
        subject = "runs took at most" if self.runs > 1 else "the run that is done took"
        # No less than it was, in the units that are shown.
        unit = 1 if self.longest < 60 else 60 if self.longest < 86400 else 3600
        longest = max(math.ceil(self.longest / unit), 1) * unit
        return f"time: {span}, {subject} {duration_text(longest)}"


def took(records: Iterable[RunRecord]) -> Took | None:
    """Return how long those of some runs took that are done, None where none is."""
    lengths = [
        length
        for record in records
        if record.state == "done" and (length := record.elapsed(0.0)) is not None
    ]
    return Took(max(lengths), len(lengths)) if lengths else None


def took_before(experiment: ExperimentDir) -> Took | None:
    """Return how long the runs of an experiment took; None where that would be slow to find out."""
    runs = list(run_dirs(experiment)) if experiment.path.is_dir() else []
    if not runs:
        return None
    if index := open_index(experiment, len(runs)):
        try:
            if len(index.missing(runs)) > MOST_READ:
                return None
        finally:
            index.close()
    return took(read_states(runs, experiment, _ignore))


def _ignore(_: str) -> None:
    """Drop a warning: whoever looks at the runs gets it."""


def took_lines(records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield for each experiment whose runs asked for a time how long they took."""
    by_experiment: dict[str, list[RunRecord]] = {}
    for record in records:
        by_experiment.setdefault(record.experiment, []).append(record)
    for name, own in by_experiment.items():
        times = [text for record in own if (text := _time(record.resources)) is not None]
        if times and (found := took(own)):
            yield (f"{name}: " if len(by_experiment) > 1 else "") + found.line(times)


def _time(resources: Any) -> str | None:
    """Return the time among resources as they were asked for."""
    values = [value for name, value in resources.items() if name.lower() == "time"]
    return str(values[0]) if values and values[0] is not None else None
