"""From the settings of a farm's section to a Farm, and to what stands around a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.cmdline.script import Shell
from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.plans.experiment import Farm
from runx.settings.layers import Entry

LOCAL = "local"
"""The farm that is this machine: no section describes it."""

PRESETS = (
    "slurm",
    "sge",
    "pbs",
    "torque",
    "lsf",
    "oar",
    "moab",
    "condor",
    "kubernetes",
    "ray",
    "ngc",
)
"""Kinds of farms that need no SUBMIT_CMD; a farm of that name is of that kind."""

OPTIONS = ("ADDRESS", "NAMESPACE", "VOLUME", "NGC_LOGROOT", "WORKSPACE")
"""Keys that only some kinds of farms read."""


def farm_of(
    name: str | None, value: Mapping[str, Any], entries: Mapping[str, Entry]
) -> Farm | None:
    """Describe the farm of that name, None where there is none."""
    if name is None:
        return None
    submit_cmd = value.get("SUBMIT_CMD", "")
    kind = farm_type(name, value.get("TYPE", ""), submit_cmd)
    if "TYPE" in entries and ":" not in kind and kind not in (*PRESETS, "command"):
        _check_plugin(kind, entries["TYPE"].origin)
    if not submit_cmd and kind == "command":
        origin = entries["FARM"].origin
        raise SettingsError(
            f"{origin}: farm {name} has no SUBMIT_CMD, nor a TYPE; see docs/runx-file.md"
        )
    return Farm(
        name=name,
        submit_cmd=submit_cmd,
        type=kind,
        array=value.get("ARRAY"),
        max_parallel=value.get("MAX_PARALLEL"),
        requeue=value.get("REQUEUE"),
        directives=value.get("DIRECTIVES", ()),
        options={key: value[key] for key in OPTIONS if value.get(key)},
    )


def farm_type(name: str, given: str, submit_cmd: str) -> str:
    """Say what kind a farm is: as it says, as its SUBMIT_CMD tells, or as it is called.

    >>> farm_type("big", "", "ngc batch run --ace x"), farm_type("slurm", "", "sbatch")
    ('ngc', 'command')
    >>> farm_type("slurm", "", ""), farm_type("big", "slurm", "")
    ('slurm', 'slurm')
    """
    if given:
        return given
    if submit_cmd.split()[:3] == ["ngc", "batch", "run"]:
        return "ngc"
    return name if name in PRESETS and not submit_cmd else "command"


def _check_plugin(kind: str, origin: str) -> None:
    from importlib.metadata import entry_points

    known = [*PRESETS, "command", *(point.name for point in entry_points(group="runx.farms"))]
    if kind not in known:
        raise SettingsError(f"{origin}: TYPE {kind} is unknown; {remedy(kind, known)}")


def shell(value: Mapping[str, Any]) -> Shell:
    """Say what stands around the command in run.sh."""
    return Shell(
        setup=value.get("SETUP", "").strip("\n"),
        teardown=value.get("TEARDOWN", "").strip("\n"),
        wrap=value.get("WRAP", "").strip(),
        launch=value.get("LAUNCH", ""),
        environment=tuple(value["ENV"].items()),
        separate=value.get("STDERR") == "separate",
    )
