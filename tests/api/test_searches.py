"""How searches go, as runx status, show and Python tell it."""

import json

import pytest
from searched import make_search, make_trial, pruned, search_of

import runx
from runx.api.inspect import status
from runx.rundir.orders import write_order
from runx.rundir.paths import RunDir


@pytest.fixture
def experiment(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    make_search(folder)
    make_trial(folder, 1, {"lr": 0.01, "opt": "sgd"}, [0.9, 0.5, 0.4], sampler="qmc", known=0)
    make_trial(folder, 2, {"lr": 0.1, "opt": "adam"}, [0.8, 0.3, 0.35], known=1)
    make_trial(folder, 3, {"lr": 0.5, "opt": "adam"}, [2.0], events=pruned(), known=2)
    make_trial(folder, 4, {"lr": 0.9, "opt": "sgd"}, code=1)
    (folder / "run-04/output.log").write_text("RuntimeError: CUDA out of memory\n")
    make_trial(folder, 5, events=[])
    return folder


def outlook_of(folder):
    (found,) = status(str(folder)).searches()
    return found


def test_a_search_says_how_many_points_are_told_the_best_and_why_others_failed(experiment):
    lines = list(outlook_of(experiment).lines())
    assert lines[0] == (
        "main-1a2b3c4d: 4 of 10 points told to tpe (2 done, 1 pruned, 1 failed), 6 waiting"
    )
    assert lines[1] == "    best loss 0.3: point 2, lr=0.1, opt=adam (run-02)"
    assert lines[2].startswith("    failed: 1 x RuntimeError: CUDA out of memory")
    assert lines[3] == "    stopped early: 1, which saved 33% of all epochs"


def test_a_search_as_json_has_every_point(experiment):
    content = json.loads(json.dumps(outlook_of(experiment).json()))
    assert content["best"] == [2] and content["states"]["waiting"] == 6
    assert content["points"][0]["sampler"] == "qmc"
    assert content["points"][1]["values"] == {"lr": 0.1, "opt": "adam"}
    assert content["points"][2]["state"] == "pruned" and content["points"][2]["metrics"] == [2.0]


def test_a_point_whose_runs_were_cancelled_waits_for_them_to_start_again(tmp_path):
    make_search(tmp_path)
    ended = [{"event": "started", "time": 0}, {"event": "ended", "time": 9, "code": 143}]
    folder = make_trial(tmp_path, 1, {"lr": 0.01, "opt": "sgd"}, events=ended)
    write_order(RunDir(folder), "cancel", 1)
    assert outlook_of(tmp_path).counts == {"waiting": 10}


def test_a_point_has_the_mean_over_its_seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    make_search(folder, search_of(goals=("maximize",)))
    for seed, loss in enumerate([1.0, 3.0]):
        make_trial(folder, 1, {"lr": 0.01, "opt": "sgd"}, [loss], seed=seed)
    make_trial(folder, 2, {"lr": 0.1, "opt": "sgd"}, [2.5], seed=0)
    make_trial(
        folder, 2, {"lr": 0.1, "opt": "sgd"}, seed=1, events=[{"event": "started", "time": 0}]
    )
    found = outlook_of(folder)
    assert [(each.state, each.metrics) for each in found.points] == [
        ("done", (2.0,)),
        ("done", (2.5,)),
    ]


def test_several_metrics_have_a_front(tmp_path):
    folder = tmp_path / "front"
    folder.mkdir()
    search = search_of(metrics=("loss", "loss:max"), goals=("minimize", "maximize"))
    make_search(folder, search)
    for number, losses in enumerate([[1, 2], [0.5, 1], [1.5, 1.8]], 1):
        make_trial(folder, number, {"lr": number / 10, "opt": "sgd"}, losses)
    found = outlook_of(folder)
    assert [each.number for each in found.best] == [1, 2]
    assert "2 points on the front of loss, loss:max" in "\n".join(found.lines())


def test_a_metric_that_no_run_has_is_told_with_those_that_there_are(tmp_path):
    folder = tmp_path / "wrong"
    folder.mkdir()
    make_search(folder, search_of(metrics=("val_los",)))
    make_trial(folder, 1, {"lr": 0.01, "opt": "sgd"}, [1.0])
    assert "    no run that is done has val_los; there is: loss" in outlook_of(folder).lines()


def test_a_damaged_search_costs_a_warning_alone(experiment, capsys):
    (experiment / ".runx/search/main-1a2b3c4d/search.json").write_text("{")
    assert status(str(experiment)).searches() == []
    assert "search.json" in capsys.readouterr().err


def test_show_says_who_asked_for_a_point_and_from_how_many(experiment):
    (content,) = runx.show("run-02", logroot=experiment.parent)
    assert content["search"]["point"] == 2 and content["search"]["known"] == 1
    from runx.analysis.description import description_lines

    line = next(line for line in description_lines(content) if line.startswith("search"))
    assert line == "search    main-1a2b3c4d, point 2 of 10, chosen by tpe from 1 that had ended"


def test_a_point_that_nobody_chose_yet_says_so(experiment):
    (content,) = runx.show("run-05", logroot=experiment.parent)
    from runx.analysis.description import description_lines

    assert any("point 5 of 10, not chosen yet" in line for line in description_lines(content))


def test_status_has_a_column_of_points_and_json_too(experiment):
    standings = status(str(experiment))
    assert "point" in standings.written().splitlines()[0].split()
    assert standings.json()[0]["search"] == {"name": "main-1a2b3c4d", "point": 1}


def test_points_can_be_selected_and_shown_as_columns(experiment):
    found = runx.results(str(experiment)).where("point > 1 and state == 'done'")
    assert [run.name for run in found] == ["run-02"]
