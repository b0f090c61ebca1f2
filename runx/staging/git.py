"""What git knows about a folder. The user's index and objects are never written to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import StagingError
from runx.processes import CommandNotFound, Environment, Finished, ran

UNTRACKED_LIMIT = 10_000_000
"""Untracked files above this many bytes are named in a diff, not contained in it."""


# A hook or an alias that started us may point git elsewhere than to the folder we ask about.
_PLAIN: dict[str, str | None] = {
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
    "GIT_PREFIX": None,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitState(NamedTuple):
    """Where a checkout stands. ``commit`` is empty before the first, ``branch`` when detached."""

    commit: str
    branch: str
    dirty: bool
    remote: str


def is_checkout(root: Path) -> bool:
    """Tell whether a folder lies in a git checkout, without asking git."""
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def state(root: Path, exclude: Sequence[Path] = ()) -> GitState | None:
    """Read commit, branch, remote and whether what lies in root differs from the commit.

    Untracked files count, unless git ignores them or they lie in ``exclude``. None where there
    is no checkout, no git, or git refuses (``trouble`` says why).
    """
    words = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]
    answer = asked(root, [*words, "--", *_pathspec(root, exclude)])
    if answer is None or answer.status != 0:
        return None
    head = dict(
        line[2:].split(" ", 1) for line in answer.output.split("\0") if line.startswith("# ")
    )
    commit, branch = head.get("branch.oid", ""), head.get("branch.head", "")
    return GitState(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        dirty=any(line and not line.startswith("# ") for line in answer.output.split("\0")),
        remote=_remote(root, branch),
    )


def trouble(root: Path) -> str | None:
    """Say why git won't speak about a checkout, on one line, or None where all is well."""
    if not is_checkout(root):
        return None
    answer = asked(root, ["rev-parse", "--git-dir"])
    if answer is None:
        return f"{root}: a git checkout, but there is no git here: its state is not recorded"
    if answer.status == 0:
        return None
    first = next(iter(answer.errors.strip().splitlines()), "")
    remedy = f"; git config --global --add safe.directory {root}" if "dubious" in first else ""
    return f"{root}: the state of git is not recorded: {first.removeprefix('fatal: ')}{remedy}"


def diff(root: Path, exclude: Sequence[Path] = ()) -> str:
    """Give a patch from the commit to what lies in root, new files included, as git applies it.

    Untracked files above UNTRACKED_LIMIT are named in lines before the patch.
    """
    from tempfile import TemporaryDirectory

    places = asked(root, ["rev-parse", "--git-path", "index", "--git-path", "objects"])
    if places is None or places.status != 0:
        return ""
    index, objects = (root / line for line in places.output.splitlines())
    pathspec = _pathspec(root, exclude)
    huge = _huge(root, pathspec)
    # Intent to add, in a copy of the index: git then compares new files as it does others.
    with TemporaryDirectory(prefix="runx-") as folder:
        copy = Path(folder) / "index"
        if index.exists():
            copy.write_bytes(index.read_bytes())
        apart: dict[str, str | None] = {
            "GIT_INDEX_FILE": str(copy),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        without = [f":(exclude,literal){name}" for name in huge]
        asked(root, ["add", "-N", "--ignore-errors", "--", *pathspec, *without], apart)
        plain = ["--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"]
        prefixes = ["--src-prefix=a/", "--dst-prefix=b/"]
        patch = answer_to(root, ["diff", *plain, *prefixes, _base(root), "--", *pathspec], apart)
    return "".join(f"Left out, too large: {name}\n" for name in huge) + patch


def ignored(folder: Path, exclude: Sequence[Path] = ()) -> tuple[str, ...]:
    """Name what git ignores below a folder: paths relative to it, folders with a slash.

    What is excluded git doesn't even look at. Raises StagingError where git can't say.
    """
    words = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    words += ["--", *_pathspec(folder, exclude)]
    return tuple(answer_to(folder, words).split("\0")[:-1])


def asked(
    root: Path, words: Sequence[str], environment: Environment | None = None, stdin: str = ""
) -> Finished | None:
    """Ask git in a folder; None where there is no git."""
    try:
        return ran(
            ["git", *words], cwd=root, environment={**_PLAIN, **(environment or {})}, stdin=stdin
        )
    except CommandNotFound:
        return None


def answer_to(
    root: Path, words: Sequence[str], environment: Environment | None = None, stdin: str = ""
) -> str:
    """Ask git what it must be able to answer."""
    answer = asked(root, words, environment, stdin)
    if answer is None:
        raise StagingError(f"{root}: a git checkout, but there is no git here; install it")
    if answer.status != 0:
        raise StagingError(f"{root}: git {words[0]} failed: {answer.complaint}")
    return answer.output


def _pathspec(root: Path, exclude: Sequence[Path]) -> list[str]:
    """Name root, and what lies in it that doesn't count, as git takes it."""
    real = root.resolve()
    paths = [path.parent.resolve() / path.name for path in exclude]
    inside = [path.relative_to(real) for path in paths if real in path.parents]
    return [".", *(f":(exclude,literal){path}" for path in inside)]


def _huge(root: Path, pathspec: Sequence[str]) -> list[str]:
    """Name the untracked files that are too large for a patch."""
    words = ["ls-files", "--others", "--exclude-standard", "-z", "--", *pathspec]
    names = answer_to(root, words).split("\0")[:-1]
    return [name for name in names if _size(root / name) > UNTRACKED_LIMIT]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _base(root: Path) -> str:
    """Name what a patch starts from: HEAD, or the empty tree before the first commit."""
    answer = asked(root, ["rev-parse", "--verify", "--quiet", "HEAD"])
    if answer is not None and answer.status == 0:
        return "HEAD"
    return answer_to(root, ["hash-object", "-t", "tree", os.devnull]).strip()


def _remote(root: Path, branch: str) -> str:
    """Find where a branch comes from, or else origin, without a password.

    The names of both are asked for at once: a process costs more than the answer.
    """
    answer = asked(root, ["config", "-z", "--get-regexp", r"^(branch|remote)\..*\.(remote|url)$"])
    settings = answer.output.split("\0")[:-1] if answer is not None else []
    known = dict(setting.split("\n", 1) for setting in settings if "\n" in setting)
    name = known.get(f"branch.{branch}.remote", "origin")
    return without_credentials(known.get(f"remote.{name}.url", ""))


def without_credentials(url: str) -> str:
    """Take user and password out of a URL; the user stays where ssh needs it.

    >>> without_credentials("https://me:secret@example.org/code.git")
    'https://example.org/code.git'
    >>> without_credentials("ssh://git:secret@example.org/code.git")
    'ssh://git@example.org/code.git'
    >>> without_credentials("git@example.org:code.git")
    'git@example.org:code.git'
    """
    if url.startswith("ssh://"):
        return re.sub(r"^(ssh://[^:@/]*):[^@/]*@", r"\1@", url)
    return re.sub(r"^([a-z+]+://)[^/]*@", r"\1", url)
