"""runx rm, as a person calls it."""

import os
import subprocess

import pytest
from sweeps import Sweep, names, wait_until

from runx.analysis.remove import freed_bytes
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def sweep(tmp_path, installed):
    made = Sweep(tmp_path / "project", installed)
    yield made
    made.clean()


def code(sweep):
    folder = ExperimentDir(sweep.root / "sweep").code
    return [path for path in folder.iterdir() if path.name[0] != "." and path.is_dir()]


def test_a_live_run_is_never_touched(sweep):
    sweep.trains("[ $2 = 0 ] || until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2")
    wait_until(lambda: sweep.told("end") == [0] and len(sweep.told("begin")) == 3)
    wait_until(lambda: sweep.states()[0] == "done")
    output = sweep.command("rm", "sweep", "--yes")
    assert "1 of 3 runs removed" in output
    assert output.count("stays: it is running") == 2
    assert sweep.numbers() == [1, 2]
    for run in sweep.runs():
        (run.path / "go").touch()
    sweep.ended(launcher)
    assert launcher.returncode == 0
    assert sweep.states() == ["done"] * 2


def test_a_waiting_run_is_never_touched(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i")
    wait_until(lambda: len(sweep.runs()) == 3 and names(sweep.run(0)))
    output = sweep.command("rm", "sweep", "--yes", status=2)
    assert output.count("stays: it is ") == 3
    launcher.kill()


def test_a_run_that_never_started_can_go(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i")
    wait_until(lambda: sweep.told("begin") == [0])
    sweep.command("cancel", "sweep")
    sweep.ended(launcher)
    assert sweep.states() == ["cancelled"] * 3
    assert "3 of 3 runs removed" in sweep.command("rm", "sweep", "--yes")


def test_without_a_terminal_nothing_is_removed_unless_yes_is_said(sweep):
    sweep.runx("-i")
    output = sweep.command("rm", "sweep", status=2)
    assert "3 in all" in output
    assert output.splitlines()[-1].endswith("say --yes where nobody can be asked")
    assert sweep.numbers() == [0, 1, 2]


def test_what_is_removed_is_chosen_by_where(sweep):
    sweep.trains("[ $2 != 1 ] || exit 1")
    sweep.runx("-i", status=1)
    sweep.command("rm", "sweep", "--where", "state == 'failed'", "--yes")
    assert sweep.numbers() == [0, 2]
    assert "2 done, 1 new: starting 1" in sweep.runx("-n", "-i", "--resume")


def test_frozen_code_goes_with_the_last_run_that_was_made_from_it(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: 0}\n")
    sweep.runx("-i")
    sweep.trains("true")
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: [1, 2]}\n")
    sweep.runx("-i", "--resume")
    assert len(code(sweep)) == 2
    sweep.command("rm", sweep.run(1).path.name, "--yes")
    assert len(code(sweep)) == 2
    sweep.command("rm", sweep.run(2).path.name, "--yes")
    assert len(code(sweep)) == 1
    sweep.command("rm", "sweep", "--yes")
    assert code(sweep) == []
    sweep.runx("-i")
    assert sweep.states() == ["done"] * 2


def test_frozen_code_stays_where_a_runs_record_is_damaged(sweep):
    sweep.runx("-i")
    sweep.run(0).record.write_text("{")
    output = sweep.command("rm", sweep.run(1).path.name, "--yes")
    assert "frozen code stays" in output
    assert len(code(sweep)) == 1


def test_no_name_at_all_removes_nothing(sweep):
    sweep.runx("-i")
    assert "name a run" in sweep.command("rm", "--yes", status=2)
    assert sweep.numbers() == [0, 1, 2]


def test_a_run_removed_by_hand_at_the_same_time_is_no_fault(sweep):
    sweep.runx("-i")
    both = [
        subprocess.Popen(
            ["runx", "rm", "sweep", "--yes"],
            cwd=sweep.path,
            env=sweep.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(2)
    ]
    output = [process.communicate(timeout=60)[0].decode() for process in both]
    assert sweep.numbers() == []
    assert all(process.returncode in (0, 2) for process in both), output
    assert not any("Traceback" in text for text in output), output


def test_what_has_a_name_elsewhere_weighs_nothing(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/last.pth").write_bytes(b"x" * 40960)
    own = freed_bytes(tmp_path / "run")
    assert own >= 40960
    os.link(tmp_path / "run/last.pth", tmp_path / "run/best.pth")
    assert freed_bytes(tmp_path / "run") == own
    os.link(tmp_path / "run/last.pth", tmp_path / "elsewhere.pth")
    assert freed_bytes(tmp_path / "run") == 0
