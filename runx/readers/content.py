"""The content of small files of other tools: text, JSON and YAML, as plain values.

Only regular files are opened, none behind a link and none beyond a size; a tag of YAML makes no
object. What is wrong with a file is a ContentError.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from runx.errors import RunxError, SettingsError
from runx.readers.base import Warn
from runx.sweeps.scalars import scalar
from runx.sweeps.yaml_nodes import PLAIN, TAG, compose

LARGEST = 64 << 20
"""The size in bytes that a file may have, unless a reader says otherwise."""
_DEEPEST, _MOST_NODES = 100, 100_000
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class ContentError(RunxError):
    """A file can't be read, or is not what its name says."""


def is_file(path: Path | str) -> bool:
    """Return whether a path is a regular file, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def content(path: Path | str, largest: int = LARGEST) -> bytes:
    """Return the content of a file.

    Raises:
        ContentError: It is missing, a link, no regular file, or larger than ``largest`` bytes.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ContentError(f"{path}: not a regular file")
            if status.st_size > largest:
                raise ContentError(f"{path}: larger than {largest >> 20} MiB")
            return file.read(largest)
    except OSError as error:
        raise ContentError(f"{path}: can't be read: {error.strerror}") from error


def text(path: Path | str) -> str:
    """Return the text of a file; bytes that are no UTF-8 are replaced."""
    return content(path).decode("utf-8", "replace")


def content_or_none(path: Path | str, warn: Warn, largest: int = LARGEST) -> bytes | None:
    """Return the content of a file, None where it is missing, or can't be read: with a warning."""
    try:
        return content(path, largest)
    except ContentError as error:
        if not isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            warn(str(error))
        return None


def walked(top: str, warn: Warn) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder from ``top`` down, with its files; a warning where one can't be read."""

    def barred(error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            warn(f"{error.filename}: can't be read: {error.strerror}")

    for folder, _, names in os.walk(top, onerror=barred):
        yield folder, sorted(names)


def warn_of_lines(path: Path | str, damaged: Sequence[int], warn: Warn) -> None:
    """Warn of the lines of a file that were left out, in one line; they are counted from 1."""
    if damaged:
        what = f"{len(damaged)} damaged lines, the first is line" if damaged[1:] else "damaged line"
        warn(f"{path}: left out: {what} {damaged[0]}")


def json_object(path: Path | str) -> dict[str, Any]:
    """Return the object that a JSON file holds."""
    try:
        value = json.loads(content(path))
    except (ValueError, RecursionError) as error:
        raise ContentError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ContentError(f"{path}: not a JSON object")
    return value


def object_or_empty(path: Path | str, warn: Warn) -> dict[str, Any]:
    """Return the mapping that a JSON or YAML file holds, an empty one where it is missing.

    One that is damaged costs a warning.
    """
    read = json_object if str(path).endswith(".json") else yaml_object
    try:
        return read(path) if is_file(path) else {}
    except ContentError as error:
        warn(f"{error}: left out")
        return {}


def yaml_object(path: Path | str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds, an empty one where it is empty."""
    return yaml_mapping(text(path), str(path))


def yaml_mapping(content: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML text is, an empty one of an empty text.

    >>> yaml_mapping("lr: 1e-3\\nbetas: !!python/tuple [0.9, 1]\\nf: !!python/name:os.x ''", "")
    {'lr': 0.001, 'betas': [0.9, 1], 'f': ''}
    """
    value = yaml_value(content, source)
    if value is not None and not isinstance(value, dict):
        raise ContentError(f"{source}: not a mapping")
    return value or {}


def yaml_value(content: str, source: str) -> Any:
    """Return the value of a YAML text as plain Python values, whatever its tags name."""
    try:
        root = compose(content, source)
    except SettingsError as error:
        raise ContentError(str(error)) from None
    count = iter(range(_MOST_NODES))
    return None if root is None else _plain(root, source, count, 0)


def _plain(node: yaml.Node, source: str, count: Iterator[int], depth: int) -> Any:
    if next(count, None) is None or depth > _DEEPEST:
        raise ContentError(f"{source}: its aliases repeat too much, or themselves")
    if isinstance(node, yaml.MappingNode):
        return {
            str(key.value): _plain(value, source, count, depth + 1) for key, value in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, source, count, depth + 1) for item in node.value]
    is_typed = node.tag in (PLAIN, f"{TAG}int", f"{TAG}float", f"{TAG}bool", f"{TAG}null")
    return scalar(node.value).value if is_typed else node.value
