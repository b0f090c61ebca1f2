import json
import os
import random

import pytest
from run_folders import make_run, originals_run, write_metrics

from runx.analysis import index, read_run
from runx.analysis.index import MANY
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.rundir.paths import ExperimentDir

BEST = Measure("acc-best", "acc", "max")


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """An experiment that is just worth an index, its files changed long ago."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "SETTLED", -(10**12))
    folder = tmp_path / "sweep"
    (folder / ".runx").mkdir(parents=True)
    for number in range(MANY):
        make_run(folder / f"run{number:03}", {"lr": number}, [number, 2.5, 3])
    return folder


def look(sweep, *measures, warn=pytest.fail):
    return list(read_experiment(ExperimentDir(sweep), Reader(measures, warn)))


def plain(records):
    """Make what tables show of runs comparable: of events they need the first start and the end."""
    return [
        (
            record._replace(attempts=()),
            [(at.number, at.host) for at in record.attempts],
            record.started,
        )
        for record in records
    ]


def indexed(sweep):
    """Name the runs that the index has."""
    shapes = json.loads((sweep / ".runx" / "index.json").read_text())["shapes"]
    return [name for shape in shapes for name in shape["runs"]]


def read_anew(monkeypatch):
    """Count the metrics files that are summed up."""
    reads = []
    tally = read_run.tally
    monkeypatch.setattr(read_run, "tally", lambda *words: reads.append(1) or tally(*words))
    return reads


def test_a_second_look_reads_nothing_and_gives_the_same(sweep, monkeypatch):
    first = look(sweep, BEST)
    reads = read_anew(monkeypatch)
    assert plain(look(sweep, BEST)) == plain(first)
    assert reads == []


def test_what_has_changed_is_read_and_nothing_else(sweep, monkeypatch):
    look(sweep, BEST)
    with open(sweep / "run007" / "metrics.csv", "a") as file:
        file.write("val,acc,99,epoch,3,timestamp,99\n")
    (sweep / "run008" / "hparams.json").write_text('{"lr": -1}')
    make_run(sweep / "run999", {"lr": 999}, [1])
    reads = read_anew(monkeypatch)
    records = {record.name: record for record in look(sweep, BEST)}
    assert records["run007"].metrics == {"acc": 99}
    assert records["run007"].measured == {"acc-best": 99}
    assert records["run008"].hparams == {"lr": -1}
    assert "run999" in records
    assert len(reads) == 3


def test_the_measures_of_another_question_are_added(sweep, monkeypatch):
    least = Measure("acc:min", "acc", "min")
    look(sweep, BEST)
    records = look(sweep, least)
    assert records[1].measured == {"acc:min": 1}
    reads = read_anew(monkeypatch)
    assert look(sweep, BEST)[1].measured == {"acc-best": 3}
    assert look(sweep, least, BEST)[1].measured == {"acc:min": 1, "acc-best": 3}
    assert look(sweep)[1].measured == {}
    assert reads == []


def test_a_metric_that_no_run_has_is_not_searched_twice(sweep, monkeypatch):
    look(sweep, Measure("f1:max", "f1", "max"))
    reads = read_anew(monkeypatch)
    assert look(sweep, Measure("f1:max", "f1", "max"))[0].measured == {}
    assert reads == []


def test_what_is_damaged_is_warned_of_each_time(sweep):
    with open(sweep / "run003" / "metrics.csv", "a") as file:
        file.write("val,acc,3,ep")
    for _ in range(2):
        warnings = []
        look(sweep, warn=warnings.append)
        assert len(warnings) == 1


def test_a_run_that_goes_on_is_looked_at_each_time(sweep):
    make_run(sweep / "run999", {}, [1])
    claim = sweep / "run005" / "attempts" / "1.claim"
    claim.write_text(json.dumps({**json.loads(claim.read_text()), "host": "elsewhere"}))
    (sweep / "run005" / "attempts" / "1.events.jsonl").write_text('{"event":"started","time":0}\n')
    look(sweep)
    assert "run005" not in indexed(sweep)
    assert "run004" in indexed(sweep)
    assert look(sweep)[5].state == "running"


def test_an_order_that_comes_late_is_heeded(sweep):
    make_run(sweep / "run100", {}, code=143)
    (sweep / "run100" / "orders").mkdir()
    assert look(sweep)[-1].state == "killed"
    order = sweep / "run100" / "orders" / "1.json"
    order.write_text('{"order": "cancel", "attempt": 1}')
    assert look(sweep)[-1].state == "cancelled"


def test_an_index_of_the_rows_before_is_not_read(sweep):
    first = look(sweep, BEST)
    file = sweep / ".runx" / "index.json"
    file.write_text(file.read_text().replace(index.FORMAT, index.FORMAT.split(",")[0]))
    assert plain(look(sweep, BEST)) == plain(first)
    assert json.loads(file.read_text())["by"] == index.FORMAT


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"version": 9}', "\0" * 99, '{"version": 1, "by": "0", "shapes": []}'),
        *(f'{{"version": 1, "by": "{index.FORMAT}", "{key}": 3}}' for key in ("runs", "shapes")),
    ],
)
def test_a_damaged_index_costs_nothing_but_time(sweep, text):
    first = look(sweep, BEST)
    (sweep / ".runx" / "index.json").write_text(text)
    assert plain(look(sweep, BEST)) == plain(first)
    assert len(indexed(sweep)) == MANY


def test_an_entry_that_makes_no_sense_is_not_believed(sweep):
    look(sweep, BEST)
    file = sweep / ".runx" / "index.json"
    content = json.loads(file.read_text())
    [shape] = content["shapes"]
    luck = random.Random(1)
    for column in shape["columns"][1:]:
        for at in range(MANY):
            column[at] = luck.choice([column[at], None, [], 3, "x", [1]])
    file.write_text(json.dumps(content))
    assert len(look(sweep, BEST)) == MANY


@pytest.mark.parametrize("key", ["files", "hparams", "metrics", "measured", "runs", "columns"])
def test_columns_that_do_not_fit_together_are_not_believed(sweep, key):
    first = look(sweep, BEST)
    file = sweep / ".runx" / "index.json"
    content = json.loads(file.read_text())
    content["shapes"][0][key].append("more")
    file.write_text(json.dumps(content))
    assert plain(look(sweep, BEST)) == plain(first)


def test_a_run_in_a_run_of_its_name_is_not_taken_for_it(sweep):
    make_run(sweep / "sweep", {"lr": -2}, [7])
    (sweep / "metrics.csv").write_text("val,acc,8,epoch,0,timestamp,1\n")
    for _ in range(2):
        records = [record for record in look(sweep) if record.name == "sweep"]
        assert [run.metrics for run in records] == [{"acc": 8}, {"acc": 7}]


def test_runs_that_have_gone_are_forgotten(sweep):
    look(sweep)
    for number in range(10):
        (sweep / f"run{number:03}").rename(sweep.parent / f"run{number}")
    for number in range(200, 200 + MANY):
        make_run(sweep / f"run{number}", {}, [1])
    assert len(look(sweep)) == 2 * MANY - 10
    assert len(indexed(sweep)) == 2 * MANY - 10


def test_a_small_experiment_has_no_index(sweep, tmp_path):
    for number in range(10):
        (sweep / f"run{number:03}").rename(tmp_path / f"run{number}")
    look(sweep)
    assert os.listdir(sweep / ".runx") == []


def test_where_the_experiment_is_not_ours_the_users_cache_has_it(sweep, tmp_path, monkeypatch):
    for number in range(MANY):
        originals_run(tmp_path / "old" / f"run{number}", {"lr": number}, [{"acc": number}])
    before = sorted(path for path in (tmp_path / "old").rglob("*"))
    first = look(tmp_path / "old")
    assert sorted(path for path in (tmp_path / "old").rglob("*")) == before
    assert len(os.listdir(tmp_path / "cache" / "runx" / "index")) == 1
    reads = read_anew(monkeypatch)
    assert plain(look(tmp_path / "old")) == plain(first)
    assert reads == []


def test_what_changed_a_moment_ago_is_not_kept(sweep, monkeypatch):
    monkeypatch.setattr(index, "SETTLED", 3 * 10**9)
    look(sweep)
    assert not (sweep / ".runx" / "index.json").exists()


def test_a_moved_experiment_is_read_and_not_remembered(sweep, tmp_path):
    look(sweep)
    sweep.rename(tmp_path / "moved")
    records = list(read_experiment(ExperimentDir(tmp_path / "moved"), Reader(warn=pytest.fail)))
    assert {str(run.dir.path.parent) for run in records} == {str(tmp_path / "moved")}
    assert {run.experiment for run in records} == {"moved"}


def test_train_rows_that_come_later_are_seen(sweep):
    train = Measure("train.loss", "loss", "last", "train")
    for number in range(MANY):
        write_metrics(
            sweep / f"run{number:03}", [{"loss": 5}], phase="train", file="metrics.train.csv"
        )
    assert look(sweep, train)[0].measured == {"train.loss": 5}
    with open(sweep / "run000" / "metrics.train.csv", "a") as file:
        file.write("train,loss,4,epoch,1,timestamp,99\n")
    assert look(sweep, train)[0].measured == {"train.loss": 4}
    assert look(sweep, train)[1].measured == {"train.loss": 5}


def test_labels_and_ablations_are_kept(sweep, monkeypatch):
    ablation = {"changed": None, "baseline": {"lr": 1}}
    make_run(sweep / "run999", {"lr": 1}, [1], labels=["paper"], ablation=ablation)
    first = look(sweep)
    reads = read_anew(monkeypatch)
    second = look(sweep)
    assert (reads, plain(first)) == ([], plain(second))
    assert second[-1].labels == ("paper",)
    assert second[-1].ablation == ablation
    labelled = Reader(labels=("paper",), warn=pytest.fail)
    assert [run.name for run in read_experiment(ExperimentDir(sweep), labelled)] == ["run999"]
