"""NOTIFY while runs execute here: its script is started beside them, and awaited at their end."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runx.api.printing import Say
from runx.processes import NULL, start_command
from runx.rundir.notify import SCRIPT, Notify, write_notify
from runx.rundir.paths import ExperimentDir

if TYPE_CHECKING:
    from subprocess import Popen

    from runx.local.tasks import EndedAttempt

_PIPE = -1  # subprocess.PIPE, without importing subprocess
_PATIENCE = 75.0  # seconds: the script ends by itself before


class Notifier:
    """Has people told of the runs of a launch; what goes wrong is said, and stops nothing.

    Without a launch of its own, as where runs only go on, or without NOTIFY it does nothing.
    """

    def __init__(
        self, experiment: ExperimentDir, launch: str, notify: Notify | None, say: Say
    ) -> None:
        self._script = experiment.launches / launch / SCRIPT
        self._on = notify.on if notify and launch else ()
        self._say = say
        self._telling: Popen[bytes] | None = None
        self._missed = self._has_failed = False
        if notify and launch:
            _write(experiment, launch, notify, say)

    def ended(self, end: EndedAttempt, again: bool) -> None:
        """Have told what the end of an attempt may mean, without waiting for that."""
        is_failure = end.has_failed and not again
        is_first = is_failure and "failure" in self._on and not self._has_failed
        self._has_failed |= is_failure
        if not (is_first or (not end.status and "best" in self._on)):
            return
        if self._telling and self._telling.poll() is None:
            self._missed = True
            return
        self._collect()
        self._start()

    def finish(self, stopped: bool) -> None:
        """Have the end told, unless a person has ``stopped`` the launch; wait for that."""
        self._collect()
        is_told = self._script.with_name("notified.end").exists()
        if self._missed or ("end" in self._on and not stopped and not is_told):
            self._start()
            self._collect()

    def _start(self) -> None:
        self._missed = False
        self._telling = _start_script(self._script, self._say, _PIPE)

    def _collect(self) -> None:
        """Wait for the script, if it goes on, and say what it could not do."""
        from subprocess import TimeoutExpired

        if self._telling is None:
            return
        with self._telling as process:
            try:
                errors = process.communicate(timeout=_PATIENCE)[1]
            except TimeoutExpired:
                process.kill()
                errors = b"warning: NOTIFY: it took more than a minute"
        self._telling = None
        for line in errors.decode("utf-8", "replace").splitlines():
            self._say(line)


def announce(experiment: ExperimentDir, launch: str, notify: Notify | None, say: Say) -> None:
    """Leave it to jobs that were submitted to tell of their ends; tell of those that have ended."""
    if notify:
        _write(experiment, launch, notify, say)
        _start_script(experiment.launches / launch / SCRIPT, say)


def announce_end(experiment: ExperimentDir, say: Say) -> None:
    """Have told that no run goes on any more, where no launcher and no job has, as a killed one."""
    scripts = sorted(experiment.launches.glob(f"*/{SCRIPT}"))
    if not scripts or scripts[-1].with_name("notified.end").exists():
        return
    if os.access(scripts[-1], os.X_OK):  # It is of whoever has launched this.
        _start_script(scripts[-1], say)


def _write(experiment: ExperimentDir, launch: str, notify: Notify, say: Say) -> None:
    try:
        write_notify(experiment, launch, notify, sys.executable, sys.path)
    except OSError as error:
        path = experiment.launches / launch / SCRIPT
        say(f"warning: NOTIFY: {path}: can't be written: {error.strerror}")


def _start_script(script: Path, say: Say, errors: int = NULL) -> Popen[bytes] | None:
    """Start the script of NOTIFY in a session of its own."""
    with suppress(OSError):
        if not script.exists():
            return None
        return start_command(
            [str(script)], stdin=NULL, stdout=NULL, stderr=errors, new_session=True
        )
    say(f"warning: NOTIFY: {script}: can't be started")
    return None
