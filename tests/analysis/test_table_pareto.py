"""The Pareto front of runs and of groups of them; searches' own metrics; pruned runs."""

import json
import random

import pytest
from run_folders import make_run, write_metrics
from searched import make_search, make_trial, search_of

import runx
from runx.errors import RunxError
from runx.search.observations import front


@pytest.fixture
def sweep(tmp_path):
    rows = {"a": (1.0, 9.0), "b": (2.0, 5.0), "c": (3.0, 6.0), "d": (4.0, 1.0), "e": (5.0, 1.0)}
    for name, (loss, latency) in rows.items():
        folder = make_run(tmp_path / "sweep" / name, {"width": name, "seed": 0})
        write_metrics(folder, [{"loss": loss, "latency": latency}])
    make_run(tmp_path / "sweep" / "without", {"width": "w", "seed": 0}, [1.0], name="loss")
    return tmp_path / "sweep"


def test_the_front_has_what_no_other_run_beats_in_all(sweep):
    found = runx.results(str(sweep)).lower("latency").pareto("loss", "latency")
    assert [run.name for run in found] == ["a", "b", "d"]
    assert [row.record.name for row in found.summary().rows] == ["a", "b", "d"]


def test_the_front_of_groups_is_that_of_their_means(sweep):
    folder = make_run(sweep / "b2", {"width": "b", "seed": 1})
    write_metrics(folder, [{"loss": 40.0, "latency": 50.0}])
    found = runx.results(str(sweep)).lower("latency").over("seed").pareto("loss", "latency")
    assert [row.cells[0] for row in found.summary().rows] == ["a", "c", "d"]


def test_a_front_of_one_metric_is_refused_with_the_flag_to_write(sweep):
    with pytest.raises(RunxError, match="--pareto needs two metrics or more; name them: -s loss"):
        runx.results(str(sweep)).pareto("loss").summary()


def test_the_front_is_that_of_comparing_all_pairs():
    source = random.Random(3)
    losses = [tuple(source.randrange(9) for _ in range(3)) for _ in range(200)]
    beats = [
        any(all(a <= b for a, b in zip(o, own, strict=True)) and o != own for o in losses)
        for own in losses
    ]
    assert front(losses) == [place for place, is_beaten in enumerate(beats) if not is_beaten]


def test_a_search_is_sorted_by_its_own_metric_and_goal(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    make_search(folder, search_of(goals=("maximize",)))
    for number, loss in enumerate([1.0, 3.0, 2.0], 1):
        make_trial(folder, number, {"lr": number / 10, "opt": "sgd"}, [loss])
    found = runx.results(str(folder))
    assert [row.record.name for row in found.summary().rows] == ["run-02", "run-03", "run-01"]
    assert found.best().name == "run-02" == found.best("loss").name
    assert found.best("loss", lower=True).name == "run-01"


def test_a_search_of_several_metrics_has_its_front_by_the_flag_alone(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    make_search(folder, search_of(metrics=("loss", "size"), goals=("minimize", "maximize")))
    for number, (loss, size) in enumerate([(1.0, 3.0), (2.0, 2.0), (3.0, 4.0)], 1):
        run = make_trial(folder, number, {"lr": number / 10, "opt": "sgd"})
        write_metrics(run, [{"loss": loss, "size": size}])
    assert [run.name for run in runx.results(str(folder)).pareto()] == ["run-01", "run-03"]


def test_a_search_without_any_metric_yet_is_shown_by_name(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    make_search(folder)
    make_trial(folder, 1, events=[])
    assert [row.record.name for row in runx.results(str(folder)).summary().rows] == ["run-01"]


def test_importance_of_a_range_of_one_case_leaves_the_other_case_apart(tmp_path):
    source = random.Random(1)
    for number in range(40):
        lr = 10 ** source.uniform(-4, 0)
        case = {"opt": "adam", "lr": lr} if number % 2 else {"opt": "sgd"}
        loss = abs(lr - 0.1) if number % 2 else 0.5
        make_run(tmp_path / "sweep" / f"r{number:02}", case, [loss], name="loss")
    rows = json.loads(runx.results(str(tmp_path / "sweep")).importance("loss").written("json"))
    (lr,) = [row for row in rows if row["hyperparameter"] == "lr"]
    assert lr["explained"] > 0.3 and "null: 0.5" in lr["means"]
