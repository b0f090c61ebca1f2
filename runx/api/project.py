"""What a project begins with: a commented .runx, and the schemas that editors check files by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runx.errors import SettingsError


def init(folder: str | Path = ".", force: bool = False) -> Path:
    """Write a commented .runx into a folder; return its path.

    Raises:
        SettingsError: One is there already, and ``force`` doesn't write over it.
    """
    target = Path(folder) / ".runx"
    if target.is_dir():
        raise SettingsError(f"{target.absolute()} is a folder; move it away first")
    if target.exists() and not force:
        raise SettingsError(f"{target.absolute()} is there already; --force writes over it")
    example = Path(__file__).parents[1] / "runx.example"
    target.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    return target.absolute()


def schema(of: str = "experiment") -> dict[str, Any]:
    """Return the JSON Schema of an ``"experiment"``, or of a .runx file, ``"runx"``.

    >>> schema("runx")["title"]
    'runx: .runx'
    """
    from runx.config.schema import FILES
    from runx.config.schema import schema as made
    from runx.nearest import remedy

    if of not in FILES:
        raise SettingsError(f"there is no schema of {of}; {remedy(of, FILES)}")
    return made(of)
