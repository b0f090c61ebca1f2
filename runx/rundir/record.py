"""What was written down when a run was made and when it was launched: run.json, launch.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import StoreError
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir

PROGRAMS = ("runx", "runx.py", "__main__.py")
"""The names under which runx is started."""


Warn = Callable[[str], None]


class Typed(NamedTuple):
    """What was typed to launch, and in which folder."""

    argv: tuple[str, ...]
    cwd: str


def read_or_empty(file: Path, warn: Warn) -> dict[str, Any]:
    """Return what a JSON file of runx's holds; nothing where it isn't there or is damaged."""
    if not file.exists():
        return {}
    try:
        return read_json(file)
    except StoreError as error:
        warn(str(error))
        return {}


def launch_folder(run: RunDir, record: Mapping[str, Any]) -> Path | None:
    """Return the folder of the launch that a run was made by, given its run.json."""
    name = record.get("launch")
    return ExperimentDir(run.path.parent).launches / name if isinstance(name, str) else None


def launch_of(run: RunDir, record: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    """Return the launch.json of the launch that a run was made by."""
    folder = launch_folder(run, record)
    return read_or_empty(folder / "launch.json", warn) if folder else {}


def code_digests(run: RunDir) -> Iterator[str]:
    """Return the digests of all the code that a run has had, the latest first.

    Its claims name what it was restaged with, its run.json what it was made with. Raises
    StoreError where one of them is damaged.
    """
    numbers = [path.stem for path in run.attempts.glob("*.claim") if path.stem.isdecimal()]
    for number in sorted(map(int, numbers), reverse=True):
        if code := read_json(run.claim(number)).get("code"):
            yield str(code)
    if code := read_json(run.record).get("code"):
        yield str(code)


def staged_code(run: RunDir) -> str | None:
    """Return the digest of the code that a run has now; a damaged claim doesn't count."""
    try:
        return next(code_digests(run), None)
    except StoreError:
        code = read_json(run.record).get("code")
        return str(code) if code else None


def words_of(argv: Sequence[str]) -> tuple[str, ...]:
    """Return what was typed after the program's name.

    >>> words_of(["/usr/bin/runx", "sweep.yml"]), words_of(["sweep.yml"])
    (('sweep.yml',), ('sweep.yml',))
    """
    is_program = bool(argv) and argv[0].rpartition("/")[2] in PROGRAMS
    return tuple(argv[1:] if is_program else argv)
