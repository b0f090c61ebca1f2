"""A command line whose options may have several values, as the YAML of an experiment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import SettingsError
from runx.importers.base import block
from runx.importers.commandlines import is_multirun, settings_of, split, value_of
from runx.sweeps.axes import RESERVED, RESOURCE
from runx.sweeps.typed import parts

_NAMED = re.compile(r"(?P<head>(?:-{0,2})(?P<name>[A-Za-z_][\w.-]*)=)(?P<value>.*)", re.S)
_OPTION = re.compile(r"--?(?P<name>[A-Za-z_][\w.-]*)\Z")
_NUMBER = re.compile(r"-[\d.]")
_PROGRAM = re.compile(r"\.(?:py|sh|jl|[Rr])\Z")


class CommandSweep(NamedTuple):
    """The experiment that a command line is: its YAML, its name, and what is doubtful about it."""

    text: str
    name: str
    doubtful: tuple[str, ...] = ()


def command_sweep(words: Sequence[str]) -> CommandSweep:
    """Return the experiment of a command: an option with commas in its value is an axis.

    Each value is passed as it was typed. A text with a comma is quoted once more, and a comma with
    a blank after it is part of a text. One word with blanks is the command as a shell has it.

    >>> print(command_sweep(["python", "train.py", "--lr", "0.1,0.2", "--wd=0"]).text)
    CMD: python train.py --lr {lr} --wd={wd}
    HPARAMS:
      lr: [0.1, 0.2]
      wd: 0
    <BLANKLINE>
    """
    if len(words) == 1 and re.search(r"\s", words[0].strip()):
        words = split(words[0]) or words
    name = _name(words)
    if len(words) == 1 and re.search(r"\s", words[0].strip()):
        return CommandSweep(_yaml(words[0], {}), name)
    if is_multirun(words):
        lines = settings_of([shlex.join(words)], Path(name))
        return CommandSweep("\n".join(block(lines.settings)) + "\n", name, lines.doubtful)
    hparams: dict[str, Any] = {}
    placed = [*map(_constant, words)]
    for at in range(_start(words), len(words)):
        head, key, text = _value(words, at)
        values = [] if key is None or key.startswith((RESOURCE, "RUNX.")) else _values(text)
        if key is None or not values or (key in hparams and len(values) == 1):
            continue
        key = f"{key}{at}" if key in hparams or key in RESERVED else key
        hparams[key] = values[0] if len(values) == 1 else values
        placed[at] = f"{head}{{{key}}}"
    return CommandSweep(_yaml(" ".join(placed), hparams), name)


def _yaml(cmd: str, hparams: dict[str, Any]) -> str:
    return "\n".join(block({"CMD": cmd, "HPARAMS": hparams})) + "\n"


def _name(words: Sequence[str]) -> str:
    """Return what an experiment is called after its command: the script, else the program.

    >>> _name(["python", "-m", "tools.fit"]), _name(["torchrun", "src/train.py"]), _name(["./x"])
    ('fit', 'train', 'x')
    """
    if not words or not words[0].strip():
        raise SettingsError("a command comes after --: runx -i -- python train.py --lr 0.1,0.2")
    if Path(words[0]).suffix in (".yml", ".yaml"):
        raise SettingsError(f"-- comes before a command; {words[0]} is launched without it")
    text = words[_start(words) - 1] if len(words) > 1 else words[0].split()[0]
    name = Path(text).stem if "/" in text or _PROGRAM.search(text) else text.rpartition(".")[2]
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "command"


def _start(words: Sequence[str]) -> int:
    """Return where the script's own words begin."""
    for at, word in enumerate(words):
        if word == "-m" and at + 1 < len(words):
            return at + 2
        if _PROGRAM.search(word):
            return at + 1
    return 1


def _value(words: Sequence[str], at: int) -> tuple[str, str | None, str]:
    """Return what a word has before its value, the option's name, and the value, if it has one."""
    word, before = words[at], words[at - 1]
    if match := _NAMED.fullmatch(word):
        return match["head"], match["name"], match["value"]
    is_value = not word.startswith("-") or _NUMBER.match(word)
    option = _OPTION.match(before) if is_value else None
    return "", option["name"] if option else None, word


def _values(text: str) -> list[Any]:
    """Return the values that a word stands for; none where it stays in the command as it is.

    >>> _values("a,b"), _values('"1,2",3'), _values("well, yes"), _values("[1,2]"), _values("{x}")
    (['a', 'b'], ['1,2', '3'], ['well, yes'], ['[1,2]'], [])
    """
    if "{" in text or "\0" in text:
        return []
    try:
        items = parts("", "", text)
    except SettingsError:  # a bracket that isn't closed
        return [text]
    quoted = [re.fullmatch(r"(['\"])(.*)\1", item, re.S) for item in items]
    if len(items) == 1 and not (quoted[0] and "," in text):
        return [value_of(text)]
    if any(item != item.strip() for item in items):
        return [text]
    if not all(items):
        twice = shlex.quote(f'"{text}"')
        raise SettingsError(
            f"{text}: nothing stands beside a comma; a text with one is quoted twice: {twice}"
        )
    return [
        match[2] if match else value_of(item) for match, item in zip(quoted, items, strict=True)
    ]


def _constant(word: str) -> str:
    return word if re.fullmatch(r"\{[A-Za-z_][\w.-]*\}", word) else shlex.quote(word)
