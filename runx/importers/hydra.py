"""Sweeps of Hydra: ``hydra.sweeper.params`` of a configuration, and ``multirun.yaml``.

See https://hydra.cc/docs/tutorials/basic/running_your_app/multi-run/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from runx.importers.base import Imported, Importer, Source
from runx.importers.hydra_overrides import Overrides, hparams_of
from runx.importers.submitit import of_launcher

_PACKAGE = re.compile(r"#\s*@package\s+hydra\.sweeper(\.params)?\s*$", re.MULTILINE)
_SEARCH = (
    "direction",
    "sampler",
    "study_name",
    "storage",
    "search_space",
    "optuna_config",
    "optim",
)


def _sweeper(source: Source) -> Mapping[str, Any] | None:
    """Return the sweeper's settings in a file, or None where it has none."""
    package = _PACKAGE.search(source.text)
    folders = source.path.parts[-4:-1]
    if (package and package[1]) or folders[-3:] == ("hydra", "sweeper", "params"):
        return {"params": source.tree}
    if package or folders[-2:] == ("hydra", "sweeper"):
        return source.tree
    hydra = source.tree.get("hydra")
    inner = hydra.get("sweeper") if isinstance(hydra, dict) else None
    for name, value in source.tree.items():
        if name == "hydra.sweeper.params" and isinstance(value, dict):
            inner = {"params": value}
    if inner is None and isinstance(hydra, dict) and _tasks(hydra):
        return {}
    return inner if isinstance(inner, dict) else None


def _tasks(hydra: Mapping[str, Any]) -> list[str]:
    """Return the overrides of the command line that a multirun.yaml remembers."""
    overrides = hydra.get("overrides")
    tasks = overrides.get("task") if isinstance(overrides, dict) else None
    return [str(task) for task in tasks or []]


def _is_sweep(source: Source) -> bool:
    sweeper = _sweeper(source)
    if sweeper is None:
        return False
    hydra = source.tree.get("hydra")
    tasks = _tasks(hydra) if isinstance(hydra, dict) else []
    return bool(sweeper.get("params") or tasks or sweeper.get("search_space"))


def _read(source: Source) -> Imported:
    sweeper = _sweeper(source) or {}
    hydra = source.tree.get("hydra")
    hydra = hydra if isinstance(hydra, dict) else {}
    words = [f"{name}={value}" for name, value in (sweeper.get("params") or {}).items()]
    overrides = hparams_of([*words, *_tasks(hydra)], _is_search(sweeper), source.path)
    command, doubtful = _command(source, hydra)
    searched, unknown = _searched(sweeper.get("search_space") or {})
    settings: dict[str, Any] = {"CMD": " ".join([command, *overrides.words])}
    settings["ARGS"] = dict(overrides.style)
    if overrides.is_random or searched:
        settings["SAMPLES"] = _trials(sweeper)
    if isinstance(hydra.get("job"), dict) and hydra["job"].get("env_set"):
        settings["ENV"] = {name: str(value) for name, value in hydra["job"]["env_set"].items()}
    lost = [f"hydra.sweeper.{key}: {reason}" for key, reason in _lost(sweeper)]
    farm = of_launcher(hydra.get("launcher") or {})
    return Imported(
        {**settings, **farm.settings, "HPARAMS": {**overrides.hparams, **searched}},
        (*overrides.lost, *unknown, *lost, *farm.lost),
        (*doubtful, *_remarks(sweeper, overrides)),
        farm.farm_name,
        farm.farm,
    )


def _trials(sweeper: Mapping[str, Any]) -> int:
    """Return how many runs a search makes."""
    inner = sweeper.get("optuna_config") or {}
    return int(sweeper.get("n_trials") or inner.get("n_trials") or 20)


def _searched(space: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the hyperparameters of a search space as older Optuna sweepers have it."""
    found: dict[str, Any] = {}
    lost = []
    for name, config in space.items():
        kind = config.get("type") if isinstance(config, dict) else None
        if kind == "categorical":
            found[name] = {"choice": [*config["choices"]]}
        elif kind in ("float", "int") and config.get("step") not in (None, 1):
            low, step = config["low"], config["step"]
            count = int((config["high"] - low) / step + 1.5)
            found[name] = {"choice": [round(low + step * place, 12) for place in range(count)]}
        elif kind in ("float", "int"):
            operator = "loguniform" if config.get("log") else _NUMBERS[kind]
            found[name] = {operator: [config["low"], config["high"]]}
        else:
            lost.append(f"{name}: {config}: nothing here corresponds to it")
    return found, lost


_NUMBERS = {"float": "uniform", "int": "randint"}


def _is_search(sweeper: Mapping[str, Any]) -> bool:
    kind = str(sweeper.get("_target_", ""))
    return ("_target_" in sweeper and "Basic" not in kind) or any(
        k in sweeper for k in (*_SEARCH, "ax_config")
    )


def _lost(sweeper: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in sweeper.items():
        if key in (*_SEARCH, "ax_config") and value is not None and key != "search_space":
            yield key, f"{value}: there is no search yet"


def _remarks(sweeper: Mapping[str, Any], overrides: Overrides) -> Iterable[str]:
    yield from overrides.doubtful
    if overrides.is_random:
        if not _is_search(sweeper):
            yield "an interval, which Hydra's own sweeper refuses; values are drawn at random"
        if not sweeper.get("n_trials"):
            yield "SAMPLES: 20 is a guess; say how many runs are enough"
    if overrides.is_random and _is_search(sweeper):
        yield "values are drawn at random: there is no search yet"


def _command(source: Source, hydra: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the script as it is called, and what is doubtful about it."""
    job = hydra.get("job")
    name = str(job.get("name") or "") if isinstance(job, dict) else ""
    if name and "${" not in name and "overrides" in hydra:
        return f"python {name}.py", [f"CMD: the job is called {name}; say where its script lies"]
    command = "python train.py"
    doubtful = [
        "CMD: the file doesn't name its script; write it, and --config-name if it is needed"
    ]
    group = source.path.parent.name
    if "@package _global_" in source.text:
        command += f" +{group}={source.path.stem}"
        doubtful.append(
            f"CMD: +{group}={source.path.stem} is a guess; without + if it is a default"
        )
    if str(hydra.get("mode", "")).upper().endswith("MULTIRUN"):
        command += " hydra.mode=RUN"
        doubtful.append(
            "CMD: hydra.mode=RUN, since the file's MULTIRUN would sweep in each run again"
        )
    return command, doubtful


IMPORTER = Importer("Hydra's sweeps", _is_sweep, _read)
