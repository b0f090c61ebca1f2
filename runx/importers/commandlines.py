"""Several command lines of one program as one CMD, and what differs between them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from runx.importers.base import Plain
from runx.importers.hydra_overrides import hparams_of
from runx.sweeps.scalars import scalar

_OVERRIDE = re.compile(r"[+~]{0,2}[\w./@]+=")


class Lines(NamedTuple):
    """Settings that command lines become, and what is doubtful about them."""

    settings: dict[str, Any]
    doubtful: tuple[str, ...] = ()


def value_of(text: str) -> Any:
    """Return a word of a command line as a value with just this text."""
    value = scalar(text).value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Plain(text) if is_number and "n" not in text.lower() else text


def axis_of(texts: tuple[str, ...]) -> Any:
    """Return the values of an axis; many whole numbers in a row as a range.

    >>> axis_of(("0", "1", "2", "3", "4", "5")), axis_of(("1e-3", "a")), axis_of(("x",))
    ({'range': [0, 6]}, ['1e-3', 'a'], 'x')
    """
    if len(texts) == 1:
        return value_of(texts[0])
    if len(texts) > 5 and all(re.fullmatch(r"0|[1-9]\d*", text) for text in texts):
        first = int(texts[0])
        if texts == tuple(map(str, range(first, first + len(texts)))):
            return {"range": [first, first + len(texts)]}
    return [value_of(text) for text in texts]


def settings_of(lines: list[str], file: Path) -> Lines:
    """Return what command lines become: a grid where they are one, else RUNX.CASES.

    >>> settings_of(["python x.py --lr 1 -s a", "python x.py --lr 2 -s a"], Path("x")).settings
    {'CMD': 'python x.py --lr {lr} -s a', 'HPARAMS': {'lr': ['1', '2']}}
    """
    rows = [split(line) for line in lines]
    if any(row is None for row in rows):
        return _whole(lines)
    words = [row for row in rows if row is not None]
    if any(map(_is_hydra, words)):
        return _of_hydra(words, file) or _whole(lines)
    if len({len(row) for row in words}) == 1 and (same := _of_columns(words)):
        return same
    return _of_options(words) or _whole(lines)


def split(line: str) -> list[str] | None:
    """Return the words of a simple command, or None where a shell has more to do."""
    if re.search(r"[|;&<>`$]", re.sub(r"'[^']*'", "", line)):
        return None
    try:
        return shlex.split(line)
    except ValueError:
        return None


def _whole(lines: list[str]) -> Lines:
    """Return lines as they stand, each a run."""
    if len(lines) == 1:
        return Lines({"CMD": lines[0], "HPARAMS": {}})
    remark = "command: the lines differ too much for hyperparameters; each is one, as it stands"
    settings = {"CMD": 'eval "$HP_COMMAND"', "ARGS": {"style": "env"}}
    return Lines({**settings, "HPARAMS": {"command": [*lines]}}, (remark,))


def is_multirun(words: Sequence[str]) -> bool:
    """Return whether words ask Hydra, or MLXP, for a sweep by an option."""
    asks = "-m" in words[2:] or "--multirun" in words
    return asks and any(map(_OVERRIDE.match, words))


def _is_hydra(words: list[str]) -> bool:
    """Return whether words ask Hydra, or MLXP, for a sweep."""
    if "-m" in words[2:] or "--multirun" in words:
        return is_multirun(words)
    swept = [word for word in words if _OVERRIDE.match(word) and "," in word.partition("=")[2]]
    return bool(swept) and not any(re.search(r"=[\[({'\"]", word) for word in swept)


def _of_hydra(rows: list[list[str]], file: Path) -> Lines | None:
    """Return sweeps on command lines of Hydra or MLXP."""
    commands = {_command(row) for row in rows}
    if len(commands) > 1:
        return None
    overrides = [[word for word in row if _OVERRIDE.match(word)] for row in rows]
    found = [hparams_of(words, False, file) for words in overrides]
    if any(each.style.get("style") != "hydra" for each in found):
        found = [hparams_of(words, False, file, may_be_typed=False) for words in overrides]
    remarks = tuple([line for each in found for line in (*each.lost, *each.doubtful)])
    cases = [each.hparams for each in found]
    hparams = cases[0] if len(cases) == 1 else {"RUNX.CASES": cases}
    [command] = commands
    words = [word for each in found for word in each.words]
    settings = {"CMD": " ".join([command, *dict.fromkeys(words)]), "ARGS": dict(found[0].style)}
    return Lines({**settings, "HPARAMS": hparams}, remarks)


def _command(row: list[str]) -> str:
    """Return a command line without its overrides, and without what asks for a sweep."""
    program, words = row[:2], row[2:]
    kept = [word for word in words if word not in ("-m", "--multirun")]
    return shlex.join([word for word in (*program, *kept) if not _OVERRIDE.match(word)])


def _of_columns(rows: list[list[str]]) -> Lines | None:
    """Return lines that differ in some words alone, which become ``{name}`` in CMD."""
    columns = list(zip(*rows, strict=True))
    names: dict[int, str] = {}
    words = []
    for place, column in enumerate(columns):
        if len(set(column)) == 1:
            words.append(shlex.quote(column[0]))
            continue
        heads = {word.partition("=")[0] for word in column if "=" in word}
        head = heads.pop() if len(heads) == 1 and all("=" in word for word in column) else ""
        name = _named(head or columns[place - 1][0] if place else "", names, place)
        if name is None or place == 0 or _names_program(columns, place):
            return None
        names[place] = name
        words.append(f"{head}={{{name}}}" if head else f"{{{name}}}")
        columns[place] = tuple([word[len(head) + 1 :] if head else word for word in column])
    varying = {name: columns[place] for place, name in names.items()}
    return Lines({"CMD": " ".join(words), "HPARAMS": _grid(varying, len(rows))})


def _named(head: str, names: dict[int, str], place: int) -> str | None:
    """Return a name for a word after an option; None where options themselves differ."""
    bare = head.lstrip("-+")
    name = bare if head.startswith(("-", "+")) or _OVERRIDE.match(head + "=") else ""
    name = name if re.fullmatch(r"[A-Za-z_][\w.-]*", name) and "/" not in name else f"arg{place}"
    return f"{name}{place}" if name in names.values() else name


def _names_program(columns: list[tuple[str, ...]], place: int) -> bool:
    """Return whether lines differ in their program or in an option's name."""
    is_option = any(re.match(r"-+[A-Za-z]", word) and "=" not in word for word in columns[place])
    return is_option or all(re.search(r"\.(py|sh)\Z", word) for word in columns[place])


def _grid(columns: dict[str, tuple[str, ...]], count: int) -> dict[str, Any]:
    """Return columns as axes where all combinations are there, in order; else as cases."""
    if not columns:
        return {}
    axes = {name: tuple(dict.fromkeys(column)) for name, column in columns.items()}
    is_grid = prod(map(len, axes.values())) == count
    if is_grid and [*product(*axes.values())] == [*zip(*columns.values(), strict=True)]:
        return {name: axis_of(axis) for name, axis in axes.items()}
    rows = [
        {name: value_of(text) for name, text in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]
    return {"RUNX.CASES": rows}


def _of_options(rows: list[list[str]]) -> Lines | None:
    """Return lines of one program with options of their own, as cases."""
    starts = [
        next((p for p, w in enumerate(row) if w.startswith("-") and p > 1), len(row))
        for row in rows
    ]
    heads = {tuple(row[:start]) for row, start in zip(rows, starts, strict=True)}
    cases = [_options(row[start:]) for row, start in zip(rows, starts, strict=True)]
    if len(heads) > 1 or any(case is None for case in cases):
        return None
    options = [word for row, start in zip(rows, starts, strict=True) for word in row[start:]]
    equals = [word for word in options if word.startswith("--") and "=" in word]
    styles = {"style": "equals", "list": "repeat"} if equals else {}
    separate = any(not word.startswith("-") for word in options)
    remarks = (
        ("CMD: --k v and --k=v are mixed; all are written --k v",) if equals and separate else ()
    )
    settings: dict[str, Any] = {"CMD": shlex.join(heads.pop())}
    if styles and not separate:
        settings["ARGS"] = styles
    return Lines({**settings, "HPARAMS": {"RUNX.CASES": cases}}, remarks)


def _options(words: list[str]) -> dict[str, Any] | None:
    """Return long options and their values; None where there is anything else."""
    found: dict[str, Any] = {}
    name = ""
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if name in found:
                return None
            found[name] = value_of(value) if equals else True
            name = "" if equals else name
        elif re.match(r"-[A-Za-z]", word) or not name:
            return None
        elif found[name] is True:
            found[name] = value_of(word)
        else:
            former = found[name]
            items = former[0] if isinstance(former, list) else [former]
            found[name] = [[*items, value_of(word)]]
    return found
