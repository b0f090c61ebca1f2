"""From a request, through every source of settings, to an Experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
from runx.rundir.styles import of_config
from runx.sweeps.axes import Locator
from runx.sweeps.grid import SweepContext
from runx.sweeps.identity import Identity
from runx.sweeps.merge import keys
from runx.sweeps.naming import fill_template, new_launch, safe
from runx.sweeps.overrides import Override
from runx.sweeps.sweep import cautions
from runx.sweeps.unquoted import unquoted
from runx.sweeps.values import Node, Point

_XID = "{xid}"
_NONE = Point(())

if TYPE_CHECKING:
    from runx.rundir.numbers import Number


@dataclass(frozen=True, slots=True)
class Request:
    """The experiment's file to load, and what overrides it.

    ``flags`` maps a key to its text. With ``here``, runs are made on this machine whatever FARM is.
    ``sweeps`` are the names of SWEEPS to add. ``tree`` replaces the content of the file where a
    caller in Python has none. ``now`` and ``launch``, the time and the name of the launch, are for
    names of runs; they are the current time and a new name where they are missing. Unless it
    ``executes``, HPARAMS is what the files say, without what functions give. Where it ``claims``, a
    number that the name of the experiment holds is its own from then on.
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
    claims: bool = False


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
    sweep = composed(entries, values, request.sweeps, overrides, request.executes)
    hparams, at = sweep.hparams, sweep.at
    texts, number = _name_texts(request, entries, values, farm)
    name, style = texts["experiment"], values["ARGS"]
    if sweep.config is not None:
        own = entries["ARGS"].node if "ARGS" in entries else {}
        style = of_config(style, sweep.config.format, own if isinstance(own, dict) else ())
    warnings = [line for layer in layers for line in layer.warnings]
    asks = request.executes and (values["HPARAMS_FROM"] or request.sweeps)
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
        warnings=(
            *warnings,
            *cautions(hparams, at, sweep.defaults),
            *_of_command(values, entries, hparams, at),
        ),
        sweep_context=SweepContext(
            values["SAMPLES"], values["SEED"], request.environment, name, sweep.defaults
        ),
        style=style,
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


def _name_texts(
    request: Request, entries: Mapping[str, Entry], values: Mapping[str, Any], farm: str
) -> tuple[dict[str, str], Number | None]:
    """Return what RUN_NAME and EXP_NAME may hold, and the ``experiment``'s name and number.

    Git, the user and the number are looked up where one of the two holds them.
    """
    now = request.now or datetime.now().astimezone()
    texts = {
        "date": f"{now:%Y.%m.%d}",
        "farm": farm or "local",
        "git": "",
        "launch": request.launch or new_launch(now),
        "title": "",
        "user": "",
        "xid": "",
    }
    for name in ("RUN_NAME", "EXP_NAME"):
        if "{" in values[name]:
            texts |= _texts_in(values[name], values, request, f"{entries[name].origin}: {name}")
    name, origin = request.file.stem, str(request.file)
    if "EXP_NAME" in entries:
        origin = f"{entries['EXP_NAME'].origin}: EXP_NAME"
        own = _own_texts(request, entries, values) if values["NAMES"] else {}
        name = fill_template(values["EXP_NAME"] or name, {**own, **texts, "xid": _XID}, origin)
    number = None
    if _XID in name or _XID in values["RUN_NAME"]:
        number = _number(request, values, name)
        texts["xid"] = str(number.value)
        name = name.replace(_XID, texts["xid"])
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return {**texts, "experiment": name}, number


def _texts_in(
    template: str, values: Mapping[str, Any], request: Request, where: str
) -> dict[str, str]:
    """Return those texts that a template holds and that have to be looked up."""
    texts = {}
    if "{git}" in template:
        texts["git"] = _commit(values, where)
    if "{user}" in template:
        texts["user"] = user_name(request.environment)
    if "{title}" in template:
        if not values["TITLE"]:
            raise SettingsError(f"{where}: {{title}}: there is no TITLE; write one")
        texts["title"] = safe(values["TITLE"])
    return texts


def _own_texts(
    request: Request, entries: Mapping[str, Entry], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return the texts of NAMES that EXP_NAME holds."""
    from runx.sweeps.own_names import own_texts

    place_of = entries["NAMES"].at
    return own_texts(values["NAMES"], values["EXP_NAME"], (), place_of, request.environment)(_NONE)


def _number(request: Request, values: Mapping[str, Any], name: str) -> Number:
    """Return the number of an experiment, whose name may hold it."""
    from runx.rundir.numbers import claimed, foreseen

    key = f"{request.file.stem}: {name}" if _XID in name else name
    return (claimed if request.claims else foreseen)(values["LOGROOT"], key)


def _commit(values: Mapping[str, Any], where: str) -> str:
    """Return the first eight digits of CODE_ROOT's commit."""
    from runx.staging.git import git_state

    git = git_state(values["CODE_ROOT"], (values["LOGROOT"],))
    if git is None or not git.commit:
        raise SettingsError(f"{where}: {{git}}: {values['CODE_ROOT']} has no commit; leave it out")
    return git.commit[:8]
