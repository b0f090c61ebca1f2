"""The queue of this machine: who holds its GPUs, how many runs its launchers execute at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.api.printing import Say, warning
from runx.api.project import logroot_of
from runx.errors import RunxError, StoreError

if TYPE_CHECKING:
    from runx.local.holders import Held
    from runx.rundir.paths import ExperimentDir


class Launcher(NamedTuple):
    """A launcher of runs that lives: the name of its launch, its host and process, its slots.

    ``ordered``: how many runs at a time ``runx slots`` has asked it for, None where it has not.
    """

    launch: str
    host: str
    pid: int
    jobs: int
    ordered: int | None = None


def gpus(warn: Say = warning) -> list[Held]:
    """Return the GPUs of this machine, and the slices of those that are cut: who holds each."""
    from runx.local.holders import gpus_held
    from runx.local.nvidia import list_gpus

    listing = list_gpus(with_slices=True)
    if listing.problem:
        warn(listing.problem)
    return list(gpus_held(listing, os.environ))


def slots(
    count: int, experiment: str, logroot: str | Path | None = None, warn: Say = warning
) -> list[Launcher]:
    """Have each launcher of an experiment's runs here execute ``count`` at a time from now on.

    With 0 it starts nothing more until it is asked for more. Return these launchers.

    Raises:
        RunxError: There is none that lives.
    """
    from runx.rundir.experiments import find
    from runx.rundir.files import to_json, write_whole
    from runx.rundir.machines import whoami

    if count < 0:
        raise RunxError(f"{count} at a time: 0 or more")
    folders = find([experiment], logroot_of(logroot), Path.cwd(), warn)
    found = [(folder, each) for folder in folders for each in launchers(folder)]
    if not found:
        raise RunxError(
            f"{experiment}: no launcher executes its runs; --resume -j {count or 1} starts one"
        )
    content = to_json({"jobs": count, "time": time.time(), "by": whoami()})
    for folder, launcher in found:
        write_whole(folder.launch_slots(launcher.launch), content)
    return [launcher._replace(ordered=count) for _, launcher in found]


def launchers(experiment: ExperimentDir) -> Iterator[Launcher]:
    """Yield the launchers of an experiment's runs that live, on hosts that execute them."""
    from runx.local.slots import ordered_slots
    from runx.rundir.claims import launcher_lives
    from runx.rundir.files import read_json

    for file in sorted(experiment.launches.glob("*/here.json")):
        launch = file.parent.name
        if not launcher_lives(experiment, launch):
            continue
        try:
            here, about = read_json(file), read_json(file.with_name("launch.json"))
        except StoreError:
            continue  # Its launcher has just begun; the next look finds it.
        ordered = ordered_slots(experiment.launch_slots(launch))
        jobs = here.get("jobs", 1) if ordered is None else ordered
        yield Launcher(launch, str(about.get("host", "")), int(about.get("pid", 0)), jobs, ordered)


def launcher_line(experiment: ExperimentDir) -> str:
    """Return how many runs go on at a time, where several launchers share them or it was changed.

    Else "".
    """
    found = list(launchers(experiment))
    if len(found) < 2 and not any(each.ordered is not None for each in found):
        return ""
    each = ", ".join(
        f"{launcher.jobs} at a time on {launcher.host}"
        + (" by runx slots" if launcher.ordered is not None else "")
        for launcher in found
    )
    return f"{experiment.path.name}: {len(found)} launcher{'s' * (len(found) > 1)}: {each}"
