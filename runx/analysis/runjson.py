"""A run as JSON has it: one set of names for every command, the page and Python, and its schema.

Names are added and never changed; docs/schemas/status.json is made of FIELDS.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from runx.analysis.codes import code_digest
from runx.rundir.events import Attempt
from runx.rundir.run import RunRecord, StepRecord
from runx.sweeps.values import Trial

VERSION = 1
"""The version of a run's JSON, raised only if a name's meaning had to change."""
_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_OBJECT, _TEXTS = {"type": "object"}, {"type": "array", "items": _TEXT}
_NONFINITE = {"enum": ["nan", "inf", "-inf"]}


class Field(NamedTuple):
    """A name in a run's JSON: what it means, its schema, whether it may be null and be missing."""

    meaning: str
    schema: Mapping[str, Any]
    nullable: bool = False
    always: bool = True

    @property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of its values."""
        described = {"description": f"{self.meaning[0].upper()}{self.meaning[1:]}."}
        if not self.nullable:
            return {**described, **self.schema}
        return {**described, "anyOf": [dict(self.schema), {"type": "null"}]}


def _some(meaning: str, schema: Mapping[str, Any], nullable: bool = False) -> Field:
    return Field(meaning, schema, nullable, always=False)


FIELDS = {
    "version": Field("the version of these names", {"const": VERSION}),
    "name": Field("the run's name, that of its directory", _TEXT),
    "experiment": Field("the experiment's name", _TEXT),
    "tool": Field("what wrote the run: runx, or another tool", _TEXT),
    "logdir": Field("the absolute path of the run's directory", _TEXT),
    "tag": Field("the tag that its name begins with, or nothing", _TEXT),
    "labels": Field("the labels of its experiment", _TEXTS),
    "hparams": Field("the hyperparameters by their dotted names", _OBJECT),
    "resources": Field("what it asked of its farm", _OBJECT),
    "state": Field("its state, such as done or failed; unknown where its tool keeps none", _TEXT),
    "reason": Field("why it is in that state, or nothing", _TEXT),
    "exit_code": Field("the exit status of the attempt that its state is of", _WHOLE, True),
    "signal": Field("the signal that ended that attempt", _TEXT, True),
    "code_digest": Field("the digest of the code that it ran last", _TEXT, True),
    "attempt": Field("the number of the attempt that its state is of", _WHOLE, True),
    "started": Field("when that attempt started, in seconds since 1970", _NUMBER, True),
    "ended": Field("when that attempt ended, in seconds since 1970", _NUMBER, True),
    "elapsed": Field(
        "the seconds that it took or has taken: of steps, all own ones", _NUMBER, True
    ),
    "where": Field("the job and the machine of that attempt", _TEXT, True),
    "steps": _some("the steps that it needs: how each stands, and where it lies", _OBJECT),
    "metrics": Field("metrics of the last epoch, and others that were asked for", _OBJECT),
    "epoch": Field("the last epoch", {"anyOf": [_NUMBER, _NONFINITE]}, True),
    "epoch_time": Field("the seconds that an epoch took", {"anyOf": [_NUMBER, _NONFINITE]}, True),
    "id": _some("what equal runs share: a hash of command and hyperparameters", _TEXT, True),
    "cmd": _some("the training command as it was written", _TEXT, True),
    "command": _some("the command as it is executed", _TEXT),
    "argv": _some("the words that the script gets", _TEXTS),
    "farm": _some("the farm that it would go to, null for this machine", _TEXT, True),
    "submit": _some("the command that submits it", {"anyOf": [_TEXTS, _TEXT]}, True),
    "stdin": _some("what that command reads", _TEXT),
    "created": _some("when its directory was made, in seconds since 1970", _NUMBER, True),
    "launch": _some("the launch that made it", _TEXT, True),
    "note": _some("the note of that launch", _TEXT, True),
    "git": _some("the commit of the project at that launch", _OBJECT, True),
    "commit": _some("that commit in short, with + where there were changes", _TEXT, True),
    "cause": _some("what its output says of why it ended badly", _TEXT, True),
    "gpu_hours": _some("the GPUs that it had, times the hours of all attempts", _NUMBER, True),
    "gpu_idle": _some("the share of that in which they were idle, from 0 to 1", _NUMBER, True),
    "code_changed": _some("since which attempt it has its code, and what differed before", _TEXT),
    "code_differs": _some("files in which its code isn't that of most runs", _TEXTS),
    "ablation": _some("what it changed of a baseline, where it is of an ablation", _OBJECT),
    "search": _some("the search that it is a run of, and the number of its point", _OBJECT),
    "hparams_types": _some("what HPARAMS_TYPES said of its hyperparameters", _OBJECT),
    "attempts": _some(
        "its attempts, the first one first", {"type": "array", "items": {"$ref": "#/$defs/attempt"}}
    ),
    "files": _some("the paths of its files", _TEXTS),
    "again": _some("the commands that repeat it", _TEXTS),
}
"""The names of a run's JSON; those that aren't ``always`` there are of some commands alone."""

ATTEMPT = {
    "attempt": Field("its number, from 1", _WHOLE),
    "host": Field("the machine", _TEXT, True),
    "farm": Field("the farm that it was submitted to", _TEXT, True),
    "job": Field("the id of its job there", _TEXT, True),
    "started": Field("when it started, in seconds since 1970", _NUMBER, True),
    "ended": Field("when it ended, in seconds since 1970", _NUMBER, True),
    "exit_code": Field("its exit status", _WHOLE, True),
    "order": Field("what ended it, such as cancel", _TEXT, True),
    "code_digest": _some("the digest of its code", _TEXT, True),
    "events": _some("its events, as they lie on disk", {"type": "array", "items": _OBJECT}),
}
"""The names of an attempt's JSON."""


def run_as_json(run: RunRecord, now: float) -> dict[str, Any]:
    """Return a run as JSON has it, with the details that were asked for; times are in seconds."""
    # The job and the machine are in "where"; "git" is an object where everything is shown.
    details = {"commit" if name == "git" else name: each for name, each in run.details.items()}
    details.pop("host", None)
    return {
        "version": VERSION,
        "name": run.name,
        "experiment": run.experiment,
        "tool": run.tool,
        "logdir": str(run.dir.path.absolute()),
        "tag": run.tag,
        "labels": [*run.labels],
        "hparams": json_safe(run.hparams),
        "resources": json_safe(run.resources),
        **({"ablation": json_safe(run.ablation)} if run.ablation else {}),
        **({"search": trial_as_json(run.trial)} if run.trial else {}),
        **json_safe(details),
        **state_as_json(run, now),
        "metrics": json_safe({**run.metrics, **run.measured}),
        "epoch": json_safe(run.epoch),
        "epoch_time": json_safe(run.epoch_time),
    }


def trial_as_json(trial: Trial) -> dict[str, Any]:
    """Return a point of a search as run.json names it."""
    return {"name": trial.search, "point": trial.number}


def state_as_json(run: RunRecord, now: float) -> dict[str, Any]:
    """Return how a run stands as JSON has it: what changes while it goes on."""
    return {
        "state": run.state,
        "reason": run.status.reason,
        "exit_code": run.status.code,
        "signal": run.status.signal,
        "code_digest": code_digest(run) or None,
        "attempt": run.status.attempt or None,
        "started": run.started,
        "ended": run.ended,
        "elapsed": json_safe(run.elapsed(now)),
        "where": run.where,
        **({"steps": {step.name: _step(step, now) for step in run.steps}} if run.steps else {}),
    }


def _step(step: StepRecord, now: float) -> dict[str, Any]:
    return {
        "state": step.status.name,
        "reason": step.status.reason,
        "attempt": step.status.attempt or None,
        "after": dict(step.after),
        "shared": not step.is_own,
        "elapsed": json_safe(step.elapsed(now)),
        "logdir": os.fspath(step.dir),
    }


def attempt_as_json(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as JSON has it; times are in seconds since 1970."""
    started, ended = attempt.event("started"), attempt.event("ended")
    return {
        "attempt": attempt.number,
        "host": attempt.host or None,
        "farm": attempt.farm,
        "job": attempt.job_id,
        "started": started.time if started else None,
        "ended": ended.time if ended else None,
        "exit_code": ended.details.get("code") if ended else None,
        "order": attempt.order,
    }


def json_safe(value: Any) -> Any:
    """Return a value with NaN and infinities, which JSON lacks, as text that float() reads.

    >>> json_safe({"loss": float("nan"), "lr": 0.1})
    {'loss': 'nan', 'lr': 0.1}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: json_safe(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(item) for item in value]
    return value


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the list of runs that ``--json`` prints, without its dialect."""
    return {
        "title": "runx: runs, as --json prints them",
        "type": "array",
        "items": {"$ref": "#/$defs/run"},
        "$defs": {"run": _object(FIELDS), "attempt": _object(ATTEMPT)},
    }


def _object(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: field.json_schema for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.always],
    }
