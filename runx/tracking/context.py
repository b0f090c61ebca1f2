"""The run of a training script: its hyperparameters, name and remaining time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.nearest import suggestion
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir
from runx.tracking.notes import Notes


class Hparams(Mapping[str, Any]):
    """Read-only hyperparameters, by name or as attributes; dotted names also part by part.

    >>> hparams = Hparams({"lr": 0.1, "optimizer.name": "adam"})
    >>> hparams.lr, hparams["optimizer.name"], hparams.optimizer.name
    (0.1, 'adam', 'adam')
    """

    __slots__ = ("_values",)
    _what = "hyperparameter"

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getitem__(self, name: str) -> Any:
        value = _lookup(self._values, name)
        if value is _MISSING:
            raise KeyError(f"no {self._what} {name}; {suggestion(name, self._values)}")
        return self._shown(value)

    def _shown(self, value: Any) -> Any:
        """Return a value as it is handed out."""
        return type(self)(value) if isinstance(value, dict) else value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"hyperparameters are read-only; {name} can't be set")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._values,))


_MISSING = object()


def _lookup(values: Mapping[str, Any], name: str) -> Any:
    """Return a value, also within mappings, or the values whose dotted names start with a name."""
    if name in values:
        return values[name]
    above, dot, rest = name.partition(".")
    if dot and isinstance(values.get(above), dict):
        return _lookup(values[above], rest)
    inner = {key[len(name) + 1 :]: values[key] for key in values if key.startswith(f"{name}.")}
    return inner or _MISSING


def is_launched(run: RunDir, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether runx launched this process for this run."""
    path = environment.get("RUNX_LOGDIR")
    return bool(path) and Path(str(path)).absolute() == run.path.absolute()


def place_of(run: RunDir, environment: Mapping[str, str] = os.environ) -> RunDir:
    """Return where logx writes of a run: its own directory, or that of the step that executes."""
    step = environment.get("RUNX_STEP")
    if step and is_launched(run, environment) and os.path.isdir(run.step(step)):  # noqa: PTH112
        return run.step(step)
    return run


def attempt_of(run: RunDir, environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Return the number of the attempt as a metric, nothing where runx didn't launch this run."""
    attempt = environment.get("RUNX_ATTEMPT", "")
    is_known = attempt.isdecimal() and is_launched(run, environment)
    return {"attempt": int(attempt)} if is_known else {}


def claimed_attempt(run: RunDir) -> int:
    """Return the latest attempt that was claimed of a run, 0 where runx has launched none."""
    try:
        names = os.listdir(run.attempts)  # noqa: PTH208
    except OSError:
        return 0
    numbers = [name.removesuffix(".claim") for name in names if name.endswith(".claim")]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def launched(environment: Mapping[str, str] = os.environ) -> RunDir:
    """Return the run that runx launched this process for; raises LogxError without one."""
    path = environment.get("RUNX_LOGDIR")
    if not path:
        raise LogxError("logx is not initialized; call logx.initialize() first")
    return RunDir(Path(path).absolute())


def hparams_of(run: RunDir, given: Mapping[str, Any]) -> Hparams:
    """Return the run's hyperparameters, updated by those that the script gave."""
    from runx.rundir.logdir import Logdir  # not at start: few scripts read them from here

    return Hparams({**Logdir.at(run).in_value(object_in(run.hparams)), **given})


def object_in(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one where there is none."""
    return read_json(path) if path.exists() else {}


def note_logdir(run: RunDir, environment: Mapping[str, str] = os.environ) -> str:
    """Return a warning where a script that runx launched logs elsewhere than to its run, else "".

    The directory is noted in the logx.json of the run that was launched.
    """
    path = environment.get("RUNX_LOGDIR")
    if not path or Path(path).resolve() == run.path.resolve():
        return ""
    launched = RunDir(Path(path).absolute())
    if launched.record.exists():
        notes = Notes(place_of(launched, environment).logx)
        inside = run.path.resolve().is_relative_to(launched.path.resolve())
        place = os.path.relpath(run.path, launched.path) if inside else str(run.path)
        known = notes.get("logdirs") or []
        try:
            notes.keep(logdirs=list(dict.fromkeys([*known, place])))
        except OSError:
            pass  # The warning is there all the same.
    return (
        f"the script logs to {run.path}, not to its run's directory {path}, where sumx looks;"
        " leave out logdir=, or give it LOGDIR"
    )


DEADLINES = ("RUNX_DEADLINE", "SLURM_JOB_END_TIME")
"""The variables with the time at which the run will be ended, in seconds since 1970."""


def remaining(now: float, environment: Mapping[str, str] = os.environ) -> float | None:
    """Return the seconds until the run will be ended, or None without a time limit.

    >>> remaining(100.0, {"RUNX_DEADLINE": "160"})
    60.0
    """
    for variable in DEADLINES:
        try:
            return float(environment[variable]) - now
        except (KeyError, ValueError):
            continue
    return None


def stop_reason(run: RunDir) -> str:
    """Return why the run is to stop, as it was told, "" where it wasn't asked to."""
    try:
        text = place_of(run).stop_requested.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.strip() or "its farm, or a person, asked it to stop"


def is_ending(run: RunDir, within: float) -> bool:
    """Return whether the run was requested to stop, or has at most ``within`` seconds left."""
    left = remaining(time.time())
    return place_of(run).stop_requested.exists() or (left is not None and left <= within)
