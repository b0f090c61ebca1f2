"""Where a script logs to when nobody has told it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from runx.errors import LogxError

TRIES = 100


def logroot(here: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Find LOGROOT: the environment's, the nearest .runx file's, the user's, else ./runs.

    >>> logroot(Path("/"), {"RUNX_LOGROOT": "/logs"})
    PosixPath('/logs')
    """
    if environment.get("RUNX_LOGROOT"):
        return _absolute(environment["RUNX_LOGROOT"], here)
    own = Path(environment.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    for path in (*(folder / ".runx" for folder in (here, *here.parents)), own / "runx.yml"):
        if path.is_file() and (root := _said_in(path)):
            return _absolute(root, path.parent)
    return here / "runs"


def _said_in(path: Path) -> str:
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LogxError(f"{path}: can't be read: {error}") from error
    root = content.get("LOGROOT") if isinstance(content, dict) else None
    return str(root) if root else ""


def _absolute(text: str, base: Path) -> Path:
    return base / Path(os.path.expandvars(text)).expanduser()


def unique(root: Path, new_name: Callable[[int], str]) -> Path:
    """Make a directory under root with a name that nobody else has; mkdir is the claim."""
    root.mkdir(parents=True, exist_ok=True)
    for attempt in range(TRIES):
        path = root / new_name(4 if attempt else 2)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise LogxError(f"{root}: {TRIES} random names are all taken; give initialize(logdir=...)")


def slug(words: int) -> str:
    """Make a random name that people can say."""
    from coolname import generate_slug

    return str(generate_slug(words))
