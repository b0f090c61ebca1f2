"""A project: its commented .runx, the schemas of its files, and where its experiments lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.errors import SettingsError
from runx.home import expanded

if TYPE_CHECKING:
    from runx.importers.registry import Conversion


def init(folder: str | Path = ".", force: bool = False) -> Path:
    """Write a commented .runx into a folder; return its path.

    Raises:
        SettingsError: There is one, and ``force`` is False.
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
    """Return the JSON Schema of an ``"experiment"``, of a .runx file, ``"runx"``, or of runs as
    ``--json`` prints them, ``"status"``.

    >>> schema("runx")["title"]
    'runx: .runx'
    """
    from runx.config.schema import FILES
    from runx.config.schema import schema as schema_of
    from runx.nearest import suggestion

    if of not in FILES:
        raise SettingsError(f"there is no schema of {of}; {suggestion(of, FILES)}")
    return schema_of(of)


def convert(file: str | Path) -> Conversion:
    """Return a sweep or script of another tool as an ``experiment`` and a ``runx_file``, as YAML.

    ``lost`` and ``warnings`` say what it doesn't have of the other, and what to look at.

    Raises:
        SettingsError: The file is no tool's that can be imported.
    """
    from runx.importers.registry import convert as converted

    return converted(Path(file))


def logroot_of(logroot: str | Path | None, config: Path | None = None) -> Path:
    """Return the folder of the experiments: the one given, else LOGROOT of the environment, or of
    ``config``, the file read instead of .runx.
    """
    if logroot:
        return expanded(str(logroot))
    from runx.config.every_source import logroot as configured

    return configured(Path.cwd(), os.environ, config)
