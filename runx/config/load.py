"""From a request, through every source of settings, to an Experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runx.config.every_source import layers_of
from runx.config.experiment import (
    CODE_KEYS,
    LOCAL,
    Code,
    Experiment,
    Settings,
    capacity_of,
    farm_of,
    shell_of,
)
from runx.config.farms import asked_farms
from runx.config.hparams import composed, functions
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer, merged
from runx.config.names import name_texts
from runx.config.overrides import read_overrides
from runx.config.request import Request
from runx.errors import SettingsError
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
    from runx.farms.base import Farm
    from runx.rundir.configfile import ConfigFile
    from runx.rundir.steps import Step


def load(request: Request) -> Experiment:
    """Return the experiment of a request, decided by every source of settings.

    Raises:
        SettingsError: A source is missing or malformed, or nothing sets CMD or HPARAMS.
        SweepError: HPARAMS, or what is laid over it, is malformed.
    """
    environment = request.environment
    overrides = read_overrides(request.overrides) if request.overrides else ()
    layers = layers_of(request, overrides)
    functions: dict[str, str] = {}
    if any("STEPS" in layer.entries for layer in layers):
        from runx.config.steps import with_functions

        layers, functions = with_functions(layers, request.executes)
    asked = asked_farms(layers, environment, request.here)
    entries, values = _values(layers, asked.names[0], request)
    steps: tuple[Step, ...] = ()
    farms: dict[str, Farm] = {}
    if values["STEPS"]:
        from runx.config.steps import read_steps

        steps, farms = read_steps(request, layers, entries, values, asked.names)
    needed = ("CMD",) if values["HPARAMS_FROM"] or values["CONFIG"] else ("CMD", "HPARAMS")
    for name in needed:
        if values[name] in (None, "") and not (name == "CMD" and values["STEPS"]):
            if name == "CMD" and (steps_entry := entries.get("STEPS")):
                raise SettingsError(f"{steps_entry.origin}: STEPS has no step; see docs/steps.md")
            raise SettingsError(f"{request.file}: {name} is missing; see docs/yaml.md")
    experiment = _experiment(request, layers, entries, values, asked.names[0], overrides)
    if values["STEPS"]:
        functions = {**experiment.functions, **functions}
        experiment = experiment._replace(steps=steps, farms=farms, functions=functions)
    if request.here or not asked.is_choice:
        return experiment
    if "{farm}" in f"{values['RUN_NAME']}{values['EXP_NAME']}":
        raise SettingsError(
            f"{entries['FARM'].origin}: FARM: it is chosen for each run when they have their names,"
            " which can't hold {farm}; say one farm, or leave it out of the name"
        )
    others = (_elsewhere(experiment, layers, name, request, overrides) for name in asked.names[1:])
    return experiment._replace(candidates=(experiment, *others), soonest=asked.soonest)


def _values(
    layers: Sequence[Layer], farm: str, request: Request
) -> tuple[dict[str, Entry], dict[str, Any]]:
    """Return the settings for runs on a farm: as they were written, and their values."""
    entries = merged(layers, farm, request.here)
    return entries, {
        name: key.value(name, entries.get(name), request.cwd, request.environment)
        for name, key in KEYS.items()
    }


_OF_FARMS = (
    *("TYPE", "SUBMIT_CMD"),
    *(name for name, key in KEYS.items() if key.scope in ("jobs", "farm")),
)
"""Settings in which the farms that one is chosen of may differ."""


def _elsewhere(
    experiment: Experiment,
    layers: Sequence[Layer],
    farm: str,
    request: Request,
    overrides: tuple[Override, ...],
) -> Experiment:
    """Return an experiment as it is for another farm.

    Raises SettingsError where its section has a setting that makes it another experiment.
    """
    entries, values = _values(layers, farm, request)
    for name in KEYS.keys() - {*_OF_FARMS}:
        one, other = experiment.entries.get(name), entries.get(name)
        if (one and one.node) != (other and other.node):
            origin = (other or one or entries["FARM"]).origin
            raise SettingsError(
                f"{origin}: {name}: {experiment.place} and {farm} differ in it, and FARM lets each"
                " run go to either; write it beside the sections of farms"
            )
    return experiment._replace(
        settings=Settings(entries, experiment.hparams, overrides),
        entries=entries,
        **_of_farm(farm, values, entries, request.here),
    )


def _of_farm(
    farm: str, values: Mapping[str, Any], entries: Mapping[str, Entry], here: bool
) -> dict[str, Any]:
    """Return those fields of an experiment that are of the farm that runs go to."""
    is_here = here or farm in ("", LOCAL)
    return {
        "farm": None if is_here else farm_of(farm, values, entries),
        "capacity": None if here else capacity_of(farm or LOCAL, values, entries),
        "resources": values["RESOURCES"][0],
        "alternatives": values["RESOURCES"],
        "shell": shell_of(values),
        "max_parallel": values["MAX_PARALLEL"],
        "priority": values["PRIORITY"] or 0,
        "limits": values["LIMITS"],
    }


def load_at(request: Request, farm: str, origin: str) -> Experiment:
    """Return the experiment of a request with its runs at a farm, here for none.

    Raises:
        SettingsError: It can't be; ``origin`` is who asks for it.
    """
    try:
        return load(request.at(farm))
    except SettingsError as error:
        raise SettingsError(f"{origin}: {str(error).removeprefix('--farm: ')}") from None


def _experiment(
    request: Request,
    layers: list[Layer],
    entries: Mapping[str, Entry],
    values: Mapping[str, Any],
    farm: str,
    overrides: tuple[Override, ...],
) -> Experiment:
    """Return the experiment of the settings' entries and of their values."""
    sweep = composed(entries, values, request.sweeps, overrides, request.executes, request.best)
    texts, number = name_texts(request, entries, values, farm)
    name = texts["experiment"]
    asks = request.executes and (values["HPARAMS_FROM"] or request.sweeps)
    return Experiment(
        name=name,
        dir=ExperimentDir(values["LOGROOT"] / name),
        file=request.file,
        text=request.text,
        logroot=values["LOGROOT"],
        cmd=values["CMD"],
        hparams=sweep.hparams,
        at=sweep.at,
        tag=request.tag,
        cooldir=request.cooldir,
        metrics=values["METRICS"] if "METRICS" in entries else None,
        retries=values["RETRIES"],
        max_failures=values["MAX_FAILURES"],
        smoke=values["SMOKE"],
        search=None if request.best else values["SEARCH"] or None,
        best=request.best,
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
        after=values["AFTER"],
        number=number,
        entries=entries,
        notify=values["NOTIFY"],
        **_of_farm(farm, values, entries, request.here),
    )


def _style(style: Style, entries: Mapping[str, Entry], config: ConfigFile) -> Style:
    """Return ARGS with what it leaves open as CONFIG needs it."""
    own = entries["ARGS"].node if "ARGS" in entries else {}
    return of_config(style, config.format, own if isinstance(own, dict) else ())


def _of_command(
    values: Mapping[str, Any], entries: Mapping[str, Entry], hparams: Node, at: Locator
) -> Iterator[str]:
    """Yield warnings of what CMD names, or a step's, and of values that a shell would split."""
    style = values["ARGS"]
    placed: list[str] = []
    cmds = {"": values["CMD"]} if not values["STEPS"] else _of_steps(values, entries)
    for where, cmd in cmds.items():
        if "{" not in cmd:
            continue
        from runx.rundir.placement import placement, unmatched

        names = known = tuple(keys(hparams))
        placed += placement(cmd, names, style.style).names
        if values["STEPS"]:
            known += tuple(f"{step}.{each}" for step in values["STEPS"] for each in ("dir", "dirs"))
        for name, close in unmatched(cmd, known, style.style).items():
            where = where or f"{entries['CMD'].origin}: CMD"
            yield f"{where}: {{{name}}} stays as it stands; did you mean {{{close}}}?"
    if style.style == "dashes" and not style.split:
        yield from unquoted(hparams, at, tuple(placed))


def _of_steps(values: Mapping[str, Any], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Return the CMD of each step by where it stands; none that a function would give."""
    if not isinstance(values["STEPS"], dict):
        return {}
    place = entries["STEPS"].at
    return {
        f"{place(name, 'CMD')}: STEPS.{name}: CMD": step["CMD"].text
        for name, step in values["STEPS"].items()
    }
