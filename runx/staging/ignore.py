"""The rules by which files of a project are left out: patterns, LOGROOT, and what git ignores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from runx.errors import StagingError
from runx.staging import git

ALWAYS = (".git", "__pycache__", "*.pth")
"""Patterns that apply whatever CODE_IGNORE_PATTERNS has: history, byte code, checkpoints."""

ENVIRONMENT = "virtual environment"
LOGS = "logs of runx"
GITIGNORED = "git"
"""Reasons other than a pattern."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The compiled rules of a project.

    ``ignored`` are the paths that git ignores; it grows as checkouts in the checkout are met.
    """

    excluded: frozenset[str]
    names: re.Pattern[str]
    paths: re.Pattern[str] | None
    patterns: tuple[str, ...]
    ignored: set[str]
    gitignore: bool

    def reason(self, path: str, name: str, absolute: str) -> str | None:
        """Return why an entry is left out (a pattern, LOGS or GITIGNORED), or None."""
        if absolute in self.excluded:
            return LOGS
        if self.names.match(name) or (self.paths and self.paths.match(path)):
            return next(pattern for pattern in self.patterns if _matches(pattern, path, name))
        return GITIGNORED if path in self.ignored else None

    def reason_for_folder(self, names: frozenset[str]) -> str | None:
        """Return why a folder with these entries is left out, or None."""
        if "pyvenv.cfg" in names or "conda-meta" in names:
            return ENVIRONMENT
        return LOGS if names >= {"run.json", "run.sh", "attempts"} else None

    def enter(self, path: str, absolute: str, names: frozenset[str]) -> None:
        """Add what git ignores in a folder below the root, if that is a checkout of its own."""
        if path and self.gitignore and ".git" in names:
            self.ignored.update(
                f"{path}/{name}" for name in _without_slash(git.ignored(Path(absolute)))
            )


def ignore_rules(
    root: Path, ignore: Iterable[str], exclude: Iterable[Path], gitignore: bool
) -> tuple[IgnoreRules, str | None]:
    """Return the rules for a root, and a warning where git's can't be read."""
    patterns = tuple(
        dict.fromkeys(_normalized(pattern) for pattern in (*ALWAYS, *ignore) if pattern)
    )
    deep = [pattern for pattern in patterns if "/" in pattern]
    # Where a path leads, and where it lies: LOGROOT may be a link in the project.
    places = [(path.resolve(), path.parent.resolve() / path.name) for path in exclude]
    excluded = [place for both in places for place in both]
    ignored, warning = _gitignored(root, excluded) if gitignore else (None, None)
    rules = IgnoreRules(
        excluded=frozenset(map(str, excluded)),
        names=_any(pattern for pattern in patterns if "/" not in pattern),
        paths=_any(pattern.lstrip("/") for pattern in deep) if deep else None,
        patterns=patterns,
        ignored=ignored or set(),
        gitignore=ignored is not None,
    )
    return rules, warning


def _gitignored(root: Path, excluded: Sequence[Path]) -> tuple[set[str] | None, str | None]:
    """Return the paths that git ignores, or None and, in a checkout, a warning."""
    if not git.is_checkout(root):
        return None, None
    try:
        ignored = set(_without_slash(git.ignored(root, excluded)))
    except StagingError as error:
        return None, git.git_problem(root) or f"{error}"
    if "." in ignored:
        return None, f"{root}: git ignores the project itself; what git ignores is frozen too"
    return ignored, None


def _normalized(pattern: str) -> str:
    """Return a pattern as it is compared: ``./data/`` is ``data``."""
    return pattern.strip().removeprefix("./").rstrip("/")


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


def _matches(pattern: str, path: str, name: str) -> bool:
    """Return whether a pattern matches: the path where it has a slash, else the name."""
    compared = path if "/" in pattern else name
    return re.match(translate(pattern.lstrip("/")), compared) is not None


def _without_slash(paths: Iterable[str]) -> Iterable[str]:
    return (path.rstrip("/") for path in paths)
