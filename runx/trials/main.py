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
    """Give the run in a directory its point; return the exit status that tells how that went.

    Or ``--observe`` a run: its directory, its attempt, and whether to ``judge`` it.
    """
    try:
        if words[0] == "--observe":
            from runx.trials.prune import observe

            _, folder, attempt, what = words
            observe(RunDir(Path(folder).resolve()), int(attempt), what == "judge")
            return 0
        (folder,) = words
        return bind(RunDir(Path(folder).resolve()))
    except (RunxError, OSError) as error:
        print(f"runx: {printable(one_line(str(error)))}", file=sys.stderr)
        return 1
