"""From a request, through every source of settings, to an Experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from runx.config.experiment import (
    CODE_KEYS,
    LOCAL,
    Code,
    Experiment,
    Settings,
    farm_of,
    presets,
    shell_of,
)
from runx.config.hparams import composed
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer, merged
from runx.config.overrides import overridden, read_overrides
from runx.config.sources import (
    entry_of,
    from_environment,
    from_file,
    from_tree,
    project_file,
    user_file,
)
from runx.errors import SettingsError
from runx.home import user_name
from runx.nearest import suggestion
from runx.rundir.paths import ExperimentDir
from runx.sweeps.grid import SweepContext
from runx.sweeps.identity import Identity
from runx.sweeps.naming import fill_template, new_launch
from runx.sweeps.overrides import Override
from runx.sweeps.sweep import cautions
from runx.sweeps.values import Node


@dataclass(frozen=True, slots=True)
class Request:
    """The experiment's file to load, and what overrides it.

    ``flags`` maps a key to its text. With ``here``, runs are made on this machine whatever FARM is.
    ``sweeps`` are the names of SWEEPS to add. ``tree`` replaces the content of the file where a
    caller in Python has none. ``now`` and ``launch``, the time and the name of the launch, are for
    names of runs; they are the current time and a new name where they are missing. Unless it
    ``executes``, HPARAMS is what the files say, without what the function of HPARAMS_FROM gives.
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
    now: datetime | None = None
    launch: str = ""
    tree: Mapping[str, Node] | None = None
    executes: bool = True


def load(request: Request) -> Experiment:
    """Return the experiment of a request, decided by every source of settings.

    Raises:
        SettingsError: A source is missing or malformed, or nothing sets CMD or HPARAMS.
        SweepError: HPARAMS, or what is laid over it, is malformed.
    """
    cwd, environment = request.cwd, request.environment
    overrides = read_overrides(request.overrides) if request.overrides else ()
    own = from_file(request.file) if request.tree is None else from_tree(request.tree, cwd)
    flags = {key: entry_of(text, f"--{key.lower()}", cwd) for key, text in request.flags.items()}
    layers = [
        Layer(flags),
        from_environment(environment, cwd),
        own,
        *_outer_layers(cwd, environment, request.config, request.file),
    ]
    if overrides:
        layers = overridden(layers, overrides, cwd)
    farm = _farm_name(layers, environment, request.here)
    entries = merged(layers, farm, request.here)
    values = {
        name: key.value(name, entries.get(name), cwd, environment) for name, key in KEYS.items()
    }
    needed = ("CMD",) if values["HPARAMS_FROM"] or values["CONFIG"] else ("CMD", "HPARAMS")
    for name in needed:
        if values[name] in (None, ""):
            raise SettingsError(f"{request.file}: {name} is missing; see docs/yaml.md")
    return _experiment(request, layers, entries, values, farm, overrides)


def logroot(cwd: Path, environment: Mapping[str, str], config: Path | None = None) -> Path:
    """Return the folder of all experiments, for a command in ``cwd`` that names no file."""
    layers = [from_environment(environment, cwd), *_outer_layers(cwd, environment, config, None)]
    farm = KEYS["FARM"].value("FARM", merged(layers, "").get("FARM"), cwd, environment)
    entry = merged(layers, farm).get("LOGROOT")
    path: Path = KEYS["LOGROOT"].value("LOGROOT", entry, cwd, environment)
    return path


def _outer_layers(
    cwd: Path, environment: Mapping[str, str], config: Path | None, experiment: Path | None
) -> list[Layer]:
    """Return the settings of .runx (or ``config``) and of the user's file, the stronger first."""
    if config is not None and (config.is_dir() or not config.exists()):
        raise SettingsError(f"{config}: there is no such file; -c names a .runx file")
    start = experiment.absolute().parent if experiment else None
    files = (config or project_file(cwd, start), user_file(environment))
    return [from_file(path, may_be_empty=True) for path in files if path is not None]


def _farm_name(layers: list[Layer], environment: Mapping[str, str], here: bool) -> str:
    """Return the farm that runs go to: one that is described, or a type that needs no section.

    It is empty where nothing sets FARM, or for runs ``here`` a file sets one that is elsewhere.
    """
    entry = merged(layers, "").get("FARM")
    name = KEYS["FARM"].kind.decode("FARM", entry, environment) if entry else ""
    described = list(dict.fromkeys(name for layer in layers for name in layer.farms))
    if entry is None or name in ("", LOCAL, *described) or name in presets():
        return name or ""
    is_typed = entry.origin == "--farm" or entry.origin.endswith(" on the command line")
    if here and not is_typed:
        return ""
    advice = "no farm is described; see docs/runx-file.md"
    if described:
        advice = suggestion(name, described)
    raise SettingsError(f"{entry.origin}: no section describes farm {name}; {advice}")


def _experiment(
    request: Request,
    layers: list[Layer],
    entries: Mapping[str, Entry],
    values: Mapping[str, Any],
    farm: str,
    overrides: tuple[Override, ...],
) -> Experiment:
    """Return the experiment of the settings' entries and of their values."""
    texts = _name_texts(request, entries, values, farm)
    name = texts["experiment"]
    sources = values if request.executes else {**values, "HPARAMS_FROM": None}
    hparams, at = composed(entries, sources, request.sweeps, overrides)
    warnings = [line for layer in layers for line in layer.warnings]
    return Experiment(
        name=name,
        dir=ExperimentDir(values["LOGROOT"] / name),
        file=request.file,
        logroot=values["LOGROOT"],
        cmd=values["CMD"],
        hparams=hparams,
        at=at,
        tag=request.tag,
        cooldir=request.cooldir,
        farm=None if request.here or farm in ("", LOCAL) else farm_of(farm, values, entries),
        resources=values["RESOURCES"],
        shell=shell_of(values),
        max_parallel=values["MAX_PARALLEL"],
        metrics=values["METRICS"] if "METRICS" in entries else None,
        pythonpath=values["PYTHONPATH"],
        code=Code(**{field: values[key] for field, key in CODE_KEYS.items()}),
        dir_mode=values["DIR_MODE"],
        resume=values["RESUME"],
        restage=values["RESTAGE"],
        identity=Identity(frozenset(values["IDENTITY_IGNORE"]), values["IDENTITY_DEFAULTS"]),
        gpus=values["GPUS"],
        title=values["TITLE"],
        note=values["NOTE"],
        settings=Settings(entries, hparams, overrides),
        sources=tuple(path for layer in layers for path in layer.files),
        warnings=(*warnings, *cautions(hparams, at)),
        sweep_context=SweepContext(values["SAMPLES"], values["SEED"], request.environment, name),
        style=values["ARGS"],
        has_config=values["CONFIG"] is not None,
        run_name=values["RUN_NAME"],
        texts=texts,
    )


def _name_texts(
    request: Request, entries: Mapping[str, Entry], values: Mapping[str, Any], farm: str
) -> dict[str, str]:
    """Return what RUN_NAME and EXP_NAME may hold, and the ``experiment``'s name.

    Git and the user are looked up where one of the two holds them.
    """
    now = request.now or datetime.now().astimezone()
    texts = {
        "date": f"{now:%Y.%m.%d}",
        "farm": farm or "local",
        "git": "",
        "launch": request.launch or new_launch(now),
        "user": "",
    }
    for name in ("RUN_NAME", "EXP_NAME"):
        if "{git}" in values[name]:
            texts["git"] = _commit(values, f"{entries[name].origin}: {name}")
        if "{user}" in values[name]:
            texts["user"] = user_name(request.environment)
    name, origin = request.file.stem, str(request.file)
    if "EXP_NAME" in entries:
        origin = f"{entries['EXP_NAME'].origin}: EXP_NAME"
        name = fill_template(values["EXP_NAME"] or name, texts, origin)
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return {**texts, "experiment": name}


def _commit(values: Mapping[str, Any], where: str) -> str:
    """Return the first eight digits of CODE_ROOT's commit."""
    from runx.staging.git import git_state

    git = git_state(values["CODE_ROOT"], (values["LOGROOT"],))
    if git is None or not git.commit:
        raise SettingsError(f"{where}: {{git}}: {values['CODE_ROOT']} has no commit; leave it out")
    return git.commit[:8]
