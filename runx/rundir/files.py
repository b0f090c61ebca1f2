"""Reading and writing files: JSON and text by an atomic rename, logs by appending whole lines.

Every training script imports this with logx: it imports no typing, pathlib or dataclasses.
"""

from __future__ import annotations

import os

from runx.errors import StoreError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any


VERSION = 1
"""The major version of every JSON file that runx writes."""


def write_whole(path: Path | str, text: str) -> None:
    """Write a file atomically: a temporary file beside it is renamed over it."""
    target = os.fspath(path)
    beside = f"{target}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.replace(beside, target)
    except BaseException:
        if os.path.lexists(beside):
            os.unlink(beside)
        raise


def to_json(content: Any) -> str:
    """Return indented JSON; an object begins with the version of the format.

    >>> to_json({"lr": 0.1})
    '{\\n  "version": 1,\\n  "lr": 0.1\\n}\\n'
    """
    import json

    if isinstance(content, dict):
        content = {"version": VERSION, **content}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_json(path: Path | str) -> dict[str, Any]:
    """Return the JSON object in a file that runx wrote, with unknown keys.

    Raises:
        StoreError: It can't be read, is no JSON object, or has a newer major version.
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise StoreError(f"{os.fspath(path)}: can't be read: {error}") from error
    return parsed_json(text, path)


def parsed_json(text: bytes, path: Path | str) -> dict[str, Any]:
    """Return the JSON object that a file holds, given its content. Raises as read_json."""
    import json

    try:
        content = json.loads(text.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise StoreError(f"{os.fspath(path)}: can't be read: {error}") from error
    if not isinstance(content, dict):
        raise StoreError(f"{os.fspath(path)}: not a JSON object")
    version = content.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise StoreError(
            f"{os.fspath(path)}: version {version} is newer than this runx reads; upgrade runx"
        )
    return content


def append_line(path: Path | str, line: str) -> None:
    """Append a line with one write(2), after ending a torn line that another writer left."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
        text = ("\n" if torn else "") + line + "\n"
        os.write(descriptor, text.encode("utf-8", "surrogateescape"))
    finally:
        os.close(descriptor)


def read_lines(path: Path | str) -> Iterable[str]:
    """Yield the lines of a file, without a torn last one; none where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file:
                if line.endswith("\n"):
                    yield line[:-1]
    except FileNotFoundError:
        return
