"""How steps ended that others wait for: those of this launch, and those that others execute."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

from runx.local.tasks import Task
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.step_script import step_name
from runx.rundir.step_states import BAD, begun, step_state

Standing: TypeAlias = Literal["ready", "waits", "blocked"]
"""Whether a task may start now, later, or never, by what it is after."""
_LOOK = 1.0
"""Seconds between two looks at a step that another process executes."""


class Outcomes:
    """Which steps have ended, and whether they are done.

    ``causes`` has for each that isn't, or never starts, the step that failed.
    """

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._here = {task.run for task in tasks}
        self._awaited = {each.dir for task in tasks for each in task.after}
        self._done: dict[RunDir, bool] = {}
        self._looks: dict[RunDir, float] = {}
        self.causes: dict[RunDir, RunDir] = {}

    def note(self, run: RunDir, is_done: bool, cause: RunDir | None = None) -> None:
        """Note that a step has ended for good here, or never starts because of another."""
        self._done[run] = is_done
        if not is_done:
            self.causes[run] = cause or run

    def leave(self, run: RunDir) -> None:
        """Note that another process executes a step: its files say how it ends."""
        self._here.discard(run)

    def standing(self, task: Task) -> Standing:
        """Return whether a task may start."""
        standing: Standing = "ready"
        for each in task.after:
            done = self._done.get(each.dir)
            if done is None and each.dir not in self._here:
                done = self._look(each.dir)
            if done is False and each.when == "done":
                self.note(task.run, False, self.causes.get(each.dir))
                return "blocked"
            if done is None:
                standing = "waits"
        return standing

    def taken_over(self, left: Iterable[Task]) -> list[Task]:
        """Return those of the tasks left to others that others wait for and nobody executes.

        Who had claimed them has died before their start; each gets a further attempt.
        """
        again = []
        for task in left:
            if task.run in self._awaited and task.run not in self._done:
                attempts = read_attempts(task.run, clock(task.run.path), lambda _: None)
                if step_state(attempts).name == "planned":
                    number = max((each.number for each in attempts), default=0)
                    number = max(number, begun(attempts)) + 1
                    self._here.add(task.run)
                    again.append(task._replace(attempt=number))
        return again

    def blocked_lines(self, tasks: Iterable[Task]) -> list[str]:
        """Return lines on steps that never start, as ``2 evals blocked by failed trains``."""
        causes: dict[tuple[str, str], list[RunDir]] = {}
        for task in tasks:
            cause = self.causes[task.run]
            names = step_name(task.run.path.name), step_name(cause.path.name)
            causes.setdefault(names, []).append(cause)
        return [
            f"{len(by)} {_plural(name, by)} blocked by failed {_plural(cause, set(by))}"
            for (name, cause), by in causes.items()
        ]

    def _look(self, run: RunDir) -> bool | None:
        """Return whether a step of another process is done, None while it goes on."""
        now = time.monotonic()
        if now - self._looks.get(run, -_LOOK) < _LOOK:
            return None
        self._looks[run] = now
        name = step_state(read_attempts(run, clock(run.path), lambda _: None)).name
        if name == "done" or name in BAD:
            self.note(run, name == "done")
            return name == "done"
        return None


def _plural(name: str, of: Collection[RunDir]) -> str:
    return name if len(of) == 1 else f"{name}s"
