"""What is to be frozen, and how a run gets its own tree of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODES = ("auto", "link", "copy", "reflink", "none")
"""What CODE_STAGING may say."""

WORKTREE = "worktree"
"""What CODE_FROM says of code as it lies there; all else is a git revision."""


class Method(enum.Enum):
    """How a run's own working tree is made from frozen code."""

    LINK = "link"
    COPY = "copy"
    REFLINK = "reflink"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a folder is frozen.

    ``exclude`` are absolute paths that are never copied (LOGROOT), ``source`` is "worktree" or a
    git revision, ``files`` maps a name in the tree to a file from elsewhere.
    """

    root: Path
    ignore: tuple[str, ...] = (".git", "*.pyc", "__pycache__", "*.pth")
    gitignore: bool = True
    links: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    max_size: int = 1_000_000_000
    source: str = WORKTREE
    exclude: tuple[Path, ...] = ()
    mode: str = "auto"
