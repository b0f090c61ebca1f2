from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runx
from runx.errors import StagingError
from runx.staging import copying, index
from runx.staging.freeze import freeze
from runx.staging.materialize import stage
from runx.staging.store import FreezeRules, FrozenCode, StagingMethod, changed_files, read_manifest


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, by name."""
    names: list[str] = []
    read = copying.read_steadily

    def counted(source: str, sink: int | None = None) -> object:
        names.append(os.path.basename(source))
        return read(source, sink)

    monkeypatch.setattr("runx.staging.freeze.read_steadily", counted)
    monkeypatch.setattr("runx.staging.copying.read_steadily", counted)
    return names


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every stamp as settled, so that no test has to wait."""
    monkeypatch.setattr(index, "is_settled", lambda stamp, since: True)


def trees(store: Path) -> list[str]:
    paths = [*store.iterdir()] if store.exists() else []
    return sorted(path.name for path in paths if path.is_dir() and path.name[0] != ".")


def test_a_file_that_cant_be_read_is_named_with_the_remedy(
    public: Path, as_ordinary_user: Callable[[Callable[[], None]], None]
):
    def refused() -> None:
        (public / "code").mkdir()
        (public / "code" / "secret").write_text("x")
        (public / "code" / "secret").chmod(0)
        with pytest.raises(StagingError, match=r"secret: can't be read; .* CODE_IGNORE_PATTERNS"):
            freeze(FreezeRules(public / "code"), public / "store")
        assert freeze(FreezeRules(public / "code", ignore=("secret",)), public / "store").files == 0

    as_ordinary_user(refused)


def test_a_store_that_cant_be_written_is_named(project: Path, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StagingError, match=r"file/store.*: can't freeze the code: Not a directory"):
        freeze(FreezeRules(project), tmp_path / "file" / "store")


def test_a_project_that_is_not_there_is_named(store: Path, tmp_path: Path):
    with pytest.raises(StagingError, match="gone: can't freeze the code: No such file"):
        freeze(FreezeRules(tmp_path / "gone"), store)


def test_a_file_that_changes_all_the_time_is_named(
    project: Path, store: Path, monkeypatch: pytest.MonkeyPatch
):
    copy_and_digest = copying._copy_and_digest

    def read_and_edit(origin: int, sink: int | None) -> str:
        with (project / "train.py").open("a") as file:
            file.write("x")
        return copy_and_digest(origin, sink)

    monkeypatch.setattr(copying, "_copy_and_digest", read_and_edit)
    with pytest.raises(StagingError, match=r"train\.py: changes while it is being frozen; wait"):
        freeze(FreezeRules(project, ignore=("net", "tool.sh")), store)
    assert trees(store) == []
    assert not list((store / ".making").iterdir())


def test_a_file_that_changes_while_it_is_copied_is_copied_again(
    project: Path, store: Path, monkeypatch: pytest.MonkeyPatch
):
    copy_and_digest, edits = copying._copy_and_digest, iter(["lr = 1\n", "lr = 22\n"])

    def read_and_edit(origin: int, sink: int | None) -> str:
        content = copy_and_digest(origin, sink)
        text = next(edits, None) if sink is not None else None
        if text is not None:
            (project / "train.py").write_text(text)
        return content

    monkeypatch.setattr(copying, "_copy_and_digest", read_and_edit)
    frozen = freeze(FreezeRules(project, ignore=("net", "tool.sh")), store)
    assert (frozen.dir / "train.py").read_text() == "lr = 22\n"
    assert trees(store) == [frozen.digest]
    monkeypatch.undo()
    second = freeze(FreezeRules(project, ignore=("net", "tool.sh")), store)
    assert second.digest == frozen.digest and second.reused


def test_a_file_that_vanishes_meanwhile_was_never_there(
    project: Path, store: Path, monkeypatch: pytest.MonkeyPatch
):
    (project / ".train.py.swp").write_text("x")
    walk = sys.modules["runx.staging.freeze"].walk  # type: ignore[attr-defined]

    def walked(*given: object) -> object:
        listing = walk(*given)
        (project / ".train.py.swp").unlink()
        return listing

    monkeypatch.setattr("runx.staging.freeze.walk", walked)
    frozen = freeze(FreezeRules(project), store)
    assert frozen.files == 3
    assert not (frozen.dir / ".train.py.swp").exists()


def test_the_same_content_is_frozen_once(project: Path, store: Path):
    first = freeze(FreezeRules(project), store)
    (project / "train.py").touch()
    second = freeze(FreezeRules(project), store)
    assert (first.reused, second.reused) == (False, True)
    assert first.dir == second.dir
    assert trees(store) == [first.digest]


@pytest.mark.usefixtures("at_once")
def test_unchanged_code_is_found_without_reading_it(project: Path, store: Path, reads: list[str]):
    freeze(FreezeRules(project), store)
    reads.clear()
    assert freeze(FreezeRules(project), store).reused
    assert reads == []


@pytest.mark.usefixtures("at_once")
def test_of_changed_code_only_the_changed_files_are_read_and_copied(
    project: Path, store: Path, reads: list[str]
):
    first = freeze(FreezeRules(project), store)
    reads.clear()
    (project / "train.py").write_text("import net, os\n")
    (project / "net" / "__init__.py").rename(project / "net" / "wide.py")
    second = freeze(FreezeRules(project), store)
    assert set(reads) == {"train.py", "wide.py"}
    assert reads.count("wide.py") == 1
    assert (first.dir / "train.py").read_text() == "import net\n"
    assert (second.dir / "train.py").read_text() == "import net, os\n"
    assert (second.dir / "tool.sh").samefile(first.dir / "tool.sh")
    assert (second.dir / "net" / "wide.py").samefile(first.dir / "net" / "__init__.py")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 99}', '{"tree": 1, "files": 2}'])
def test_an_index_that_cant_be_read_costs_only_time(project: Path, store: Path, damage: str):
    first = freeze(FreezeRules(project), store)
    (store / "index.json").write_text(damage)
    assert freeze(FreezeRules(project), store).dir == first.dir


def test_a_file_edited_just_before_is_read_again(project: Path, store: Path, reads: list[str]):
    freeze(FreezeRules(project), store)
    reads.clear()
    freeze(FreezeRules(project), store)
    assert "train.py" in reads


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("what", ["exec", "link", "folder", "gone"])
def test_what_is_no_content_counts_too(project: Path, store: Path, what: str):
    (project / "link").symlink_to("train.py")
    first = freeze(FreezeRules(project), store)
    if what == "exec":
        (project / "train.py").chmod(0o755)
    elif what == "link":
        (project / "link").unlink()
        (project / "link").symlink_to("tool.sh")
    elif what == "folder":
        (project / "empty").mkdir()
    else:
        (project / "train.py").unlink()
    assert freeze(FreezeRules(project), store).digest != first.digest


def test_frozen_files_are_read_only_and_keep_their_time(project: Path, store: Path):
    os.utime(project / "train.py", (1, 1))
    frozen = freeze(FreezeRules(project), store)
    for file in frozen.manifest.files:
        mode = (frozen.dir / file.path).stat().st_mode
        assert not mode & 0o222
        assert bool(mode & 0o100) == (file.path == "tool.sh")
    assert (frozen.dir / "train.py").stat().st_mtime == 1


@pytest.mark.parametrize("damage", ["content", "mode", "gone", "manifest"])
def test_frozen_code_that_was_changed_is_reported_and_never_used_again(
    project: Path, store: Path, damage: str
):
    first = freeze(FreezeRules(project), store)
    victim = first.dir / "train.py"
    if damage == "content":
        victim.chmod(0o644)
        victim.write_text("import not\n")
        victim.chmod(0o444)
    elif damage == "mode":
        victim.chmod(0o644)
    elif damage == "gone":
        victim.unlink()
    else:
        (first.dir.parent / "manifest.json").write_text("{")
    second = freeze(FreezeRules(project), store)
    assert second.digest == first.digest
    assert second.dir == store / f"{first.digest}.2" / "tree"
    assert (second.dir / "train.py").read_text() == "import net\n"
    assert not second.reused
    (warning,) = second.warnings
    assert f"{first.digest}: frozen code was changed since: " in warning
    third = freeze(FreezeRules(project), store)
    assert (third.dir, third.reused, third.warnings) == (second.dir, True, ())


@pytest.mark.usefixtures("at_once")
def test_a_changed_frozen_file_is_not_passed_on_to_the_next_tree(project: Path, store: Path):
    first = freeze(FreezeRules(project), store)
    (first.dir / "tool.sh").chmod(0o755)
    (first.dir / "tool.sh").write_text("rm -rf /\n")
    (project / "train.py").write_text("import os\n")
    second = freeze(FreezeRules(project), store)
    assert (second.dir / "tool.sh").read_text() == "#!/bin/sh\necho hello\n"


def test_what_killed_launchers_left_is_thrown_away_after_a_day(project: Path, store: Path):
    left = store / ".making" / "1-0"
    left.mkdir(parents=True)
    (left / "x").write_text("x")
    young = store / ".making" / "2-0"
    young.mkdir()
    os.utime(left, (1, 1))
    freeze(FreezeRules(project), store)
    assert [path.name for path in (store / ".making").iterdir()] == ["2-0"]


def test_logs_within_the_project_are_not_frozen(project: Path):
    store = project / "runs" / "sweep" / ".runx" / "code"
    first = freeze(FreezeRules(project, exclude=(project / "runs",)), store)
    (project / "runs" / "sweep" / "wise-owl").mkdir()
    second = freeze(FreezeRules(project, exclude=(project / "runs",)), store)
    assert first.files == 3
    assert second.digest == first.digest


def test_the_experiment_may_lie_in_the_project_itself(project: Path):
    store = project / "sweep" / ".runx" / "code"
    first = freeze(FreezeRules(project, exclude=(project,)), store)
    assert freeze(FreezeRules(project, exclude=(project,)), store).digest == first.digest
    assert first.files == 3


def test_with_mode_none_nothing_is_frozen(project: Path, store: Path):
    frozen = freeze(FreezeRules(project, mode="none"), store)
    assert (frozen.digest, frozen.dir, frozen.files) == ("", project, 0)
    assert not store.exists()


def test_a_project_that_is_reached_through_a_link_is_the_same(project: Path, store: Path):
    (project.parent / "alias").symlink_to(project)
    first = freeze(FreezeRules(project), store)
    assert freeze(FreezeRules(project.parent / "alias"), store).dir == first.dir


# --- several at once, and killed ones -------------------------------------------------------------

FREEZE = """
import sys
from pathlib import Path
from runx.staging.store import FreezeRules
from runx.staging.freeze import freeze
print("ready", flush=True)
sys.stdin.readline()
frozen = freeze(FreezeRules(Path(sys.argv[1])), Path(sys.argv[2]))
print(frozen.dir, frozen.files, flush=True)
"""


def freezer(project: Path, store: Path) -> subprocess.Popen[str]:
    """Start a process that freezes the project as soon as it gets a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", FREEZE, str(project), str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(runx.__file__).parent.parent,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def many_files(project: Path, count: int) -> None:
    for number in range(count):
        folder = project / f"part{number % 7}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.py").write_text(f"number = {number}\n" * 50)


def test_launchers_that_freeze_at_once_agree(project: Path, store: Path):
    many_files(project, 200)
    launchers = [freezer(project, store) for _ in range(4)]
    for launcher in launchers:
        assert launcher.stdin
        launcher.stdin.write("\n")
        launcher.stdin.flush()
    outputs = [launcher.communicate(timeout=120)[0] for launcher in launchers]
    assert [launcher.returncode for launcher in launchers] == [0] * 4
    (tree,) = trees(store)
    assert outputs == [f"{store / tree / 'tree'} 203\n"] * 4
    assert not list((store / ".making").iterdir())
    assert changed_files(str(store / tree), read_manifest(str(store / tree))) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
def test_a_killed_launcher_leaves_nothing_that_looks_complete(
    project: Path, store: Path, share: float
):
    many_files(project, 200)
    launcher = freezer(project, store)
    assert launcher.stdin
    launcher.stdin.write("\n")
    launcher.stdin.flush()
    with contextlib.suppress(FileNotFoundError):  # It is being moved into its place.
        while launcher.poll() is None and len(list((store / ".making").glob("*/tree/*/*"))) < (
            200 * share
        ):
            time.sleep(0.001)
    launcher.send_signal(signal.SIGKILL)
    launcher.communicate()
    for tree in trees(store):
        folder = str(store / tree)
        assert changed_files(folder, read_manifest(folder)) == []
    frozen = freeze(FreezeRules(project), store)
    assert frozen.files == 203
    assert frozen.warnings == ()
    assert content(frozen.dir, 0o555) == content(project, 0o555)


def test_files_edited_while_they_are_frozen_are_complete_in_each_tree(project: Path, store: Path):
    many_files(project, 60)
    stop = threading.Event()

    def edit() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            beside = project / "train.py.new"
            beside.write_text(f"{number}\n" * 1000)
            beside.replace(project / "train.py")
            time.sleep(0.001)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        trees_made = [freeze(FreezeRules(project), store) for _ in range(5)]
    finally:
        stop.set()
        editor.join()
    for frozen in trees_made:
        lines = (frozen.dir / "train.py").read_text().splitlines()
        assert len(lines) in (1, 1000)
        assert len(set(lines)) == 1
        assert changed_files(str(frozen.dir.parent), frozen.manifest) == []


# --- the law: what is frozen and staged reads back equal ------------------------------------------

names = st.binary(min_size=1, max_size=8).filter(
    lambda name: not {*name} & {0, 47} and name not in (b".", b"..", b".git", b".runx")
)
leaves = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=50), st.sampled_from([0o644, 0o755, 0o600])),
    st.tuples(st.just("link"), names, st.just(0)),
)
folders = st.recursive(
    st.dictionaries(names, leaves, max_size=3),
    lambda inner: st.dictionaries(names, st.one_of(leaves, inner), max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(
    tree=folders,
    method=st.sampled_from([StagingMethod.LINK, StagingMethod.COPY, StagingMethod.REFLINK]),
)
def test_a_tree_reads_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[bytes, object], method: StagingMethod
):
    folder = tmp_path_factory.mktemp("law")
    root = folder / "project"
    build(os.fsencode(root), tree)
    frozen = freeze(FreezeRules(root, ignore=()), folder / "store")
    for number in range(2):
        stage(frozen, folder / f"run{number}", method)
        mask = 0o555 if method is StagingMethod.LINK else 0o777
        assert content(folder / f"run{number}", mask) == content(root, mask)
    assert freeze(FreezeRules(root, ignore=()), folder / "store").dir == frozen.dir


def build(path: bytes, tree: dict[bytes, object]) -> None:
    os.mkdir(path)
    for name, leaf in tree.items():
        place = os.path.join(path, name)
        if isinstance(leaf, dict):
            build(place, leaf)
        else:
            kind, what, mode = leaf  # type: ignore[misc]
            if kind == "link":
                os.symlink(what, place)
            else:
                with open(place, "wb") as file:
                    file.write(what)
                os.chmod(place, mode)


def content(root: Path, mask: int) -> dict[bytes, object]:
    """Return the entries of a tree: names, permissions, bytes, targets of links."""
    entries: dict[bytes, object] = {}
    for folder, inner, files in os.walk(os.fsencode(root)):
        for name in (*inner, *files):
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            key = os.path.relpath(path, os.fsencode(root))
            if stat.S_ISLNK(mode):
                entries[key] = os.readlink(path)
            elif stat.S_ISDIR(mode):
                entries[key] = None
            else:
                with open(path, "rb") as file:
                    entries[key] = (mode & mask, file.read())
    return entries


def test_the_frozen_code_of_two_projects_is_kept_apart(project: Path, store: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "train.py").write_text("import other\n")
    made: list[FrozenCode] = [
        freeze(FreezeRules(root), store) for root in (project, other, project)
    ]
    assert made[0].dir == made[2].dir != made[1].dir
