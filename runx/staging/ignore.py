"""What of a project is left out, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from runx.errors import StagingError
from runx.staging import git

ALWAYS = (".git", "__pycache__", "*.pth")
"""Left out whatever CODE_IGNORE_PATTERNS says: history, byte code, checkpoints."""


ENVIRONMENT = "virtual environment"


LOGS = "logs of runx"


GITIGNORED = "git"


@dataclass(frozen=True, slots=True)
class Sieve:
    """Says of each name whether it is left out.

    ``ignored`` are the paths that git ignores; it grows as checkouts in the checkout are met.
    """

    excluded: frozenset[str]
    names: re.Pattern[str]
    paths: re.Pattern[str] | None
    patterns: tuple[str, ...]
    ignored: set[str]
    gitignore: bool

    def reason(self, path: str, name: str, absolute: str) -> str | None:
        """Name the reason why an entry is left out: a pattern, LOGS or GITIGNORED."""
        if absolute in self.excluded:
            return LOGS
        if self.names.match(name) or (self.paths and self.paths.match(path)):
            return next(pattern for pattern in self.patterns if _matches(pattern, path, name))
        return GITIGNORED if path in self.ignored else None

    def reason_for_folder(self, names: frozenset[str]) -> str | None:
        """Name the reason why a folder is left out, by the names of what lies in it."""
        if "pyvenv.cfg" in names or "conda-meta" in names:
            return ENVIRONMENT
        return LOGS if names >= {"run.json", "run.sh", "attempts"} else None

    def enter(self, path: str, absolute: str, names: frozenset[str]) -> None:
        """Learn what git ignores in a checkout of its own that lies below the root."""
        if path and self.gitignore and ".git" in names:
            self.ignored.update(
                f"{path}/{name}" for name in _without_slash(git.ignored(Path(absolute)))
            )


def sieve(
    root: Path, ignore: Iterable[str], exclude: Iterable[Path], gitignore: bool
) -> tuple[Sieve, str | None]:
    """Make the sieve for a root, and a warning where git can't say what it ignores."""
    patterns = tuple(dict.fromkeys(_plain(pattern) for pattern in (*ALWAYS, *ignore) if pattern))
    deep = [pattern for pattern in patterns if "/" in pattern]
    # Where a path leads, and where it lies: LOGROOT may be a link in the project.
    places = [(path.resolve(), path.parent.resolve() / path.name) for path in exclude]
    excluded = [place for both in places for place in both]
    ignored, warning = _ignored(root, excluded) if gitignore else (None, None)
    made = Sieve(
        excluded=frozenset(map(str, excluded)),
        names=_any(pattern for pattern in patterns if "/" not in pattern),
        paths=_any(pattern.lstrip("/") for pattern in deep) if deep else None,
        patterns=patterns,
        ignored=ignored or set(),
        gitignore=ignored is not None,
    )
    return made, warning


def _ignored(root: Path, excluded: Sequence[Path]) -> tuple[set[str] | None, str | None]:
    """Ask git what it ignores; None and mostly a warning where there is nothing to go by."""
    if not git.is_checkout(root):
        return None, None
    try:
        ignored = set(_without_slash(git.ignored(root, excluded)))
    except StagingError as error:
        return None, git.trouble(root) or f"{error}"
    if "." in ignored:
        return None, f"{root}: git ignores the project itself; what git ignores is frozen too"
    return ignored, None


def _plain(pattern: str) -> str:
    """Write a pattern as it is compared: ``./data/`` is ``data``."""
    return pattern.strip().removeprefix("./").rstrip("/")


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


def _matches(pattern: str, path: str, name: str) -> bool:
    """Compare one pattern: with the path where it has a slash, else with the name."""
    compared = path if "/" in pattern else name
    return re.match(translate(pattern.lstrip("/")), compared) is not None


def _without_slash(paths: Iterable[str]) -> Iterable[str]:
    return (path.rstrip("/") for path in paths)
