"""How much there is to freeze, and what of it is largest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runx.errors import StagingError


def largest(sizes: Mapping[str, int], count: int = 3) -> tuple[tuple[str, int], ...]:
    """Name the largest files and folders, so that none lies within another.

    A folder stands for what is in it, unless one entry makes up nearly all of it.

    >>> largest({"data/a.bin": 60, "data/b.bin": 50, "src/deep/model.bin": 70, "train.py": 1})
    (('data/', 110), ('src/deep/model.bin', 70), ('train.py', 1))
    """
    return tuple(sorted(_heaviest(sizes), key=lambda pair: -pair[1])[:count])


def _heaviest(sizes: Mapping[str, int], prefix: str = "") -> list[tuple[str, int]]:
    """Weigh the entries of a folder, each described as narrowly as it deserves."""
    groups: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        name, slash, rest = path.partition("/")
        groups.setdefault(name + slash, {})[rest] = size
    weighed = []
    for name, inner in groups.items():
        total = sum(inner.values())
        deeper = _heaviest(inner, prefix + name) if name.endswith("/") and total else []
        top = max(deeper, key=lambda pair: pair[1], default=None)
        weighed.append(top if top and top[1] >= 0.8 * total else (prefix + name, total))
    return weighed


def check_size(root: Path, sizes: Mapping[str, int], limit: int) -> None:
    """Refuse a project that is too large to be code, and name what makes it so."""
    total = sum(sizes.values())
    if total <= limit:
        return
    entries = ", ".join(f"{path} ({megabytes(size)})" for path, size in largest(sizes))
    raise StagingError(
        f"{root}: {megabytes(total)} of code, more than CODE_MAX_SIZE, {megabytes(limit)}; "
        f"the largest: {entries}; name what is no code in CODE_LINKS (linked) or "
        "CODE_IGNORE_PATTERNS (left out), or raise CODE_MAX_SIZE"
    )


def megabytes(size: int) -> str:
    """Write a size as people compare it.

    >>> megabytes(512_345), megabytes(2_345_678_901), megabytes(1800), megabytes(20)
    ('0.5 MB', '2345.7 MB', '2 kB', 'under 1 kB')
    """
    if size < 1000:
        return "under 1 kB"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
