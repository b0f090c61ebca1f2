"""The git checkout of a project, by git's own commands; its index and objects stay untouched."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import StagingError
from runx.processes import CommandNotFound, Environment, Finished, run_command

UNTRACKED_LIMIT = 10_000_000
"""Untracked files above this many bytes are named in a diff, not contained in it."""

_SUBMODULE = "160000"  # the mode of a submodule in `git ls-files --stage`

# A hook or an alias that started us may point git elsewhere than to the folder of the command.
_ENVIRONMENT: dict[str, str | None] = {
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
    "GIT_PREFIX": None,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitState(NamedTuple):
    """The state of a checkout: no ``commit`` before the first, no ``branch`` when detached."""

    commit: str
    branch: str
    dirty: bool
    remote: str


def is_checkout(root: Path) -> bool:
    """Return whether a folder lies in a git checkout, without running git."""
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def git_state(root: Path, exclude: Sequence[Path] = ()) -> GitState | None:
    """Return commit, branch, remote and whether what lies in root differs from the commit.

    Untracked files count, unless git ignores them or they lie in ``exclude``. None where there
    is no checkout, no git, or git refuses (``git_problem`` returns why).
    """
    arguments = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]
    status = _git(root, [*arguments, "--", *_pathspec(root, exclude)])
    if status is None or status.status != 0:
        return None
    lines = status.output.split("\0")
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    commit, branch = head.get("branch.oid", ""), head.get("branch.head", "")
    return GitState(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        dirty=any(line and not line.startswith("# ") for line in lines),
        remote=_remote(root, branch),
    )


def changes(root: Path, exclude: Sequence[Path] = ()) -> list[str]:
    """Return what is not committed in root, a line each as `git status --short` has it."""
    arguments = ["status", "--short", "--untracked-files=all", "--", *_pathspec(root, exclude)]
    return _output(root, arguments).splitlines()


def commit(root: Path, exclude: Sequence[Path], message: str) -> None:
    """Commit what is not committed in root, and nothing else, as `git commit` does it.

    Raises:
        StagingError: Git, or a hook, refuses; what was staged and what wasn't is as before.
    """
    paths = ["--", *_pathspec(root, exclude)]
    listing = ["ls-files", "--others", "--exclude-standard", "-z", *paths]
    new = _output(root, listing).split("\0")[:-1]
    # A commit of paths alone takes new files only where git knows that they are to be added.
    _output(root, ["add", "--intent-to-add", "--ignore-removal", *paths])
    try:
        _output(root, ["commit", "--quiet", "--message", message, *paths])
    except BaseException:  # a person may interrupt a hook
        names = "".join(f"{name}\0" for name in new)
        _output(root, ["update-index", "--force-remove", "-z", "--stdin"], stdin=names)
        raise


def git_problem(root: Path) -> str | None:
    """Return in one line why git can't be used in a checkout, or None where it can."""
    if not is_checkout(root):
        return None
    result = _git(root, ["rev-parse", "--git-dir"])
    if result is None:
        return f"{root}: a git checkout, but there is no git here: its state is not recorded"
    if result.status == 0:
        return None
    first = next(iter(result.errors.strip().splitlines()), "")
    remedy = f"; git config --global --add safe.directory {root}" if "dubious" in first else ""
    return f"{root}: the state of git is not recorded: {first.removeprefix('fatal: ')}{remedy}"


def diff(root: Path, exclude: Sequence[Path] = ()) -> str:
    """Return a patch from the commit to what lies in root, new files included, for `git apply`.

    Untracked files above UNTRACKED_LIMIT are named in lines before the patch.
    """
    from tempfile import TemporaryDirectory

    paths = _git(root, ["rev-parse", "--git-path", "index", "--git-path", "objects"])
    if paths is None or paths.status != 0:
        return ""
    index, objects = (root / line for line in paths.output.splitlines())
    pathspec = _pathspec(root, exclude)
    too_large = _large_untracked(root, pathspec)
    # Intent to add, in a copy of the index: git then compares new files as it does others.
    with TemporaryDirectory(prefix="runx-") as folder:
        copy = Path(folder) / "index"
        if index.exists():
            copy.write_bytes(index.read_bytes())
        environment: dict[str, str | None] = {
            "GIT_INDEX_FILE": str(copy),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        without = [f":(exclude,literal){name}" for name in too_large]
        _git(root, ["add", "-N", "--ignore-errors", "--", *pathspec, *without], environment)
        flags = ["--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"]
        flags += ["--src-prefix=a/", "--dst-prefix=b/"]
        patch = _output(root, ["diff", *flags, _base(root), "--", *pathspec], environment)
    return "".join(f"Left out, too large: {name}\n" for name in too_large) + patch


def ignored(folder: Path, exclude: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return what git ignores below a folder: paths relative to it, folders with a slash.

    Raises:
        StagingError: Git is missing or fails.
    """
    arguments = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    arguments += ["--", *_pathspec(folder, exclude)]
    return tuple(_output(folder, arguments).split("\0")[:-1])


def commit_of(root: Path, revision: str) -> str:
    """Return the commit of a revision.

    Raises:
        StagingError: There is no checkout, no git or no such revision.
    """
    if not is_checkout(root):
        raise StagingError(
            f"{root}: CODE_FROM: {revision} needs a git checkout; CODE_FROM: worktree takes any"
        )
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    result = _git(root, arguments)
    if result is None:
        raise StagingError(f"{root}: CODE_FROM: {revision} needs git; install it")
    if result.status != 0:
        raise StagingError(
            f"{root}: CODE_FROM: git knows no revision {revision}: "
            f"{result.errors.strip() or '`git log --all --oneline` lists what there is'}"
        )
    return result.output.strip()


def blobs(root: Path, revision: str, name: str) -> list[str]:
    """Return the objects that a file, or the files of a folder, are in a revision; none without."""
    listed = _git(root, ["ls-tree", "-r", "--full-name", revision, "--", name])
    return sorted(listed.output.splitlines()) if listed and listed.status == 0 else []


def prefix(root: Path) -> str:
    """Return the path of a folder within its checkout: empty, or with a slash at the end."""
    return _output(root, ["rev-parse", "--show-prefix"]).removesuffix("\n")


def check_out(root: Path, commit: str, into: Path) -> tuple[str, ...]:
    """Write what a commit has below root to a new folder, as git writes it to a worktree.

    Return the names of submodules, which are not written.
    """
    from tempfile import TemporaryDirectory

    into.mkdir()
    with TemporaryDirectory(prefix="runx-") as folder:
        environment: dict[str, str | None] = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _output(root, ["read-tree", commit], environment)
        lines = _output(root, ["ls-files", "--stage", "-z", "--", "."], environment).split("\0")
        staged = [line.split("\t", 1) for line in lines[:-1]]
        names = [name for mode, name in staged if not mode.startswith(_SUBMODULE)]
        arguments = ["checkout-index", "--force", f"--prefix={into}/", "-z", "--stdin"]
        _output(root, arguments, environment, "".join(f"{name}\0" for name in names))
    return tuple(name for mode, name in staged if mode.startswith(_SUBMODULE))


def _output(
    root: Path, arguments: Sequence[str], environment: Environment | None = None, stdin: str = ""
) -> str:
    """Return the output of a git command. Raises StagingError where git is missing or fails."""
    result = _git(root, arguments, environment, stdin)
    if result is None:
        raise StagingError(f"{root}: a git checkout, but there is no git here; install it")
    if result.status != 0:
        raise StagingError(f"{root}: git {arguments[0]} failed: {result.last_line}")
    return result.output


def _git(
    root: Path, arguments: Sequence[str], environment: Environment | None = None, stdin: str = ""
) -> Finished | None:
    """Run git in a folder; None where there is no git."""
    environment = {**_ENVIRONMENT, **(environment or {})}
    try:
        return run_command(["git", *arguments], cwd=root, environment=environment, stdin=stdin)
    except CommandNotFound:
        return None


def _pathspec(root: Path, exclude: Sequence[Path]) -> list[str]:
    """Return the pathspec of root without the excluded paths in it."""
    real = root.resolve()
    paths = [path.parent.resolve() / path.name for path in exclude]
    inside = [path.relative_to(real) for path in paths if real in path.parents]
    return [".", *(f":(exclude,literal){path}" for path in inside)]


def _large_untracked(root: Path, pathspec: Sequence[str]) -> list[str]:
    """Return the names of untracked files above UNTRACKED_LIMIT."""
    arguments = ["ls-files", "--others", "--exclude-standard", "-z", "--", *pathspec]
    names = _output(root, arguments).split("\0")[:-1]
    return [name for name in names if _size(root / name) > UNTRACKED_LIMIT]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _base(root: Path) -> str:
    """Return what a patch starts from: HEAD, or the empty tree before the first commit."""
    head = _git(root, ["rev-parse", "--verify", "--quiet", "HEAD"])
    if head is not None and head.status == 0:
        return "HEAD"
    return _output(root, ["hash-object", "-t", "tree", os.devnull]).strip()


def _remote(root: Path, branch: str) -> str:
    """Return the URL of a branch's remote, or of origin, without credentials.

    One command reads the names and URLs of all: a process costs more than a longer output.
    """
    result = _git(root, ["config", "-z", "--get-regexp", r"^(branch|remote)\..*\.(remote|url)$"])
    lines = result.output.split("\0")[:-1] if result is not None else []
    settings = dict(line.split("\n", 1) for line in lines if "\n" in line)
    name = settings.get(f"branch.{branch}.remote", "origin")
    return without_credentials(settings.get(f"remote.{name}.url", ""))


def without_credentials(url: str) -> str:
    """Return a URL without user and password; ssh keeps the user, which it needs.

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
