"""The sources of settings: files, with those that they extend, and the environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer, extended
from runx.config.mappings import PATHS, SWEEPS, unfolded
from runx.errors import SettingsError
from runx.home import MACHINE_FILE, expanded
from runx.nearest import nearest, suggestion
from runx.sweeps.axes import RESERVED, RESOURCE
from runx.sweeps.foreign import file_advice, key_advice
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml import Document, parse, read

ANCHORS = "x-"
"""What the names of keys begin with that only hold YAML anchors."""

_IN_FILES = ("file", "host")
_PREFIX = "RUNX_"
_RESERVED = frozenset(
    {
        *("ATTACH", "ATTEMPT", "BEAT", "DEADLINE", "EXPERIMENT", "LEASES"),
        *("LOCK", "LOGDIR", "LOGX", "PROJECT", "RUN", "STEP", "STEP_DIR", "EVENT", "DIGEST"),
        *("SEARCH", "BIND_TIME", "OBSERVE", "WATCH", "PRUNE_GRACE"),
        "TOGETHER",
    }
)
"""Variables that runx sets for its runs, which may call runx themselves, and for its tests."""


def from_file(path: Path, may_be_empty: bool = False, text: str | None = None) -> Layer:
    """Read an experiment or .runx file and the files that it extends; keys are merged.

    ``text`` stands for the file's own, if given.
    """
    document = read(path, may_be_empty) if text is None else parse(text, str(path), may_be_empty)
    if "EXTENDS" not in document.tree:
        return from_document(document, path)
    return functools.reduce(extended, (from_document(*base) for base in _bases(document, path)))


def from_document(document: Document, path: Path) -> Layer:
    """Return the settings of a document, whose relative paths start from the folder of ``path``.

    Raises:
        SettingsError: A key is unknown; the message has the nearest.
    """
    base = path.absolute().parent
    sections: dict[tuple[str, ...], dict[str, Node]] = {(): {}}
    for key, node in document.tree.items():
        if key.startswith(ANCHORS):
            continue
        if key in KEYS:
            sections[()][key] = node
        elif isinstance(node, dict) and any(inner in KEYS for inner in node):
            _check_farm(document, key, node)
            sections[(key,)] = node
        else:
            inner = node if isinstance(node, dict) else ()
            farms = [name for section in sections for name in section]
            advice = file_advice(document.tree, document.source) or key_advice(key)
            raise SettingsError(f"{document.at(key)}: {advice or _unknown(key, inner, farms)}")
    entries = {
        place: {
            key: Entry(
                _prepared(key, node, base),
                document.at(*place, key),
                base,
                functools.partial(document.at, *place, key),
            )
            for key, node in section.items()
        }
        for place, section in sections.items()
    }
    own = entries.pop(())
    return Layer(own, {name: entries[(name,)] for (name,) in entries}, document.warnings, (path,))


def from_tree(tree: Mapping[str, Node], cwd: Path) -> Layer:
    """Return the settings of an experiment that was written in Python, in no file."""
    return from_document(Document("Python", dict(tree), {}), cwd / "Python")._replace(files=())


def _check_farm(document: Document, name: str, section: Iterable[str]) -> None:
    """Raise a SettingsError for an unknown key in the section of a farm."""
    for key in section:
        if key not in KEYS:
            problem = f"{document.at(name, key)}: unknown key {key} in farm {name}"
            raise SettingsError(f"{problem}; {_advice(key, [*KEYS])}")


def _prepared(key: str, node: Node, base: Path) -> Node:
    """Return a value ready to be merged with those of other files, paths in it from a folder."""
    if KEYS[key].kind not in (PATHS, SWEEPS) or not isinstance(node, dict):
        return unfolded(key, node)
    texts = {name: item.text for name, item in node.items() if isinstance(item, Scalar)}
    paths = {name: _anchored(text, base) for name, text in texts.items()}
    return {**node, **{name: Scalar(path, path, plain=False) for name, path in paths.items()}}


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
    >>> _unknown("RUNX.TAG", [], [])
    'RUNX.TAG stands in HPARAMS; move it there'
    """
    if key in RESERVED or key.startswith(RESOURCE):
        return f"{key} stands in HPARAMS; move it there"
    advice = _advice(key, [*KEYS, *farms])
    for name in () if "did you mean" in advice else inner:
        if "did you mean" in (inner_advice := suggestion(name, KEYS)):
            return f"unknown key {name} in farm {key}; {inner_advice}"
    return f"unknown key {key}; {advice}"


def _advice(key: str, known: Sequence[str]) -> str:
    """Return the key that is likely meant, else those that are spelled most like it."""
    advice = suggestion(key, known)
    if advice.startswith("did you mean"):
        return advice
    return f"nearest are {', '.join(nearest(key, known))}; docs/yaml.md lists all"


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
            base = path.parent / expanded(name)
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
        if key in KEYS and KEYS[key].scope not in _IN_FILES:
            entries[key] = entry_of(text, variable, cwd)
        else:
            warnings.append(_without_effect(variable, key))
    return Layer(entries, warnings=tuple(warnings))


def _without_effect(variable: str, key: str) -> str:
    """Return the warning on a variable that sets nothing; an error where it is mistyped."""
    warning = f"{variable} in the environment sets nothing"
    if key in KEYS:
        raise SettingsError(f"{warning}; {key} stands in files alone")
    advice = suggestion(key, [name for name in KEYS if KEYS[name].scope not in _IN_FILES])
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


def host_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the user's own settings, $XDG_CONFIG_HOME/runx.yml, and the machine's, if there.

    Raises SettingsError where the user may not look there.
    """
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    folder = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    own = Path(folder) / "runx.yml"
    try:
        return [file for file in (own, MACHINE_FILE) if file.is_file()]
    except PermissionError:
        # As under another name with one's own environment, which sudo may keep.
        raise SettingsError(
            f"{own}: you may not look there; set XDG_CONFIG_HOME, or HOME, to a folder of yours"
        ) from None
