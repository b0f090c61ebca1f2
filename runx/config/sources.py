"""The sources of settings: files and what they extend, the environment; and how they are merged."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.mappings import PATHS
from runx.errors import SettingsError
from runx.nearest import remedy
from runx.sweeps.merge import laid_over
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml import Document, parse, read

_PREFIX = "RUNX_"


_RESERVED = frozenset(
    {
        *("ATTACH", "ATTEMPT", "BEAT", "DEADLINE", "EXPERIMENT", "LEASES"),
        *("LOCK", "LOGDIR", "LOGX", "PROJECT", "RUN"),
    }
)
"""Variables that runx sets for its runs, which may call runx themselves, and for its tests."""


class Layer(NamedTuple):
    """The settings of one source, those of each farm that it describes, and the files it is of."""

    entries: Mapping[str, Entry]
    farms: Mapping[str, Mapping[str, Entry]] = {}
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def from_file(path: Path, may_be_empty: bool = False) -> Layer:
    """Read an experiment or .runx file and the files that it extends; keys are merged."""
    document = read(path, may_be_empty)
    if "EXTENDS" not in document.tree:
        return from_document(document, path)
    return functools.reduce(_extended, (from_document(*base) for base in _bases(document, path)))


def from_document(document: Document, path: Path) -> Layer:
    """Return the settings of a document, whose relative paths start from the folder of ``path``.

    Raises:
        SettingsError: A key is unknown; the message has the nearest.
    """
    base = path.absolute().parent
    entries: dict[str, Entry] = {}
    farms: dict[str, dict[str, Entry]] = {}
    for key, node in document.tree.items():
        if key in KEYS:
            entries[key] = _entry(document, base, node, key)
        elif isinstance(node, dict) and any(inner in KEYS for inner in node):
            farms[key] = _farm(document, base, node, key)
        else:
            inner = node if isinstance(node, dict) else ()
            raise SettingsError(f"{document.at(key)}: {_unknown(key, inner, farms)}")
    return Layer(entries, farms, tuple(document.warnings), (path,))


def from_tree(tree: Mapping[str, Node], cwd: Path) -> Layer:
    """Return the settings of an experiment that was written in Python, in no file."""
    return from_document(Document("Python", dict(tree), {}), cwd / "Python")._replace(files=())


def _farm(document: Document, base: Path, section: dict[str, Node], name: str) -> dict[str, Entry]:
    for key in section:
        if key not in KEYS:
            raise SettingsError(
                f"{document.at(name, key)}: unknown key {key} in farm {name}; {remedy(key, KEYS)}"
            )
    return {key: _entry(document, base, node, name, key) for key, node in section.items()}


def _entry(document: Document, base: Path, node: Node, *path: str) -> Entry:
    if KEYS[path[-1]].kind is PATHS and isinstance(node, dict):
        # Merged paths may be of several files: each starts from the folder of its own.
        node = {
            name: Scalar(text := _anchored(item.text, base), text, plain=False)
            if isinstance(item, Scalar)
            else item
            for name, item in node.items()
        }
    return Entry(node, document.at(*path), base, functools.partial(document.at, *path))


def _anchored(path: str, base: Path) -> str:
    """Return a relative path as one from a folder; ~ and $VAR are expanded later.

    >>> _anchored("data", Path("/project")), _anchored("~/data", Path("/project"))
    ('/project/data', '~/data')
    """
    return path if path.startswith(("~", "$", "/")) else str(base / path)


def _unknown(key: str, inner: Iterable[str], farms: Iterable[str]) -> str:
    """Return the message on an unknown key, or on a section of which every key is unknown.

    >>> _unknown("big", ["SUBMITCMD"], [])
    'unknown key SUBMITCMD in farm big; did you mean SUBMIT_CMD?'
    """
    advice = remedy(key, [*KEYS, *farms])
    for name in () if "did you mean" in advice else inner:
        if "did you mean" in (inner_advice := remedy(name, KEYS)):
            return f"unknown key {name} in farm {key}; {inner_advice}"
    return f"unknown key {key}; {advice}"


def _bases(document: Document, path: Path) -> list[tuple[Document, Path]]:
    """Return a file and all that it extends, the strongest first: itself, then its last base.

    A base may extend others; one that is reached twice counts where it is stronger.
    """
    bases: dict[Path, tuple[Document, Path]] = {}

    def collect(document: Document, path: Path, above: tuple[Path, ...]) -> None:
        # resolve() would follow links, and a link to a shared base stands for its own folder.
        chain = (*above, Path(os.path.normpath(path.absolute())))
        bases[chain[-1]] = (document, path)
        for name, place in reversed(_extends(document)):
            base = path.parent / Path(name).expanduser()
            target = Path(os.path.normpath(base.absolute()))
            if target in chain:
                circle = (*chain[chain.index(target) :], target)
                names = " extends ".join(each.name for each in circle)
                raise SettingsError(f"{place}: {names}; remove one")
            if not base.is_file():
                raise SettingsError(f"{place}: EXTENDS: {base}: no such file")
            if target not in bases:
                collect(read(base), base, chain)

    collect(document, path, ())
    return list(bases.values())


def _extends(document: Document) -> list[tuple[str, str]]:
    """Return the files that a document extends, each with where it is named."""
    node: Node = document.tree.get("EXTENDS", [])
    files = []
    for index, item in enumerate(node if isinstance(node, list) else [node]):
        place = document.at("EXTENDS", index)
        if not (isinstance(item, Scalar) and isinstance(item.value, str) and item.value):
            raise SettingsError(f"{place}: EXTENDS takes a file, or a list of files")
        files.append((item.value, place))
    return files


def _extended(stronger: Layer, weaker: Layer) -> Layer:
    """Return a file merged with one that it extends, HPARAMS key by key, too."""
    farms = {
        name: _extended_entries(stronger.farms.get(name, {}), weaker.farms.get(name, {}))
        for name in {**weaker.farms, **stronger.farms}
    }
    return Layer(
        _extended_entries(stronger.entries, weaker.entries),
        farms,
        (*stronger.warnings, *weaker.warnings),
        (*stronger.files, *weaker.files),
    )


def _extended_entries(
    stronger: Mapping[str, Entry], weaker: Mapping[str, Entry]
) -> dict[str, Entry]:
    both: dict[str, Entry] = {}
    for name in stronger.keys() & weaker:
        over, under = stronger[name], weaker[name]
        if name == "HPARAMS":
            node = laid_over(over.node, under.node)
            both[name] = Entry(node, over.origin, over.base, _at(over, under))
        else:
            both[name] = _merged(name, over, under)
    return {**weaker, **stronger, **both}


def from_environment(environment: Mapping[str, str], cwd: Path) -> Layer:
    """Return what every RUNX_<KEY> sets; a mistyped one is an error, another name a warning.

    >>> from_environment({"RUNX_FRAM": "slurm"}, Path())
    Traceback (most recent call last):
    runx.errors.SettingsError: RUNX_FRAM in the environment sets nothing; did you mean RUNX_FARM?
    """
    entries, warnings = {}, []
    for variable, text in environment.items():
        key = variable.removeprefix(_PREFIX)
        if key == variable or key in _RESERVED:
            continue
        if key in KEYS and KEYS[key].scope != "file":
            entries[key] = entry_of(text, variable, cwd)
        else:
            warnings.append(_without_effect(variable, key))
    return Layer(entries, warnings=tuple(warnings))


def _without_effect(variable: str, key: str) -> str:
    """Return the warning on a variable that sets nothing; an error where it is mistyped."""
    warning = f"{variable} in the environment sets nothing"
    if key in KEYS:
        raise SettingsError(f"{warning}; {key} stands in files alone")
    advice = remedy(key, [name for name in KEYS if KEYS[name].scope != "file"])
    if advice.startswith("did you mean "):
        raise SettingsError(f"{warning}; {advice.replace('mean ', f'mean {_PREFIX}')}")
    return warning


def entry_of(value: str | Node, origin: str, cwd: Path) -> Entry:
    """Return the entry of a value that is in no file: a flag, a variable or an override.

    A text is taken as it is, but one that begins with a bracket is YAML.

    >>> entry_of("/logs", "--logroot", Path("/")).node
    Scalar(value='/logs', text='/logs', plain=False)
    """
    if isinstance(value, str) and value.startswith(("{", "[")):
        value = parse(f"it: {value}", origin).tree["it"]
    node = Scalar(value, value, plain=False) if isinstance(value, str) else value
    return Entry(node, origin, cwd, lambda *_: origin)


def merged(layers: Iterable[Layer], farm: str, here: bool = False) -> dict[str, Entry]:
    """Return each setting of the strongest source that has it; mappings are merged key by key.

    In one source the section of ``farm`` is stronger than what stands beside it. For runs ``here``
    it counts without the settings of the farm's jobs.
    """
    result: dict[str, Entry] = {}
    for layer in layers:
        section = layer.farms.get(farm, {})
        if here:
            section = {name: section[name] for name in section if KEYS[name].scope != "jobs"}
        for entries in (section, layer.entries):
            for name, entry in entries.items():
                stronger = result.get(name)
                result[name] = _merged(name, stronger, entry) if stronger else entry
    return result


def _merged(name: str, stronger: Entry, weaker: Entry) -> Entry:
    """Return the stronger of two entries, laid over the other where both are mappings."""
    if not KEYS[name].kind.is_mapping:
        return stronger
    if not (isinstance(stronger.node, dict) and isinstance(weaker.node, dict)):
        return stronger
    if weaker.node.keys() <= stronger.node.keys():
        return stronger
    if not stronger.node:
        return weaker
    node = {**weaker.node, **stronger.node}
    origin = f"{stronger.origin}, {weaker.origin}"
    return Entry(node, origin, stronger.base, _at(stronger, weaker))


def _at(stronger: Entry, weaker: Entry) -> Callable[..., str]:
    """Return the ``at`` of two mappings: that of the stronger for the keys that it has."""

    def at(*path: str | int) -> str:
        is_stronger = isinstance(stronger.node, dict) and (not path or path[0] in stronger.node)
        return (stronger if is_stronger else weaker).at(*path)

    return at


def project_file(cwd: Path, start: Path | None = None) -> Path | None:
    """Return ``./.runx``, or else the nearest one going up from the experiment's folder.

    A folder of that name doesn't count.
    """
    file = cwd / ".runx"
    if file.is_file():
        return file
    first = (start or cwd).absolute()
    files = (folder / ".runx" for folder in (first, *first.parents))
    return next((file for file in files if file.is_file()), None)


def user_file(environment: Mapping[str, str]) -> Path | None:
    """Return the user's own settings, $XDG_CONFIG_HOME/runx.yml, if there are any."""
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    folder = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    file = Path(folder) / "runx.yml"
    try:
        return file if file.is_file() else None
    except PermissionError:
        # As under another name with one's own environment, which sudo may keep.
        raise SettingsError(
            f"{file}: you may not look there; set XDG_CONFIG_HOME, or HOME, to a folder of yours"
        ) from None
