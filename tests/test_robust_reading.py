"""Damaged runs, and several readers at once: neither stops the reading of the others."""

import os
import random
import shutil
import subprocess
import sys
import time

import pytest
from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.analysis.table import runs_table
from runx.rundir.paths import ExperimentDir


def damage(folder, draw):
    """Damage one file of a run: cut, garbled, emptied, made a folder, or removed."""
    names = ["hparams.json", "run.json", "metrics.csv", "attempts/1.claim"]
    file = folder / draw.choice([*names, "attempts/1.events.jsonl"])
    content = file.read_bytes()
    kind = draw.randrange(6)
    if kind == 0:
        file.write_bytes(content[: draw.randrange(len(content))])
    elif kind == 1:
        file.write_bytes(bytes(draw.randrange(256) for _ in content))
    elif kind == 2:
        offset = draw.randrange(len(content))
        file.write_bytes(content[:offset] + b"\0" * 20 + content[offset:])
    elif kind == 3:
        file.write_bytes(b"")
    elif kind == 4:
        file.unlink()
        file.mkdir()
    else:
        file.unlink()


def test_two_hundred_damaged_runs_never_stop_the_intact_ones(tmp_path):
    draw = random.Random(7)
    (tmp_path / ".runx").mkdir()
    for number in range(200):
        make_run(tmp_path / f"hurt{number}", {"lr": number}, [1, 2.5, 3])
        damage(tmp_path / f"hurt{number}", draw)
    for number in range(5):
        make_run(tmp_path / f"intact{number}", {"lr": number}, [1, 2, 3])
    warnings = []
    runs = list(read_experiment(ExperimentDir(tmp_path), Reader(warn=warnings.append)))
    intact = [run for run in runs if run.name.startswith("intact")]
    assert [run.metrics for run in intact] == [{"acc": 3}] * 5
    assert {run.state for run in intact} == {"done"}
    assert len(runs_table(runs).rows) == len(runs) >= 100
    assert all("\n" not in warning for warning in warnings)
    warned = {warning.split("/hurt")[1].split("/")[0].split(":")[0] for warning in warnings}
    assert len(warned) >= 80
    reread = list(read_experiment(ExperimentDir(tmp_path), Reader(warn=warnings.append)))
    # The time since the last heartbeat differs each time.
    ageless = [run._replace(attempts=()) for run in runs]
    assert [run._replace(attempts=()) for run in reread] == ageless
    assert warnings[: len(warnings) // 2] == warnings[len(warnings) // 2 :]


READ = """
import sys, time
from pathlib import Path
from runx.analysis.columns import varying
from runx.rundir.paths import ExperimentDir
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
best = Measure("acc-best", "acc", "max")
count, end = 0, time.monotonic() + 30
while time.monotonic() < end:
    reader = Reader((best,), lambda line: None)
    runs = list(read_experiment(ExperimentDir(Path(sys.argv[1])), reader))
    assert len(runs) >= 100, len(runs)
    assert all(run.measured["acc-best"] >= 2 for run in runs if run.measured)
    count += 1
print(count)
"""


def change(experiment, number):
    """Add, remove and extend runs of an experiment, as launches, people and runs do."""
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
    reader = Reader(warn=lambda line: None)
    indexed = list(read_experiment(ExperimentDir(experiment), reader))
    (experiment / ".runx" / "index.json").unlink(missing_ok=True)
    assert indexed == list(read_experiment(ExperimentDir(experiment), reader))


def test_six_readers_of_a_changing_experiment_do_not_disturb_each_other(tmp_path):
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
