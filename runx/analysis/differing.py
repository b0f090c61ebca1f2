"""Two runs held against each other: hyperparameters, code, environment, metrics."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.files import read_json
from runx.formats.cells import for_machines
from runx.rundir import ExperimentDir, RunDir
from runx.tables.columns import identity, names_of
from runx.types import RunRecord

_LARGEST = 1 << 20


def difference(one: RunRecord, two: RunRecord) -> Iterator[str]:
    """Write what differs between two runs, as lines; unchanged things are not there."""
    yield f"- {one.name}"
    yield f"+ {two.name}"
    yield from _section("hparams", one.hparams, two.hparams)
    yield from _section("metrics", one.metrics, two.metrics)
    yield from _section("launch", _launch(one.dir), _launch(two.dir))
    yield from _section("packages", _packages(one.dir), _packages(two.dir))
    code = list(code_difference(one.dir.code, two.dir.code))
    if code:
        yield from ("", "code", *code)


def _section(title: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[str]:
    changed = [
        name for name in names_of((one, two)) if identity(one.get(name)) != identity(two.get(name))
    ]
    if changed:
        yield from ("", title)
    for name in changed:
        for sign, side in (("-", one), ("+", two)):
            if name in side:
                yield f"  {sign} {name}: {for_machines(side[name])}"


def _launch(run: RunDir) -> dict[str, Any]:
    """Give what a run's surroundings were: where, with which Python, from which commit."""
    record, told = _record(run), _told(run)
    git = told.get("git") or {}
    return {
        "cmd": record.get("cmd"),
        "resources": record.get("resources"),
        "host": told.get("host"),
        "python": told.get("python"),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }


def _record(run: RunDir) -> dict[str, Any]:
    return _read(run.record)


def _folder(run: RunDir) -> Path:
    return ExperimentDir(run.path.parent).launches / str(_record(run).get("launch") or ".none")


def _told(run: RunDir) -> dict[str, Any]:
    return _read(_folder(run) / "launch.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except StoreError:
        return {}


def _packages(run: RunDir) -> dict[str, str]:
    try:
        lines = (_folder(run) / "packages.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def code_difference(one: Path, two: Path) -> Iterator[str]:
    """Write a unified diff of two runs' frozen code; files that are the same are not read."""
    names = sorted({*_files(one), *_files(two)})
    for name in names:
        first, second = one / name, two / name
        if first.exists() and second.exists() and first.samefile(second):
            continue
        yield from _file_difference(first, second, name)


def _files(root: Path) -> Iterator[str]:
    if root.is_dir():
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(root))


def _file_difference(first: Path, second: Path, name: str) -> Iterator[str]:
    sides = [path.read_bytes() if path.is_file() else b"" for path in (first, second)]
    if sides[0] == sides[1] and first.exists() == second.exists():
        return
    if any(b"\0" in side or len(side) > _LARGEST for side in sides):
        yield f"binary or large file {name} differs"
        return
    old, new = (side.decode("utf-8", "replace").splitlines() for side in sides)
    yield from difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
