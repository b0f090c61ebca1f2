"""EXTENDS."""

from __future__ import annotations

from pathlib import Path

import pytest

from runx.errors import SettingsError
from runx.settings.extending import bases


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def order(path: Path) -> list[str]:
    return [base.path.stem for base in bases(path)]


def test_a_circle_is_refused_and_shown(tmp_path: Path):
    write(tmp_path, a="EXTENDS: b.yml", b="x: 1\nEXTENDS: [c.yml]", c="EXTENDS: ./a.yml")
    with pytest.raises(SettingsError) as caught:
        bases(tmp_path / "a.yml")
    told = "c.yml:1: a.yml extends b.yml extends c.yml extends a.yml; remove one"
    assert str(caught.value) == f"{tmp_path}/{told}"


def test_a_missing_base_is_told_where_it_is_named(tmp_path: Path):
    write(tmp_path, a="x: 1\nEXTENDS: no.yml")
    with pytest.raises(SettingsError, match=r"a\.yml:2: EXTENDS: .*no\.yml: no such file"):
        bases(tmp_path / "a.yml")


@pytest.mark.parametrize("value", ["3", "[1]", "{a: 1}", "''"])
def test_what_is_no_file_is_refused(tmp_path, value):
    write(tmp_path, a=f"EXTENDS: {value}")
    with pytest.raises(SettingsError, match="EXTENDS takes a file, or a list of files"):
        bases(tmp_path / "a.yml")


def test_a_file_is_stronger_than_its_bases_and_a_later_base_than_an_earlier(tmp_path: Path):
    write(tmp_path, a="EXTENDS: [b.yml, c.yml]", b="EXTENDS: d.yml", c="x: 1", d="x: 1")
    assert order(tmp_path / "a.yml") == ["a", "c", "b", "d"]


def test_a_base_shared_by_two_counts_once(tmp_path: Path):
    write(tmp_path, a="EXTENDS: [b.yml, c.yml]", b="EXTENDS: d.yml", c="EXTENDS: d.yml", d="x: 1")
    assert order(tmp_path / "a.yml") == ["a", "c", "d", "b"]


def test_a_base_is_found_from_the_file_that_names_it(tmp_path: Path, monkeypatch):
    write(tmp_path, a="EXTENDS: sub/b.yml", sub__b="EXTENDS: c.yml", sub__c="x: 1")
    monkeypatch.chdir("/")
    assert order(tmp_path / "a.yml") == ["a", "b", "c"]
    assert bases(tmp_path / "a.yml")[2].path.parent == tmp_path / "sub"
