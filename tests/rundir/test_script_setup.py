"""A SETUP that fails ends the run with its reason, unless it may fail."""

import time

import pytest
from scripts import execute, write_run

from runx.rundir.attempts import read_attempts
from runx.rundir.shell import Shell
from runx.rundir.state import state

FAILING = {
    "conda activate x\nexport Y=1": ("conda activate x: exit status 127", 127),
    "false": ("false: exit status 1", 1),
    "cd nosuch\ntrue": ("cd nosuch: exit status 1", 1),
    "source nosuch/env.sh\ntrue": ("source nosuch/env.sh: exit status 1", 1),
    "f() { return 7; }\nf\ntrue": ("f: exit status 7", 7),
    "true | false\ntrue": ("true | false: exit status 1", 1),
    "(exit 75)\ntrue": ("(exit 75): exit status 1", 1),
    "set -e\nls '/no such \"file\"'": ("ls '/no such 'file'': exit status 2", 2),
}
GOING_WELL = [
    "false || true",
    "[ -e nosuch ] && source nosuch",
    "if false; then :; fi",
    "f() { false; true; }\nf",
    "printf 'false\\ntrue\\n' > env.sh\nsource ./env.sh",
    "module() { eval 'false; :'; }\nmodule load cuda",
    "while false; do :; done",
    "! true",
    "X=$(echo)",
]


def state_of(run):
    return state(read_attempts(run, time.time, lambda line: None))


@pytest.mark.parametrize("setup", FAILING)
def test_the_first_command_of_setup_that_fails_ends_the_run(tmp_path, setup):
    run = write_run(tmp_path, "touch ../trained", shell=Shell(setup=setup))
    reason, code = FAILING[setup]
    assert execute(run).returncode == code
    assert not (run.path / "trained").exists()
    assert state_of(run)[:3] == ("failed", f"SETUP failed: {reason}", code)
    assert "SETUP failed: " in run.output.read_text()


@pytest.mark.parametrize("setup", GOING_WELL)
def test_a_setup_that_goes_well_is_followed_by_the_command(tmp_path, setup):
    run = write_run(tmp_path, "false; touch ../trained; exit 4", shell=Shell(setup=setup))
    assert execute(run).returncode == 4
    assert (run.path / "trained").exists()
    assert state_of(run)[:2] == ("failed", "exit status 4")


@pytest.mark.parametrize("setup", FAILING)
def test_a_setup_that_may_fail_does(tmp_path, setup):
    run = write_run(tmp_path, "touch ../trained", shell=Shell(setup=setup, setup_may_fail=True))
    execute(run)
    assert (run.path / "trained").exists() is not setup.startswith("set -e")
