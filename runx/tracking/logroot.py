"""The directory that logx logs to: given, set by the launcher, or a new one under LOGROOT."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runx.errors import LogxError
from runx.home import MACHINE_FILE, expanded
from runx.rundir.ranks import rank_of
from runx.tracking.plain import path_of
from runx.tracking.ranks import from_rank0, group

BY_HAND = "by-hand"
"""The folder under LOGROOT with the runs that nobody launched, of scripts with config=."""


def choose_logdir(logdir: Any, coolname: bool, rank: int, by_hand: bool = False) -> str:
    """Return the directory to log to: the given one, the launcher's, or one under LOGROOT.

    ``by_hand``: without another one, make a new one under LOGROOT/by-hand.
    """
    given = "" if logdir is None else path_of(logdir, "logdir=")
    if path := given or os.environ.get("RUNX_LOGDIR"):
        return path
    root = logroot(Path.cwd())
    if by_hand and not coolname:
        root = root / BY_HAND
        if rank_of(os.environ).size > 1 and group() is None:
            return str(root / shared_name(os.environ))
    elif not coolname:
        return str(root / "default")
    # Rank 0 draws the name; without torch.distributed the other ranks write nothing.
    return from_rank0(str(unique(root, slug)) if rank == 0 else str(root))


def shared_name(environment: Mapping[str, str]) -> str:
    """Return a name that all ranks of a start have in common, by what their launcher has set.

    >>> shared_name({"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"})
    'ranks-8035fe5e'
    """
    from hashlib import sha256

    names = ("SLURM_JOB_ID", "SLURM_STEP_ID", "TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT")
    common = [environment.get(name, "") for name in names]
    is_spread = environment.get("LOCAL_WORLD_SIZE") != environment.get("WORLD_SIZE")
    if not common[1] and not is_spread:
        common.append(str(os.getppid()))  # torchrun and mpirun start the ranks of a machine
    return f"ranks-{sha256(repr(common).encode()).hexdigest()[:8]}"


TRIES = 100
"""How many random names are tried."""


def logroot(cwd: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return LOGROOT by the environment, the nearest .runx, the user's file or the machine's.

    Else it is ./runs.

    >>> logroot(Path("/"), {"RUNX_LOGROOT": "/logs"})
    PosixPath('/logs')
    """
    if environment.get("RUNX_LOGROOT"):
        return _absolute(environment["RUNX_LOGROOT"], cwd)
    user = expanded(environment.get("XDG_CONFIG_HOME") or "~/.config")
    project = (folder / ".runx" for folder in (cwd, *cwd.parents))
    for path in (*project, user / "runx.yml", MACHINE_FILE):
        if path.is_file() and (root := _logroot_in(path)):
            return _absolute(root, path.parent)
    return cwd / "runs"


def _logroot_in(path: Path) -> str:
    """Return the LOGROOT in a settings file, an empty string without one."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LogxError(f"{path}: can't be read: {error}") from error
    root = content.get("LOGROOT") if isinstance(content, dict) else None
    return str(root) if root else ""


def _absolute(text: str, base: Path) -> Path:
    return base / expanded(os.path.expandvars(text))


def unique(root: Path, new_name: Callable[[int], str]) -> Path:
    """Create a directory under root with a new random name and return it."""
    root.mkdir(parents=True, exist_ok=True)
    for tries in range(TRIES):
        path = root / new_name(4 if tries else 2)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise LogxError(f"{root}: {TRIES} random names are all taken; give initialize(logdir=...)")


def slug(words: int) -> str:
    """Return a random name of that many words, such as ``wise-owl`` for two."""
    from coolname import generate_slug

    return str(generate_slug(words))
