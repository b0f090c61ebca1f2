import csv
import json
import os
import pickle
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

from runx.errors import LogxError
from runx.rundir.paths import RunDir
from runx.tracking.info import RunInfo
from runx.tracking.main import ScriptRun

ROOT = Path(__file__).parents[2]


@pytest.fixture
def logx(logx, tmp_path, monkeypatch):
    for name in ("RUNX_LOGROOT", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "argv", ["train.py"])
    (tmp_path / "config.yaml").write_text("seed: 3\noptimizer: {lr: 0.1}\n")
    return logx


def only_run(tmp_path):
    (run,) = (tmp_path / "runs" / "by-hand").iterdir()
    return RunDir(run)


def python(tmp_path, *words, **variables):
    known = {k: v for k, v in os.environ.items() if not k.startswith("RUNX_")}
    environment = {**known, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )


def test_a_function_gets_its_run(logx, tmp_path):
    seeds = []

    @logx.main(config="config.yaml", seed=seeds.append, system=False)
    def train(run, scale=1):
        """Train."""
        run.log({"acc": 1, "train/loss": 0.5, "data/size": 3}, step=3)
        run.metric("val", {"acc": scale}, 4)
        assert run.info.name == Path(run.logdir).name
        assert isinstance(run, ScriptRun)
        assert not hasattr(run, "no_such_thing")
        return run.config.optimizer.lr * scale

    assert (train.__name__, train.__doc__) == ("train", "Train.")
    assert not (tmp_path / "runs").exists()
    assert train(scale=10) == 1.0
    assert seeds == [3]
    assert not logx.initialized
    rows = list(csv.reader(only_run(tmp_path).metrics.open()))
    assert [row[:3] for row in rows if row[0] == "val"] == [
        ["val", "acc", "1"],
        ["val", "acc", "10"],
    ]
    assert "loss" in only_run(tmp_path).metrics_of("train").read_text()
    assert "data/size" in only_run(tmp_path).metrics.read_text()


class Score(str, Enum):
    ACC = "acc"


def test_metrics_of_several_phases_have_the_names_and_the_epoch_that_metric_gives_them(
    logx, tmp_path
):
    @logx.main(config="config.yaml", system=False)
    def train(run):
        run.log({"train/loss": 0.5, Score.ACC: 1, "top  5": 2, "epoch": 7})
        for wrong in (3, {"acc": "high"}):
            with pytest.raises(LogxError, match="metric"):
                run.log(wrong)

    train()
    run = only_run(tmp_path)
    assert "train,loss,0.5,epoch,7," in run.metrics_of("train").read_text()
    assert "val,acc,1,top  5,2,epoch,7," in run.metrics.read_text()


def test_the_run_alone_is_enough(logx, tmp_path):
    @logx.main
    def train(run):
        return run.config

    assert dict(train()) == {}


@pytest.mark.parametrize(("seed", "expected"), [(None, 3), (True, 3), (5, 5), (False, None)])
def test_by_default_logx_seeds_by_the_seed_of_the_configuration(logx, seed, expected, monkeypatch):
    seeds = []
    monkeypatch.setattr("runx.tracking.seeding.seed_all", lambda value, _: seeds.append(value))
    logx.main(lambda run: None, config="config.yaml", seed=seed, system=False)()
    assert seeds == ([] if expected is None else [expected])


def test_a_seed_that_is_needed_and_not_there_is_named(logx, tmp_path):
    (tmp_path / "config.yaml").write_text("lr: 1\n")
    logx.main(lambda run: None, config="config.yaml")()
    with pytest.raises(LogxError, match="no hyperparameter seed"):
        logx.main(lambda run: None, config="config.yaml", seed=print)()


def test_an_exception_is_recorded_and_raised(logx, tmp_path):
    @logx.main(config="config.yaml", system=False)
    def train(run):
        run.metric("val", {"acc": 1}, 0)
        raise ValueError("no such data")

    with pytest.raises(ValueError, match="no such data"):
        train()
    kept = json.loads(only_run(tmp_path).logx.read_text())["error"]
    assert (kept["text"], kept["attempt"]) == ("ValueError: no such data", 1)
    assert 'raise ValueError("no such data")' in kept["traceback"]
    assert not logx.initialized


def test_leaving_is_no_error(logx, tmp_path):
    with pytest.raises(SystemExit):
        logx.main(lambda run: sys.exit(75), config="config.yaml", system=False)()
    logx_json = only_run(tmp_path).logx
    assert not logx_json.exists() or "error" not in json.loads(logx_json.read_text())


SCRIPT = """\
import multiprocessing, os, sys
from runx.logx import logx

def work(run, number):
    run.metric("val", {"acc": run.config.lr + number}, number)
    assert run.info.name == os.path.basename(run.logdir)

@logx.main(config="config.yaml", seed=False, system=False)
def train(run):
    workers = multiprocessing.get_context("spawn")
    each = [workers.Process(target=work, args=(run, n)) for n in range(2)]
    [one.start() for one in each]
    [one.join() for one in each]
    assert not any(one.exitcode for one in each)

if __name__ == "__main__":
    train()
"""


def test_spawned_workers_log_to_the_same_run_and_begin_none(logx, tmp_path):
    (tmp_path / "config.yaml").write_text("lr: 1\n")
    (tmp_path / "train.py").write_text(SCRIPT)
    done = python(tmp_path, "train.py", "lr=2")
    assert done.returncode == 0, done.stderr
    text = only_run(tmp_path).metrics.read_text()
    assert text.count("val,acc,2,") == text.count("val,acc,3,") == 1
    assert done.stderr.count("logging to") == 1


RANKS = """\
import subprocess, sys, os
code = '''
from runx.logx import logx

@logx.main(config="config.yaml", seed=False, system=False)
def train(run):
    run.metric("val", {"acc": 1}, 0)
    print(run.logdir + chr(10), end="", flush=True)
    if not run.rank0: raise ValueError("on rank 1")
train()
'''
ranks = [
    subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "RANK": str(n), "LOCAL_RANK": str(n), "WORLD_SIZE": "2",
             "LOCAL_WORLD_SIZE": "2", "MASTER_PORT": "29500"})
    for n in range(2)
]
[rank.wait() for rank in ranks]
"""


def test_the_ranks_of_a_start_have_one_directory_and_another_start_another(logx, tmp_path):
    for _ in range(2):
        done = python(tmp_path, "-c", RANKS)
        places = done.stdout.split()
        assert len(places) == 2, done.stderr
        assert len(set(places)) == 1
        assert "and rank 0" not in done.stderr
    runs = list((tmp_path / "runs" / "by-hand").iterdir())
    assert len(runs) == 2
    assert all("ValueError: on rank 1" in (run / "logging.rank1.log").read_text() for run in runs)


def test_a_run_is_known_by_what_launched_it(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "owl")
    run.attempts.mkdir(parents=True)
    record = {"name": "owl", "launch": "first", "code": "abc", "resources": {"gpus": 2}}
    run.record.write_text(json.dumps(record))
    for launch, commit, dirty, source in (
        ("first", "c1", True, None),
        ("second", "c2", True, "v1"),
    ):
        folder = tmp_path / "sweep" / ".runx" / "launches" / launch
        folder.mkdir(parents=True)
        settings = {"CODE_FROM": {"value": source}} if source else {}
        content = {"commit": commit, "git": {"dirty": dirty}, "settings": settings}
        (folder / "launch.json").write_text(json.dumps(content))
    run.claim(1).write_text(json.dumps({"code": "abc", "launch": "first"}))
    run.events(1).write_text('{"event":"started","time":5.5,"job":"77_1"}\n')
    info = RunInfo(run)
    assert (info.launch, info.commit, info.dirty) == ("first", "c1", True)
    assert (info.started, info.job, info.resources) == (5.5, "77_1", {"gpus": 2})
    assert info.host == os.uname().nodename
    run.claim(2).write_text(json.dumps({"code": "abc", "launch": "second"}))
    run.job(2).write_text(json.dumps({"id": "78"}))
    later = RunInfo(run)
    assert (later.attempt, later.launch, later.commit, later.job) == (2, "second", "c1", "78")
    run.claim(3).write_text(json.dumps({"code": "def", "launch": "second"}))
    restaged = RunInfo(run)
    assert (restaged.commit, restaged.dirty, restaged.job) == ("c2", False, "")
    assert "commit='c2'" in repr(restaged)


def test_by_hand_the_commit_is_that_of_the_checkout(logx, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    os.chdir(folder)
    logx.initialize("runs/mine", system=False)
    assert (logx.run.commit, logx.run.dirty) in (("", None), (logx.run.commit, False))
    logx.close()
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    Path("train.py").write_text("1\n")
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], check=True)
    logx.initialize("runs/mine", system=False)
    assert len(logx.run.commit) == 40
    assert logx.run.dirty is False
    logx.close()
    Path("train.py").write_text("2\n")
    logx.initialize("runs/mine", system=False)
    assert logx.run.dirty is True
    assert (logx.run.launch, logx.run.job) == ("", "")
    assert abs(logx.run.started - Path("runs/mine/metrics.csv").stat().st_mtime) < 60
    assert pickle.loads(pickle.dumps(logx.run)).name == "mine"
