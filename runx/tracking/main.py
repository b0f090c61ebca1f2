"""@logx.main: a function of a training script as a run, from initialize() to close()."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runx.tracking.ending import line_of
from runx.tracking.notes import utc_now
from runx.tracking.scalars import numbers

if TYPE_CHECKING:
    from runx.tracking.context import Hparams
    from runx.tracking.info import RunInfo
    from runx.tracking.session import Session

_LONGEST_TRACEBACK = 20_000
"""The most characters of a traceback that are kept, of its end."""


class ScriptRun:
    """The run that a function of @logx.main gets: config, info, log(), and all that logx has."""

    def __init__(self, logx: Any) -> None:
        self._logx = logx

    @property
    def config(self) -> Hparams:
        """The configuration; without a file of it, the hyperparameters."""
        session: Session = self._logx._open
        return session.hparams if session.options.config is None else session.config

    @property
    def info(self) -> RunInfo:
        """Where, when and from what the run runs: name, attempt, host, commit, job, ..."""
        run: RunInfo = self._logx.run
        return run

    def log(self, metrics: Mapping[str, Any], step: float | None = None) -> None:
        """Write metrics; ``train/loss`` is the loss of the phase train, without one it is val."""
        session: Session = self._logx._open
        if not session.writes:
            return
        values = numbers(metrics)
        epoch = {"epoch": values.pop("epoch")} if "epoch" in values else {}
        phases: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            phase, _, rest = name.partition("/")
            if not (rest and session.has_phase(phase)):
                phase, rest = "val", name
            phases.setdefault(phase, {**epoch})[rest] = value
        for phase, row in phases.items():
            session.metric(phase, row, step)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._logx, name)


def as_main(
    logx: Any, function: Callable[..., Any], config: Any, seed: Any, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """Return a function that is called without its first argument, the run."""

    @functools.wraps(function)
    def main(*arguments: Any, **named: Any) -> Any:
        logx.initialize(config=config, **options)
        try:
            _seed(logx, seed)
            return function(ScriptRun(logx), *arguments, **named)
        except Exception as error:
            _record(logx, error)
            raise
        finally:
            logx.close()

    return main


def _seed(logx: Any, seed: Any) -> None:
    """Seed by a function, by a number, or by the run's own seed, if there is one."""
    if callable(seed):
        logx.seed(function=seed)
    elif seed is None:
        if logx.hparams.get("seed") is not None:
            logx.seed()
    elif seed is not False:
        logx.seed(None if seed is True else seed)


def _record(logx: Any, error: Exception) -> None:
    """Keep an exception in logx.json; on another rank than the first, in its own log."""
    import traceback

    session: Session | None = logx._session
    if session is None or not session.is_on:
        return
    trace = "".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:]
    if not session.writes:
        session.files.message(trace)
        return
    try:
        session.notes.keep(
            error={
                "time": utc_now(),
                "attempt": session.info.attempt,
                "text": line_of(error),
                "traceback": trace,
            }
        )
    except OSError as problem:
        session.faults.report("logx.json", problem)
