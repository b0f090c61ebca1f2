"""How runs stand, and nothing else of them: of most an index knows it, of the others files tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from runx.disk.experiments import is_run
from runx.disk.facts import clock, facts
from runx.reading.collect import index_for
from runx.reading.standing import Reader
from runx.rundir import ExperimentDir, RunDir
from runx.states.attempts import Facts
from runx.states.state import UNKNOWN, State, state


def stood(
    runs: Sequence[RunDir], experiment: ExperimentDir, warn: Callable[[str], None]
) -> Iterator[tuple[RunDir, State, Facts]]:
    """Say of each of an experiment's directories that is a run's how it stands; no farm is asked.

    Of runs that are over, and have not changed since a table was made, no file is opened; of their
    events only the first start and the end are told.
    """
    now = clock(experiment.path)
    index = index_for(runs, experiment, Reader(warn=warn))
    try:
        for run in runs:
            if index and (one := index.find(run, experiment.path.name)):
                yield run, one.state, one.facts
            elif is_run(os.fspath(run)):
                known = facts(run, now, warn)
                is_ours = bool(known.attempts) or run.record.exists()
                yield run, state(known) if is_ours else State(UNKNOWN), known
    finally:
        if index:
            index.close()
