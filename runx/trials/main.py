"""The program that the run.sh of a run of a search starts, by its bind.sh."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from runx.errors import RunxError
from runx.printable import one_line, printable
from runx.rundir.paths import RunDir
from runx.trials.bind import bind


def main(words: Sequence[str]) -> int:
    """Give the run in a directory its point; return the exit status that tells how that went."""
    try:
        (folder,) = words
        return bind(RunDir(Path(folder).resolve()))
    except (RunxError, OSError) as error:
        print(f"runx: {printable(one_line(str(error)))}", file=sys.stderr)
        return 1
