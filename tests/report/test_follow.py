"""What is new since the last look."""

import json
import os

import pytest
from run_folders import make_run, write_metrics

from runx.analysis.question import Question
from runx.report.follow import Following
from runx.report.tail import added, log_from
from runx.rundir.paths import ExperimentDir
from runx.rundir.records import encode


def following(*folders, warn=print):
    made = Following([ExperimentDir(folder) for folder in folders], Question(), warn)
    made.start()
    return made


def append(folder, phase, metrics, epoch, time=None, file="metrics.csv"):
    with (folder / file).open("a") as rows:
        rows.write(encode(phase, metrics, epoch, time))


def test_quiet_runs_have_nothing_new(tmp_path):
    make_run(tmp_path / "a", acc=[1, 2])
    assert following(tmp_path).look(0.0) == []


def test_a_row_that_is_not_whole_waits_for_its_end(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    now = following(tmp_path)
    with (folder / "metrics.csv").open("a") as rows:
        rows.write("val,acc,2,epo")
        rows.flush()
        assert now.look(0.0) == []
        rows.write("ch,1\n")
    [change] = now.look(0.0)
    assert change["points"] == [[1, None, {"acc": 2.0}]]


def test_a_damaged_row_is_passed_over(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    now = following(tmp_path)
    with (folder / "metrics.csv").open("a") as rows:
        rows.write("val,acc\nval,acc,3,epoch,1\n")
    [change] = now.look(0.0)
    assert change["points"] == [[1, None, {"acc": 3.0}]]


def test_a_run_directory_that_goes_away_is_no_fault(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    make_run(tmp_path / "b", acc=[1])
    now = following(tmp_path)
    folder.rename(tmp_path.parent / f"{tmp_path.name}-gone")
    append(tmp_path / "b", "val", {"acc": 2}, 1)
    assert [change["key"] for change in now.look(0.0)] == ["b"]


def test_only_what_was_added_is_told_and_only_once(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1, 2])
    now = following(tmp_path)
    append(folder, "val", {"acc": 3, "new": 4}, 2, 40.0)
    append(folder, "train", {"acc": 5}, 2, 39.0, file="metrics.train.csv")
    changes = {change["phase"]: change for change in now.look(0.0)}
    assert changes["val"]["points"] == [[2, 40.0, {"acc": 3.0, "new": 4.0}]]
    assert changes["train"]["points"][0][0] == 2
    assert [metric["name"] for metric in changes["val"]["metrics"]] == ["acc", "new"]
    assert now.look(0.0) == []


def test_nan_and_infinities_reach_the_page_as_words(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    now = following(tmp_path)
    append(folder, "val", {"acc": float("nan"), "loss": float("inf")}, 1)
    text = json.dumps(now.look(0.0), allow_nan=False)
    assert '"nan"' in text
    assert '"inf"' in text


def test_the_time_between_two_attempts_is_nobodys(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1], each=10.0)
    now = following(tmp_path)
    append(folder, "start", {"start/step": 0}, None, 500.0)
    append(folder, "val", {"acc": 2}, 1, 507.0)
    [change] = now.look(0.0)
    assert change["points"] == [[1, 17.0, {"acc": 2.0}]]


def test_a_new_run_is_told_whole(tmp_path):
    make_run(tmp_path / "a", {"lr": 1}, acc=[1])
    now = following(tmp_path)
    write_metrics(make_run(tmp_path / "b", {"lr": 2}), [{"acc": 5}])
    change, more = now.look(0.0)
    assert (change["kind"], change["key"]) == ("run", "b")
    assert more["statistics"]["varying"] == ["lr"]
    assert change["run"]["best"] == {"acc": 5.0}
    append(tmp_path / "b", "val", {"acc": 6}, 1)
    assert [one["kind"] for one in now.look(0.0)] == ["points"]


def test_a_state_that_changes_is_told(tmp_path):
    folder = make_run(tmp_path / "a", code=1)
    now = following(tmp_path)
    claim = (folder / "attempts" / "1.claim").read_text()
    (folder / "attempts" / "2.claim").write_text(claim)
    events = '{"event":"started","time":20}\n{"event":"ended","time":29,"code":0}\n'
    (folder / "attempts" / "2.events.jsonl").write_text(events)
    os.utime(folder / "attempts", (9e8, 9e8))
    change, _ = now.look(50.0)
    assert change["standing"]["state"] == "done"
    assert len(change["standing"]["attempts"]) == 2
    assert now.look(50.0) == []


def test_what_is_computed_of_all_runs_follows_their_points_after_a_while_and_their_ends_at_once(
    tmp_path,
):
    for nth in range(4):
        make_run(tmp_path / f"run{nth}", {"lr": nth % 2, "seed": nth // 2}, acc=[nth])
    now = following(tmp_path)
    append(tmp_path / "run1", "val", {"acc": 9}, 1)
    append(tmp_path / "run3", "val", {"acc": 9}, 1)
    points = now.look(100.0)
    assert [(one["kind"], one["best"]) for one in points] == [("points", {"acc": 9.0})] * 2
    assert now.look(105.0) == []
    [change] = now.look(110.0)
    first = change["statistics"]["importances"]["acc"][0]
    assert (first["name"], first["trend"]) == ("lr", 0.9428)
    assert first["explained"] > 0.8
    assert now.look(130.0) == []
    make_run(tmp_path / "run4", {"lr": 2, "seed": 0})
    assert [one["kind"] for one in now.look(131.0)] == ["run", "statistics"]


def test_a_file_that_was_begun_anew_is_read_from_its_beginning(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("val,acc,1,epoch,1\nval,acc,2,epoch,2\n")
    places = {}
    assert len(added(file, places)) == 2
    file.write_text("val,acc,3,epoch,1\n")
    assert [row.metrics for row in added(file, places)] == [{"acc": 3}]


def test_what_a_script_gives_to_tensorboard_alone_is_followed(tmp_path):
    folder = make_run(tmp_path / "a")
    now = following(tmp_path)

    def give(nth, *scalars):
        writers = pytest.importorskip("tensorboardX")
        with writers.SummaryWriter(str(folder), filename_suffix=f".{nth}") as writer:
            for tag, value, time in scalars:
                writer.add_scalar(tag, value, 1, walltime=time)
        return {change["phase"]: change["points"] for change in now.look(0.0)}

    assert give(1, ("val/acc", 0.5, 10)) == {"val": [[1, 0.0, {"acc": 0.5}]]}
    told = give(2, ("val/loss", 2, 10), ("train/loss", 3, 12))
    assert told["val"] == [[1, 0.0, {"acc": 0.5, "loss": 2.0}]]
    assert told["train"][0][2] == {"loss": 3.0}
    assert now.look(0.0) == []


def test_a_log_is_followed_in_whole_lines(tmp_path):
    file = tmp_path / "output.log"
    assert log_from(file, -1, False) == ("", 0)
    file.write_text("one\ntw")
    text, place = log_from(file, -1, False)
    assert text == "one\n"
    file.write_text("one\ntwo\n50%\r")
    assert log_from(file, place, False).text == "two\n50%"
    file.write_text("one\ntwo\nend")
    assert log_from(file, place, True).text == "two\nend"


def test_the_log_of_a_run_that_nobody_knows_is_none(tmp_path):
    make_run(tmp_path / "a")
    now = following(tmp_path)
    assert now.log("../a", -1) is None
    assert now.log("a", -1) == ("", 0)
