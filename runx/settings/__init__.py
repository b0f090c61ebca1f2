"""From an experiment, .runx, the environment and flags to one Experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.plans.experiment import Code, Experiment
from runx.plans.reconcile import Identity
from runx.settings.bases import told, told_here
from runx.settings.decode import decoded
from runx.settings.farm import PRESETS, farm_of, shell
from runx.settings.hparams import composed
from runx.settings.keys import KEYS, OF_A_FARM
from runx.settings.layers import (
    Entry,
    Layer,
    defaults,
    merged,
    project_file,
    spoken,
    user_file,
)
from runx.settings.occasion import Occasion, experiment_name, shared_texts
from runx.settings.overriding import from_overrides, overrides_of, removed, without
from runx.settings.shown import shown_settings
from runx.settings.variables import from_environment
from runx.sweeps.cautions import cautions
from runx.sweeps.grid import Beside
from runx.sweeps.overrides import Override
from runx.types import Node, Scalar

LOCAL = "local"
"""The farm that is this machine: no section describes it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for: the experiment's file, and what overrides it.

    ``flags`` maps a key to its text; ``here`` says that runs are made here whatever FARM is.
    ``sweeps`` are the named sweeps that are asked for, ``occasion`` is when, for names.
    ``tree`` is what the file would say, where a caller in Python says it and there is none.
    """

    file: Path
    cwd: Path
    environment: Mapping[str, str]
    config: Path | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    cooldir: bool = True
    here: bool = False
    overrides: tuple[str | Override, ...] = ()
    sweeps: tuple[str, ...] = ()
    occasion: Occasion = field(default_factory=Occasion)
    tree: Mapping[str, Node] | None = None


def load(request: Request) -> Experiment:
    """Read an experiment's file with all that stands behind it."""
    own = told(request.file) if request.tree is None else told_here(request.tree, request.cwd)
    files = _files(request.cwd, request.environment, request.config, request.file)
    beyond = [told(path, may_be_empty=True) for path in files]
    overrides = overrides_of(request.overrides)
    flags = {key: spoken(text, _flag(key), request.cwd) for key, text in request.flags.items()}
    said = [
        Layer(flags, {}),
        from_environment(request.environment, request.cwd),
        own.layer,
        *(one.layer for one in beyond),
    ]
    layers = [
        from_overrides(overrides, request.cwd),
        *(without(layer, removed(overrides)) for layer in said),
        defaults(request.cwd),
    ]
    sources = tuple(path for one in (own, *beyond) for path in one.files)
    farm = _farm_name(layers, request)
    entries = merged(layers, farm)
    if request.here:
        entries = _without_farm(entries, merged(layers, None))
    warnings = tuple(line for layer in layers for line in layer.warnings)
    return _experiment(request, entries, farm, overrides, sources, warnings)


def _without_farm(entries: dict[str, Entry], outside: dict[str, Entry]) -> dict[str, Entry]:
    """Leave out what a farm's section says of its jobs alone."""
    return {
        name: outside[name] if name in OF_A_FARM else entry
        for name, entry in entries.items()
        if name not in OF_A_FARM or name in outside
    }


def logroot(cwd: Path, environment: Mapping[str, str], config: Path | None = None) -> Path:
    """Say where experiments lie for someone who stands in ``cwd`` and names no file."""
    files = _files(cwd, environment, config, None)
    layers = [
        from_environment(environment, cwd),
        *(told(path, may_be_empty=True).layer for path in files),
        defaults(cwd),
    ]
    farm = merged(layers, None).get("FARM")
    name = decoded("FARM", farm, environment) if farm else None
    path: Path = decoded("LOGROOT", merged(layers, name)["LOGROOT"], environment)
    return path


def _files(
    cwd: Path, environment: Mapping[str, str], config: Path | None, experiment: Path | None
) -> list[Path]:
    if config is not None and (config.is_dir() or not config.exists()):
        raise SettingsError(f"{config}: there is no such file; -c names a .runx file")
    start = experiment.absolute().parent if experiment else None
    found = (config or project_file(cwd, start), user_file(environment))
    return [path for path in found if path is not None]


def _flag(key: str) -> str:
    return f"--{key.lower()}"


def _farm_name(layers: list[Layer], request: Request) -> str | None:
    entry = merged(layers, None).get("FARM")
    name: str | None = decoded("FARM", entry, request.environment) if entry else None
    known = list(dict.fromkeys(name for layer in layers for name in layer.farms))
    if not name or name == LOCAL or name in known or name in PRESETS:
        return name or None
    if request.here:
        return None
    assert entry is not None
    described = remedy(name, known) if known else "no farm is described; see docs/runx-file.md"
    raise SettingsError(f"{entry.origin}: no section describes farm {name}; {described}")


def _experiment(
    request: Request,
    entries: dict[str, Entry],
    farm: str | None,
    overrides: tuple[Override, ...],
    sources: tuple[Path, ...],
    warnings: tuple[str, ...],
) -> Experiment:
    value = {
        name: decoded(name, entry, request.environment)
        for name, entry in entries.items()
        if entry.node != Scalar(None, "") or name == "HPARAMS"
    }
    for name in _needed(value):
        if value.get(name) in (None, "", Scalar(None, "")):
            raise SettingsError(f"{request.file}: {name} is missing; see docs/yaml.md")
    texts = shared_texts(entries, value, farm, request.occasion, request.environment)
    name = experiment_name(value.get("EXP_NAME") or request.file.stem, texts, entries, request.file)
    hparams, at = composed(entries, value, request.sweeps, overrides)
    return Experiment(
        name=name,
        file=request.file,
        logroot=value["LOGROOT"],
        cmd=value["CMD"],
        hparams=hparams,
        at=at,
        tag=request.tag,
        cooldir=request.cooldir,
        farm=None if request.here or farm == LOCAL else farm_of(farm, value, entries),
        resources=value["RESOURCES"],
        shell=shell(value),
        pythonpath=value.get("PYTHONPATH", ""),
        code=_code(value),
        dir_mode=value.get("DIR_MODE", ""),
        resume=value["RESUME"],
        identity=Identity(frozenset(value.get("IDENTITY_IGNORE", ())), value["IDENTITY_DEFAULTS"]),
        gpus=value.get("GPUS", ()),
        title=value.get("TITLE", ""),
        note=value.get("NOTE", ""),
        settings=shown_settings(entries, hparams, overrides),
        sources=sources,
        warnings=(*warnings, *cautions(hparams, at)),
        beside=Beside(value.get("SAMPLES", 0), value["SEED"], request.environment, name),
        style=value["ARGS"],
        has_config="CONFIG" in value,
        run_name=value.get("RUN_NAME", ""),
        texts={**texts, "experiment": name},
    )


def _needed(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the keys that must be there; hyperparameters may all come from elsewhere."""
    return ("CMD",) if "HPARAMS_FROM" in value or "CONFIG" in value else ("CMD", "HPARAMS")


def _code(value: Mapping[str, Any]) -> Code:
    return Code(
        root=value["CODE_ROOT"],
        source=value["CODE_FROM"],
        ignore=value["CODE_IGNORE_PATTERNS"],
        gitignore=value["CODE_GITIGNORE"],
        links=value.get("CODE_LINKS", ()),
        files=value["FILES"],
        max_size=value["CODE_MAX_SIZE"],
        staging=value["CODE_STAGING"],
        git_dirty=value["GIT_DIRTY"],
    )


__all__ = ["KEYS", "LOCAL", "Request", "load", "logroot"]
