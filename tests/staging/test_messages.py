from __future__ import annotations

import json
from pathlib import Path

import pytest

from runx.staging import messages
from runx.staging.freeze import freeze
from runx.staging.messages import code_warnings, editable_installs, source_folders, summary
from runx.staging.store import FreezeRules


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def record(site: Path, name: str, url: str, **dir_info: bool) -> None:
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": dir_info}))


def test_an_editable_install_of_the_project_is_named_once(project: Path, site: Path):
    record(site, "net_code", f"file://{project}", editable=True)
    (site / "__editable__.net_code-1.0.pth").write_text(f"{project}/src\n")
    assert editable_installs(project, [site, site / "gone"]) == ["net_code"]


def test_older_ways_of_installing_are_known(project: Path, site: Path):
    (site / "easy-install.pth").write_text(f"/elsewhere\n{project}\n")
    (site / "_poetry.pth").write_text(f"{project}/src\n")
    (site / "old.egg-link").write_text(f"{project}\n.")
    assert editable_installs(project, [site]) == ["easy-install", "old", "poetry"]


def test_installs_from_elsewhere_are_left_out(project: Path, site: Path):
    record(site, "copied", f"file://{project}", editable=False)
    record(site, "other", f"file://{project}-other", editable=True)
    record(site, "remote", "https://example.org/x.git")
    (site / "torn-1.0.dist-info").mkdir()
    (site / "torn-1.0.dist-info" / "direct_url.json").write_text("{")
    (site / "odd.pth").write_text(f"import sys; sys.path.append('{project}')\n{project}-other\n")
    (site / "binary.pth").write_bytes(b"\xff\xfe\0")
    assert editable_installs(project, [site]) == []


def test_an_environment_within_the_project_is_no_editable_install(project: Path):
    site = project / ".venv" / "site-packages"
    site.mkdir(parents=True)
    (site / "vendored.pth").write_text(f"{site}/vendored\n")
    assert editable_installs(project, [site]) == []


def test_a_path_with_odd_characters_is_found(tmp_path: Path, site: Path):
    root = tmp_path / "my prö ject"
    root.mkdir()
    record(site, "odd", root.as_uri(), editable=True)
    assert editable_installs(root, [site]) == ["odd"]


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_a_src_folder_goes_on_the_path_unless_it_is_a_package(
    project: Path, store: Path, mode: str
):
    assert source_folders(freeze(FreezeRules(project, mode=mode), store)) == ("code",)
    (project / "src" / "net").mkdir(parents=True)
    assert source_folders(freeze(FreezeRules(project, mode=mode), store)) == ("code", "code/src")
    (project / "src" / "__init__.py").write_text("")
    assert source_folders(freeze(FreezeRules(project, mode=mode), store)) == ("code",)


def test_the_summary_has_what_was_frozen_and_what_was_left_out(checkout: Path, store: Path):
    (checkout / ".gitignore").write_text("data/\nbuild\n")
    for name in ("data/x", "build/x", "a.pyc", "b.pyc", "c.pyc", "w.pth", "env/pyvenv.cfg"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("x")
    (checkout / "net" / "__pycache__").mkdir()
    rules = FreezeRules(checkout)
    assert summary(freeze(rules, store)) == (
        "froze 4 files, under 1 kB; left out w.pth (*.pth), 3 (*.pyc), env/ (virtual environment); "
        "git ignores build/, data/"
    )
    assert summary(freeze(rules, store)).startswith("found frozen: 4 files, under 1 kB; left out ")


def test_the_summary_is_short_where_nothing_was_left_out(project: Path, store: Path):
    frozen = freeze(FreezeRules(project), store)
    assert summary(frozen) == "froze 3 files, under 1 kB"
    assert code_warnings(frozen) == ()


def test_large_code_is_warned_about(project: Path, store: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "LARGE", 1_000_000)
    (project / "model.bin").write_bytes(b"x" * 1_200_000)
    (warning,) = code_warnings(freeze(FreezeRules(project), store))
    assert warning.startswith("1.2 MB of code is much; the largest: model.bin (1.2 MB), ")
    assert "CODE_LINKS" in warning


def test_with_none_nothing_was_frozen(project: Path, store: Path):
    frozen = freeze(FreezeRules(project, mode="none"), store)
    assert summary(frozen) == f"froze nothing: runs start in {project} itself"
