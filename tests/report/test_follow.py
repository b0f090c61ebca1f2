"""What has changed since the last look."""

import json
import os

import pytest
from run_folders import make_run, write_metrics

from runx.analysis.question import Question
from runx.report.follow import Follower
from runx.rundir.paths import ExperimentDir
from runx.rundir.records import encode


def following(*folders, warn=print):
    experiments = Follower([ExperimentDir(folder) for folder in folders], Question(), warn)
    experiments.start()
    return experiments


def append(folder, phase, metrics, epoch, time=None, file="metrics.csv"):
    with (folder / file).open("a") as rows:
        rows.write(encode(phase, metrics, epoch, time))


def test_quiet_runs_have_nothing_new(tmp_path):
    make_run(tmp_path / "a", acc=[1, 2])
    assert following(tmp_path).changes(0.0) == []


def test_a_row_that_is_not_whole_waits_for_its_end(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    experiment = following(tmp_path)
    with (folder / "metrics.csv").open("a") as rows:
        rows.write("val,acc,2,epo")
        rows.flush()
        assert experiment.changes(0.0) == []
        rows.write("ch,1\n")
    [change] = experiment.changes(0.0)
    assert change["points"] == [[1, None, {"acc": 2.0}]]


def test_a_damaged_row_is_passed_over(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    experiment = following(tmp_path)
    with (folder / "metrics.csv").open("a") as rows:
        rows.write("val,acc\nval,acc,3,epoch,1\n")
    [change] = experiment.changes(0.0)
    assert change["points"] == [[1, None, {"acc": 3.0}]]


def test_a_run_directory_that_goes_away_is_no_fault(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    make_run(tmp_path / "b", acc=[1])
    experiment = following(tmp_path)
    folder.rename(tmp_path.parent / f"{tmp_path.name}-gone")
    append(tmp_path / "b", "val", {"acc": 2}, 1)
    assert [change["key"] for change in experiment.changes(0.0)] == ["b"]


def test_only_what_was_added_is_reported_and_only_once(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1, 2])
    experiment = following(tmp_path)
    append(folder, "val", {"acc": 3, "new": 4}, 2, 40.0)
    append(folder, "train", {"acc": 5}, 2, 39.0, file="metrics.train.csv")
    changes = {change["phase"]: change for change in experiment.changes(0.0)}
    assert changes["val"]["points"] == [[2, 40.0, {"acc": 3.0, "new": 4.0}]]
    assert changes["train"]["points"][0][0] == 2
    assert [metric["name"] for metric in changes["val"]["metrics"]] == ["acc", "new"]
    assert experiment.changes(0.0) == []


def test_nan_and_infinities_reach_the_page_as_text(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    experiment = following(tmp_path)
    append(folder, "val", {"acc": float("nan"), "loss": float("inf")}, 1)
    text = json.dumps(experiment.changes(0.0), allow_nan=False)
    assert '"nan"' in text
    assert '"inf"' in text


def test_the_time_between_two_attempts_does_not_count(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1], each=10.0)
    experiment = following(tmp_path)
    append(folder, "start", {"start/step": 0}, None, 500.0)
    append(folder, "val", {"acc": 2}, 1, 507.0)
    [change] = experiment.changes(0.0)
    assert change["points"] == [[1, 17.0, {"acc": 2.0}]]


def test_a_new_run_is_reported_with_all_about_it(tmp_path):
    make_run(tmp_path / "a", {"lr": 1}, acc=[1])
    experiment = following(tmp_path)
    write_metrics(make_run(tmp_path / "b", {"lr": 2}), [{"acc": 5}])
    change, more = experiment.changes(0.0)
    assert (change["kind"], change["key"]) == ("run", "b")
    assert more["statistics"]["varying"] == ["lr"]
    assert change["run"]["best"] == {"acc": 5.0}
    append(tmp_path / "b", "val", {"acc": 6}, 1)
    assert [change["kind"] for change in experiment.changes(0.0)] == ["points"]


def test_a_state_that_changes_is_reported(tmp_path):
    folder = make_run(tmp_path / "a", code=1)
    experiment = following(tmp_path)
    claim = (folder / "attempts" / "1.claim").read_text()
    (folder / "attempts" / "2.claim").write_text(claim)
    events = '{"event":"started","time":20}\n{"event":"ended","time":29,"code":0}\n'
    (folder / "attempts" / "2.events.jsonl").write_text(events)
    os.utime(folder / "attempts", (9e8, 9e8))
    change, _ = experiment.changes(50.0)
    assert change["state"]["state"] == "done"
    assert len(change["state"]["attempts"]) == 2
    assert experiment.changes(50.0) == []


def test_statistics_follow_new_points_after_a_while_and_the_ends_of_runs_at_once(
    tmp_path,
):
    for nth in range(4):
        make_run(tmp_path / f"run{nth}", {"lr": nth % 2, "seed": nth // 2}, acc=[nth])
    experiment = following(tmp_path)
    append(tmp_path / "run1", "val", {"acc": 9}, 1)
    append(tmp_path / "run3", "val", {"acc": 9}, 1)
    points = experiment.changes(100.0)
    assert [(change["kind"], change["best"]) for change in points] == [("points", {"acc": 9.0})] * 2
    assert experiment.changes(105.0) == []
    [change] = experiment.changes(110.0)
    first = change["statistics"]["importances"]["acc"][0]
    assert (first["name"], first["trend"]) == ("lr", 0.9428)
    assert first["explained"] > 0.8
    assert experiment.changes(130.0) == []
    make_run(tmp_path / "run4", {"lr": 2, "seed": 0})
    assert [change["kind"] for change in experiment.changes(131.0)] == ["run", "statistics"]


def test_what_a_script_gives_to_tensorboard_alone_is_followed(tmp_path):
    folder = make_run(tmp_path / "a")
    experiment = following(tmp_path)

    def give(nth, *scalars):
        writers = pytest.importorskip("tensorboardX")
        with writers.SummaryWriter(str(folder), filename_suffix=f".{nth}") as writer:
            for tag, value, time in scalars:
                writer.add_scalar(tag, value, 1, walltime=time)
        return {change["phase"]: change["points"] for change in experiment.changes(0.0)}

    assert give(1, ("val/acc", 0.5, 10)) == {"val": [[1, 0.0, {"acc": 0.5}]]}
    points = give(2, ("val/loss", 2, 10), ("train/loss", 3, 12))
    assert points["val"] == [[1, 0.0, {"acc": 0.5, "loss": 2.0}]]
    assert points["train"][0][2] == {"loss": 3.0}
    assert experiment.changes(0.0) == []


def test_an_unknown_run_has_no_log(tmp_path):
    make_run(tmp_path / "a")
    experiment = following(tmp_path)
    assert experiment.log("../a", -1) is None
    assert experiment.log("a", -1) == ("", 0)


def test_an_attempt_that_goes_back_sends_the_whole_run(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1, 2, 90])
    experiment = following(tmp_path)
    append(folder, "start", {"start/step": 0}, None, 500.0)
    assert experiment.changes(0.0) == []
    append(folder, "val", {"acc": 3}, 1, 507.0)
    [change, _] = experiment.changes(0.0)
    assert (change["kind"], change["key"]) == ("run", "a")
    assert change["run"]["best"] == {"acc": 3.0}
    assert change["run"]["courses"]["val"]["x"] == [0, 1, 2]
    append(folder, "val", {"acc": 2.5}, 2, 517.0)
    experiment.changes(0.0)
    append(folder, "val", {"acc": 2}, 3, 527.0)
    [change, *_] = experiment.changes(1.0)
    assert (change["kind"], change["best"], change["points"][0][0]) == ("points", {"acc": 3.0}, 3)


def test_tests_count_until_there_is_validation(tmp_path):
    folder = make_run(tmp_path / "a")
    append(folder, "test", {"acc": 1}, 0, 1.0)
    experiment = following(tmp_path)
    append(folder, "test", {"acc": 5}, 1, 2.0)
    [change] = experiment.changes(0.0)
    assert (change["validates"], change["best"]) == (True, {"acc": 5.0})
    append(folder, "val", {"acc": 2}, 1, 3.0)
    append(folder, "test", {"acc": 7}, 2, 4.0)
    [change, _] = experiment.changes(0.0)
    assert (change["kind"], change["run"]["best"]) == ("run", {"acc": 2.0})
    append(folder, "test", {"acc": 9}, 3, 5.0)
    [change] = experiment.changes(0.0)
    assert (change["validates"], change["best"]) == (False, {"acc": 2.0})


def test_events_that_go_back_send_the_whole_run(tmp_path):
    writers = pytest.importorskip("tensorboardX")
    folder = make_run(tmp_path / "a")

    def give(nth, at, *values, first=0):
        with writers.SummaryWriter(str(folder), filename_suffix=f".{nth}") as writer:
            for step, value in enumerate(values, first):
                writer.add_scalar("test/acc", value, step, walltime=at + step)

    give(1, 10.0, 1, 2, 90)
    experiment = following(tmp_path)
    give(2, 50.0, 3, first=1)
    [change, *_] = experiment.changes(0.0)
    assert (change["kind"], change["run"]["best"]) == ("run", {"acc": 3.0})
    give(3, 90.0, 4, first=2)
    [change] = experiment.changes(0.0)
    assert (change["validates"], change["best"]) == (True, {"acc": 4.0})
