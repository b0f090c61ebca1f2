"""What there is to tell of the runs of an experiment, and the words for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from runx.analysis.cells import for_people
from runx.analysis.columns import value
from runx.analysis.overview import counts
from runx.analysis.question import Question
from runx.analysis.runjson import json_safe
from runx.analysis.table import Key, rank, ranked, sort_keys
from runx.rundir.notify import Notify
from runx.rundir.run import RunRecord
from runx.rundir.states import ENDED_BADLY


class Occasion(NamedTuple):
    """Something to tell once: the event, what its claim is called, and the run that it is about."""

    event: str
    claim: str
    run: RunRecord | None = None


class Best(NamedTuple):
    """The best run by a metric, and those that were compared."""

    run: RunRecord
    key: Key
    done: Sequence[RunRecord]

    @property
    def is_record(self) -> bool:
        """Whether an earlier run was worse than this."""
        own = rank(value(self.run, self.key.column), self.key.lower)
        others = (each for each in self.done if (each.ended or 0.0) < (self.run.ended or 0.0))
        cells = (value(each, self.key.column) for each in others)
        return any(rank(cell, self.key.lower) > own for cell in cells if cell is not None)

    @property
    def text(self) -> str:
        """Its value, rounded."""
        return for_people(value(self.run, self.key.column), self.key.column)

    def json(self) -> dict[str, Any]:
        """Return the best as JSON has it."""
        column = self.key.column
        cell = json_safe(value(self.run, column))
        return {"run": self.run.name, "metric": column.heading, "value": cell}


def question_of(notify: Notify) -> Question:
    """Return what to read of runs, and how to compare them."""
    if not notify.best:
        return Question()
    metric = Question().sort_measure(notify.best).metric
    lower, higher = ((metric,), ()) if notify.lower else ((), (metric,))
    return Question(sortwith=(notify.best,), lower=lower, higher=higher)


def best_of(records: Sequence[RunRecord], question: Question) -> Best | None:
    """Return the best run that is done; of equals the first; None where no run has the metric.

    Raises:
        RunxError: A metric is named that no run has.
    """
    done = sorted(
        (record for record in records if record.state == "done"), key=lambda run: run.ended or 0.0
    )
    keys = sort_keys(done, question)
    if not keys:
        return None
    first = ranked(done, keys)[0]
    return Best(first, keys[0], done) if value(first, keys[0].column) is not None else None


def occasions(
    records: Sequence[RunRecord], notify: Notify, best: Best | None, since: float, is_over: bool
) -> list[Occasion]:
    """Return what there is to tell: the end alone where all is over, else what came before.

    Failures from before ``since``, in seconds since 1970, are those of earlier launches.
    """
    failed = [
        run
        for run in records
        if run.state in ENDED_BADLY and (run.ended is None or run.ended >= since)
    ]
    failed.sort(key=lambda run: run.ended or 0.0)
    found = []
    if failed and "failure" in notify.on:
        found.append(Occasion("failure", "failure", failed[0]))
    if best and "best" in notify.on and best.is_record:
        name = sha256(best.run.name.encode("utf-8", "surrogateescape")).hexdigest()
        found.append(Occasion("best", f"best.{name[:16]}", best.run))
    if records and is_over:
        end = Occasion("end", "end")
        return [end] if "end" in notify.on else found
    return found


def facts(
    occasion: Occasion, records: Sequence[RunRecord], best: Best | None, cause: str
) -> dict[str, Any]:
    """Return what is told, as JSON has it: counts, the best, and a cause."""
    name, count = records[0].experiment, counts(run.state for run in records)
    shown = f"{best.key.column.heading} {best.text}" if best else ""
    titles = {
        "end": f"{name}: ended, {count}",
        "failure": f"{name}: a run has failed",
        "best": f"{name}: a new best, {shown}",
    }
    lines = [count] if occasion.event != "end" else []
    lines += [f"failed: {cause}"] if cause else []
    lines += [occasion.run.name] if occasion.run else []
    lines += [f"best: {shown}, {best.run.name}"] if best and occasion.event != "best" else []
    return {
        "event": occasion.event,
        "experiment": name,
        "title": titles[occasion.event],
        "text": "\n".join(lines),
        "counts": dict(Counter(run.state for run in records)),
        "run": occasion.run.name if occasion.run else None,
        "best": best.json() if best else None,
        "cause": cause or None,
    }
