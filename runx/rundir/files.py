"""Reading and writing files: JSON and text by an atomic rename, logs by appending whole lines.

Every training script imports this with logx: it imports no typing, pathlib or dataclasses.
"""

from __future__ import annotations

import os

from runx.errors import StoreError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any


VERSION = 1
"""The major version of every JSON file that runx writes."""


SYNC_SECONDS = 30.0
"""Seconds until something goes on while its disk still writes."""


def is_full(error: OSError) -> bool:
    """Return whether an error says that a disk or a quota is full, or a disk read-only."""
    import errno

    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def disk_problem(error: OSError, path: Path | str) -> str:
    """Return in a few words why something in a folder can't be written."""
    import errno

    if error.errno == errno.ENOSPC:
        try:
            is_out_of_inodes = not os.statvfs(path).f_favail and bool(os.statvfs(path).f_files)
        except OSError:
            is_out_of_inodes = False
        more = " (it has room, but takes no more files)" if is_out_of_inodes else ""
        return f"the disk of {os.fspath(path)} is full{more}"
    if error.errno == errno.EDQUOT:
        return f"your quota on the disk of {os.fspath(path)} is used up"
    if error.errno == errno.EROFS:
        return f"the disk of {os.fspath(path)} is read-only"
    name = os.fsdecode(error.filename) if error.filename else os.fspath(path)
    return f"{name}: {error.strerror}"


def is_blank(path: Path | str) -> bool:
    """Return whether a file has no content but blanks or zeros, as after a power failure."""
    try:
        with open(path, "rb") as file:
            return not file.read().strip(b"\0 \n")
    except OSError:
        return False


def sync_disk(folder: Path | str, say: Callable[[str], None]) -> None:
    """Have all that was written survive a power failure: syncfs(2), of one file system.

    For more than a few files that takes less time than fsync(2) of each.
    """
    from runx.processes import CommandNotFound, CommandTimeout, run_command

    try:
        run_command(["sync", "-f", os.fspath(folder)], timeout=SYNC_SECONDS)
    except CommandNotFound:
        return
    except CommandTimeout:
        say(f"warning: the disk of {os.fspath(folder)} takes long to write: going on meanwhile")


def write_whole(path: Path | str, text: str) -> None:
    """Write a file atomically: a temporary file beside it is renamed over it."""
    target = os.fspath(path)
    # Processes of several containers may have one pid.
    beside = f"{target}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
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
    return encodable(json.dumps(content, indent=2, ensure_ascii=False)) + "\n"


def encodable(text: str) -> str:
    r"""Return JSON that is UTF-8, whatever its strings hold: a byte that is none is an escape.

    >>> encodable('{"a": "\udcff"}')
    '{"a": "\\udcff"}'
    """
    if text.isascii():
        return text
    import re

    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def unblocked(path: str, flags: int) -> int:
    """Open a file without waiting for anybody where it is a pipe: an opener for ``open``."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def read_json(path: Path | str) -> dict[str, Any]:
    """Return the JSON object in a file that runx wrote, with unknown keys.

    Raises:
        StoreError: It can't be read, is no JSON object, or has a newer major version.
    """
    try:
        with open(path, "rb", opener=unblocked) as file:
            # Of a pipe, that somebody may write to at some time, there is nothing.
            text = file.read() or b""
    except OSError as error:
        raise StoreError(f"{os.fspath(path)}: can't be read: {error}") from error
    return parsed_json(text, path)


def parsed_json(text: bytes, path: Path | str) -> dict[str, Any]:
    """Return the JSON object that a file holds, given its content. Raises as read_json."""
    import json

    try:
        content = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
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
        content = text.encode("utf-8", "surrogateescape")
        if os.write(descriptor, content) < len(content):
            import errno

            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
    finally:
        os.close(descriptor)


def read_lines(path: Path | str) -> Iterable[str]:
    """Yield the lines of a file, without a torn last one; none where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n", opener=unblocked) as file:
            for line in file:
                if line.endswith("\n"):
                    yield line[:-1]
    except FileNotFoundError:
        return
