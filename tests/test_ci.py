"""The tools of .ci/*: --no-skips makes a skip a failure, and .ci/twice names what is flaky."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from skips import excused

SUPPORT = Path(__file__).parent / "support"
TWICE = Path(__file__).parent.parent / ".ci" / "twice"
TESTS = """\
import pytest

def test_that_passes():
    pass

@pytest.mark.skipif(True, reason="{reason}")
def test_that_is_marked():
    pass

def test_that_finds_out():
    pytest.skip("{reason}")
"""


def run_skipped(tmp_path, reason, *options, more=""):
    """Return status and output of pytest for tests that are skipped for a reason."""
    hooks = "pytest_addoption, pytest_make_collect_report, pytest_runtest_makereport"
    (tmp_path / "conftest.py").write_text(f"from skips import {hooks}\n")
    (tmp_path / "test_it.py").write_text(TESTS.format(reason=reason) + more)
    return run(tmp_path, sys.executable, "-m", "pytest", *options)


def run(folder, *command):
    """Return status and output of a command, without the settings of the pytest around it."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    for name in ("PYTEST_ADDOPTS", "RUNX_SEED"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_skip_is_a_failure_that_names_its_reason(tmp_path):
    status, output = run_skipped(tmp_path, "no luck", "--no-skips", "-n", "2")
    assert status == 1
    assert "1 failed, 1 passed, 1 error" in output
    assert output.count("skipped, which --no-skips forbids: no luck") >= 2


def test_a_module_that_is_skipped_is_a_failure(tmp_path):
    more = "\npytest.importorskip('no_such_package_at_all')\n"
    status, output = run_skipped(tmp_path, "no luck", "--no-skips", more=more)
    assert status == 2
    assert "could not import 'no_such_package_at_all'" in output


def test_without_the_option_and_for_what_cannot_be_had_a_skip_is_one(tmp_path):
    assert run_skipped(tmp_path, "no luck")[0] == 0
    status, output = run_skipped(tmp_path, "needs a GPU", "--no-skips")
    assert (status, "2 skipped" in output) == (0, True)


def test_what_root_could_have_had_is_excused_to_others_alone():
    for reason in ("only root may mount", "no slurmctld here; apt-get install slurm-wlm"):
        assert excused(reason, root=False)
        assert not excused(reason, root=True)
    assert not excused("could not import 'torch': No module named 'torch'", root=False)


SECOND = """\
import os, pathlib
tried = pathlib.Path("tried")

def test_that_is_steady():
    pass

def test_that_is_flaky():
    seed = os.environ["RUNX_SEED"]
    is_second = tried.exists()
    seeds = (tried.read_text() if is_second else "") + seed + " "
    tried.write_text(seeds)
    assert is_second and set(seeds.split()) == {seed} and {third}
"""


def twice(tmp_path, text):
    """Return status and output of .ci/twice in a checkout with these tests."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(TWICE, tmp_path / ".ci" / "twice")
    (tmp_path / "test_it.py").write_text(text)
    return run(tmp_path, tmp_path / ".ci" / "twice", sys.executable, "-m", "pytest")


def test_what_fails_twice_has_failed(tmp_path):
    status, output = twice(tmp_path, SECOND.replace("{third}", "False"))
    assert status == 1
    assert "passed only at the second try" not in output
    assert not (tmp_path / ".pytest_cache" / "flaky").exists()


def test_what_passes_at_the_second_try_with_the_same_seed_is_named_as_flaky(tmp_path):
    status, output = twice(tmp_path, SECOND.replace("{third}", "True"))
    assert status == 0
    assert output.splitlines()[-2:] == [
        "flaky, passed only at the second try:",
        "test_it.py::test_that_is_flaky",
    ]
    noted = (tmp_path / ".pytest_cache" / "flaky").read_text()
    assert noted == "test_it.py::test_that_is_flaky\n"
    assert "1 passed" in output


def test_what_no_failed_test_explains_is_not_tried_again(tmp_path):
    status, output = twice(tmp_path, "import os; os._exit(9)\n")
    assert status == 9
    assert "once more" not in output
