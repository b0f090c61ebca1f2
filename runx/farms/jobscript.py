"""Scripts that a scheduler starts: the one of a job or array, and those of later attempts."""

from __future__ import annotations

import re
import shlex

from runx.farms.base import Farm, JobArray, JobSpec

_LATER = """\
#!/usr/bin/env bash
# Attempt {attempt} of this run: the job of an attempt that was called off is not taken for it.
exec bash {script} {attempt}
"""


def job_script(array: JobArray, farm: Farm, index: str = "") -> str:
    """Return the job script of an array: it executes an attempt of one of its runs by its run.sh.

    ``index`` is the shell expression of the job's index in the array, which counts from 0.
    """
    name, becomes = re.sub(r"[^\w.@+=,-]", " ", array.name), "its run"
    choice = [f"run={shlex.quote(str(array.jobs[0].dir.path))} attempt={array.jobs[0].attempt}"]
    if array.is_array:
        becomes = "the run of its index"
        names, folder = shlex.quote(str(array.run_list)), shlex.quote(str(array.experiment_dir))
        choice = [
            f"mapfile -t -s {index} -n 1 line <{names} || exit 70",
            f"run={folder}/${{line#* }} attempt=${{line%% *}}",
            '[ -n "$attempt" ] || { echo "no run has this index" >&2; exit 70; }',
        ]
    limit = f"export RUNX_DEADLINE=$((now + {array.needs.time}))"
    lines = [
        "#!/usr/bin/env bash",
        *farm.directives,
        f"# Job {name}: becomes the run.sh of {becomes}.",
        *choice,
        'exec >>"$run/output.log" 2>&1',
        *(["printf -v now '%(%s)T' -1", limit] if array.needs.time else []),
        'exec bash "$run/run.sh" "$attempt"',
    ]
    return "".join(f"{line}\n" for line in lines)


def run_lines(array: JobArray) -> str:
    """Return a line for each run of an array: its attempt, and its name."""
    return "".join(f"{job.attempt} {job.run}\n" for job in array.jobs)


def attempt_script(job: JobSpec) -> str:
    """Return a script that executes this attempt of a run, which the job of another can't."""
    return _LATER.format(attempt=job.attempt, script=shlex.quote(str(job.dir.script)))
