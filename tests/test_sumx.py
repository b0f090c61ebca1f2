import csv
import json
import os
import subprocess
import sys

import pytest
from run_folders import make_run, originals_run, write_metrics


@pytest.fixture
def logroot(tmp_path):
    """A sweep of four runs, one of them without metrics."""
    root = tmp_path / "logs"
    for name, lr, acc in (("a", 0.1, [9.5, 9.0]), ("b", 0.01, [10.0, 8.0]), ("c", 0.001, [1, 2])):
        out = str(root / "sweep" / name)
        make_run(root / "sweep" / name, {"lr": lr, "logdir": out, "same": 1}, acc)
    make_run(root / "sweep" / "d", {"lr": 1, "logdir": "x", "same": 1}, code=2)
    return root


def sumx(*words, logroot=None, cwd=None):
    words = ["--logroot", str(logroot), *words] if logroot else words
    return subprocess.run(
        [sys.executable, "-m", "runx.sumx", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


def cells(done):
    return [line.split() for line in done.stdout.splitlines()]


def test_an_unknown_experiment_is_one_line_and_status_2(logroot):
    done = sumx("sweeep", logroot=logroot)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"sumx: no experiment sweeep in {logroot}; there is: sweep\n"


def test_an_unknown_metric_is_one_line_and_status_2(logroot):
    done = sumx("sweep", "-s", "ac", logroot=logroot)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("there is: acc\n")


def test_a_condition_that_no_run_meets_is_one_line_whatever_is_shown(logroot):
    for words in (
        ["--columns", "lr"],
        ["--plot", "acc"],
        ["--over", "lr"],
        ["--importance", "acc"],
    ):
        done = sumx("sweep", "--where", "lr > 5", *words, logroot=logroot)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("sumx: --where lr > 5: no run is like that")


def test_an_axis_that_does_not_exist_is_refused(logroot):
    done = sumx("sweep", "--plot", "acc", "--log", "z", logroot=logroot)
    assert (done.returncode, "--log" in done.stderr) == (2, True)


def test_an_experiment_without_runs_says_what_a_run_is(logroot):
    (logroot / "empty").mkdir()
    done = sumx("empty", logroot=logroot)
    assert done.returncode == 2
    assert "no runs here" in done.stderr


def test_a_csv_file_that_can_not_be_written_is_named(logroot):
    done = sumx("sweep", "--csv", logroot / "no" / "such.csv", logroot=logroot)
    assert done.returncode == 2
    assert "such.csv: can't be written" in done.stderr


def test_the_best_is_first_by_number_and_a_run_without_metrics_is_listed(logroot):
    assert cells(sumx("sweep", "--sortwith", "acc", logroot=logroot)) == [
        ["run", "lr", "acc", "acc-best", "epoch", "epoch_time", "state"],
        ["---", "-----", "---", "--------", "-----", "----------", "------------------"],
        ["b", "0.01", "8", "10", "1", "0:10", "done"],
        ["a", "0.1", "9", "9.5", "1", "0:10", "done"],
        ["c", "0.001", "2", "2", "1", "0:10", "done"],
        ["d", "1", "failed,", "no", "metrics"],
    ]


def test_without_sorting_what_the_last_epoch_says_decides(logroot):
    assert [row[0] for row in cells(sumx("sweep", logroot=logroot))[2:]] == ["a", "b", "c", "d"]


def test_what_is_to_be_ignored_is_left_out(logroot):
    assert "lr" not in cells(sumx("sweep", "--ignore", "lr,same", logroot=logroot))[0]
    shown = cells(sumx("sweep", "--ignore", "acc,epoch", logroot=logroot))[0]
    assert not {"acc", "epoch"} & {*shown}
    done = sumx("sweep", "--ignore", "lr,acccc", logroot=logroot)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--ignore acccc: no run has it; did you mean acc?" in done.stderr


def test_which_way_is_better_can_be_specified(logroot):
    done = sumx("sweep", "-s", "acc", "--lower", "acc", logroot=logroot)
    assert [row[0] for row in cells(done)[2:]] == ["c", "b", "a", "d"]


def test_csv_goes_to_a_file_beside_the_table(logroot, tmp_path):
    done = sumx("sweep", "--csv", "out", logroot=logroot, cwd=tmp_path)
    assert done.stdout.startswith("run")
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["acc"], row["epoch_time"]) for row in rows[:2]] == [
        ("a", "9.0", "10.0"),
        ("b", "8.0", "10.0"),
    ]
    done = sumx("sweep", "--csv", "-", logroot=logroot)
    assert done.stdout.startswith("run,lr,acc")


def test_json_has_everything_of_each_run(logroot):
    [first, *_, last] = json.loads(sumx("sweep", "--json", "-s", "acc", logroot=logroot).stdout)
    assert first["name"] == "b"
    assert first["hparams"] == {"lr": 0.01, "logdir": str(logroot / "sweep" / "b"), "same": 1}
    assert first["metrics"] == {"acc": 8.0, "acc-best": 10.0}
    assert (first["epoch"], first["epoch_time"], first["state"]) == (1, 10.0, "done")
    assert (last["name"], last["state"], last["metrics"]) == ("d", "failed", {})


def test_several_experiments_make_one_table(logroot):
    originals_run(logroot / "old" / "x", {"lr": 5}, [{"acc": 99.0}])
    done = sumx("sweep", "old", "-s", "acc", logroot=logroot)
    assert cells(done)[0][:2] == ["experiment", "run"]
    assert cells(done)[2][:3] == ["old", "x", "5"]


def test_the_originals_directories_are_read(tmp_path):
    for name, acc in (("x", 0.5), ("y", 0.75)):
        originals_run(tmp_path / "old" / name, {"opt": name * 2}, [{"acc": acc}, {"acc": acc}])
    assert cells(sumx(tmp_path / "old")) == [
        ["run", "opt", "acc", "epoch", "epoch_time"],
        ["---", "---", "----", "-----", "----------"],
        ["y", "yy", "0.75", "1", "5:21"],
        ["x", "xx", "0.5", "1", "5:21"],
    ]


def test_a_damaged_run_costs_one_warning(logroot):
    (logroot / "sweep" / "a" / "hparams.json").write_text("[1]")
    (logroot / "sweep" / "a" / "run.json").write_text("{")
    (logroot / "sweep" / "a" / "metrics.csv").unlink()
    done = sumx("sweep", logroot=logroot)
    assert done.returncode == 0
    assert [row[0] for row in cells(done)[2:]] == ["b", "c", "d"]
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"warning: {logroot}/sweep/a: left out: ")


def test_the_title_and_note_of_a_launch_are_above_the_table(logroot):
    folder = logroot / "sweep" / ".runx" / "launches" / "2026-02-06T14.19.00Z-ab"
    folder.mkdir(parents=True)
    content = {"version": 1, "title": "Learning rates", "note": "first try"}
    (folder / "launch.json").write_text(json.dumps(content))
    lines = sumx("sweep", logroot=logroot).stdout.splitlines()
    assert lines[:4] == ["sweep: Learning rates", "sweep, 2026-02-06: first try", "", lines[3]]
    assert lines[3].startswith("run")


def test_an_hour_long_epoch_shows_its_hours(tmp_path):
    make_run(tmp_path / "sweep" / "a", {}, record=False)
    write_metrics(tmp_path / "sweep" / "a", [{"acc": 1}], each=3921.0)
    assert cells(sumx(tmp_path / "sweep"))[2] == ["a", "1", "0", "1:05:21"]


def test_help_begins_with_examples():
    done = sumx("--help")
    assert done.returncode == 0
    assert "sumx sweep --sortwith accuracy" in done.stdout


def test_a_report_of_a_metric_that_no_run_has_is_refused(logroot, tmp_path):
    done = sumx("sweep", "-s", "bcc", "--html", tmp_path / "report.html", logroot=logroot)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no run has such a metric; there is: acc" in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_report_is_of_the_runs_that_are_asked_for(logroot, tmp_path):
    done = sumx("sweep", "--where", "lr < 0.1", "--html", tmp_path / "r.html", logroot=logroot)
    assert done.stderr.endswith("r.html: 2 runs; open it in any browser\n")
    none = sumx("sweep", "--where", "lr > 5", "--html", tmp_path / "n.html", logroot=logroot)
    assert none.returncode == 2
    assert "no run is like that" in none.stderr


def test_resources_that_vary_are_columns(tmp_path):
    for name, nodes in (("a", 1), ("b", 2)):
        resources = {"nodes": nodes, "gpu": 8}
        make_run(tmp_path / "sweep" / name, {"lr": 1}, [nodes], resources=resources)
    done = sumx(tmp_path / "sweep", "-s", "acc", "--where", "resources.nodes > 0")
    assert cells(done)[0][:3] == ["run", "resources.nodes", "acc"]
    assert [row[:2] for row in cells(done)[2:]] == [["b", "2"], ["a", "1"]]
    done = sumx(tmp_path / "sweep", "--columns", "resources.gpu")
    assert cells(done)[2] == ["b", "8"]
