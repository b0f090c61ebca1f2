"""The best points in the place of what HPARAMS leaves open."""

import pytest

from runx.config.best import Best, BestPoint, with_best
from runx.errors import SweepError
from runx.sweeps.sweep import points
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import parse

TWO = (
    BestPoint({"lr": 0.1, "opt": "adam", "epochs": 9}, 0.9, ("owl", "cat")),
    BestPoint({"lr": 0.2, "opt": "sgd", "mom": 0.5, "epochs": 9}, 0.8, ("dog",)),
)
BEST = Best(("search",), "acc", "maximize", 60, ("lr", "opt", "mom"), TWO)


def values(text, overridden=()):
    tree = with_best(parse(text, "x.yml").tree, BEST, overridden)
    found = points(tree, lambda *path: "x.yml:1")
    return [{each.name: each.value for each in point.hparams} for point in found]


def test_points_cross_what_is_repeated():
    text = "lr: {uniform: [0, 1]}\nopt: {choice: [adam, sgd]}\nseed: {repeat: 2}\nepochs: 9"
    runs = values(text)
    assert [run["seed"] for run in runs] == [0, 0, 1, 1]
    assert runs[0] == {"seed": 0, "epochs": 9, "lr": 0.1, "opt": "adam"}
    assert runs[1] == {"seed": 0, "epochs": 9, "lr": 0.2, "opt": "sgd", "mom": 0.5}


def test_one_value_in_which_the_points_are_alike_is_the_files():
    assert [run["epochs"] for run in values("lr: 3\nepochs: 100")] == [100, 100]
    assert [run["epochs"] for run in values("lr: 3\nepochs: [100, 200]")] == [9, 9]


def test_what_is_computed_is_computed_anew():
    assert [run["wd"] for run in values("lr: 3\nwd: '{{ lr * 10 }}'")] == [1, 2]


def test_what_is_overridden_is_no_part_of_the_points():
    assert [run["lr"] for run in values("lr: [5, 6]", ["lr"])] == [5, 5, 6, 6]


def test_cases_of_the_file_make_room_where_the_points_have_theirs():
    text = "RUNX.CASES:\n- {opt: sgd, mom: {uniform: [0, 1]}}\n- {opt: adam}\nlr: 1"
    assert [run.get("mom") for run in values(text)] == [None, 0.5]


def test_other_cases_stay():
    runs = values("RUNX.CASES: [{data: a}, {data: b}]\nlr: 1")
    assert [(run["data"], run["lr"]) for run in runs] == [
        ("a", 0.1),
        ("a", 0.2),
        ("b", 0.1),
        ("b", 0.2),
    ]


def test_a_list_of_mappings_is_refused():
    with pytest.raises(SweepError, match="--best takes HPARAMS that is one mapping"):
        with_best([{"lr": Scalar(1, "1")}], BEST, ())


def test_a_truth_is_another_value_than_a_number():
    best = BEST._replace(varying=("amp",), points=(BestPoint({"amp": True}, 0.9, ("owl",)),))
    assert best.place({"amp": True}) == 1
    assert best.place({"amp": 1}) is None


def test_which_point_a_run_has():
    assert BEST.place({"lr": 0.2, "opt": "sgd", "mom": 0.5, "epochs": 100, "seed": 3}) == 2
    assert BEST.place({"lr": 0.3, "opt": "sgd"}) is None
    assert BEST.chosen({"lr": 0.1, "opt": "adam"})["chosen"]["runs"] == ("owl", "cat")
