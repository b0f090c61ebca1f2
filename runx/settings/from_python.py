"""HPARAMS_FROM: hyperparameters that a function of the project's own works out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from runx.errors import SweepError
from runx.language.numbertext import spelled
from runx.sweeps.axes import CASES
from runx.sweeps.layering import with_key
from runx.sweeps.values import Node, Scalar


def with_python(hparams: Node, spec: str, folder: Path, where: str) -> Node:
    """Cross HPARAMS with what a function gives: a mapping, or several as the points of an axis.

    ``spec`` is ``sweeps.py:lr_by_arch``, the file relative to ``folder``.
    """
    given = called(spec, folder, where)
    if isinstance(given, Mapping):
        for name, value in given.items():
            hparams = with_key(hparams, str(name), axis_of(value, f"{where}: {name}"))
        return hparams
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise SweepError(f"{where}: {spec} gives {type(given).__name__}; return or yield mappings")
    cases: list[Node] = []
    for case in given:
        if not isinstance(case, Mapping):
            raise SweepError(
                f"{where}: {spec} gives {type(case).__name__}; return or yield mappings"
            )
        cases.append({str(key): axis_of(case[key], f"{where}: {key}") for key in case})
    if not cases:
        raise SweepError(f"{where}: {spec} gives no mapping; return or yield one at least")
    return with_key(hparams, CASES, cases)


def called(spec: str, folder: Path, where: str) -> Any:
    """Call the function that HPARAMS_FROM names, all of what it yields taken."""
    file, colon, name = spec.rpartition(":")
    path = folder / Path(file).expanduser()
    if not colon or not path.is_file():
        raise SweepError(f"{where}: {spec}: no such file; write sweeps.py:function")
    try:
        function = getattr(_module(path), name, None)
        if not callable(function):
            raise SweepError(f"{where}: {path} has no function {name}")
        given = function()
        return given if isinstance(given, (Mapping, str)) else _listed(given)
    except SweepError:
        raise
    except Exception as error:
        raise SweepError(f"{where}: {spec}: {_told(error, path)}") from error


def axis_of(value: Any, where: str) -> Node:
    """Make of a Python value what YAML would have for a key: a list is an axis, a tuple one value.

    >>> axis_of((64, 32), "x") == [[Scalar(64, "64"), Scalar(32, "32")]]
    True
    """
    node = node_of(value, where)
    return [node] if isinstance(value, tuple) else node


def node_of(value: Any, where: str) -> Node:
    """Make of a Python value what YAML would have for it.

    >>> node_of([1e-05, "1"], "x")
    [Scalar(value=1e-05, text='1e-5', plain=True), Scalar(value='1', text='1', plain=False)]
    """
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or isinstance(value, (bool, int, float)):
        return Scalar(value, spelled(value))
    if isinstance(value, (str, Path)):
        return Scalar(str(value), str(value), plain=False)
    if isinstance(value, Mapping):
        return {str(key): node_of(value[key], where) for key in value}
    if isinstance(value, (list, tuple)):
        return [node_of(item, where) for item in value]
    raise SweepError(f"{where} is a {type(value).__name__}; give a number, a text or a list")


def _listed(given: Any) -> Any:
    """Take all that a generator yields while its errors can still be told."""
    return list(given) if isinstance(given, Iterable) else given


def _module(path: Path) -> ModuleType:
    """Import a file by its path; its neighbours can be imported while it is."""
    import importlib.util
    import sys

    name = f"_runx_hparams_from_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SweepError(f"{path}: no Python file; HPARAMS_FROM takes one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.absolute()))
    # dataclasses and pickle look a class's module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent.absolute()))
    return module


def _told(error: Exception, path: Path) -> str:
    """Tell an error of the user's code on one line, with the line of the file it comes from."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f" (line {lines[-1]})" if lines else ""
    return " ".join(f"{type(error).__name__}: {error}{place}".split())
