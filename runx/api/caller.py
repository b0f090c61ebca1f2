"""What a launch gets from its caller, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.launching.context import Ask
    from runx.local.tasks import EndedAttempt, Watcher
    from runx.rundir.state import State

MakeWatcher = Callable[[int, int, Mapping[RunDir, str], LocalOptions], "Watcher"]
"""Makes what shows runs here, from the number of runs, how many run at a time, their commands."""


class Caller(NamedTuple):
    """What a launch gets from its caller.

    ``say`` takes remarks, ``echo`` data: the commands that submit. ``argv`` is what was typed,
    ``go_on`` the command that goes on with a launch that was stopped, ``ask`` asks a person about
    changes that aren't committed. ``elsewhere`` returns the experiment's settings for runs at a
    farm, or here.
    """

    say: Say
    echo: Say
    watcher: MakeWatcher
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"
    ask: Ask | None = None
    elsewhere: Callable[[str], Settings] | None = None


class Launched(NamedTuple):
    """The outcome of a launch, and the runs that it started or went on with.

    On a farm ``submitted`` is their number, and the rest is empty. Here it is None, ``hparams`` has
    every run, ``ended`` the ends of attempts, ``left`` how runs stood at the end that another
    process has taken, and ``stopped`` is whether a person stopped the launch.
    """

    experiment: str
    runs: tuple[RunDir, ...]
    submitted: int | None = None
    hparams: Mapping[RunDir, Mapping[str, Any]] = {}
    ended: Sequence[EndedAttempt] = ()
    left: Mapping[RunDir, State] = {}
    stopped: bool = False
