"""Experiments of SEML: ``fixed``, ``grid`` and ``random``, in blocks, of Sacred's scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runx.errors import SettingsError
from runx.importers.base import Imported, Importer, Source, as_number, number
from runx.importers.directives import slurm_resource

_OWN = ("seml", "slurm", "fixed", "grid", "random")
_CARRIED = ("executable", "name", "project_root_dir", "conda_environment", "description")
_SACRED = {"style": "equals", "prefix": "", "list": "python", "bool": "value", "none": "value"}


def _is_experiment(source: Source) -> bool:
    seml = source.tree.get("seml")
    return isinstance(seml, dict) and any(key in source.tree for key in (*_OWN[2:], "slurm"))


def _read(source: Source) -> Imported:
    tree, seml = source.tree, source.tree["seml"]
    others = [key for key in seml if key not in _CARRIED]
    lost = [f"seml.{key}: {seml[key]}: nothing here corresponds to it" for key in others]
    doubtful = ["CMD: Sacred's scripts are given `with key=value`; a list is Python's"]
    settings: dict[str, Any] = {
        "CMD": f"python {seml.get('executable') or 'train.py'} with {{args}}",
        "ARGS": {**_SACRED},
    }
    for key, name in (("TITLE", "name"), ("NOTE", "description")):
        if seml.get(name):
            settings[key] = str(seml[name])
    blocks = {k: v for k, v in tree.items() if k not in _OWN and isinstance(v, dict)}
    if samples := max(map(_samples, (tree, *blocks.values()))):
        settings |= {"SAMPLES": samples, "SEED": (tree.get("random") or {}).get("seed", 0)}
        doubtful.append("SAMPLES: values are drawn by runx, not those that SEML draws")
    farm, more = _farm(tree.get("slurm") or {}, seml, lost)
    settings["HPARAMS"] = _hparams(tree, blocks, lost)
    return Imported(settings, (*lost,), (*doubtful, *more), *farm)


def _hparams(tree: Mapping[str, Any], blocks: Mapping[str, Any], lost: list[str]) -> Any:
    """Return what all experiments have, or a list of it and of what each block adds."""
    first = _entry(tree, lost)
    entries = [{**first, **_entry(block, lost)} for block in _unfolded(blocks)]
    if len(entries) > 1:
        return _as_list(entries, first)
    return entries[0] if entries else first


def _as_list(entries: list[dict[str, Any]], first: dict[str, Any]) -> list[dict[str, Any]]:
    """Return entries as a list, whose first is what all of them have."""
    base: dict[str, Any] = {"RUNX.SKIP": True, **first}
    return [base, *({k: v for k, v in entry.items() if base.get(k) != v} for entry in entries)]


def _unfolded(blocks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks that make experiments, each with all that is above it."""
    found: list[dict[str, Any]] = []
    for block in blocks.values():
        inner = {k: v for k, v in block.items() if k not in _OWN and isinstance(v, dict)}
        own = {key: block.get(key) or {} for key in ("fixed", "grid", "random")}
        if not inner:
            found.append(own)
        for below in _unfolded(inner):
            found.append({key: {**own[key], **below[key]} for key in own})
    return found


def _samples(block: Mapping[str, Any]) -> int:
    random = block.get("random")
    return int(random.get("samples", 0)) if isinstance(random, dict) else 0


def _entry(block: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """Return the hyperparameters of a block."""
    entry: dict[str, Any] = {}
    zips: dict[str, dict[str, Any]] = {}
    for name, value in _flat(block.get("fixed") or {}):
        entry[name] = [as_number(value)] if isinstance(value, list) else as_number(value)
    for name, config in _flat(block.get("grid") or {}):
        try:
            axis = _grid(config)
        except (SettingsError, KeyError, TypeError) as error:
            lost.append(f"{name}: {config}: {error}")
            continue
        if isinstance(config, Mapping) and config.get("zip_id"):
            zips.setdefault(str(config["zip_id"]), {})[name] = axis
        else:
            entry[name] = axis
    for name, config in _flat(block.get("random") or {}):
        if name not in ("samples", "seed"):
            try:
                entry[name] = _drawn(config)
            except (SettingsError, KeyError, TypeError) as error:
                lost.append(f"{name}: {config}: {error}")
    if zips:
        entry["RUNX.ZIP"] = [*zips.values()] if len(zips) > 1 else next(iter(zips.values()))
    return entry


def _flat(block: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Return parameters by dotted names; a mapping with a type is one."""
    found: list[tuple[str, Any]] = []
    for name, value in block.items():
        if isinstance(value, Mapping) and value.get("type") == "parameter_collection":
            found += _flat(value.get("params") or {}, f"{above}{name}.")
        elif isinstance(value, Mapping) and "type" not in value and value:
            found += _flat(value, f"{above}{name}.")
        else:
            found.append((f"{above}{name}", value))
    return found


def _grid(config: Mapping[str, Any]) -> Any:
    """Return the values of a parameter of a grid."""
    kind = config["type"]
    if kind == "choice":
        return [as_number(option) for option in config["options"]]
    if kind not in ("range", "uniform", "loguniform"):
        raise SettingsError(f"type {kind} of a grid is unknown")
    low, high = number(config["min"]), number(config["max"])
    if kind == "range":
        return {"range": [low, high, config.get("step", 1)]}
    return {"linspace" if kind == "uniform" else "logspace": [low, high, config["num"]]}


def _drawn(config: Mapping[str, Any]) -> Any:
    """Return the operator of a parameter that is drawn; SEML's randint leaves its end out."""
    kind = config["type"]
    if kind == "choice":
        return {"choice": [as_number(option) for option in config["options"]]}
    if kind not in ("uniform", "loguniform", "randint"):
        raise SettingsError(f"type {kind} is unknown")
    low, high = number(config["min"]), number(config["max"])
    return {kind: [low, high - 1 if kind == "randint" else high]}


def _farm(
    slurm: Mapping[str, Any] | Sequence[Mapping[str, Any]], seml: Mapping[str, Any], lost: list[str]
) -> tuple[tuple[str, dict[str, Any]], list[str]]:
    """Return the section of a .runx that SEML's Slurm options become."""
    remarks: list[str] = []
    if not isinstance(slurm, Mapping):
        slurm = slurm[0] if slurm else {}
        remarks.append("slurm: the first of several is taken")
    resources: dict[str, Any] = {}
    farm: dict[str, Any] = {"RESOURCES": resources}
    for key, value in (slurm.get("sbatch_options") or {}).items():
        option = f"--{key}" if len(key) > 1 else f"-{key}"
        if value not in (None, "") and not slurm_resource(option, str(value), resources):
            resources[key] = True if value is True else value
    for key, value in slurm.items():
        if key == "max_simultaneous_jobs":
            farm["MAX_PARALLEL"] = value
        elif key != "sbatch_options" and (key, value) != ("experiments_per_job", 1):
            lost.append(f"slurm.{key}: {value}: a run is a job of its own here")
    if seml.get("conda_environment"):
        farm["SETUP"] = f"conda activate {seml['conda_environment']}"
    has_any = bool(resources or len(farm) > 1)
    return ("slurm" if has_any else "", farm if has_any else {}), remarks


IMPORTER = Importer("SEML", _is_experiment, _read)
