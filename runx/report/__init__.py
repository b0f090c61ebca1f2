"""An experiment as one HTML page: to send (``sumx --html``), and to watch (``runx watch``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runx.errors import RunxError
from runx.files import write_whole
from runx.report.data import model
from runx.report.page import page
from runx.rundir import ExperimentDir
from runx.tables.question import Question
from runx.tables.ranking import deciding
from runx.types import RunRecord


def write_report(
    file: Path,
    experiments: Sequence[ExperimentDir],
    records: Sequence[RunRecord],
    question: Question,
    now: float,
    warn: Callable[[str], None],
) -> None:
    """Write the report of some runs as one file that needs nothing else."""
    # A metric that nobody has is a mistake; on the live page it may still come.
    deciding(records, question)
    text = page(model(experiments, records, question, now, warn))
    try:
        write_whole(file, text)
    except OSError as error:
        raise RunxError(f"--html {file}: can't be written: {error.strerror}") from error
