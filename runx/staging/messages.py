"""What a launch says about the code it froze."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runx.staging.store import Frozen
from runx.staging.walk import megabytes

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


_EDITABLE = re.compile(r"__editable__\.(.+)-[^-]+$")


def source_folders(frozen: Frozen) -> tuple[str, ...]:
    """Name the folders of a run that belong on PYTHONPATH: ``code``, and ``code/src`` if there.

    A ``src`` that is itself a package is none: its modules are imported as ``src.model``.
    """
    if frozen.digest:
        folders = {path for path, _ in frozen.manifest.folders}
        package = any(file.path == "src/__init__.py" for file in frozen.manifest.files)
    else:
        folders = {"src"} if (frozen.dir / "src").is_dir() else set()
        package = (frozen.dir / "src" / "__init__.py").exists()
    return ("code", "code/src") if "src" in folders and not package else ("code",)


def editable_installs(root: Path, places: Iterable[Path]) -> list[str]:
    """Name the distributions that are installed as links into root.

    ``places`` are where Python looks: what is on its path, site-packages among them.
    """
    real = os.path.realpath(root)
    found: dict[str, None] = {}
    for place in places:
        if place.is_dir():
            found.update(dict.fromkeys(_by_record(place, real)))
            found.update(dict.fromkeys(_by_path_file(place, real, found)))
    return sorted(found)


def _by_record(place: Path, root: str) -> Iterable[str]:
    """Name what pip says it installed as editable from within root."""
    for record in sorted(place.glob("*.dist-info/direct_url.json")):
        try:
            content = json.loads(record.read_bytes())
            editable = content.get("dir_info", {}).get("editable", False)
            url = urlsplit(content.get("url", ""))
        except (ValueError, AttributeError):
            continue  # Not ours to judge: it says nothing of an editable install.
        if editable and url.scheme == "file" and _within(unquote(url.path), root):
            yield record.parent.name.split("-")[0]


def _by_path_file(place: Path, root: str, known: Iterable[str]) -> Iterable[str]:
    """Name the .pth files and egg-links that lead into root and that pip doesn't speak of."""
    known = {name.replace("-", "_").lower() for name in known}
    for file in sorted([*place.glob("*.pth"), *place.glob("*.egg-link")]):
        name = _EDITABLE.sub(r"\1", file.stem).lstrip("_")
        if name.replace("-", "_").lower() in known:
            continue
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        leads = [line for line in lines if line.startswith("/") and _within(line, root)]
        if not all(_within(line, os.path.realpath(place)) for line in leads):
            yield name


def _within(path: str, root: str) -> bool:
    """Tell whether a path is root or lies in it."""
    real = os.path.realpath(path.strip())
    return real == root or real.startswith(f"{root}/")
