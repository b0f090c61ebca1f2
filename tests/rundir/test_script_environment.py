"""run.sh in the environments that people have: BASH_ENV, shell options, exported functions."""

import time

import pytest
from scripts import events, execute, write_run

from runx.rundir.attempts import read_attempts
from runx.rundir.state import state

EVIL = ["cd", "printf", "kill", "wait", "read", "exec", "trap", "sleep", "cat", "[", "echo", "rm"]
EVIL += ["local", "export", "type", "mkdir", "ln", "set", "builtin", "command", "eval", "shopt"]


@pytest.mark.parametrize(
    "text",
    [
        "set -eu",
        "set -euo pipefail",
        "set -f",
        "set -C",
        "set -x",
        "set -o posix",
        "shopt -s failglob",
        "shopt -s nullglob nocasematch dotglob lastpipe extdebug",
        "IFS=:",
        "trap 'exit 9' ERR EXIT RETURN",
        "shopt -s expand_aliases; alias printf=false cd=false",
        "unset HOME USER; set -u",
    ],
)
def test_a_bash_env_changes_nothing(tmp_path, text):
    (tmp_path / "env.sh").write_text(text + "\n")
    run = write_run(tmp_path, "echo out; (exit 3)")
    assert execute(run, BASH_ENV=str(tmp_path / "env.sh")).returncode == 3
    assert [event["event"] for event in events(run)] == ["started", "running", "ended"]
    assert run.output.read_text() == "out\n"


@pytest.mark.parametrize(
    "variables",
    [
        {"SHELLOPTS": "errexit:nounset:noglob:noclobber"},
        {"BASHOPTS": "failglob:nocasematch:extglob"},
        {"POSIXLY_CORRECT": "1"},
        {"CDPATH": "/usr:/tmp"},
        {"GLOBIGNORE": "*"},
        {"TMOUT": "1"},
        {"ENV": "/nosuch"},
        {"EPOCHREALTIME": "x", "SECONDS": "100000", "RANDOM": "x"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "xx"},
        {f"BASH_FUNC_{name}%%": "() { builtin echo evil; return 1; }" for name in EVIL},
    ],
)
def test_variables_of_bash_change_nothing(tmp_path, variables):
    run = write_run(tmp_path, "echo out; (exit 3)")
    assert execute(run, **variables).returncode == 3
    assert [event["event"] for event in events(run)] == ["started", "running", "ended"]
    assert run.output.read_text() == "out\n"


def test_functions_that_run_sh_does_not_call_reach_the_script(tmp_path):
    run = write_run(tmp_path, "module load cuda")
    assert execute(run, **{"BASH_FUNC_module%%": "() { echo loaded $2; }"}).returncode == 0
    assert run.output.read_text() == "loaded cuda\n"
    assert state(read_attempts(run, time.time, print)).name == "done"
