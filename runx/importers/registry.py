"""The importers, and the experiment that a file of another tool becomes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import SettingsError
from runx.importers.base import Imported, Importer, Source, block
from runx.printable import one_line

IMPORTERS = (
    "runx.importers.wandb:IMPORTER",
    "runx.importers.hydra:IMPORTER",
    "runx.importers.seml:IMPORTER",
    "runx.importers.mlxp:IMPORTER",
    "runx.importers.script:IMPORTER",
)
"""The importers, the most particular first."""


class Conversion(NamedTuple):
    """A file of another tool as an ``experiment`` and a ``runx_file``, both YAML.

    ``runx_file`` is empty where there is nothing for a .runx. ``lost`` is what can't be carried
    over, with the reason; ``warnings`` is what should be looked at. Both are comments, too.
    """

    tool: str
    experiment: str
    runx_file: str
    lost: tuple[str, ...]
    warnings: tuple[str, ...]


def convert(path: Path) -> Conversion:
    """Return what a file of another tool becomes.

    Raises:
        SettingsError: The file can't be read, or is no tool's that there is an importer for.
    """
    source = _read(path)
    if "CMD" in source.tree or "HPARAMS" in source.tree:
        raise SettingsError(f"{path}: is an experiment of runx already; runx {path} launches it")
    for place in IMPORTERS:
        importer = _importer(place)
        if importer.recognise(source):
            return _written(importer.tool, source, importer.read(source))
    tools = ", ".join([_importer(place).tool for place in IMPORTERS])
    raise SettingsError(f"{path}: no file that can be imported; it may be of: {tools}")


def _importer(place: str) -> Importer:
    module, _, name = place.partition(":")
    importer: Importer = getattr(import_module(module), name)
    return importer


def _read(path: Path) -> Source:
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingsError(f"{path}: can't be read: {reason}") from None
    tree: Any = None
    if not text.startswith("#!"):
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError as error:
            if path.suffix in (".yml", ".yaml", ".json"):
                line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
                problem = getattr(error, "problem", None) or "no YAML"
                raise SettingsError(f"{path}:{line}: {problem}; mend the file first") from None
    return Source(path, text, tree if isinstance(tree, dict) else {})


def _written(tool: str, source: Source, found: Imported) -> Conversion:
    head = [f"# From {source.path.name}, of {tool}, by `runx import`."]
    head += [f"# Not carried over: {_line(line)}" for line in found.lost]
    head += [f"# Look at it: {_line(line)}" for line in found.doubtful]
    runx_file = ""
    if found.farm:
        section = {"FARM": found.farm_name, found.farm_name: found.farm}
        runx_file = "\n".join([head[0], *block(section)]) + "\n"
        head.append("# What it needs of its scheduler is for .runx: `runx import --settings`.")
    experiment = "\n".join([*head, *block(found.settings)]) + "\n"
    return Conversion(tool, experiment, runx_file, found.lost, found.doubtful)


def _line(text: str) -> str:
    return one_line(" ".join(text.split()))
