"""From an experiment, .runx, the environment and flags to one Experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.plans.experiment import Experiment
from runx.settings.bases import told, told_here
from runx.settings.decode import decoded
from runx.settings.farm import LOCAL, PRESETS
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
from runx.settings.made import made
from runx.settings.occasion import Occasion
from runx.settings.overriding import from_overrides, overrides_of, removed, without
from runx.settings.variables import from_environment
from runx.sweeps.overrides import Override
from runx.sweeps.values import Node


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
    return made(request, entries, farm, overrides, sources, warnings)


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


__all__ = ["KEYS", "LOCAL", "Request", "load", "logroot"]
