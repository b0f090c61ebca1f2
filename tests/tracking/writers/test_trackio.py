import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runx.tracking.writers import trackio as writer

pytest.importorskip("trackio", reason="needs trackio")

ROOT = Path(__file__).resolve().parents[3]
LOG = """
import sys
from runx.logx import LogX

logx = LogX()
logx.initialize(sys.argv[1], writers=["csv", "trackio"], hparams={"lr": 0.1, "_target_": "Net"})
logx.metric("val", {"acc (%)": float(sys.argv[2]) + 0.5, "lost": float("nan")}, int(sys.argv[2]))
logx.add_scalar("more", 7, 3)
logx.close()
"""
READ = """
import json
from trackio.sqlite_storage import SQLiteStorage

runs = SQLiteStorage.get_runs("sweep")
names = [run["name"] if isinstance(run, dict) else run for run in runs]
logs = {name: SQLiteStorage.get_logs("sweep", name) for name in names}
configs = {name: SQLiteStorage.get_run_config("sweep", name) for name in names}
print(json.dumps([names, logs, configs], default=str))
"""


def started(program, *words, **environment):
    variables = ("RUNX_", "TRACKIO_", "RANK", "HF_")
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(variables)}
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        env={**inherited, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "logx: warning" not in errors, errors
    return out


def read(folder):
    return json.loads(printed(started(READ, TRACKIO_DIR=str(folder))).splitlines()[-1])


def test_trackio_has_the_same_run_in_all_attempts(tmp_path):
    for epoch in (0, 1):
        printed(started(LOG, tmp_path / "sweep" / "owl", epoch))
    names, logs, configs = read(tmp_path / "sweep" / "trackio")
    assert names == ["owl"]
    assert configs["owl"]["lr"] == 0.1
    assert configs["owl"]["target_"] == "Net"
    numbers = [(log["step"], log["val/acc (%)"]) for log in logs["owl"] if "val/acc (%)" in log]
    assert numbers == [(0, 0.5), (1, 1.5)]
    assert {(log["step"], log["more"]) for log in logs["owl"] if "more" in log} == {(3, 7)}


def test_runs_of_a_sweep_that_log_at_once_are_all_in_one_project(tmp_path):
    for process in [started(LOG, tmp_path / "sweep" / name, 0) for name in ("owl", "elk", "yak")]:
        printed(process)
    names, logs, _ = read(tmp_path / "sweep" / "trackio")
    assert sorted(names) == ["elk", "owl", "yak"]
    assert all(len(logs[name]) == 2 for name in names)


def test_a_directory_of_ones_own_is_kept(tmp_path):
    printed(started(LOG, tmp_path / "sweep" / "owl", 0, TRACKIO_DIR=str(tmp_path / "own")))
    assert read(tmp_path / "own")[0] == ["owl"]
    assert not (tmp_path / "sweep" / "trackio").exists()


def test_a_server_that_does_not_answer_ends_no_training(tmp_path):
    process = started(
        LOG,
        tmp_path / "sweep" / "owl",
        0,
        TRACKIO_SERVER_URL="http://127.0.0.1:9/?write_token=x",
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "acc (%),0.5" in (tmp_path / "sweep" / "owl" / "metrics.csv").read_text()


@pytest.mark.parametrize("name", ["_", "__", "a", "_a"])
def test_no_name_of_a_hyperparameter_is_one_of_trackios_own(name):
    [own] = writer.config_of({name: 1})
    assert own and not own.startswith("_")
