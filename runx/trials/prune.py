"""What a script without logx has measured, entered at the rungs of its search from outside."""

from __future__ import annotations

from runx.analysis.curves import metric_history
from runx.analysis.measurements import is_logx
from runx.analysis.read_run import read_run
from runx.readers.asked import recorded
from runx.rundir.attempts import clock
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.rungs import judge_of, stop
from runx.trials.bind import place_of


def observe(folder: RunDir, attempt: int, judges: bool) -> None:
    """Enter what a run has measured until now; where it ``judges``, stop the run if that is bad.

    ``folder`` is its directory, or that of its step that executes.

    Raises:
        RunxError: The files of the search, or of the run, are damaged.
        OSError: The disk is full, or can't be written.
    """
    run = folder.owner
    place = place_of(run)
    judge = judge_of(place.folder)
    if judge is None or is_logx(folder):
        return
    asked = recorded(ExperimentDir(run.experiment), _ignore)
    record, _ = read_run(run, "", clock(run.path), asked=asked)
    if record is None:
        return
    entered = set()
    for at, (epoch, value) in enumerate(metric_history(record, judge.metric, judge.phase)):
        if not isinstance(value, (int, float)):
            continue
        when = at if epoch is None else epoch
        rung = judge.rule.rung(when)
        if rung in entered:
            continue
        entered.add(rung)  # once, since that lists the whole rung
        judgement = judge.enter(run.path.name, place.number, when, float(value))
        if judgement is not None and judgement.verdict.stops and judges:
            stop(judge, folder, attempt, judgement)
            break


def _ignore(_: str) -> None:
    """Drop a warning: the commands that read runs give it."""
