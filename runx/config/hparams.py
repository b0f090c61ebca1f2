"""HPARAMS as it is planned: with HPARAMS_FROM, the chosen SWEEPS, CONFIG and overrides.

What functions of the project give is asked for unless only the settings are to be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.errors import SweepError
from runx.home import expanded
from runx.sweeps.axes import CASES, Locator
from runx.sweeps.merge import joined, keys, located, with_key, with_sweeps
from runx.sweeps.overrides import Override, over_hparams
from runx.sweeps.scalars import value_text
from runx.sweeps.values import Node, Scalar

if TYPE_CHECKING:
    from runx.config.best import Best
    from runx.rundir.configfile import ConfigFile


class Composed(NamedTuple):
    """HPARAMS as it is planned, and where its keys stand.

    ``config`` is CONFIG, and ``defaults`` are its values that are taken as they stand.
    """

    hparams: Node
    at: Locator
    config: ConfigFile | None = None
    defaults: Mapping[str, Node] = {}


def composed(
    entries: Mapping[str, Entry],
    values: Mapping[str, Any],
    sweeps: tuple[str, ...],
    overrides: Sequence[Override],
    executes: bool = True,
    best: Best | None = None,
) -> Composed:
    """Return HPARAMS with all that adds to it, and the ``best`` points for what is open.

    Functions of the project are left out unless it ``executes`` them.
    """
    hparams: Node = {} if values["HPARAMS"] is None else values["HPARAMS"]
    at: Locator = entries["HPARAMS"].at if "HPARAMS" in entries else lambda *_: ""
    if values["HPARAMS_FROM"] and executes:
        hparams, at = _from_python(hparams, at, values["HPARAMS_FROM"], entries["HPARAMS_FROM"])
    if sweeps:
        entry = entries.get("SWEEPS")
        named = _named(values["SWEEPS"], sweeps, entry, executes) if entry else {}
        hparams, at = _swept(hparams, at, named, sweeps, entry)
    if best:
        from runx.config.best import with_best

        names = [each.name for each in overrides if not each.is_setting]
        hparams = with_best(hparams, best, names)
        at = located(at, {CASES: f"--best {len(best.points)} --of {' '.join(best.of)}"})
    if values["CONFIG"]:
        from runx.config.script import configured

        return Composed(*configured(hparams, at, values, entries, overrides))
    if overrides:
        hparams, at = over_hparams(hparams, at, overrides, KEYS)
    return Composed(hparams, at)


def functions(values: Mapping[str, Any], sweeps: Sequence[str]) -> dict[str, str]:
    """Return the functions that give hyperparameters of a launch, with the setting of each."""
    chosen = values["SWEEPS"] if "*" in sweeps else sweeps
    named = [node for name in chosen if isinstance(node := values["SWEEPS"].get(name), Scalar)]
    return {
        **dict.fromkeys(values["HPARAMS_FROM"], "HPARAMS_FROM"),
        **{node.text: "SWEEPS" for node in named},
    }


def _from_python(
    hparams: Node, at: Locator, specs: Sequence[str], entry: Entry
) -> tuple[Node, Locator]:
    where = f"{entry.origin}: HPARAMS_FROM"
    own, givers = set(keys(hparams)), dict[str, str]()
    for spec in specs:
        given = python_grid(spec, entry.base, where)
        for name in keys(given):
            if name in givers:
                raise SweepError(f"{where}: {givers[name]} and {spec} both give {name}; keep one")
            givers[name] = spec
        hparams = with_grid(hparams, given)
    return hparams, located(at, {name: where for name in _tops(hparams) if name not in own})


def _named(
    sweeps: Mapping[str, Node], chosen: Sequence[str], entry: Entry, executes: bool
) -> dict[str, Node]:
    """Return SWEEPS with what the functions of the chosen ones give."""
    named = dict(sweeps)
    for name, node in sweeps.items():
        if isinstance(node, Scalar) and isinstance(node.value, str):
            is_asked = executes and (name in chosen or "*" in chosen)
            where = f"{entry.at(name)}: SWEEPS: {name}"
            named[name] = python_grid(node.text, entry.base, where) if is_asked else {}
    return named


def _swept(
    hparams: Node,
    at: Locator,
    sweeps: Mapping[str, Node],
    chosen: tuple[str, ...],
    entry: Entry | None,
) -> tuple[Node, Locator]:
    if entry is None or not sweeps:
        raise SweepError(f"--sweep {chosen[0]}: there is no SWEEPS; see docs/sweeps.md")
    combined = with_sweeps(hparams, sweeps, chosen, entry.at)
    names = sweeps if chosen == ("*",) else chosen
    places = {key: entry.at(name, key) for name in names for key in _tops(sweeps[name])}
    return combined, located(at, places)


def _tops(hparams: Node) -> list[str]:
    """Return the keys at the top level of HPARAMS."""
    items = hparams if isinstance(hparams, list) else [hparams]
    return [key for item in items if isinstance(item, dict) for key in item]


def with_grid(hparams: Node, given: Mapping[str, Node]) -> Node:
    """Return HPARAMS with the grid that a function gives; cases of both cross."""
    first = hparams[0] if isinstance(hparams, list) and hparams else hparams
    own = first.get(CASES) if isinstance(first, dict) else None
    for name, node in given.items():
        both = joined(CASES, own, node) if name == CASES and own is not None else node
        hparams = with_key(hparams, name, both)
    return hparams


def python_grid(spec: str, folder: Path, where: str) -> dict[str, Node]:
    """Return the grid that a function gives: a mapping, or several as cases.

    ``spec`` is ``sweeps.py:lr_by_arch``, the file relative to ``folder``.

    Raises:
        SweepError: There is no such function, it fails, or its result is no mapping.
    """
    result = _called(spec, folder, where)
    if isinstance(result, Mapping):
        return {str(name): axis_of(result[name], f"{where}: {name}") for name in result}
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise SweepError(f"{where}: {spec} gives {type(result).__name__}; return or yield mappings")
    cases: list[Node] = []
    for case in result:
        if not isinstance(case, Mapping):
            raise SweepError(
                f"{where}: {spec} gives {type(case).__name__}; return or yield mappings"
            )
        cases.append({str(key): axis_of(case[key], f"{where}: {key}") for key in case})
    if not cases:
        raise SweepError(f"{where}: {spec} gives no mapping; return or yield one at least")
    return {CASES: cases}


def python_steps(spec: str, folder: Path, where: str) -> Node:
    """Return the steps that a function gives, as YAML has them.

    Raises:
        SweepError: There is no such function, it fails, or its result is no mapping.
    """
    result = _called(spec, folder, where, "steps.py:function")
    if not isinstance(result, Mapping):
        raise SweepError(
            f"{where}: {spec} gives {type(result).__name__}; return a mapping of steps"
        )
    return node_of(result, where)


def _called(spec: str, folder: Path, where: str, example: str = "sweeps.py:function") -> Any:
    """Return the result of the function that a setting names; a list of all that it yields."""
    file, colon, name = spec.rpartition(":")
    path = folder / expanded(file)
    if not colon or not path.is_file():
        raise SweepError(f"{where}: {spec}: no such file; write {example}")
    try:
        function = getattr(_module(path), name, None)
        if not callable(function):
            raise SweepError(f"{where}: {path} has no function {name}")
        result = function()
        # A generator runs here, where its errors are still the function's.
        is_lazy = isinstance(result, Iterable) and not isinstance(result, (Mapping, str))
        return list(result) if is_lazy else result
    except SweepError:
        raise
    except Exception as error:
        raise SweepError(f"{where}: {spec}: {_described(error, path)}") from error


def axis_of(value: Any, where: str) -> Node:
    """Return a Python value as the value of a key in YAML: a list is an axis, a tuple one value.

    >>> axis_of((64, 32), "x") == [[Scalar(64, "64"), Scalar(32, "32")]]
    True
    """
    node = node_of(value, where)
    return [node] if isinstance(value, tuple) else node


def node_of(value: Any, where: str) -> Node:
    """Return a Python value as YAML would have it.

    >>> node_of([1e-05, "1"], "x")
    [Scalar(value=1e-05, text='1e-5', plain=True), Scalar(value='1', text='1', plain=False)]
    """
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or isinstance(value, (bool, int, float)):
        return Scalar(value, value_text(value))
    if isinstance(value, (str, Path)):
        return Scalar(str(value), str(value), plain=False)
    if isinstance(value, Mapping):
        return {str(key): node_of(value[key], where) for key in value}
    if isinstance(value, (list, tuple)):
        return [node_of(item, where) for item in value]
    raise SweepError(f"{where} is a {type(value).__name__}; give a number, a text or a list")


def _module(path: Path) -> ModuleType:
    """Import a file by its path; it may import the modules beside it."""
    import importlib.util
    import sys

    name = f"_runx_hparams_from_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SweepError(f"{path}: no Python file; it takes one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.absolute()))
    # dataclasses and pickle look a class's module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent.absolute()))
    return module


def _described(error: Exception, path: Path) -> str:
    """Return an error of the user's code as one line, with the number of the line in its file."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f" (line {lines[-1]})" if lines else ""
    return " ".join(f"{type(error).__name__}: {error}{place}".split())
