"""How the code of runs differs, as patches for people to read."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from runx.rundir.paths import ExperimentDir, RunDir

MOST_LINES = 1_500
"""Lines of one patch; what is beyond them is left out."""

LARGEST_FILE = 300_000
"""Bytes of a file that is compared line by line."""

MOST_PAIRED = 4
"""Different codes that are compared each with each; of more, all with the best run's."""

_IGNORED = frozenset({"__pycache__"})


def code_tree(experiment: ExperimentDir, run: RunDir, digest: str) -> Path | None:
    """Return the folder with the code of a digest: the frozen one, or the run's own copy."""
    folders = (experiment.code / digest / "tree", run.code)
    return next((folder for folder in folders if folder.is_dir()), None)


def code_diffs(trees: Mapping[str, Path], best: str | None) -> dict[str, str]:
    """Return the patches between codes, by the digests of both as ``from..to``.

    ``trees`` are the folders by digest; ``best`` is the digest of the best run's code.
    """
    pairs: list[tuple[str, str]] = []
    if len(trees) <= MOST_PAIRED:
        pairs = list(itertools.permutations(trees, 2))
    elif best is not None and best in trees:
        pairs = [(best, other) for other in trees if other != best]
    return {f"{old}..{new}": tree_diff(trees[old], trees[new]) for old, new in pairs}


def tree_diff(old: Path, new: Path) -> str:
    """Return the differences of two folders as a patch of at most MOST_LINES lines."""
    before, after = _files(old), _files(new)
    lines: list[str] = []
    for name in sorted(before | after):
        lines += _file_diff(name, old / name, new / name, name in before, name in after)
        if len(lines) > MOST_LINES:
            return "\n".join([*lines[:MOST_LINES], "... there is more"])
    return "\n".join(lines)


def _files(tree: Path) -> set[str]:
    return {
        path.relative_to(tree).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and not _IGNORED & set(path.parts)
    }


def _file_diff(
    name: str, old: Path, new: Path, before: bool, after: bool
) -> Iterator[str] | list[str]:
    left, right = (_content(old) if before else b""), (_content(new) if after else b"")
    if left == right and before == after:
        return []
    if left is None or right is None or b"\0" in left + right:
        return [f"{name}: differs; it is too large, or no text"]
    return difflib.unified_diff(
        _lines(left),
        _lines(right),
        f"a/{name}" if before else "/dev/null",
        f"b/{name}" if after else "/dev/null",
        lineterm="",
    )


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.stat().st_size <= LARGEST_FILE else None


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()
