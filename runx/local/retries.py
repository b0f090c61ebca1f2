"""Why an attempt on this machine has failed, in the words of RETRIES, and what was tried again."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable

from runx.errors import SettingsError
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.events import read_events
from runx.rundir.files import append_line, disk_problem
from runx.rundir.handback import MEMORY, Retries
from runx.rundir.orders import TIMEOUT
from runx.rundir.output import output_of
from runx.rundir.paths import RunDir


def causes_of(status: int, order: str, output: str) -> tuple[str, ...]:
    """Return the words of RETRIES for an attempt that ended here, by its exit status and output.

    They are those that run.sh finds on a farm, in ``rundir/handback.py``.

    >>> causes_of(137, "", ""), causes_of(1, "", "CUDA out of memory"), causes_of(143, "cancel", "")
    (('oom', 'killed'), ('oom', 'failed'), ())
    """
    if order == TIMEOUT:
        return ("timeout",)
    if status == 0 or order:
        return ()
    if status > 128:
        return ("oom", "killed") if status == 137 else ("killed",)
    return ("oom", "failed") if re.search(MEMORY, output, re.IGNORECASE) else ("failed",)


def task_again(
    end: EndedAttempt,
    retries: Retries,
    say: Callable[[str], None],
    renewed: Callable[[Task], Task] = lambda task: task,
) -> Task | None:
    """Return a further attempt for a run that is to be tried again, None for any other.

    ``renewed`` gives it what it needs by its number, or raises a SettingsError. That it follows is
    written down first; on a full disk it does not.
    """
    task = end.task
    if not end.has_failed or task.before + task.tried >= retries.max:
        return None
    output = output_of(task.run, task.attempt) if "oom" in retries.on else ""
    causes = [each for each in causes_of(end.status, end.order, output) if each in retries.on]
    if not causes:
        return None
    try:
        again = renewed(task._replace(attempt=task.attempt + 1, tried=task.tried + 1))
        _note_retry(task.run, task.attempt, causes[0])
    except SettingsError as error:
        say(f"{task.name}: not tried again: {error}")
        return None
    except OSError as error:
        say(f"{task.name}: not tried again: {disk_problem(error, task.run.path)}")
        return None
    return again


def _note_retry(run: RunDir, attempt: int, cause: str) -> None:
    """Write that a further attempt follows this one by RETRIES, as run.sh does on a farm."""
    event = {"event": "preempted", "time": time.time(), "retry": cause, "by": "launcher"}
    append_line(run.events(attempt), json.dumps(event))


def tried_again(run: RunDir, attempts: Iterable[int]) -> int:
    """Return how often a run has started again by RETRIES, here or on a farm, in these attempts."""
    events = (event for attempt in attempts for event in read_events(run, attempt))
    return sum("retry" in event.details for event in events)
