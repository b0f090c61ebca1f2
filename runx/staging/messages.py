"""Messages of a launch about its frozen code, and what of that belongs on PYTHONPATH."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runx.nearest import first_of
from runx.staging.store import FrozenCode
from runx.staging.walk import megabytes

LARGE = 100_000_000
"""Code of more than this many bytes is warned of."""


def summary(frozen: FrozenCode) -> str:
    """Return in one line how much was frozen and what was left out."""
    if not frozen.digest:
        return f"froze nothing: runs start in {frozen.dir} itself"
    parts = [
        f"{_few(names)} ({pattern})"
        for pattern, names in frozen.left_out.patterns.items()
        if pattern not in (".git", "__pycache__")
    ]
    left_out = [f"left out {', '.join(parts)}"] if parts else []
    if frozen.left_out.gitignored:
        left_out.append(f"git ignores {first_of(frozen.left_out.gitignored, most=5)}")
    verb = "found frozen:" if frozen.reused else "froze"
    files = "1 file" if frozen.files == 1 else f"{frozen.files} files"
    return "; ".join([f"{verb} {files}, {megabytes(frozen.bytes)}", *left_out])


def code_warnings(frozen: FrozenCode) -> tuple[str, ...]:
    """Return the warnings about frozen code, its size included."""
    if frozen.bytes <= LARGE:
        return frozen.warnings
    entries = ", ".join(f"{path} ({megabytes(size)})" for path, size in frozen.largest)
    large = (
        f"{megabytes(frozen.bytes)} of code is much; the largest: {entries}; CODE_LINKS links "
        "what is no code, CODE_IGNORE_PATTERNS leaves it out"
    )
    return (*frozen.warnings, large)


def _few(names: Sequence[str]) -> str:
    """Return one or two names, or the number of more."""
    return ", ".join(names) if len(names) < 3 else str(len(names))


_EDITABLE = re.compile(r"__editable__\.(.+)-[^-]+$")


def source_folders(frozen: FrozenCode) -> tuple[str, ...]:
    """Return the folders of a run that belong on PYTHONPATH: ``code``, and ``code/src`` if present.

    A ``src`` that is itself a package is left out: its modules are imported as ``src.model``.
    """
    if frozen.digest:
        folders = {path for path, _ in frozen.manifest.folders}
        is_package = any(file.path == "src/__init__.py" for file in frozen.manifest.files)
    else:
        folders = {"src"} if (frozen.dir / "src").is_dir() else set()
        is_package = (frozen.dir / "src" / "__init__.py").exists()
    return ("code", "code/src") if "src" in folders and not is_package else ("code",)


def editable_installs(root: Path, places: Iterable[Path]) -> list[str]:
    """Return the distributions that are installed as links into root.

    ``places`` are the folders that Python imports from, site-packages among them.
    """
    real = os.path.realpath(root)
    names: set[str] = set()
    for place in places:
        if place.is_dir():
            names.update(_by_record(place, real))
            names.update(_by_path_file(place, real, names))
    return sorted(names)


def _by_record(place: Path, root: str) -> Iterable[str]:
    """Yield what pip recorded as editable from within root (PEP 610)."""
    for record in sorted(place.glob("*.dist-info/direct_url.json")):
        try:
            content = json.loads(record.read_bytes())
            editable = content.get("dir_info", {}).get("editable", False)
            url = urlsplit(content.get("url", ""))
        except (ValueError, AttributeError):
            continue  # It is no record of an editable install.
        if editable and url.scheme == "file" and _within(unquote(url.path), root):
            yield record.parent.name.split("-")[0]


def _by_path_file(place: Path, root: str, recorded: Iterable[str]) -> Iterable[str]:
    """Yield the .pth files and egg-links that lead into root and that pip has no record of."""
    recorded = {name.replace("-", "_").lower() for name in recorded}
    for file in sorted([*place.glob("*.pth"), *place.glob("*.egg-link")]):
        name = _EDITABLE.sub(r"\1", file.stem).lstrip("_")
        if name.replace("-", "_").lower() in recorded:
            continue
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        paths = [line for line in lines if line.startswith("/") and _within(line, root)]
        if not all(_within(path, os.path.realpath(place)) for path in paths):
            yield name


def _within(path: str, root: str) -> bool:
    """Return whether a path is root or lies in it."""
    real = os.path.realpath(path.strip())
    return real == root or real.startswith(f"{root}/")
