"""Settings and options that where runs go can't follow: refused when planned, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runx.config.experiment import LOCAL, Experiment, Setting
from runx.config.keys import KEYS
from runx.errors import RunxError, SettingsError

if TYPE_CHECKING:
    from runx.farms.base import Farm, FarmType

_OF_JOBS = {
    "ARRAY": "nothing is submitted here",
    "DIRECTIVES": "no scheduler reads them here",
    "RUNS_PER_JOB": "-j says how many run here at a time",
    "REQUEUE": "no scheduler takes runs back here; --retries starts them again",
}
"""Settings of jobs alone; those of a farm's own section don't hold for runs here."""
_DESCRIBE = ("SUBMIT_CMD", "TYPE", *(name for name, key in KEYS.items() if key.scope == "farm"))
"""Settings that describe a farm."""
FOR_FARMS = {
    "jobs": "MAX_PARALLEL limits how many of its jobs run at a time",
    "gpus_per_run": "write RESOURCES.gpus={value}",
    "retries": "write RETRIES={value}",
    "timeout": "write RESOURCES.time={value:.0f}s",
    "grace": "the scheduler decides it; REQUEUE.signal is how long before its end a run is warned",
    "fail_fast": "write MAX_FAILURES=1",
    "max_failures": "write MAX_FAILURES={value}, of failures in a row for one cause",
    "stream": "runx logs -f follows a run",
    "attach": "-i --attach runs it here",
    "detach": "they go on without the terminal as it is",
}
"""What to do on a farm instead of what each option of runs here does."""
_FLAGS = {"jobs": "-j"}


def check_settings(experiment: Experiment) -> None:
    """Raise a SettingsError for a setting that the farm of an experiment, or runs here, ignore."""
    settings, farm = experiment.settings, experiment.farm
    problems = [*_of_farm(farm), *_of_shared(experiment, farm)] if farm else _of_here(settings)
    for name, problem in problems:
        origin = f"{settings[name].origin}: " if name in settings else ""
        raise SettingsError(f"{origin}{name}: {problem}")


def _of_here(settings: Mapping[str, Setting]) -> Iterator[tuple[str, str]]:
    """Return problems of settings for runs on this machine.

    With -i and a FARM, what describes the farm is left aside as the farm is.
    """
    nothing = ("", "false", "0", "null", "~", "[]", "{}")
    names = [*_OF_JOBS, *_DESCRIBE, "FARM"]
    texts = {name: settings[name].text.strip() for name in names if name in settings}
    given = [name for name, text in texts.items() if text.lower() not in nothing]
    for name in given:
        if name in _OF_JOBS:
            advice = "in the section of a farm it holds for that one's jobs alone"
            yield name, f"{_OF_JOBS[name]}; {advice}"
        elif name != "FARM" and texts.get("FARM", "") in ("", LOCAL):
            yield (
                name,
                "no farm is set that it describes; say FARM: NAME, with it in NAME's section",
            )


def _of_farm(farm: Farm) -> Iterator[tuple[str, str]]:
    from runx.farms.registry import farm_type_of

    farm_type = farm_type_of(farm.type)
    given = ["SUBMIT_CMD"] if farm.submit_cmd else []
    for name in (*given, *farm.options):
        if farm_type.reads is not None and name not in farm_type.reads:
            known = f"it reads {', '.join(farm_type.reads)}" if farm_type.reads else "it reads none"
            yield name, f"a farm of TYPE {farm.type} has no use for it, {known}; leave it out"
    if problem := _of_priority(farm, farm_type):
        yield "PRIORITY", problem
    if farm.directives and farm_type.script is None:
        problem = "is given no job script; say it in RESOURCES, or SUBMIT_CMD"
        yield "DIRECTIVES", f"a farm of TYPE {farm.type} {problem}"
    if farm.requeue is not None and farm_type.handback is None:
        problem = "takes no job back; leave it out, and start ended runs again with --resume"
        yield "REQUEUE", f"a farm of TYPE {farm.type} {problem}"


def _of_priority(farm: Farm, farm_type: FarmType) -> str:
    """Return why the jobs of a farm can't have its PRIORITY, "" where they can."""
    if not farm.priority:
        return ""
    if farm_type.priority is None:
        return f"jobs of TYPE {farm.type} have none that can be set; leave it out"
    try:
        farm_type.priority(farm)
    except SettingsError as error:
        return str(error)
    return ""


def _of_shared(experiment: Experiment, farm: Farm) -> Iterator[tuple[str, str]]:
    from runx.farms.registry import farm_type_of

    if experiment.max_failures and farm_type_of(farm.type).workspace:
        yield "MAX_FAILURES", f"runs of TYPE {farm.type} don't see how others end; leave it out"


def retry_notes(farm: Farm) -> Iterator[str]:
    """Return what RETRIES asks for that jobs of a farm can't do by themselves, a line each."""
    from runx.farms.registry import farm_type_of

    farm_type = farm_type_of(farm.type)
    if farm.retries is None:
        return
    if farm_type.handback is None:
        yield f"RETRIES: jobs of TYPE {farm.type} can't start again by themselves; --resume does it"
    elif "timeout" in farm.retries.on and not farm_type.warns:
        yield (
            f"RETRIES: timeout: jobs of TYPE {farm.type} aren't warned before their time is over;"
            " --resume starts those again"
        )


def check_options(farm: Farm, given: Mapping[str, object]) -> None:
    """Raise a RunxError for an option of runs here, which a farm can't follow.

    ``given`` are those that were given, and their values.
    """
    for name, value in given.items():
        flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
        raise RunxError(
            f"{flag} is for runs here, with -i, and these go to farm {farm.name}:"
            f" {FOR_FARMS[name].format(value=value)}"
        )
