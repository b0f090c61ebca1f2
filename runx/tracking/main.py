"""@logx.main: a function of a training script as a run, from initialize() to close()."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runx.tracking.ending import line_of
from runx.tracking.notes import utc_now
from runx.tracking.plain import text_of

if TYPE_CHECKING:
    from runx.logx import LogX
    from runx.tracking.context import Hparams
    from runx.tracking.info import RunInfo

_LONGEST_TRACEBACK = 20_000
"""The most characters of a traceback that are kept, of its end."""


class ScriptRun:
    """The run that a function of @logx.main gets: config, info, log(), and all that logx has."""

    def __init__(self, logx: LogX) -> None:
        self._logx = logx

    @property
    def config(self) -> Hparams:
        """The configuration; without a file of it, the hyperparameters."""
        session = self._logx._open
        return session.hparams if session.options.config is None else session.config

    @property
    def info(self) -> RunInfo:
        """Where, when and from what the run runs: name, attempt, host, commit, job, ..."""
        return self._logx.run

    def log(self, metrics: Mapping[str, Any], step: float | None = None) -> None:
        """Write metrics; ``train/loss`` is the loss of the phase train, without one it is val."""
        phases: dict[str, dict[str, Any]] = {}
        for name, value in metrics.items():
            phase, slash, rest = text_of(name).partition("/")
            if not (slash and rest and self._logx._open.has_phase(phase)):
                phase, rest = "val", text_of(name)
            phases.setdefault(phase, {})[rest] = value
        for phase, values in phases.items():
            self._logx.metric(phase, values, step)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._logx, name)


def as_main(
    logx: LogX, function: Callable[..., Any], config: Any, seed: Any, options: Mapping[str, Any]
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


def _seed(logx: LogX, seed: Any) -> None:
    """Seed by a function, by a number, or by the run's own seed, if there is one."""
    if callable(seed):
        logx.seed(function=seed)
    elif seed is None:
        if logx.hparams.get("seed") is not None:
            logx.seed()
    elif seed is not False:
        logx.seed(None if seed is True else seed)


def _record(logx: LogX, error: Exception) -> None:
    """Keep an exception in logx.json; on another rank than the first, in its own log."""
    import traceback

    session = logx._session
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
