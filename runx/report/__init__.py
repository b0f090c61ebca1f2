"""An experiment as one HTML page: to send (``sumx --html``), and to watch (``runx watch``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runx.errors import RunxError
from runx.files import write_whole
from runx.reading.standing import Standing
from runx.report.data import model
from runx.report.page import page
from runx.rundir import ExperimentDir
from runx.tables.question import Question
from runx.tables.ranking import deciding


def write_report(
    file: Path,
    experiments: Sequence[ExperimentDir],
    standings: Iterable[Standing],
    question: Question,
    now: float,
    warn: Callable[[str], None],
) -> None:
    """Write the report of some runs as one file that needs nothing else."""
    seen = list(standings)
    # A metric that nobody has is a mistake; on the live page it may still come.
    deciding([one.result for one in seen], question)
    text = page(model(experiments, seen, question, now, warn))
    try:
        write_whole(file, text)
    except OSError as error:
        raise RunxError(f"--html {file}: can't be written: {error.strerror}") from error
