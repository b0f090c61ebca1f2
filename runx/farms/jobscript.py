"""The script that a scheduler starts: it finds its run and becomes run.sh."""

from __future__ import annotations

import re
import shlex

from runx.farms.base import Farm, JobArray


def job_script(array: JobArray, farm: Farm, index: str = "") -> str:
    """Return the script of an array; ``index`` is the shell's word for its index, from 0."""
    name, becomes = re.sub(r"[^\w.@+=,-]", " ", array.name), "its run"
    find = [f"run={shlex.quote(str(array.jobs[0].dir.path))}"]
    if array.is_array:
        becomes = "the run of its index"
        runs, home = shlex.quote(str(array.runs)), shlex.quote(str(array.home))
        find = [
            f"mapfile -t -s {index} -n 1 run <{runs} || exit 70",
            f"run={home}/${{run:?no run has this index}}",
        ]
    limit = f"export RUNX_DEADLINE=$((now + {array.needs.time}))"
    lines = [
        "#!/usr/bin/env bash",
        *farm.directives,
        f"# Job {name}: becomes the run.sh of {becomes}.",
        *find,
        'exec >>"$run/output.log" 2>&1',
        *(["printf -v now '%(%s)T' -1", limit] if array.needs.time else []),
        'exec bash "$run/run.sh"',
    ]
    return "".join(f"{line}\n" for line in lines)
