"""What a run has measured: the rows that logx wrote, then what METRICS names, then what is found.

All of it has the format of metrics.csv, so that tables, curves and the page read one thing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runx.analysis.leftovers import files_left, locate
from runx.analysis.step_metrics import step_sources
from runx.readers.asked import Asked, read_asked, recorded
from runx.readers.base import Warn
from runx.readers.csvlog import is_wide
from runx.readers.measured import Measured, combined, read_files
from runx.rundir.files import unblocked
from runx.rundir.paths import METRICS, STEPS, ExperimentDir, RunDir, metrics_of
from runx.rundir.record import read_or_empty
from runx.rundir.runfiles import RunFiles
from runx.rundir.step_states import step_entries


class Measurements(NamedTuple):
    """What a run has measured.

    ``own`` is the content of logx's metrics.csv, None where there is none. ``left`` is what the
    script printed or left in files of its own.
    """

    look: RunFiles
    own: bytes | None
    left: Measured

    def contents(self, phase: str) -> Iterator[tuple[bytes, Sequence[str] | None]]:
        """Yield the contents that have rows of a phase, the first of more weight.

        With each come the names of the metrics in it where these are written apart, one by one.
        """
        if self.own is not None:
            name = metrics_of(phase)
            yield (self.own if name == METRICS else self.look.content(name) or b""), None
        if self.left.rows:
            yield self.left.content(phase), self.left.names(phase)


def measurements(
    look: RunFiles,
    asked: Sequence[Asked],
    warn: Warn,
    has_begun: bool = True,
    steps: Sequence[str] = (),
) -> Measurements:
    """Read what a run has measured, and note the files that were looked at.

    Nothing is looked for where logx wrote metrics, nor in a run that has not begun. ``steps`` are
    the names of the run's own.
    """
    content = look.content(METRICS)
    own = content if content and _is_logx(content) else None
    if own is not None and not asked:
        return Measurements(look, own, Measured())
    sources = step_sources(look, steps, asked, warn) if steps else []
    sources += read_asked(look.path, asked, lambda file: locate(look, file), warn)
    if own is None and has_begun:
        sources += read_files(look.path, files_left(look), warn)
    return Measurements(look, own, combined(sources))


def _is_logx(content: bytes) -> bool:
    """Return whether the beginning of a metrics.csv is logx's, and not Lightning's, say."""
    return content.startswith(b"start,") or not is_wide(content.partition(b"\n")[0])


def is_logx(run: RunDir) -> bool:
    """Return whether logx has begun a run's metrics.csv."""
    try:
        with open(f"{os.fspath(run)}/{METRICS}", "rb", opener=unblocked) as file:
            first = file.readline(1 << 16)
    except OSError:
        return False
    return bool(first) and _is_logx(first)


def measurements_of(run: RunDir) -> Measurements:
    """Read what a run has measured; what is damaged was warned of when the run was read."""
    asked = recorded(ExperimentDir(run.path.parent), _ignore)
    # Most runs have no steps: their run.json isn't read for that.
    has_steps = os.path.isdir(f"{os.fspath(run)}/{STEPS}")  # noqa: PTH112
    entries = step_entries(run, read_or_empty(run.record, _ignore)) if has_steps else []
    steps = [entry.name for entry in entries if entry.is_own]
    return measurements(RunFiles(os.fspath(run)), asked, _ignore, steps=steps)


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""
