"""From a request, through every source of settings, to an Experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from runx.config.hparams import composed, functions
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer, merged
from runx.config.names import name_texts
from runx.config.overrides import overridden, read_overrides
from runx.config.request import Request
from runx.config.sources import (
    entry_of,
    from_environment,
    from_file,
    from_tree,
    project_file,
    user_file,
)
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.rundir.paths import ExperimentDir
from runx.rundir.styles import Style, of_config
from runx.sweeps.axes import Locator
from runx.sweeps.grid import SweepContext
from runx.sweeps.identity import Identity
from runx.sweeps.merge import keys
from runx.sweeps.overrides import Override
from runx.sweeps.sweep import cautions
from runx.sweeps.unquoted import unquoted
from runx.sweeps.values import Node

if TYPE_CHECKING:
    from runx.rundir.configfile import ConfigFile


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


def load_at(request: Request, farm: str, origin: str) -> Experiment:
    """Return the experiment of a request with its runs at a farm, here for none.

    Raises:
        SettingsError: It can't be; ``origin`` is who asks for it.
    """
    try:
        return load(request.at(farm))
    except SettingsError as error:
        raise SettingsError(f"{origin}: {str(error).removeprefix('--farm: ')}") from None


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
    sweep = composed(entries, values, request.sweeps, overrides, request.executes)
    texts, number = name_texts(request, entries, values, farm)
    name = texts["experiment"]
    asks = request.executes and (values["HPARAMS_FROM"] or request.sweeps)
    return Experiment(
        name=name,
        dir=ExperimentDir(values["LOGROOT"] / name),
        file=request.file,
        logroot=values["LOGROOT"],
        cmd=values["CMD"],
        hparams=sweep.hparams,
        at=sweep.at,
        tag=request.tag,
        cooldir=request.cooldir,
        farm=None if request.here or farm in ("", LOCAL) else farm_of(farm, values, entries),
        resources=values["RESOURCES"],
        shell=shell_of(values),
        max_parallel=values["MAX_PARALLEL"],
        metrics=values["METRICS"] if "METRICS" in entries else None,
        retries=values["RETRIES"],
        max_failures=values["MAX_FAILURES"],
        smoke=values["SMOKE"],
        avoid_hosts=values["AVOID_HOSTS"],
        pythonpath=values["PYTHONPATH"],
        code=Code(**{field: values[key] for field, key in CODE_KEYS.items()}),
        dir_mode=values["DIR_MODE"],
        resume=values["RESUME"],
        restage=values["RESTAGE"],
        identity=Identity(frozenset(values["IDENTITY_IGNORE"]), values["IDENTITY_DEFAULTS"]),
        gpus=values["GPUS"],
        title=values["TITLE"],
        note=values["NOTE"],
        settings=Settings(entries, sweep.hparams, overrides),
        sources=tuple(path for layer in layers for path in layer.files),
        warnings=(
            *(line for layer in layers for line in layer.warnings),
            *cautions(sweep.hparams, sweep.at, sweep.defaults),
            *_of_command(values, entries, sweep.hparams, sweep.at),
        ),
        sweep_context=SweepContext(
            values["SAMPLES"], values["SEED"], request.environment, name, sweep.defaults
        ),
        style=_style(values["ARGS"], entries, sweep.config) if sweep.config else values["ARGS"],
        config=sweep.config,
        run_name=values["RUN_NAME"],
        texts=texts,
        labels=values["LABELS"],
        types=values["HPARAMS_TYPES"],
        functions=functions(values, request.sweeps) if asks else {},
        names=values["NAMES"],
        number=number,
        entries=entries,
    )


def _style(style: Style, entries: Mapping[str, Entry], config: ConfigFile) -> Style:
    """Return ARGS with what it leaves open as CONFIG needs it."""
    own = entries["ARGS"].node if "ARGS" in entries else {}
    return of_config(style, config.format, own if isinstance(own, dict) else ())


def _of_command(
    values: Mapping[str, Any], entries: Mapping[str, Entry], hparams: Node, at: Locator
) -> Iterator[str]:
    """Yield warnings of what CMD names, and of values that a shell would have split."""
    cmd, style = values["CMD"], values["ARGS"]
    placed: tuple[str, ...] = ()
    if "{" in cmd:
        from runx.rundir.placement import placement, unmatched

        names = tuple(keys(hparams))
        placed = placement(cmd, names, style.style).names
        for name, close in unmatched(cmd, names, style.style).items():
            where = f"{entries['CMD'].origin}: CMD"
            yield f"{where}: {{{name}}} stays as it stands; did you mean {{{close}}}?"
    if style.style == "dashes" and not style.split:
        yield from unquoted(hparams, at, placed)
