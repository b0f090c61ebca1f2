"""Sweeps of Hydra: ``hydra.sweeper.params`` of a configuration, and ``multirun.yaml``.

See https://hydra.cc/docs/tutorials/basic/running_your_app/multi-run/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from runx.errors import SettingsError
from runx.importers.base import Imported, Importer, Source
from runx.importers.hydra_overrides import Overrides, drawn, hparams_of
from runx.importers.submitit import of_launcher

_PACKAGE = re.compile(r"#\s*@package\s+hydra\.sweeper(\.params)?\s*$", re.MULTILINE)
_PASSWORD = re.compile(r"://[^/@\s]+@")
_SEARCH = (
    "direction",
    "sampler",
    "study_name",
    "storage",
    "search_space",
    "optuna_config",
    "optim",
    "custom_search_space",
)


class _Loader(yaml.SafeLoader):
    """YAML as Hydra reads it, where ``1e-3`` and ``1.0e3`` are numbers."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?\d+(_\d+)*(\.[\d_]*)?[eE][-+]?\d+\Z", re.ASCII),
    [*"-+0123456789"],
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
    if isinstance(params := source.tree.get("hydra.sweeper.params"), dict):
        inner = {"params": params}
    if inner is None and isinstance(hydra, dict) and _tasks(hydra):
        return {}
    return inner if isinstance(inner, dict) else None


def _tasks(hydra: Mapping[str, Any]) -> list[str]:
    """Return the overrides of the command line that a multirun.yaml remembers."""
    overrides = hydra.get("overrides")
    tasks = overrides.get("task") if isinstance(overrides, dict) else None
    return [str(task) for task in tasks or []]


def _is_sweep(source: Source) -> bool:
    tree = source.tree
    if "mlxp" in tree or "seml" in tree:
        return False
    is_composed = isinstance(tree.get("hydra"), dict) or isinstance(tree.get("defaults"), list)
    return is_composed or _sweeper(source) is not None


def _read(source: Source) -> Imported:
    source = source._replace(tree=yaml.load(source.text, _Loader))
    sweeper = _sweeper(source) or {}
    hydra = source.tree.get("hydra")
    hydra = hydra if isinstance(hydra, dict) else {}
    params = (sweeper.get("params") or {}).items()
    spaces = [f"{name}: {value}: {_NO_DICT}" for name, value in params if _is_named(value)]
    words = [f"{name}={value}" for name, value in params if not _is_named(value)]
    words += _tasks(hydra)
    is_search = _is_search(sweeper, source.tree.get("defaults"))
    searched, unknown = _searched(sweeper.get("search_space") or {}, is_search)
    if not any((words, searched, unknown, spaces)):
        raise SettingsError(f"{source.path}: {_nothing(sweeper)}")
    overrides = hparams_of(words, is_search, source.path, may_be_typed=not searched)
    command, doubtful = _command(source, hydra)
    settings: dict[str, Any] = {"CMD": " ".join([command, *overrides.words])}
    settings["ARGS"] = {**overrides.style, **({"none": "value"} if searched else {})}
    settings |= _environment(hydra)
    is_random = any(isinstance(a, dict) for a in (*overrides.hparams.values(), *searched.values()))
    if is_random and is_search:
        settings["SEARCH"] = _search(sweeper)
    elif is_random:
        settings["SAMPLES"] = _trials(sweeper)
    carried = ("sampler", "direction") if is_random and is_search else ()
    lost = [f"hydra.sweeper.{key}: {why}" for key, why in _lost(sweeper) if key not in carried]
    farm = of_launcher(hydra.get("launcher") or {})
    return Imported(
        {**settings, **farm.settings, "HPARAMS": {**overrides.hparams, **searched}},
        (*overrides.lost, *spaces, *unknown, *lost, *farm.lost),
        (*doubtful, *_lists(params), *_remarks(sweeper, overrides, is_search, is_random)),
        farm.farm_name,
        farm.farm,
    )


def _is_named(value: Any) -> bool:
    """Return whether a value is a mapping with names, which Hydra would give in quotes."""
    return isinstance(value, dict) and any(isinstance(key, str) for key in value)


def _lists(params: Iterable[tuple[str, Any]]) -> Iterable[str]:
    """Return the lists that look like axes, as a list of YAML is one value of one run."""
    for name, value in params:
        if isinstance(value, list) and len(value) > 1:
            yield f"{name}: a list is one value, in Hydra too; an axis is choice(...), or 1,2"


def _environment(hydra: Mapping[str, Any]) -> dict[str, Any]:
    job = hydra.get("job")
    variables = job.get("env_set") if isinstance(job, dict) else None
    return {"ENV": {name: str(value) for name, value in variables.items()}} if variables else {}


def _nothing(sweeper: Mapping[str, Any]) -> str:
    """Return why a configuration has no sweep that can be imported."""
    other = next((key for key in sweeper if key in _OTHERS), "")
    reason = f"hydra.sweeper.{other} isn't read here, only params" if other else _NO_PARAMS
    return f"is of Hydra, but {reason}; write CMD, ARGS: {{style: hydra}} and HPARAMS yourself"


_NO_TYPE = "Optuna's sweeper refuses it: its types are float, int and categorical"
_NO_DICT = "Hydra refuses it: params are as on its command line, interval(0,1), choice(a,b)"
_OTHERS = ("ax_config", "parametrization", "wandb_sweep_config", "grid_params", "list_params")
_NO_PARAMS = "sweeps over nothing: there is no hydra.sweeper.params, and no override"


def _trials(sweeper: Mapping[str, Any], otherwise: int = 20) -> int:
    """Return how many runs a search makes."""
    inner = sweeper.get("optuna_config") or {}
    return int(sweeper.get("n_trials") or inner.get("n_trials") or otherwise)


def _search(sweeper: Mapping[str, Any]) -> dict[str, Any]:
    """Return SEARCH of a sweeper; the metric, which it returns without a name, is a guess."""
    inner = sweeper.get("optuna_config") or {}
    said = sweeper.get("direction") or inner.get("direction") or "minimize"
    goals = [*said] if isinstance(said, list) else [said]
    goals = [str(goal).rpartition(".")[2] for goal in goals]
    several = len(goals) > 1
    metric = [f"objective_{place}" for place in range(1, len(goals) + 1)] if several else "loss"
    found = {"metric": metric, "goal": goals if several else goals[0], "trials": _trials(sweeper)}
    sampler = sweeper.get("sampler")
    target = str(sampler.get("_target_") if isinstance(sampler, dict) else "").rpartition(".")[2]
    if target:
        found["sampler"] = _BUILT_IN.get(target, f"optuna.{target}")
    return found


_BUILT_IN = {"TPESampler": "tpe", "RandomSampler": "random", "QMCSampler": "qmc"}
"""Samplers of Optuna whose like needs nothing installed."""


def _searched(space: Mapping[str, Any], is_search: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the hyperparameters of a search space as older Optuna sweepers have it.

    The last step is drawn by a search, but is not in the grid that Optuna's sampler makes.
    """
    found: dict[str, Any] = {}
    lost = []
    for name, config in space.items():
        kind = config.get("type") if isinstance(config, dict) else None
        if kind == "categorical":
            values = [*config["choices"]]
        elif kind in ("float", "int") and (config.get("step") or (kind == "int" and not is_search)):
            low, step = config["low"], config.get("step") or 1
            count = int((config["high"] - low) / step + 1e-9) + is_search
            values = [round(low + step * place, 12) for place in range(count)]
        elif kind in ("float", "int"):
            found[name] = drawn([config["low"], config["high"]], kind == "int", config.get("log"))
            continue
        else:
            lost.append(f"{name}: {config}: {_NO_TYPE}")
            continue
        found[name] = {"choice": values} if is_search else values
    return found, lost


def _is_grid(sweeper: Mapping[str, Any]) -> bool:
    sampler = sweeper.get("sampler")
    return isinstance(sampler, dict) and "GridSampler" in str(sampler.get("_target_"))


def _is_search(sweeper: Mapping[str, Any], defaults: Any = None) -> bool:
    if _is_grid(sweeper):
        return False
    if "_target_" in sweeper:
        return "Basic" not in str(sweeper["_target_"])
    chosen = [pair for entry in defaults or [] if isinstance(entry, dict) for pair in entry.items()]
    names = [str(option) for group, option in chosen if str(group).endswith("hydra/sweeper")]
    return any("optuna" in name or name in ("ax", "nevergrad") for name in names) or any(
        key in sweeper for key in (*_SEARCH, "n_trials", "ax_config")
    )


def _lost(sweeper: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in sweeper.items():
        if key == "search_space" or (key == "sampler" and _is_grid(sweeper)):
            continue
        if key in (*_SEARCH, "ax_config") and value is not None:
            yield key, f"{_PASSWORD.sub('://', str(value))}: nothing here corresponds to it"


def _remarks(
    sweeper: Mapping[str, Any], overrides: Overrides, is_search: bool, is_random: bool
) -> Iterable[str]:
    yield from overrides.doubtful
    trials = sweeper.get("n_trials")
    if _is_grid(sweeper) and trials and not is_random:
        yield f"n_trials: {trials}: if the grid is larger, launch by `runx FILE --limit {trials}`"
    if is_random:
        if not is_search:
            yield "an interval, which a grid can't have; values are drawn at random"
        if not _trials(sweeper, 0):
            name = "SEARCH.trials" if is_search else "SAMPLES"
            yield f"{name}: 20 is a guess; say how many runs are enough"
    if is_random and is_search:
        yield "SEARCH.metric is a guess: it is what the script returns; let it log that, name it"


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
