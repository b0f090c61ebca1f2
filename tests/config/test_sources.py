"""The sources of settings: files with what they extend, and the environment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from project import Project

from runx.config.sources import from_environment, from_file
from runx.errors import SettingsError

PACKAGE = Path(__file__).resolve().parent.parent.parent / "runx"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def order(path: Path) -> list[str]:
    return [base.stem for base in from_file(path).files]


def test_a_circle_is_refused_and_shown(tmp_path: Path):
    write(tmp_path, a="EXTENDS: b.yml", b="NOTE: x\nEXTENDS: [c.yml]", c="EXTENDS: ./a.yml")
    with pytest.raises(SettingsError) as caught:
        from_file(tmp_path / "a.yml")
    message = "c.yml:1: a.yml extends b.yml extends c.yml extends a.yml; remove one"
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_a_missing_base_is_refused_where_it_is_named(tmp_path: Path):
    write(tmp_path, a="NOTE: x\nEXTENDS: no.yml")
    with pytest.raises(SettingsError, match=r"a\.yml:2: EXTENDS: .*no\.yml: no such file"):
        from_file(tmp_path / "a.yml")


@pytest.mark.parametrize("value", ["3", "[1]", "{a: 1}", "''"])
def test_what_is_no_file_is_refused(tmp_path, value):
    write(tmp_path, a=f"EXTENDS: {value}")
    with pytest.raises(SettingsError, match="EXTENDS takes a file, or a list of files"):
        from_file(tmp_path / "a.yml")


def test_a_file_is_stronger_than_its_bases_and_a_later_base_than_an_earlier(tmp_path: Path):
    write(tmp_path, a="EXTENDS: [b.yml, c.yml]", b="EXTENDS: d.yml", c="NOTE: x", d="NOTE: x")
    assert order(tmp_path / "a.yml") == ["a", "c", "b", "d"]


def test_a_base_shared_by_two_counts_once(tmp_path: Path):
    write(
        tmp_path, a="EXTENDS: [b.yml, c.yml]", b="EXTENDS: d.yml", c="EXTENDS: d.yml", d="NOTE: x"
    )
    assert order(tmp_path / "a.yml") == ["a", "c", "d", "b"]


def test_a_base_is_found_from_the_file_that_names_it(tmp_path: Path, monkeypatch):
    write(tmp_path, a="EXTENDS: sub/b.yml", sub__b="EXTENDS: c.yml", sub__c="NOTE: x")
    monkeypatch.chdir("/")
    assert order(tmp_path / "a.yml") == ["a", "b", "c"]
    assert from_file(tmp_path / "a.yml").files[2].parent == tmp_path / "sub"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RUNX_FRAM", "RUNX_FRAM in the environment sets nothing; did you mean RUNX_FARM?"),
        ("RUNX_LOGROT", "did you mean RUNX_LOGROOT?"),
        ("RUNX_HPARAMS", "HPARAMS stands in files alone"),
    ],
)
def test_a_mistyped_variable_names_the_nearest(name, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        from_environment({name: "x"}, Path())


def test_what_may_be_another_programs_is_a_warning():
    layer = from_environment({"RUNX_ZZZQ": "x", "RUNX_FARM": "slurm", "HOME": "/"}, Path())
    assert layer.warnings == ("RUNX_ZZZQ in the environment sets nothing",)
    assert list(layer.entries) == ["FARM"]


def test_variables_of_runs_are_no_mistake():
    scripts = [
        *PACKAGE.rglob("*.sh.in"),
        *PACKAGE.glob("rundir/*script.py"),
        PACKAGE / "farms/words.py",
    ]
    assert len(scripts) == 8
    texts = [path.read_text() for path in scripts]
    names = set(re.findall(r"\bRUNX_[A-Z_]+", "".join(texts)))
    assert "RUNX_LOGDIR" in names
    assert from_environment(dict.fromkeys(names, "1"), Path()).warnings == ()


def test_a_runx_inside_a_run_goes_its_own_way(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("inner.yml", "CMD: echo inner\nHPARAMS: {n: [1, 2]}\n")
    project.write("sweep.yml", "CMD: runx inner.yml -i\nHPARAMS: {}\nARGS: {style: env}\n")
    project.runx("sweep.yml", "-i")
    output = (project.runs()[0] / "output.log").read_text()
    assert "2 runs done" in output
    assert "warning" not in output


def test_status_minds_them_too(tmp_path, installed):
    words = ["runx", "status"]
    done = subprocess.run(
        words, cwd=tmp_path, env={**installed, "RUNX_LOGROT": "x"}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "RUNX_LOGROOT" in done.stderr
