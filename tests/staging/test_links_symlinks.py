from __future__ import annotations

import os
from pathlib import Path

from runx.staging.freeze import freeze
from runx.staging.materialize import stage
from runx.staging.store import FreezeRules, StagingMethod


def staged(project: Path, store: Path, **rules: object) -> tuple[Path, tuple[str, ...]]:
    frozen = freeze(FreezeRules(project, **rules), store)  # type: ignore[arg-type]
    into = store.parent / "staged"
    stage(frozen, into, StagingMethod.COPY)
    return into, frozen.warnings


def test_a_link_within_the_project_leads_to_the_runs_own_file(project: Path, store: Path):
    (project / "net" / "main.py").symlink_to("../train.py")
    into, warnings = staged(project, store)
    assert os.readlink(into / "net" / "main.py") == "../train.py"
    assert warnings == ()


def test_an_absolute_link_into_the_project_leads_to_the_runs_own_file(project: Path, store: Path):
    (project / "net" / "main.py").symlink_to(project / "train.py")
    into, _ = staged(project, store)
    assert (into / "net" / "main.py").resolve() == (into / "train.py").resolve()


def test_an_absolute_link_out_of_the_project_stays(project: Path, store: Path):
    (project / "data").symlink_to("/nowhere/data")
    into, warnings = staged(project, store)
    assert os.readlink(into / "data") == "/nowhere/data"
    assert warnings == ()


def test_a_relative_link_out_of_the_project_is_made_absolute_with_a_warning(
    project: Path, store: Path
):
    (project.parent / "shared").mkdir()
    (project / "net" / "data").symlink_to("../../shared")
    into, warnings = staged(project, store)
    assert (into / "net" / "data").resolve() == (project.parent / "shared").resolve()
    assert "net/data: a link that leaves the project" in warnings[0]


def test_a_link_to_what_is_left_out_is_warned_about(project: Path, store: Path):
    (project / "w.pth").write_text("x")
    (project / "best").symlink_to("w.pth")
    (project / "last").symlink_to(project / "w.pth")
    into, warnings = staged(project, store)
    assert not (into / "best").exists()
    assert (into / "last").read_text() == "x"
    assert "best: a link to w.pth, which is left out; CODE_LINKS: w.pth keeps it" in warnings
    assert "last: a link to w.pth, which is not frozen; runs see it as it changes" in warnings


def test_a_link_to_what_is_linked_is_fine(project: Path, store: Path):
    (project / "data").mkdir()
    (project / "data" / "x").write_text("x")
    (project / "sample").symlink_to("data/x")
    into, warnings = staged(project, store, links=("data",))
    assert (into / "sample").read_text() == "x"
    assert warnings == ()


def test_a_broken_link_stays_broken_without_a_warning(project: Path, store: Path):
    (project / "broken").symlink_to("nothing")
    into, warnings = staged(project, store)
    assert os.readlink(into / "broken") == "nothing"
    assert warnings == ()
