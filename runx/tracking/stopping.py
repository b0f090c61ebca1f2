"""How long this run may still go on."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from runx.rundir.paths import RunDir

VARIABLES = ("RUNX_DEADLINE", "SLURM_JOB_END_TIME")
"""Where the launcher, or Slurm, says when the run will be ended, in seconds since 1970."""


def remaining(now: float, environment: Mapping[str, str] = os.environ) -> float | None:
    """Tell how many seconds are left, or None where nothing ends the run.

    >>> remaining(100.0, {"RUNX_DEADLINE": "160"})
    60.0
    """
    for variable in VARIABLES:
        try:
            return float(environment[variable]) - now
        except (KeyError, ValueError):
            continue
    return None


def is_time(run: RunDir, within: float) -> bool:
    """Tell whether to save and leave: the run was asked to stop, or too little time is left."""
    left = remaining(time.time())
    return run.stop_requested.exists() or (left is not None and left <= within)
