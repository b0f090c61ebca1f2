"""Settings from the environment, where a mistyped name sets nothing."""

import re
import subprocess
from pathlib import Path

import pytest
from project import Project

from runx.errors import SettingsError
from runx.settings.variables import from_environment

PACKAGE = Path(__file__).resolve().parent.parent.parent / "runx"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("RUNX_FRAM", "RUNX_FRAM in the environment sets nothing; did you mean RUNX_FARM?"),
        ("RUNX_LOGROT", "did you mean RUNX_LOGROOT?"),
        ("RUNX_HPARAMS", "HPARAMS stands in files alone"),
    ],
)
def test_a_mistyped_variable_names_the_nearest(name, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        from_environment({name: "x"}, Path())


def test_what_may_be_another_programs_is_only_told():
    layer = from_environment({"RUNX_ZZZQ": "x", "RUNX_FARM": "slurm", "HOME": "/"}, Path())
    assert layer.warnings == ("RUNX_ZZZQ in the environment sets nothing",)
    assert list(layer.entries) == ["FARM"]


def test_what_runs_are_told_is_known():
    scripts = [*PACKAGE.rglob("run.sh.in"), *PACKAGE.rglob("jobscript.py")]
    assert len(scripts) == 2
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
