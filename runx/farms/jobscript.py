"""Scripts that a scheduler starts: the one of a job or array, and those of later attempts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from runx.farms.base import Farm, Handback, JobArray, JobSpec

_LATER = """\
#!/usr/bin/env bash
# Attempt {attempt} of this run: the job of an attempt that was called off is not taken for it.
exec bash {script} {attempt}
"""

_HANDBACK = """\
# The job goes back to its scheduler after its last run has ended: where one asks to be run again,
# or did not begin since a warning came first.
again=
for member in "${{members[@]}}"; do
  member=${{member#* }}
  look "${{member#* }}" "${{member%% *}}"
  [ -z "$is_ordered" ] || continue
  [[ $text == *'"event":"preempted"'* ]] || [ -z "$text" -a -n "$warned" ] && again=1
done
if [ -n "$again" ]; then
  trap '' TERM INT HUP USR1 USR2
  {lines}
fi
"""


def job_script(
    array: JobArray, farm: Farm, index: str = "", handback: Handback | None = None
) -> str:
    """Return the job script of an array: it executes attempts of one of its jobs by their run.sh.

    ``index`` is the shell expression of the job's index in the array, which counts from 0;
    ``handback`` is how a job of several goes back to its scheduler.
    """
    name = re.sub(r"[^\w.@+=,-]", " ", array.name)
    whose = "the run of its index" if array.is_array else "its run"
    task = "executes several" if array.shares else f"becomes the run.sh of {whose}"
    limit = f"export RUNX_DEADLINE=$((now + {array.needs.time}))"
    deadline = ["printf -v now '%(%s)T' -1", limit] if array.needs.time else []
    lines = [
        "#!/usr/bin/env bash",
        *farm.directives,
        f"# Job {name}: {task}.",
        *_choice(array, index),
    ]
    if array.shares:
        lines += [*deadline, _together(array, handback if farm.requeue else None)]
    else:
        lines += ['exec >>"$run/output.log" 2>&1', *deadline, 'exec bash "$run/run.sh" "$attempt"']
    return "".join(f"{line}\n" for line in lines)


def _choice(array: JobArray, index: str) -> Iterator[str]:
    """Yield the lines that set which run of an array this job executes, or which runs."""
    folder, job = shlex.quote(str(array.experiment_dir)), array.jobs[0]
    if array.shares:
        yield f"folder={folder}"
    if array.is_array:
        yield f"mapfile -t -s {index} -n 1 line <{shlex.quote(str(array.run_list))} || exit 70"
    elif array.shares:
        yield f"line={shlex.quote(_together_line(job))}"
    else:
        yield f"run={shlex.quote(str(job.dir.path))} attempt={job.attempt}"
    if array.is_array and not array.shares:
        yield f"run={folder}/${{line#* }} attempt=${{line%% *}}"
        yield '[ -n "$attempt" ] || { echo "no run has this index" >&2; exit 70; }'


def _together(array: JobArray, handback: Handback | None) -> str:
    """Return the lines of a job script that execute several attempts."""
    lanes = max(len(job.lanes) for job in array.jobs)
    each = {name: (getattr(array.needs, name) or 0) // lanes for name in ("gpus", "cpus")}
    texts = {
        "GPUS": str(each["gpus"]),
        "THREADS": str(each["cpus"] or f"$(($(nproc) / {lanes}))"),
        "HANDBACK": _handback(handback) if handback else "",
    }
    template = Path(__file__).with_name("together.sh.in").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: texts[match[1]], template).rstrip("\n")


def _handback(handback: Handback) -> str:
    """Return the lines by which a job of several goes back to its scheduler."""
    command, status = handback.command, handback.status
    lines = [f"{command} || echo 'this job was not handed back' >&2"] if command else []
    lines += [f"exit {status}"] if status else []
    return _HANDBACK.format(lines="\n  ".join(lines))


def run_lines(array: JobArray) -> str:
    """Return a line for each job of an array: its attempt, and its run's name; or several."""
    if array.shares:
        return "".join(f"{_together_line(job)}\n" for job in array.jobs)
    return "".join(f"{job.attempt} {job.run}\n" for job in array.jobs)


def _together_line(job: JobSpec) -> str:
    """Return what a job executes: lane, attempt and name of each, with tabs between.

    >>> from runx.rundir.paths import RunDir
    >>> _together_line(JobSpec("n", "sweep", "wise-owl", "", RunDir("/l/sweep/wise-owl"), 2, ()))
    '0 2 wise-owl'
    """
    lanes = enumerate(job.lanes)
    return "\t".join(
        f"{number} {each.attempt} {each.run}" for number, lane in lanes for each in lane
    )


def attempt_script(job: JobSpec) -> str:
    """Return a script that executes this attempt of a run, which the job of another can't."""
    return _LATER.format(attempt=job.attempt, script=shlex.quote(str(job.dir.script)))
