"""How the code of one run differs from that of another."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from runx.rundir import ExperimentDir, RunDir

MOST_LINES = 1_500
LARGEST = 300_000
PAIRED = 4
"""Up to so many different codes are compared each with each; of more, all with the best run's."""
_UNCODED = frozenset({"__pycache__"})


def diffs(trees: Mapping[str, Path], best: str | None) -> dict[str, str]:
    """Compare codes, each named by its digest: ``a..b`` to what leads from a to b."""
    if len(trees) <= PAIRED:
        pairs = list(itertools.permutations(trees, 2))
    else:
        pairs = [(best, other) for other in trees if best in trees and other != best]  # type: ignore[misc]
    return {f"{one}..{other}": tree_diff(trees[one], trees[other]) for one, other in pairs}


def tree_of(experiment: ExperimentDir, run: RunDir, digest: str) -> Path | None:
    """Find code by its digest: frozen, or as the run has it."""
    places = (experiment.code / digest / "tree", run.code)
    return next((place for place in places if place.is_dir()), None)


def tree_diff(one: Path, other: Path) -> str:
    """Write the differences between two folders as a patch for people, shortened if need be."""
    before, after = _files(one), _files(other)
    lines: list[str] = []
    for name in sorted(before | after):
        lines += _file_diff(name, one / name, other / name, name in before, name in after)
        if len(lines) > MOST_LINES:
            return "\n".join([*lines[:MOST_LINES], "... there is more"])
    return "\n".join(lines)


def _files(tree: Path) -> set[str]:
    return {
        path.relative_to(tree).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and not _UNCODED & set(path.parts)
    }


def _file_diff(
    name: str, one: Path, other: Path, before: bool, after: bool
) -> Iterator[str] | list[str]:
    old, new = (_content(one) if before else b""), (_content(other) if after else b"")
    if old == new and before == after:
        return []
    if old is None or new is None or b"\0" in old + new:
        return [f"{name}: differs; it is too large, or no text"]
    return difflib.unified_diff(
        _lines(old),
        _lines(new),
        f"a/{name}" if before else "/dev/null",
        f"b/{name}" if after else "/dev/null",
        lineterm="",
    )


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.stat().st_size <= LARGEST else None


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def distinct(digests: Collection[str | None]) -> list[str]:
    """Name each code once, in order.

    >>> distinct(["b", None, "a", "b"])
    ['b', 'a']
    """
    return [digest for digest in dict.fromkeys(digests) if digest]
