"""Code that is frozen, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runx.staging.listing import LeftOut
from runx.staging.manifests import Manifest
from runx.staging.weighing import largest


@dataclass(frozen=True)
class Frozen:
    """Code as a launch found it: never changed, shared by the runs that are made from it.

    ``dir`` is the tree itself, ``commit`` where it was taken from git rather than the worktree.
    With CODE_STAGING none, ``dir`` is the project and nothing is frozen.
    """

    digest: str
    dir: Path
    manifest: Manifest = field(default_factory=Manifest)
    left_out: LeftOut = field(default_factory=LeftOut)
    reused: bool = False
    warnings: tuple[str, ...] = ()
    commit: str = ""

    @property
    def files(self) -> int:
        """How many files there are, links to elsewhere not counted."""
        return len(self.manifest.files)

    @property
    def bytes(self) -> int:
        """How much is in them."""
        return sum(file.size for file in self.manifest.files)

    @property
    def largest(self) -> tuple[tuple[str, int], ...]:
        """The largest files and folders, none within another."""
        return largest({file.path: file.size for file in self.manifest.files})
