"""What a script writes without logx is followed as it goes on."""

import json

import pytest
from run_folders import make_run

from runx.analysis.question import Question
from runx.report.follow import Follower
from runx.rundir.paths import ExperimentDir


def following(path):
    follower = Follower([ExperimentDir(path)], Question(), pytest.fail)
    follower.start()
    return follower


def points(follower):
    changes = follower.changes(0.0)
    return {
        change["phase"]: [point[::2] for point in change["points"]]
        for change in changes
        if change["kind"] == "points"
    }


def test_a_csv_in_a_new_folder_is_followed_row_by_row(tmp_path):
    folder = make_run(tmp_path / "a")
    follower = following(tmp_path)
    assert points(follower) == {}
    (folder / "out").mkdir()
    log = folder / "out/log.csv"
    log.write_text("epoch,train_loss,val_acc\n0,3,0.5\n")
    assert points(follower) == {"train": [[0, {"loss": 3}]], "val": [[0, {"acc": 0.5}]]}
    assert points(follower) == {}
    with log.open("a") as file:
        file.write("1,2,0.7\n")
    [change, *_] = follower.changes(0.0)
    assert change["best"] == {"acc": 0.7}


def test_an_attempt_that_begins_anew_sends_the_whole_run(tmp_path):
    folder = make_run(tmp_path / "a")
    log = folder / "log.csv"
    log.write_text("epoch,val_acc\n0,1\n1,2\n2,9\n")
    follower = following(tmp_path)
    log.write_text("epoch,val_acc\n0,3\n")
    [change, *_] = follower.changes(0.0)
    assert (change["kind"], change["run"]["best"]) == ("run", {"acc": 3})
    assert points(follower) == {}


def test_what_metrics_asks_for_is_followed_beside_logx(tmp_path):
    (tmp_path / ".runx").mkdir()
    asked = {"version": 1, "metrics": {"f1": {"pattern": "f1: (.*)"}}}
    (tmp_path / ".runx/metrics.json").write_text(json.dumps(asked))
    folder = make_run(tmp_path / "a", acc=[5], code=None)
    (folder / "output.log").write_text("f1: 0.5\n")
    follower = following(tmp_path)
    with (folder / "output.log").open("a") as file:
        file.write("f1: 0.6\n")
    assert points(follower) == {"val": [[2, {"f1": 0.6}]]}
