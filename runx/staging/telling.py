"""What a launch says about the code it froze."""

from __future__ import annotations

from collections.abc import Sequence

from runx.staging.frozen import Frozen
from runx.staging.weighing import megabytes

LARGE = 100_000_000
"""From how many bytes on code is suspiciously large."""


def summary(frozen: Frozen) -> str:
    """Say in one line how much was frozen and what was left out."""
    if not frozen.digest:
        return f"froze nothing: runs start in {frozen.dir} itself"
    parts = [
        f"{_named(names)} ({pattern})"
        for pattern, names in frozen.left_out.patterns.items()
        if pattern not in (".git", "__pycache__")
    ]
    told = [f"left out {', '.join(parts)}"] if parts else []
    if frozen.left_out.gitignored:
        told.append(f"git ignores {_listed(frozen.left_out.gitignored)}")
    done = "found frozen:" if frozen.reused else "froze"
    return "; ".join([f"{done} {_counted(frozen.files)}, {megabytes(frozen.bytes)}", *told])


def cautions(frozen: Frozen) -> tuple[str, ...]:
    """Name all that a launch should warn of about the code it froze."""
    if frozen.bytes <= LARGE:
        return frozen.warnings
    entries = ", ".join(f"{path} ({megabytes(size)})" for path, size in frozen.largest)
    large = (
        f"{megabytes(frozen.bytes)} of code is much; the largest: {entries}; CODE_LINKS links "
        "what is no code, CODE_IGNORE_PATTERNS leaves it out"
    )
    return (*frozen.warnings, large)


def _named(names: Sequence[str]) -> str:
    """Name a few, count many."""
    return ", ".join(names) if len(names) < 3 else str(len(names))


def _listed(names: Sequence[str], most: int = 5) -> str:
    """Name the first few and count the others.

    >>> _listed(("build", "data", "log"), most=2)
    'build, data and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _counted(files: int) -> str:
    """Count files.

    >>> _counted(1), _counted(2)
    ('1 file', '2 files')
    """
    return "1 file" if files == 1 else f"{files} files"
