"""Runs that go on by themselves: how they stand, a table that follows them, their end."""

from __future__ import annotations

import html
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from runx.api.control import Count
from runx.api.control import cancel as cancel_runs
from runx.api.detached import log_of
from runx.api.inspect import Standings, status
from runx.api.notifier import announce_end
from runx.api.printing import remark, unheard, warning
from runx.errors import RunxError
from runx.rundir.claims import launcher_lives
from runx.rundir.paths import ExperimentDir, RunDir
from runx.sweeps.scalars import duration_text

if TYPE_CHECKING:
    from subprocess import Popen

    from runx.rundir.run import RunRecord

_PAUSE = 0.5  # seconds between two looks at runs here, at least
_PAUSE_OF_FARM = 5.0  # likewise at runs whose scheduler is asked
_SHARE = 20  # of the time that a look takes, how much passes until the next


class Handle:
    """Runs that were launched and go on by themselves, in their launcher or on a farm.

    In a notebook it shows a table that follows them. They go on where a notebook's kernel ends;
    ``runx.attach(experiment)`` returns such a handle again.
    """

    def __init__(
        self,
        experiment: ExperimentDir,
        runs: Iterable[RunDir] | None = None,
        launch: str = "",
        launcher: Popen[bytes] | None = None,
    ) -> None:
        self.experiment, self.launch = experiment, launch
        self._runs = None if runs is None else tuple(runs)
        self._launcher = launcher
        self._shown: Thread | None = None

    def status(self) -> Standings:
        """Return how the runs stand."""
        if self._runs is None:
            return status(str(self.experiment.path), logroot=self.experiment.path.parent)
        names = [str(run.path) for run in self._runs]
        return status(*names, logroot=self.experiment.path.parent) if names else Standings(())

    @property
    def ended(self) -> bool:
        """Whether none of the runs goes on, and none will be started by their launcher."""
        return self._look()[1]

    def _look(self) -> tuple[Standings, bool]:
        """Return how the runs stand, and whether they have ended."""
        lives = bool(self.launch) and launcher_lives(self.experiment, self.launch)
        if self._launcher:
            self._launcher.poll()  # It is our child: its end has to be taken note of.
        standings = self.status()
        return standings, not lives and not any(run.status.alive for run in standings)

    def wait(self, timeout: float | None = None) -> Standings:
        """Wait until the runs have ended, or for ``timeout`` seconds; return how they stand.

        It shows them meanwhile: a line on a terminal, a table in a notebook. To interrupt it ends
        nothing.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        shown = self._show_live() if _has_kernel() and not self._is_shown() else None
        is_terminal = sys.stderr.isatty() and shown is None
        try:
            for standings, ended, pause in self._looks():
                if is_terminal:
                    _redraw(progress_of(standings))
                left = pause if deadline is None else deadline - time.monotonic()
                if ended or left <= 0:
                    break
                time.sleep(min(pause, left))
        finally:
            if is_terminal:
                _redraw("")
        if shown and ended:
            shown.join()  # It has shown the end, too.
        if ended:
            announce_end(self.experiment, remark)
        return standings

    def _looks(self) -> Iterator[tuple[Standings, bool, float]]:
        """Yield how the runs stand, whether they have ended, and the seconds to the next look."""
        while True:
            began = time.monotonic()
            standings, ended = self._look()
            least = _PAUSE if self.launch else _PAUSE_OF_FARM
            yield standings, ended, max(least, _SHARE * (time.monotonic() - began))

    def cancel(self) -> Count:
        """End the runs that wait or run, as ``runx.cancel`` does."""
        alive = [str(run.dir.path) for run in self.status() if run.status.alive]
        if not alive:
            return Count(0, 0)
        return cancel_runs(*alive, logroot=self.experiment.path.parent)

    def progress(self) -> str:
        """Return a line: how many runs are done, failed, running and waiting, and the time left."""
        return progress_of(self.status())

    @property
    def has_lines(self) -> bool:
        """Whether the launcher goes on alone, or went, so that there are lines of it."""
        return bool(self.launch) and log_of(self.experiment, self.launch).exists()

    def lines(self) -> Iterator[str]:
        """Return the lines that their launcher says, until it ends; none where it says them itself.

        ``runx.logs(..., follow=True)`` has the output of the runs.
        """
        from runx.rundir.output import Follower

        if not self.has_lines:
            return
        follower = Follower(log_of(self.experiment, self.launch))
        while launcher_lives(self.experiment, self.launch):
            yield from follower.new_lines()
            time.sleep(_PAUSE)
        yield from follower.new_lines(last=True)

    def __repr__(self) -> str:
        standings = self.status()
        return f"{standings!r}\n\n{progress_of(standings)}"

    def _repr_html_(self) -> str:
        return _html(self.status())

    def _ipython_display_(self) -> None:
        """Show a table that follows the runs, where there is a kernel to show it."""
        if _has_kernel():
            if not self._is_shown():
                self._show_live()
        else:
            print(repr(self))

    def _is_shown(self) -> bool:
        return self._shown is not None and self._shown.is_alive()

    def _show_live(self) -> Thread:
        from IPython import display

        standings = self.status()
        show: Any = display.display
        shown = show(_bundle(standings), raw=True, display_id=True)
        self._shown = Thread(target=self._follow, args=(shown,), name="runx-display", daemon=True)
        self._shown.start()
        return self._shown

    def _follow(self, shown: Any) -> None:
        """Show the runs in a display until they have ended."""
        try:
            for standings, ended, pause in self._looks():
                shown.update(_bundle(standings), raw=True)
                if ended:
                    return
                time.sleep(pause)
        except (RunxError, OSError) as error:  # They were removed, say.
            shown.update({"text/plain": f"no longer followed: {error}"}, raw=True)


def _has_kernel() -> bool:
    """Return whether this process is a notebook's, whose displays can change."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _redraw(line: str) -> None:
    with unheard():
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


def _bundle(standings: Standings) -> dict[str, str]:
    text = f"{standings!r}\n\n{progress_of(standings)}"
    return {"text/plain": text, "text/html": _html(standings)}


def _html(standings: Standings) -> str:
    return f"<p>{html.escape(progress_of(standings))}</p>{standings.written('html')}"


def progress_of(runs: Iterable[RunRecord]) -> str:
    """Return a line on runs: how many are done, of how many, the other states, the time left."""
    records = list(runs)
    states = Counter(run.state for run in records)
    parts = [f"{states.pop('done', 0)}/{len(records)} done"]
    parts += [f"{number} {name}" for name, number in states.items()]
    took = [run.elapsed(0.0) for run in records if run.state == "done"]
    took = [seconds for seconds in took if seconds is not None]
    going = states["running"]
    if took and going:
        left = (states["queued"] + going / 2) / going * sum(filter(None, took)) / len(took)
        parts.append(f"about {duration_text(left)} left")
    return ", ".join(parts)


def attach(experiment: str | Path, logroot: str | Path | None = None) -> Handle:
    """Return a handle of the runs of an experiment, and of their launcher if one goes on here.

    Raises:
        RunxError: There is no such experiment.
    """
    from runx.api.project import logroot_of
    from runx.rundir.experiments import find

    found = find([str(experiment)], logroot_of(logroot), Path.cwd(), warning)
    if len(found) != 1:
        several = ", ".join(each.path.name for each in found)
        raise RunxError(f"{experiment}: name one of these: {several}")
    folder = found[0].launches
    names = sorted(os.listdir(folder), reverse=True) if folder.is_dir() else []  # noqa: PTH208
    alive = (name for name in names if launcher_lives(found[0], name))
    logged = (name for name in names if log_of(found[0], name).exists())
    return Handle(found[0], launch=next(alive, None) or next(logged, ""))
