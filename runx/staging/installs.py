"""Ways by which a run would import the project itself rather than the code frozen for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runx.staging.frozen import Frozen

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
