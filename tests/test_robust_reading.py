"""Damage, and readers in each other's way: what stops nobody."""

import os
import random
import shutil
import subprocess
import sys
import time

import pytest
from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.analysis.table import summarize
from runx.rundir.paths import ExperimentDir


def damage(folder, luck):
    """Hurt one file of a run: cut, garbled, emptied, made a folder, or taken away."""
    names = ["hparams.json", "run.json", "metrics.csv", "attempts/1.claim"]
    file = folder / luck.choice([*names, "attempts/1.events.jsonl"])
    content = file.read_bytes()
    how = luck.randrange(6)
    if how == 0:
        file.write_bytes(content[: luck.randrange(len(content))])
    elif how == 1:
        file.write_bytes(bytes(luck.randrange(256) for _ in content))
    elif how == 2:
        at = luck.randrange(len(content))
        file.write_bytes(content[:at] + b"\0" * 20 + content[at:])
    elif how == 3:
        file.write_bytes(b"")
    elif how == 4:
        file.unlink()
        file.mkdir()
    else:
        file.unlink()


def test_two_hundred_damaged_runs_never_stop_the_whole_ones(tmp_path):
    luck = random.Random(7)
    (tmp_path / ".runx").mkdir()
    for number in range(200):
        make_run(tmp_path / f"hurt{number}", {"lr": number}, [1, 2.5, 3])
        damage(tmp_path / f"hurt{number}", luck)
    for number in range(5):
        make_run(tmp_path / f"whole{number}", {"lr": number}, [1, 2, 3])
    warnings = []
    found = list(read_experiment(ExperimentDir(tmp_path), Reader(warn=warnings.append)))
    whole = [run for run in found if run.name.startswith("whole")]
    assert [run.metrics for run in whole] == [{"acc": 3}] * 5
    assert {run.state for run in whole} == {"done"}
    assert len(summarize(found).rows) == len(found) >= 100
    assert all("\n" not in warning for warning in warnings)
    told = {warning.split("/hurt")[1].split("/")[0].split(":")[0] for warning in warnings}
    assert len(told) >= 80
    again = list(read_experiment(ExperimentDir(tmp_path), Reader(warn=warnings.append)))
    # How long ago an attempt gave a sign of life is another each time.
    ageless = [run._replace(attempts=()) for run in found]
    assert [run._replace(attempts=()) for run in again] == ageless
    assert warnings[: len(warnings) // 2] == warnings[len(warnings) // 2 :]


READ = """
import sys, time
from pathlib import Path
from runx.analysis.columns import varying
from runx.rundir.paths import ExperimentDir
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
best = Measure("acc-best", "acc", "max")
looks, end = 0, time.monotonic() + 30
while time.monotonic() < end:
    reader = Reader((best,), lambda told: None)
    runs = list(read_experiment(ExperimentDir(Path(sys.argv[1])), reader))
    assert len(runs) >= 100, len(runs)
    assert all(run.measured["acc-best"] >= 2 for run in runs if run.measured)
    looks += 1
print(looks)
"""


def change(experiment, number):
    """Do to an experiment what runs and people do to it, all at once."""
    make_run(experiment / f"run{number}", {"lr": number}, [1, 2])
    shutil.rmtree(experiment / f"run{number - 120}")
    for name, row in (
        (f"run{number}", "val,acc,9,epo"),
        (f"run{number - 60}", "val,acc,3,epoch,2\n"),
    ):
        with open(experiment / name / "metrics.csv", "a") as file:
            file.write(row)


@pytest.mark.slow
def test_six_readers_look_for_half_a_minute_at_what_changes(tmp_path):
    experiment = tmp_path / "sweep"
    (experiment / ".runx").mkdir(parents=True)
    for number in range(120):
        make_run(experiment / f"run{number}", {"lr": number}, [1, 2])
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, experiment],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in range(6)
    ]
    number = 120
    while any(reader.poll() is None for reader in readers):
        change(experiment, number)
        number += 1
        time.sleep(0.02)
    for reader in readers:
        out, err = reader.communicate()
        assert reader.returncode == 0, err.decode()
        assert int(out) >= 1
    assert [name for name in os.listdir(experiment / ".runx") if name != "index.json"] == []
    kept = list(read_experiment(ExperimentDir(experiment), Reader(warn=lambda told: None)))
    (experiment / ".runx" / "index.json").unlink(missing_ok=True)
    assert kept == list(read_experiment(ExperimentDir(experiment), Reader(warn=lambda told: None)))


def test_six_readers_of_a_changing_experiment_are_not_in_each_others_way(tmp_path):
    experiment = tmp_path / "sweep"
    for number in range(20):
        make_run(experiment / f"run{number}", {"lr": number}, [1, 2])
    command = [sys.executable, "-m", "runx.sumx", str(experiment), "-s", "acc", "--format", "plain"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    readers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for _ in range(6)
    ]
    number = 20
    while any(reader.poll() is None for reader in readers):
        make_run(experiment / f"run{number}", {"lr": number}, [1, 2])
        shutil.rmtree(experiment / f"run{number - 10}")
        with open(experiment / f"run{number}" / "metrics.csv", "a") as file:
            file.write("val,acc,9,epoch")
        number += 1
    for reader in readers:
        out, err = reader.communicate()
        assert reader.returncode == 0, err.decode()
        assert len(out.splitlines()) >= 5
        assert b"Traceback" not in err
