"""What a launch gets from its caller, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.printing import Say
from runx.config.experiment import LOCAL
from runx.config.experiment import Experiment as Settings
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.launching.context import Ask
    from runx.launching.plan import LaunchPlan
    from runx.local.tasks import EndedAttempt, Watcher
    from runx.rundir.state import State
    from runx.rundir.steps import Step

MakeWatcher = Callable[[int, int, Mapping[RunDir, str], LocalOptions], "Watcher"]
"""Makes what shows runs here, from the number of runs, how many run at a time, their commands."""


class Caller(NamedTuple):
    """What a launch gets from its caller.

    ``say`` takes remarks, ``echo`` data: the commands that submit. ``argv`` is what was typed,
    ``go_on`` the command that goes on with a launch that was stopped, ``ask`` asks a person about
    changes that aren't committed. ``begun`` is called when the runs here are made, before any
    starts; ``elsewhere`` returns the experiment's settings for runs at a farm, or here.
    """

    say: Say
    echo: Say
    watcher: MakeWatcher
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"
    ask: Ask | None = None
    begun: Callable[[LaunchPlan], None] | None = None
    elsewhere: Callable[[str], Settings] | None = None


class Launched(NamedTuple):
    """The outcome of a launch, and the runs that it started or went on with.

    ``submitted`` is the number of those on farms, None where all are here. Of those here,
    ``hparams`` has every run, ``ended`` the ends of attempts, ``left`` how runs stood at the end
    that another process has taken, and ``stopped`` is whether a person stopped the launch.
    ``unit``: what all these are, runs or steps of runs.
    """

    experiment: str
    runs: tuple[RunDir, ...]
    submitted: int | None = None
    hparams: Mapping[RunDir, Mapping[str, Any]] = {}
    ended: Sequence[EndedAttempt] = ()
    left: Mapping[RunDir, State] = {}
    stopped: bool = False
    unit: str = "run"


def together(one: Launched, other: Launched) -> Launched:
    """Return what two parts of a launch came to."""
    submitted = [each.submitted for each in (one, other) if each.submitted is not None]
    return Launched(
        one.experiment,
        (*one.runs, *other.runs),
        sum(submitted) if submitted else None,
        {**one.hparams, **other.hparams},
        (*one.ended, *other.ended),
        {**one.left, **other.left},
        one.stopped or other.stopped,
        one.unit,
    )


def with_flag(settings: Settings, local: LocalOptions) -> Settings:
    """Return settings with the GPUs of --gpus-per-run, which outweighs RESOURCES, for runs here."""
    count = local.gpus_per_run
    if count is None:
        return settings
    candidates = tuple(with_flag(each, local) for each in settings.candidates)
    settings = settings._replace(candidates=candidates)

    def flagged(resources: Sequence[Hparam]) -> tuple[Hparam, ...]:
        others = [each for each in resources if each.name.lower() not in ("gpu", "gpus")]
        return (*others, Hparam("gpus", count, str(count)))

    def flagged_step(step: Step, is_here: bool) -> Step:
        choices = {name: flagged_step(own, name == LOCAL) for name, own in step.choices.items()}
        step = step._replace(choices=choices)
        if not step.alternatives or not is_here:
            return step
        own = tuple(map(flagged, step.alternatives))
        return step._replace(resources=own[0], alternatives=own)

    is_here = settings.farm is None
    steps = tuple(flagged_step(step, is_here or step.farm == LOCAL) for step in settings.steps)
    settings = settings._replace(steps=steps)
    if not is_here:
        return settings
    alternatives = tuple(map(flagged, settings.alternatives))
    return settings._replace(resources=alternatives[0], alternatives=alternatives)
