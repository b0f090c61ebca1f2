"""The wheel and the source archive: built from the checkout, installed and used apart from it."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import runx

ROOT = Path(__file__).resolve().parent.parent
CARRIED = (
    "runx/py.typed",
    "runx/runx.example",
    "runx/rundir/run.sh.in",
    "runx/report/assets/app.js",
    "runx/report/assets/page.css",
    "runx/report/vendor/uplot/uPlot.iife.min.js",
    "runx/report/vendor/uplot/LICENSE",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a wheel and a source archive of this checkout."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def apart(built, tmp_path_factory):
    """An environment in which the wheel is installed, and a folder outside the checkout."""
    target = tmp_path_factory.mktemp("target")
    [wheel] = built.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", target, wheel], check=True, timeout=300)
    env = {name: text for name, text in os.environ.items() if not name.startswith("RUNX_")}
    home = tmp_path_factory.mktemp("home")
    env.update(PYTHONPATH=str(target), HOME=str(home), XDG_CONFIG_HOME=str(home))
    env["PATH"] = f"{target / 'bin'}:{os.environ['PATH']}"
    return env, tmp_path_factory.mktemp("project")


def output_of(command: str, apart) -> str:
    """Run a command where the wheel is installed, and return its output."""
    env, folder = apart
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_is_called_runx_sweeps_and_carries_all_that_is_not_python(built):
    [wheel] = built.glob("*.whl")
    assert wheel.name.startswith(f"runx_sweeps-{runx.__version__}-py3-none-any")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert set(CARRIED) <= set(names)
    assert all(name.startswith(("runx/", "runx_sweeps-")) for name in names)
    assert not any("__pycache__" in name for name in names)


def test_the_source_archive_holds_what_the_tests_and_the_documents_need(built):
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    needed = {"README.md", "CHANGELOG.md", "LICENSE", ".runx.example", "docs/yaml.md"}
    assert needed | {"tests/test_packaging.py", "examples/digits/sweep.yml", *CARRIED} <= names
    names -= {name for name in names if name.startswith("tests/fixtures/")}
    assert not any("/runs/" in name or name.startswith(".venv") for name in names)


@pytest.mark.parametrize("command", ["runx", "python -m runx", "python -m runx.runx"])
def test_runx_is_a_command_and_a_module(command, apart):
    command = command.replace("python", sys.executable)
    assert "sweep.yml" in output_of(f"{command} --help", apart)


@pytest.mark.parametrize("command", ["sumx", "python -m runx.sumx"])
def test_sumx_is_a_command_and_a_module(command, apart):
    command = command.replace("python", sys.executable)
    assert "--sortwith" in output_of(f"{command} --help", apart)


def test_what_is_installed_is_used_not_the_checkout(apart):
    where = output_of(f"{sys.executable} -c 'import runx; print(runx.__file__)'", apart)
    assert str(ROOT) not in where


def test_an_installed_runx_runs_a_sweep_and_sums_it_up(apart):
    _, folder = apart
    (folder / "train.py").write_text(
        "from runx.logx import logx\n"
        "logx.initialize()\n"
        "logx.metric('val', {'accuracy': 91.5}, epoch=0)\n"
    )
    (folder / "sweep.yml").write_text(f"CMD: {sys.executable} train.py\nHPARAMS: {{}}\n")
    output_of("runx sweep.yml -i", apart)
    assert "91.5" in output_of("sumx sweep", apart)


def test_init_writes_the_example_that_the_wheel_carries(apart, tmp_path):
    env, _ = apart
    output_of("runx init", (env, tmp_path))
    assert (tmp_path / ".runx").read_text() == (ROOT / ".runx.example").read_text()


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {runx.__version__}\n" in citation
    assert "\n## [" in (ROOT / "CHANGELOG.md").read_text()


def test_make_demo_and_make_test_come_first_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert readme.index("$ make demo") < readme.index("$ make test") < readme.index("pip install")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)


def test_the_check_that_every_change_must_pass_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
