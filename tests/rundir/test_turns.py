import json
import subprocess
import sys

import pytest

import runx.rundir.turns
from runx.errors import RunxError
from runx.rundir.machines import whoami
from runx.rundir.paths import ExperimentDir
from runx.rundir.turns import turn

HOLD = """
import sys, time
from pathlib import Path
from runx.rundir.paths import ExperimentDir
from runx.rundir.turns import turn
with turn(ExperimentDir(Path(sys.argv[1])), print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    Path(sys.argv[1], "left").touch()
"""


def holder(tmp_path, seconds):
    words = [sys.executable, "-c", HOLD, str(tmp_path), str(seconds)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def claims(tmp_path):
    return sorted(path.name for path in ExperimentDir(tmp_path).turns.glob("*.claim"))


def test_a_turn_is_waited_for_and_its_holder_named_once(tmp_path):
    process = holder(tmp_path, 1)
    said = []
    with turn(ExperimentDir(tmp_path), said.append):
        assert (tmp_path / "left").exists(), "two had the turn at once"
    process.communicate()
    assert len(said) == 1
    assert f"waiting for the launcher {process.pid}" in said[0]


def test_a_turn_whose_holder_was_killed_is_over(tmp_path):
    process = holder(tmp_path, 60)
    process.kill()
    process.communicate()
    said = []
    with turn(ExperimentDir(tmp_path), said.append):
        pass
    assert said == []


def test_a_holder_on_another_host_is_waited_for_and_then_named(tmp_path, monkeypatch):
    folder = ExperimentDir(tmp_path).turns
    folder.mkdir(parents=True)
    elsewhere = {**whoami(), "host": "elsewhere"}
    (folder / "3.claim").write_text(json.dumps({"version": 1, **elsewhere}))
    monkeypatch.setattr(runx.rundir.turns, "_TIMEOUT", 0.2)
    with (
        pytest.raises(RunxError, match=r"3\.claim: held by process \d+ on elsewhere"),
        turn(ExperimentDir(tmp_path), lambda line: None),
    ):
        pass
    (folder / "3.over").touch()
    with turn(ExperimentDir(tmp_path), lambda line: None):
        assert "4.claim" in claims(tmp_path)


def test_a_damaged_claim_is_not_taken_for_a_free_turn(tmp_path, monkeypatch):
    folder = ExperimentDir(tmp_path).turns
    folder.mkdir(parents=True)
    (folder / "1.claim").write_text("{")
    monkeypatch.setattr(runx.rundir.turns, "_TIMEOUT", 0.2)
    with (
        pytest.raises(RunxError, match="remove the file"),
        turn(ExperimentDir(tmp_path), lambda line: None),
    ):
        pass


def test_a_turn_ends_also_by_an_error_and_old_ones_are_cleared_away(tmp_path):
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), turn(ExperimentDir(tmp_path), lambda line: None):
            1 / 0
    assert len(claims(tmp_path)) <= 2


def test_one_at_a_time_whoever_comes(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    program = (
        "import sys; from pathlib import Path; from runx.rundir.paths import ExperimentDir\n"
        "from runx.rundir.turns import turn\n"
        "for _ in range(10):\n"
        "    with turn(ExperimentDir(Path(sys.argv[1])), lambda line: None):\n"
        "        file = Path(sys.argv[1]) / 'counter'; count = int(file.read_text())\n"
        "        file.write_text(str(count + 1))\n"
    )
    several = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [one.wait(120) for one in several] == [0, 0, 0]
    assert counter.read_text() == "30"
