"""Damage, and readers in each other's way: what stops nobody."""

import os
import random
import shutil
import subprocess
import sys

import pytest
from run_folders import make_run

from runx.collect import collect
from runx.rundir import ExperimentDir
from runx.standing import Reader
from runx.summary import summarize


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


@pytest.mark.parametrize("seed", range(4))
def test_fifty_damaged_runs_never_stop_the_whole_ones(tmp_path, seed):
    luck = random.Random(seed)
    for number in range(50):
        make_run(tmp_path / f"hurt{number}", {"lr": number}, [1, 2.5, 3])
        damage(tmp_path / f"hurt{number}", luck)
    for number in range(5):
        make_run(tmp_path / f"whole{number}", {"lr": number}, [1, 2, 3])
    warnings = []
    found = list(collect(ExperimentDir(tmp_path), Reader(warn=warnings.append)))
    whole = [run for run in found if run.name.startswith("whole")]
    assert [run.metrics for run in whole] == [{"acc": 3}] * 5
    assert {run.state for run in whole} == {"done"}
    assert len(summarize(found).rows) == len(found) >= 25
    assert all("\n" not in warning for warning in warnings)


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
