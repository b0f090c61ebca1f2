import pytest

from runx.errors import LogxError
from runx.tracking.logroot import logroot, slug, unique


def test_a_settings_file_that_is_broken_is_named(tmp_path):
    (tmp_path / ".runx").write_text("LOGROOT: [")
    with pytest.raises(LogxError, match=r"\.runx: can't be read"):
        logroot(tmp_path, {})


def test_names_that_are_all_taken_are_an_error(tmp_path):
    (tmp_path / "owl").mkdir()
    with pytest.raises(LogxError, match="random names are all taken"):
        unique(tmp_path, lambda words: "owl")


def test_a_name_that_is_taken_is_drawn_again(tmp_path):
    (tmp_path / "owl").mkdir()
    names = iter(["owl", "fox"])
    assert unique(tmp_path, lambda words: next(names)) == tmp_path / "fox"


def test_the_nearest_settings_file_that_says_logroot_counts(tmp_path):
    (tmp_path / ".runx").write_text("LOGROOT: far\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / ".runx").mkdir()
    (tmp_path / "a" / ".runx").write_text("FARM: none\n")
    assert logroot(inner, {"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "far"


def test_the_users_settings_come_after_the_projects(tmp_path, monkeypatch):
    (tmp_path / "runx.yml").write_text("LOGROOT: $BASE/logs\n")
    monkeypatch.setenv("BASE", "/data")
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    found = logroot(tmp_path / "project", environment)
    assert str(found) == "/data/logs"
    assert logroot(tmp_path, {"XDG_CONFIG_HOME": "/nowhere"}) == tmp_path / "runs"


def test_random_names_can_be_said():
    assert slug(2).count("-") >= 1
