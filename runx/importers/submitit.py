"""Hydra's launchers: what submitit and joblib are told, for a .runx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.importers.base import Imported

_RESOURCES = {
    "gpus_per_node": "gpus",
    "cpus_per_task": "cpus",
    "nodes": "nodes",
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
}
_SAME = {"_target_", "submitit_folder", "name", "tasks_per_node", "max_num_timeout", "mem_gb"}
_SAME |= {"timeout_min", "array_parallelism", "setup", "gres", "additional_parameters"}


def of_launcher(launcher: Mapping[str, Any]) -> Imported:
    """Return what a launcher's settings are here."""
    kind = str(launcher.get("_target_", ""))
    if "joblib" in kind.lower():
        jobs = launcher.get("n_jobs")
        many = isinstance(jobs, int) and jobs > 1
        return Imported({"MAX_PARALLEL": jobs} if many else {})
    told = {key: value for key, value in launcher.items() if value not in (None, [], {})}
    if not told.keys() & {*_RESOURCES, "timeout_min", "mem_gb", "array_parallelism", "gres"}:
        return Imported({})
    resources = {name: told[key] for key, name in _RESOURCES.items() if key in told}
    if "mem_gb" in told:
        resources["mem"] = f"{told['mem_gb']}G"
    if "timeout_min" in told:
        resources["time"] = f"{told['timeout_min']}m"
    resources |= told.get("additional_parameters") or {}
    resources |= {"gres": told["gres"]} if "gres" in told else {}
    farm: dict[str, Any] = {"RESOURCES": resources}
    if "array_parallelism" in told:
        farm["MAX_PARALLEL"] = told["array_parallelism"]
    if "setup" in told:
        farm["SETUP"] = "\n".join(map(str, told["setup"]))
    lost = [
        f"hydra.launcher.{key}: {told[key]}: nothing here corresponds to it"
        for key in told
        if key not in _RESOURCES and key not in _SAME
    ]
    return Imported({}, tuple(lost), (), "slurm", farm)
