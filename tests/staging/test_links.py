from __future__ import annotations

import os
from pathlib import Path

import pytest

from runx.errors import StagingError
from runx.staging.freeze import freeze
from runx.staging.materialize import stage
from runx.staging.store import FreezeRules, StagingMethod


def staged(rules: FreezeRules, store: Path) -> Path:
    into = store.parent / "staged"
    stage(freeze(rules, store), into, StagingMethod.COPY)
    return into


@pytest.mark.parametrize("name", ["..", "../data", ".", "/etc", "a/../../b", ""])
@pytest.mark.parametrize("key", ["CODE_LINKS", "FILES"])
def test_names_outside_the_project_are_refused(project: Path, store: Path, key: str, name: str):
    links = (name,) if key == "CODE_LINKS" else ()
    files = {name: project / "train.py"} if key == "FILES" else {}
    with pytest.raises(StagingError, match=f"^{key}: .* is not a name within the project"):
        freeze(FreezeRules(project, links=links, files=files), store)


def test_a_link_to_nothing_names_what_is_near(project: Path, store: Path):
    with pytest.raises(StagingError, match=r"CODE_LINKS: there is no trian\.py; did you mean tr"):
        freeze(FreezeRules(project, links=("trian.py",)), store)
    with pytest.raises(StagingError, match=r"there is no data; make it, or take it out"):
        freeze(FreezeRules(project, links=("data",)), store)


def test_a_file_that_is_not_there_is_named(project: Path, store: Path):
    with pytest.raises(StagingError, match=r"FILES: my\.gin: .*/gone\.gin: No such file"):
        freeze(FreezeRules(project, files={"my.gin": project / "gone.gin"}), store)


def test_a_folder_is_no_file(project: Path, store: Path):
    with pytest.raises(StagingError, match="net is no file; FILES takes files"):
        freeze(FreezeRules(project, files={"my": project / "net"}), store)


def test_a_file_never_takes_the_place_of_a_folder(project: Path, store: Path):
    with pytest.raises(StagingError, match="FILES: net is a folder of the project"):
        freeze(FreezeRules(project, files={"net": project / "train.py"}), store)
    with pytest.raises(StagingError, match=r"FILES: train\.py/x: train\.py is no folder"):
        freeze(FreezeRules(project, files={"train.py/x": project / "tool.sh"}), store)
    both = {"a": project / "train.py", "a/b": project / "train.py"}
    with pytest.raises(StagingError, match="FILES: a/b and a can't both be there"):
        freeze(FreezeRules(project, files=both), store)


def test_a_file_never_goes_into_a_linked_folder(project: Path, store: Path):
    with pytest.raises(StagingError, match="FILES: net/x: net is no folder"):
        freeze(FreezeRules(project, links=("net",), files={"net/x": project / "train.py"}), store)


def test_linked_folders_lead_to_the_project_and_weigh_nothing(project: Path, store: Path):
    (project / "data").mkdir()
    (project / "data" / "big").write_bytes(b"x" * 2000)
    into = staged(FreezeRules(project, links=("./data/", "data/big"), max_size=1000), store)
    assert os.readlink(into / "data") == str(project / "data")


def test_a_link_is_there_although_patterns_or_git_would_leave_it_out(checkout: Path, store: Path):
    (checkout / ".gitignore").write_text("assets\n")
    (checkout / "assets" / "big").mkdir(parents=True)
    (checkout / "w.pth").write_text("x")
    into = staged(FreezeRules(checkout, links=("assets/big", "w.pth"), ignore=("assets",)), store)
    assert os.readlink(into / "assets" / "big") == str(checkout / "assets" / "big")
    assert os.readlink(into / "w.pth") == str(checkout / "w.pth")


def test_files_from_elsewhere_are_frozen_with_the_rest(project: Path, store: Path, tmp_path: Path):
    gin = tmp_path / "elsewhere.gin"
    gin.write_text("lr = 1")
    (tmp_path / "alias").symlink_to(gin)
    files = {"my.gin": gin, "deep/er/my.gin": tmp_path / "alias", "train.py": gin}
    into = staged(FreezeRules(project, files=files), store)
    for name in files:
        assert (into / name).read_text() == "lr = 1"
        assert not (into / name).is_symlink()
    gin.write_text("lr = 2")
    assert (
        freeze(FreezeRules(project, files=files), store).dir.joinpath("my.gin").read_text()
        == "lr = 2"
    )
