"""MLXP's own settings, ``configs/mlxp.yaml``, and a configuration with ``mlxp:`` in it.

A script for ``mlxpsub`` is read as any job script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.importers.base import Imported, Importer, Source

_FARMS = {"OAR": "oar", "SLURM": "slurm", "PBS": "pbs", "SGE": "sge", "MWM": "moab", "LSF": "lsf"}
_SWITCHES = ("use_logger", "use_version_manager", "use_scheduler", "interactive_mode")
_OWN = ("logger", "version_manager", "scheduler", "as_ConfigDict", *_SWITCHES)


def _settings(source: Source) -> Mapping[str, Any]:
    """Return MLXP's settings in a file; empty where there are none."""
    tree = source.tree
    if isinstance(tree.get("mlxp"), dict):
        inner: Mapping[str, Any] = tree["mlxp"]
        return inner
    is_own = any(key in tree for key in _SWITCHES) and all(key in _OWN for key in tree)
    return tree if is_own else {}


def _read(source: Source) -> Imported:
    told = _settings(source)
    settings: dict[str, Any] = {"CMD": "python main.py", "ARGS": {"style": "hydra"}}
    remarks = ["CMD: the file doesn't name its script; write it"]
    lost = []
    logger = told.get("logger") or {}
    if logger.get("parent_log_dir"):
        settings["LOGROOT"] = str(logger["parent_log_dir"])
    if told.get("use_version_manager"):
        settings["GIT_DIRTY"] = "warn" if told.get("interactive_mode") else "error"
        remarks.append("GIT_DIRTY: runx freezes the code of each launch, committed or not")
    for key in ("forced_log_id", "log_streams_to_file"):
        if logger.get(key) not in (None, -1, False):
            lost.append(f"logger.{key}: {logger[key]}: runx names runs, and keeps their output")
    if told.get("use_logger") is False:
        lost.append("use_logger: false: a run always has its directory")
    farm_name, farm = _farm(told, lost)
    settings["HPARAMS"] = {}
    own = "mlxp" in source.tree and {k: v for k, v in source.tree.items() if k != "mlxp"}
    if own:
        remarks.append("HPARAMS: the file's own values are read by its script; name what to sweep")
    return Imported(settings, tuple(lost), tuple(remarks), farm_name, farm)


def _farm(told: Mapping[str, Any], lost: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the scheduler, and its section of a .runx."""
    scheduler = told.get("scheduler") or {}
    name = str(scheduler.get("name") or "").rpartition(".")[2].removesuffix("Scheduler")
    if not name or told.get("use_scheduler") is False:
        return "", {}
    if name not in _FARMS:
        lost.append(f"scheduler.name: {scheduler['name']}: no such scheduler is known here")
        return "", {}
    farm: dict[str, Any] = {}
    if scheduler.get("option_cmd"):
        mark = scheduler.get("directive", "#SBATCH" if name == "SLURM" else f"#{name}")
        farm["DIRECTIVES"] = [f"{mark} {option}" for option in scheduler["option_cmd"]]
    if scheduler.get("env_cmd"):
        farm["SETUP"] = str(scheduler["env_cmd"])
    return _FARMS[name], farm or {"RESOURCES": {}}


IMPORTER = Importer("MLXP", lambda source: bool(_settings(source)), _read)
