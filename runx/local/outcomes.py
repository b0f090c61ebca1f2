"""How steps ended that others wait for: those of this launch, and those that others execute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable

from runx.local.tasks import Task
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.states import ENDED_WELL
from runx.rundir.step_script import step_name
from runx.rundir.step_states import BAD, begun, step_state

_LOOK = 1.0
"""Seconds between two looks at a step that another process executes."""
_IDLE = 3
"""Looks after which a step that nobody executes, nor waits to, counts as one that failed."""


class Outcomes:
    """Which steps have ended, and whether they are done; and those that wait for them.

    ``held`` is how many wait. ``causes`` has for each that isn't done, or never starts, the step
    that failed. ``adopted`` run already.
    """

    def __init__(self, tasks: Iterable[Task] = (), adopted: Iterable[Task] = ()) -> None:
        self._due = deque(enumerate(tasks, 1))
        self.held = len(self._due)
        self._here = {task.run for _, task in self._due} | {task.run for task in adopted}
        self._awaited = {each.dir for _, task in self._due for each in task.after}
        self._dependents: dict[RunDir, list[tuple[int, Task]]] = {}
        self._done: dict[RunDir, bool] = {}
        self._looks: dict[RunDir, float] = {}
        self._left: set[RunDir] = set()
        self._idle: dict[RunDir, int] = {}
        self.causes: dict[RunDir, RunDir] = {}

    def note(self, run: RunDir, is_done: bool, cause: RunDir | None = None) -> None:
        """Note that a step has ended for good here, or never starts because of another."""
        self._done[run] = is_done
        if not is_done:
            self.causes[run] = cause or run
        self._due += self._dependents.pop(run, ())

    def leave(self, run: RunDir) -> None:
        """Note that another process executes a step: its files say how it ends."""
        self._here.discard(run)
        self._left.add(run)

    def settled(self) -> tuple[list[tuple[int, Task]], list[Task]]:
        """Return the tasks that may start now, each with its place, and those that never will."""
        ready, blocked = [], []
        for run in [run for run in self._dependents if run not in self._here]:
            self._look(run)
        while self._due:
            place, task = self._due.popleft()
            standing = self._standing(task)
            if isinstance(standing, RunDir):
                self._dependents.setdefault(standing, []).append((place, task))
                continue
            self.held -= 1
            if standing:
                ready.append((place, task))
            else:
                blocked.append(task)
        return ready, blocked

    def _standing(self, task: Task) -> bool | RunDir:
        """Return whether a task may start or never will, or the first step that it waits for."""
        for each in task.after:
            if each.dir not in self._done and each.dir not in self._here:
                self._look(each.dir)
            if self._done.get(each.dir) is False and each.when == "done":
                self.note(task.run, False, self.causes.get(each.dir))
                return False
        return next((each.dir for each in task.after if each.dir not in self._done), True)

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
            f"{len(by)} {_named(name, by)} blocked by failed {_named(cause, set(by))}"
            for (name, cause), by in causes.items()
        ]

    def _look(self, run: RunDir) -> None:
        """Look, once in a while, whether a step of another process has ended."""
        now = time.monotonic()
        if now - self._looks.get(run, -_LOOK) < _LOOK:
            return
        self._looks[run] = now
        name = step_state(read_attempts(run, clock(run.path), lambda _: None)).name
        # Of those that this launch was to execute, too, one that nobody has is taken over.
        idle = self._idle[run] = self._idle.get(run, 0) + 1 if name == "planned" else 0
        is_given_up = idle > _IDLE and run not in self._left
        if name in ENDED_WELL or name in BAD or is_given_up:
            self.note(run, name in ENDED_WELL)


def _named(name: str, of: Collection[RunDir]) -> str:
    return name if len(of) == 1 or name.endswith("s") else f"{name}s"
