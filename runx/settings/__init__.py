"""From an experiment, .runx, the environment and flags to one Experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runx.cautions import cautions
from runx.errors import SettingsError
from runx.experiment import Code, Experiment, Setting
from runx.nearest import remedy
from runx.reconcile import Identity
from runx.settings.decode import decoded
from runx.settings.farm import PRESETS, farm_of, shell
from runx.settings.keys import KEYS, OF_A_FARM
from runx.settings.layers import (
    Entry,
    Layer,
    defaults,
    from_environment,
    from_file,
    merged,
    project_file,
    spoken,
    user_file,
)
from runx.types import Node, Scalar

LOCAL = "local"
"""The farm that is this machine: no section describes it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for: the experiment's file, and what overrides it.

    ``flags`` maps a key to its text; ``here`` says that runs are made here whatever FARM is.
    """

    file: Path
    cwd: Path
    environment: Mapping[str, str]
    config: Path | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    cooldir: bool = True
    here: bool = False


def load(request: Request) -> Experiment:
    """Read an experiment's file with all that stands behind it."""
    own = from_file(request.file)
    files = _files(request.cwd, request.environment, request.config, request.file)
    layers = [
        Layer(
            {key: spoken(text, _flag(key), request.cwd) for key, text in request.flags.items()}, {}
        ),
        from_environment(request.environment, request.cwd),
        own,
        *(from_file(path, may_be_empty=True) for path in files),
        defaults(request.cwd),
    ]
    farm = _farm_name(layers, request)
    entries = merged(layers, farm)
    if request.here:
        entries = _without_farm(entries, merged(layers, None))
    warnings = tuple(line for layer in layers for line in layer.warnings)
    return _experiment(request, entries, farm, files, warnings)


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
        *(from_file(path, may_be_empty=True) for path in files),
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
    files: list[Path],
    warnings: tuple[str, ...],
) -> Experiment:
    value = {
        name: decoded(name, entry, request.environment)
        for name, entry in entries.items()
        if entry.node != Scalar(None, "") or name == "HPARAMS"
    }
    for name in ("CMD", "HPARAMS"):
        if value.get(name) in (None, "", Scalar(None, "")):
            raise SettingsError(f"{request.file}: {name} is missing; see docs/yaml.md")
    return Experiment(
        name=_named(value.get("EXP_NAME") or request.file.stem, entries, request.file),
        file=request.file,
        logroot=value["LOGROOT"],
        cmd=value["CMD"],
        hparams=value["HPARAMS"],
        at=entries["HPARAMS"].at,
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
        settings={
            name: Setting(_shown(entry.node), entry.origin) for name, entry in entries.items()
        },
        sources=(request.file, *files),
        warnings=(*warnings, *cautions(value["HPARAMS"], entries["HPARAMS"].at)),
    )


def _named(name: str, entries: Mapping[str, Entry], file: Path) -> str:
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        origin = entries["EXP_NAME"].origin if "EXP_NAME" in entries else str(file)
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return name


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


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return "[" + ", ".join(_shown(item) for item in node) + "]"
    return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in node.items()) + "}"


__all__ = ["KEYS", "LOCAL", "Request", "load", "logroot"]
