"""The project as it is in a commit, rather than as it lies there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runx.errors import StagingError
from runx.files import write_whole
from runx.staging import git
from runx.staging.manifests import TREE
from runx.staging.rules import WORKTREE, Rules
from runx.staging.storing import making

MODULES = "submodules"
SUBMODULE = "160000"


def source_of(rules: Rules, store: Path) -> tuple[Path, str, tuple[str, ...]]:
    """Find the folder that is to be frozen, the commit it is of, and what is to be said of it.

    A commit is written once, beside the frozen code, and from then on found by its name.
    """
    if rules.source == WORKTREE:
        return rules.root, "", ()
    commit = commit_of(rules.root, rules.source)
    prefix = git.answer_to(rules.root, ["rev-parse", "--show-prefix"]).removesuffix("\n")
    place = hashlib.blake2b(prefix.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    kept = store / f"from-{commit}-{place}"
    if not kept.exists():
        with making(str(store)) as folder:
            modules = check_out(rules.root, commit, Path(folder, TREE))
            write_whole(f"{folder}/{MODULES}", "\0".join(modules))
            _publish(Path(folder), kept)
    source = kept / TREE / prefix
    if not source.is_dir():
        raise StagingError(f"{rules.root}: CODE_FROM: there is nothing here in {rules.source}")
    left = (kept / MODULES).read_text(encoding="utf-8", errors="surrogateescape")
    said = f"CODE_FROM: {rules.source}: submodules are left out: {left.replace(chr(0), ', ')}"
    return source, commit, (said,) if left else ()


def _publish(folder: Path, kept: Path) -> None:
    """Rename a checkout into place, unless another launcher was faster."""
    try:
        folder.rename(kept)
    except OSError:
        if not kept.exists():
            raise


def commit_of(root: Path, revision: str) -> str:
    """Find the commit that a revision names, or say that there is none."""
    if not git.is_checkout(root):
        raise StagingError(
            f"{root}: CODE_FROM: {revision} needs a git checkout; CODE_FROM: worktree takes any"
        )
    words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    answer = git.asked(root, words)
    if answer is None:
        raise StagingError(f"{root}: CODE_FROM: {revision} needs git; install it")
    if answer.status != 0:
        raise StagingError(
            f"{root}: CODE_FROM: git knows no revision {revision}: "
            f"{answer.errors.strip() or '`git log --all --oneline` lists what there is'}"
        )
    return answer.output.strip()


def check_out(root: Path, commit: str, into: Path) -> tuple[str, ...]:
    """Write what lies in root in a commit to a new folder, as git would write it to the worktree.

    Names the submodules, which are not written.
    """
    from tempfile import TemporaryDirectory

    into.mkdir()
    with TemporaryDirectory(prefix="runx-") as folder:
        apart: dict[str, str | None] = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.answer_to(root, ["read-tree", commit], apart)
        listed = git.answer_to(root, ["ls-files", "--stage", "-z", "--", "."], apart)
        staged = [line.split("\t", 1) for line in listed.split("\0")[:-1]]
        names = [name for about, name in staged if not about.startswith(SUBMODULE)]
        words = ["checkout-index", "--force", f"--prefix={into}/", "-z", "--stdin"]
        git.answer_to(root, words, apart, "".join(f"{name}\0" for name in names))
    return tuple(name for about, name in staged if about.startswith(SUBMODULE))
