"""Overrides of Hydra, ``lr=0.1,0.2 model=choice(a,b) ~x``, as hyperparameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import SettingsError
from runx.importers import distributions as of
from runx.importers.base import Plain
from runx.importers.hydra_grammar import Swept, split, swept
from runx.rundir.spelling import hydra_value
from runx.sweeps.scalars import scalar

_HYDRA = {"style": "hydra"}
_AS_IT_STANDS = {"style": "equals", "prefix": "", "bool": "value"}
_SPECIAL = re.compile(r"[\\'\"{\[]")


class Overrides(NamedTuple):
    """Hyperparameters of overrides; ``words`` are those that CMD itself has, as ``~key``.

    ``style`` is ARGS: that of Hydra where it spells all values as Hydra does, else as they stand.
    """

    hparams: dict[str, Any]
    style: Mapping[str, str]
    words: tuple[str, ...]
    lost: list[str]
    doubtful: list[str]


def hparams_of(
    overrides: Sequence[str], is_search: bool, file: Path, may_be_typed: bool = True
) -> Overrides:
    """Return what overrides set, the last of a key, in the order in which Hydra has them.

    A search, as Optuna's, draws from choices, too.

    >>> hparams_of(["lr=0.10,1e-3", "~x", "opt=adam"], False, Path("x"))[:3]
    ({'lr': ['0.1', '0.001'], 'opt': 'adam'}, {'style': 'hydra'}, ("'~x'",))
    """
    found, words, lost, doubtful = _read(overrides, file)
    axes = {name: _axis(each, is_search) for name, each in found.items()}
    elements = [t for each in found.values() if each.kind != "interval" for t in each.elements]
    is_exact = may_be_typed and all(map(_is_exact, elements))
    spelt = {name: _spelt(axis, is_exact) for name, axis in axes.items()}
    if not is_exact and any(map(_SPECIAL.search, elements)):
        doubtful.append("values are texts, as they stand, where Hydra's own grammar is in them")
    style = _HYDRA if is_exact else _AS_IT_STANDS
    if is_exact and "null" in elements:
        style = {**style, "none": "value"}
    return Overrides(spelt, style, tuple(words), lost, doubtful)


def _read(
    overrides: Sequence[str], file: Path
) -> tuple[dict[str, Swept], list[str], list[str], list[str]]:
    """Return what each key is given; the words for CMD, what is lost and what is doubtful."""
    found: dict[str, Swept] = {}
    words: list[str] = []
    lost: list[str] = []
    doubtful: list[str] = []
    for override in overrides:
        name, equals, value = override.partition("=")
        if name.startswith("~") or not equals:
            words.append(shlex.quote(override))
            continue
        try:
            found[name] = _globbed(name, swept(value), file)
        except SettingsError as error:
            lost.append(f"{override}: {error}")
            continue
        if found[name].is_shuffled:
            doubtful.append(f"{name}: shuffle(): say --shuffle when launching")
    return found, words, lost, doubtful


def _globbed(name: str, each: Swept, file: Path) -> Swept:
    """Return a glob as the options of its group, which are looked for beside the file."""
    if each.kind != "glob":
        return each
    group = name.lstrip("+").partition("@")[0]
    pattern = each.elements[0] if each.elements else "*"
    for folder in list(file.absolute().parents)[:4]:
        options = sorted(path.stem for path in (folder / group).glob("*.y*ml"))
        matching = [option for option in options if fnmatch(option, pattern.strip("'\""))]
        if matching and len(each.elements) == 1:
            return Swept("choice", tuple(matching))
    raise SettingsError(f"no folder {group} with such files is near; list the options")


def _axis(each: Swept, is_search: bool) -> Any:
    """Return the values of an override, as texts."""
    if each.kind == "interval":
        ends = [Plain(text) for text in each.elements]
        axis = drawn(ends, each.is_int, "log" in each.tags)
        return {name: [Plain(item) for item in items] for name, items in axis.items()}
    if is_search and not each.is_shuffled:
        each = each._replace(elements=(*each.elements, *each.stop))
    if each.kind == "value" or len(each.elements) == 1:
        return each.elements[0]
    return {"choice": [*each.elements]} if is_search else [*each.elements]


def drawn(ends: list[Any], is_int: bool, is_log: bool) -> dict[str, list[Any]]:
    """Return what draws numbers between two ends, these included.

    >>> drawn([1, 8], True, False), drawn([0.1, 1], False, True)
    ({'randint': [1, 8]}, {'loguniform': [0.1, 1]})
    """
    if is_int and is_log:
        low, high = map(float, ends)
        return {"choice": of.likely(of.quantised(of.loguniform(low, high), 1))}
    return {"randint" if is_int else "loguniform" if is_log else "uniform": ends}


def _is_exact(text: str) -> bool:
    """Return whether ARGS of Hydra's style give a value exactly this spelling."""
    try:
        value = _typed(text)
    except ValueError:
        return False
    return hydra_value(value, _text(text)) == text


def _typed(text: str) -> Any:
    if text[:1] == "[":
        return tuple(map(_typed, split(text[1:-1]) if text != "[]" else []))
    if text[:1] in "'\"" or text[:1] == "{":
        raise ValueError(text)
    return scalar(text).value


def _text(text: str) -> Any:
    return tuple(map(_text, split(text[1:-1]))) if text[:1] == "[" and text != "[]" else text


def _spelt(axis: Any, is_exact: bool) -> Any:
    """Return values for YAML: typed where they will be spelt right, else as quoted texts."""
    if isinstance(axis, dict):
        return {name: _spelt(items, is_exact) for name, items in axis.items()}
    if isinstance(axis, list):
        return [_in_list(item, is_exact) for item in axis]
    is_list = is_exact and axis[:1] == "["
    return Plain(f"[{axis}]") if is_list else _in_list(axis, is_exact)


def _in_list(text: str, is_exact: bool) -> Any:
    """Return a value that stands typed where ARGS spell it so, else as a text."""
    value = scalar(text).value
    if isinstance(value, bool):
        return text if is_exact else value
    is_typed = is_exact and (text == "null" or text[:1] == "[")
    return Plain(text) if isinstance(value, (int, float)) or is_typed else text
