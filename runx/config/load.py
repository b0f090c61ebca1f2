"""From a request, through all the sources of settings, to an Experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from runx.config.experiment import (
    LOCAL,
    Experiment,
    code_of,
    experiment_name,
    farm_of,
    launch_texts,
    presets,
    shell_of,
    shown_settings,
)
from runx.config.hparams import composed
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.sources import (
    Layer,
    entry_of,
    from_document,
    from_environment,
    from_file,
    merged,
    project_file,
    user_file,
)
from runx.errors import SettingsError
from runx.nearest import remedy
from runx.sweeps.grid import Beside
from runx.sweeps.identity import Identity
from runx.sweeps.overrides import Override, over_settings, read_override
from runx.sweeps.scalars import quoted
from runx.sweeps.sweep import cautions
from runx.sweeps.values import Node
from runx.sweeps.yaml import Document, parse_value


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: the experiment's file, and what overrides it.

    ``flags`` maps a key to its text; with ``here``, runs are made here whatever FARM is. ``sweeps``
    are the named sweeps that are asked for. Where a caller in Python has no file, ``tree`` is what
    it would hold. ``now`` and ``launch``, the time and the name of the launch, are for names of
    runs; they are made up where they are missing.
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


def load(request: Request) -> Experiment:
    """Return the experiment that a request asks for, decided by every source of settings."""
    overrides = read_overrides(request.overrides)
    layers = _layers(request, overrides)
    farm = _farm_name(layers, request.environment, request.here)
    entries = merged(layers, farm)
    if request.here:
        outside = merged(layers, None)
        jobs = {name for name in entries if KEYS[name].scope == "jobs"}
        entries = {
            name: outside[name] if name in jobs else entry
            for name, entry in entries.items()
            if name not in jobs or name in outside
        }
    return _experiment(request, entries, farm, overrides, layers)


def logroot(cwd: Path, environment: Mapping[str, str], config: Path | None = None) -> Path:
    """Return the folder of all experiments, for someone in ``cwd`` who names no file."""
    files = _files(cwd, environment, config, None)
    layers = [from_environment(environment, cwd), *(from_file(path, True) for path in files)]
    farm = _value("FARM", merged(layers, None), cwd, environment) or None
    path: Path = _value("LOGROOT", merged(layers, farm), cwd, environment)
    return path


def read_overrides(words: Iterable[str | Override]) -> tuple[Override, ...]:
    """Read overrides as they are typed; what is one already stays.

    >>> [override.name for override in read_overrides(["lr=0.1", "FARM=local"])]
    ['lr', 'FARM']
    """
    overrides = [word if isinstance(word, Override) else _read_override(word) for word in words]
    for override in overrides:
        if override.name.startswith("HPARAMS."):
            plain = override.text.replace("HPARAMS.", "", 1)
            raise SettingsError(f"{override.text}: hyperparameters stand alone: {plain}")
        if override.name == "EXTENDS":
            raise SettingsError(f"{override.text}: only a file extends another; write it there")
    return tuple(overrides)


def _read_override(word: str) -> Override:
    """Read one override; a setting that is a text is taken as it stands, braces and colons too.

    >>> _read_override("RUN_NAME={wid}-{lr}").node, _read_override("NOTE='yes'").node
    (Scalar(value='{wid}-{lr}', text='{wid}-{lr}', plain=False), \
Scalar(value='yes', text='yes', plain=False))
    """
    name, equals, text = word.partition("=")
    key = KEYS.get(name.lstrip("+"))
    if not equals or not text or key is None or not key.kind.is_literal:
        return read_override(word, KEYS)
    node: Node = quoted(text)
    if text[0] in "'\"":
        try:
            node = parse_value(text, word)
        except SettingsError:
            pass  # quotes of the shell's own, as in CMD="./my train" --fast
    return Override(word, name.lstrip("+"), node, is_setting=True, is_new=name.startswith("+"))


def _layers(request: Request, overrides: Sequence[Override]) -> list[Layer]:
    """Return the settings of every source, the strongest first; overrides may remove some."""
    cwd, environment = request.cwd, request.environment
    if request.tree is None:
        own = from_file(request.file)
    else:
        document = Document("Python", dict(request.tree), {})
        own = from_document(document, cwd / "Python")._replace(files=())
    files = _files(cwd, environment, request.config, request.file)
    flags = {key: entry_of(text, f"--{key.lower()}", cwd) for key, text in request.flags.items()}
    layers = [
        Layer(flags),
        from_environment(environment, cwd),
        own,
        *(from_file(path, may_be_empty=True) for path in files),
    ]
    return _overridden(layers, overrides, cwd) if overrides else layers


def _overridden(layers: list[Layer], overrides: Sequence[Override], cwd: Path) -> list[Layer]:
    entries = {}
    for name, node in over_settings(overrides).items():
        if node is not None:
            words = [each.text for each in overrides if each.name.split(".")[0] == name]
            entries[name] = entry_of(node, f"{' '.join(words)} on the command line", cwd)
    removed = {each.name for each in overrides if each.is_setting and each.node is None}
    return [Layer(entries), *(_without(layer, removed) for layer in layers)]


def _without(layer: Layer, removed: set[str]) -> Layer:
    def kept(entries: Mapping[str, Entry]) -> dict[str, Entry]:
        return {name: entry for name, entry in entries.items() if name not in removed}

    farms = {name: kept(entries) for name, entries in layer.farms.items()}
    return layer._replace(entries=kept(layer.entries), farms=farms)


def _files(
    cwd: Path, environment: Mapping[str, str], config: Path | None, experiment: Path | None
) -> list[Path]:
    """Return the files of settings that stand behind an experiment's own, the strongest first."""
    if config is not None and (config.is_dir() or not config.exists()):
        raise SettingsError(f"{config}: there is no such file; -c names a .runx file")
    start = experiment.absolute().parent if experiment else None
    files = (config or project_file(cwd, start), user_file(environment))
    return [path for path in files if path is not None]


def _farm_name(layers: list[Layer], environment: Mapping[str, str], here: bool) -> str | None:
    """Return the farm that runs go to: one that is described, or a type that needs no section."""
    entry = merged(layers, None).get("FARM")
    name = KEYS["FARM"].kind.decode("FARM", entry, environment) if entry else ""
    known = list(dict.fromkeys(name for layer in layers for name in layer.farms))
    if entry is None or name in ("", LOCAL, *known) or name in presets():
        return name or None
    if here:
        return None
    described = remedy(name, known) if known else "no farm is described; see docs/runx-file.md"
    raise SettingsError(f"{entry.origin}: no section describes farm {name}; {described}")


def _experiment(
    request: Request,
    entries: Mapping[str, Entry],
    farm: str | None,
    overrides: tuple[Override, ...],
    layers: list[Layer],
) -> Experiment:
    cwd, environment = request.cwd, request.environment
    value = {name: _value(name, entries, cwd, environment) for name in KEYS}
    _check_needed(value, request.file)
    texts = launch_texts(value, entries, farm, request.now, request.launch, environment)
    name = experiment_name(value["EXP_NAME"], texts, entries, request.file)
    hparams, at = composed(entries, value, request.sweeps, overrides)
    warnings = [line for layer in layers for line in layer.warnings]
    return Experiment(
        name=name,
        file=request.file,
        logroot=value["LOGROOT"],
        cmd=value["CMD"],
        hparams=hparams,
        at=at,
        tag=request.tag,
        cooldir=request.cooldir,
        farm=None if request.here or farm in (None, LOCAL) else farm_of(farm, value, entries),
        resources=value["RESOURCES"],
        shell=shell_of(value),
        pythonpath=value["PYTHONPATH"],
        code=code_of(value),
        dir_mode=value["DIR_MODE"],
        resume=value["RESUME"],
        identity=Identity(frozenset(value["IDENTITY_IGNORE"]), value["IDENTITY_DEFAULTS"]),
        gpus=value["GPUS"],
        title=value["TITLE"],
        note=value["NOTE"],
        settings=shown_settings(entries, hparams, overrides),
        sources=tuple(path for layer in layers for path in layer.files),
        warnings=(*warnings, *cautions(hparams, at)),
        beside=Beside(value["SAMPLES"], value["SEED"], environment, name),
        style=value["ARGS"],
        has_config=value["CONFIG"] is not None,
        run_name=value["RUN_NAME"],
        texts={**texts, "experiment": name},
    )


def _value(
    name: str, entries: Mapping[str, Entry], cwd: Path, environment: Mapping[str, str]
) -> Any:
    """Return the value of a setting: its default where nobody sets it, or sets it to nothing."""
    key, entry = KEYS[name], entries.get(name)
    value = key.kind.decode(name, entry, environment) if entry else None
    is_nothing = value is None or value == "" == key.kind.empty
    return key.default_value(name, cwd, environment) if is_nothing else value


def _check_needed(value: Mapping[str, Any], file: Path) -> None:
    """Raise a SettingsError if CMD or HPARAMS is missing; the latter may come from elsewhere."""
    elsewhere = value["HPARAMS_FROM"] or value["CONFIG"]
    for name in ("CMD",) if elsewhere else ("CMD", "HPARAMS"):
        if value[name] in (None, ""):
            raise SettingsError(f"{file}: {name} is missing; see docs/yaml.md")
