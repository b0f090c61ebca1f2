"""run.sh of a run of a search: it gets its point, or falls back, or doesn't start."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from scripts import events, execute, names, wait_until
from search_runs import BINDS, binds, made, place_of
from sweeps import state_of

from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.rundir.searches import point_text
from runx.rundir.shell import Shell
from runx.sweeps.values import Point


@pytest.fixture
def run(tmp_path):
    return made(tmp_path)


def values(run):
    return json.loads(run.hparams.read_text())


def test_it_is_given_a_point_before_it_starts(run):
    assert execute(run).returncode == 0
    assert run.output.read_text() == f"{place_of(run).path} --a chosen\n"
    assert values(run) == {"a": "chosen"}
    assert names(run)[0] == "started"


def test_one_that_has_its_point_asks_nobody(run):
    execute(run)
    binds(run, "#!/bin/sh\nexit 9\n")
    execute(run)
    assert run.output.read_text().count("--a chosen") == 2


@pytest.mark.parametrize(
    "program", ["#!/bin/sh\nexit 1\n", "#!/nonexistent/python\n", "", "#!/bin/sh\nkill -9 $$\n"]
)
def test_without_a_point_it_takes_the_one_that_its_launch_left(run, program):
    binds(run, program)
    if not program:
        place_of(run).program.unlink()
    assert execute(run).returncode == 0
    assert "no point could be chosen here" in run.output.read_text()
    assert values(run) == {"a": "fallback"}
    place = place_of(run)
    assert place.point(7).samefile(place.fallback(7))
    assert run.bound.samefile(run.fallback)


def test_one_that_takes_too_long_is_given_up(run):
    binds(run, "#!/bin/sh\nsleep 60\n")
    begin = time.monotonic()
    assert execute(run, RUNX_BIND_TIME="0.3").returncode == 0
    assert time.monotonic() - begin < 20
    assert "it took too long" in run.output.read_text()
    assert values(run) == {"a": "fallback"}


def test_nothing_takes_the_place_of_a_point_that_is_bound(run):
    place_of(run).point(7).write_text(point_text({"a": "chosen"}, "gp", 3))
    binds(run, "#!/bin/sh\nexit 1\n")
    assert execute(run).returncode == 143
    assert not run.bound.exists()
    assert json.loads(place_of(run).point(7).read_text())["values"] == {"a": "chosen"}
    assert state_of(run) == "planned"
    assert "can't be bound here" in events(run)[0]["reason"]


@pytest.mark.parametrize(("status", "why"), [(3, "target reached"), (5, "budget spent")])
def test_what_is_not_needed_is_skipped(run, status, why):
    binds(run, f"#!/bin/sh\nexit {status}\n")
    assert execute(run).returncode == 0
    [event] = events(run)
    assert (event["event"], event["code"], event["skipped"]) == ("ended", 0, why)
    assert not place_of(run).point(7).exists()


def test_while_its_search_is_held_nothing_starts(run):
    binds(run, "#!/bin/sh\nexit 4\n")
    held = ExperimentDir(run.path.parent).held
    held.write_text(json.dumps({"version": 1, "reason": "held: all 5 failed: no data"}))
    assert execute(run).returncode == 143
    [event] = events(run)
    assert event["held"] and event["reason"] == "held: all 5 failed: no data"
    assert state_of(run) == "planned"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_is_bound_ends_it(run, number):
    binds(run, f"#!/bin/sh\necho $$ >{run.path}/binding; sleep 50\n")
    process = subprocess.Popen(["bash", run.script], stdin=subprocess.DEVNULL)
    binding = run.path / "binding"
    wait_until(lambda: binding.exists() and binding.read_text())
    process.send_signal(number)
    assert process.wait(10) == 143
    assert names(run) == ["signalled", "ended"]
    pid = binding.read_text().strip()
    wait_until(lambda: not Path(f"/proc/{pid}").exists() or ") Z " in _stat(pid))


def _stat(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ") Z "


def test_a_warning_while_it_is_bound_is_passed_by(run):
    binds(run, f"#!/bin/sh\n: >{run.path}/binding; sleep 1\n{BINDS}")
    process = subprocess.Popen(["bash", run.script], stdin=subprocess.DEVNULL)
    wait_until((run.path / "binding").exists)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(20) == 0
    assert values(run) == {"a": "chosen"}


def test_setup_that_fails_is_named(tmp_path):
    run = made(tmp_path, "true", shell=Shell(setup="true\nfalse its line"))
    assert execute(run).returncode == 1
    assert "SETUP failed: false its line" in run.output.read_text()


def test_a_command_that_bash_cannot_read_fails(tmp_path):
    run = made(tmp_path, "echo ( {a}")
    assert execute(run).returncode == 2
    assert "syntax error" in run.output.read_text()
    assert state_of(run) == "failed"


def test_other_runs_have_none_of_it():
    plain = script(Run("owl", RunDir("/x/owl"), Point(())), ScriptSettings("x", "c", "", "", ""))
    assert "SEARCH" not in plain and "bound" not in plain
