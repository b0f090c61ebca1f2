"""The steps of runs as a page has them."""

import json

from step_folders import an_experiment

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.report.data import model
from runx.report.follow import Follower
from runx.report.stepgraph import step_graph

ENDED = '{"event":"started","time":1.0}\n{"event":"ended","time":4.0,"code":0}\n'


def read(experiment):
    return list(read_experiment(experiment, Reader(warn=print)))


def add_gatherer(experiment, name, after):
    place = experiment.run(f"steps/{name}")
    place.attempts.mkdir(parents=True)
    place.record.write_text(json.dumps({"step": name.partition("-")[0], "after": after}))
    return place


def test_the_graph_counts_each_execution_by_its_state(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0, "eval": 1}, count=3)
    graph = step_graph(read(experiment), print)
    assert [(step["name"], step["after"], dict(step["states"])) for step in graph] == [
        ("train", {}, {"done": 3}),
        ("eval", {"train": "done"}, {"failed": 3}),
    ]


def test_a_step_that_runs_share_counts_once(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0}, count=3)
    place = add_gatherer(experiment, "tokens-1f", {})
    place.claim(1).write_text(json.dumps({"version": 1, "farm": None}))
    place.events(1).write_text(ENDED)
    for number in range(3):
        record = experiment.run(f"run-{number}").record
        content = json.loads(record.read_text())
        content["steps"].insert(0, {"name": "tokens", "dir": "../steps/tokens-1f", "after": {}})
        record.write_text(json.dumps(content))
    records = read(experiment)
    [tokens] = [step for step in step_graph(records, print) if step["name"] == "tokens"]
    assert tokens == {"name": "tokens", "after": {}, "states": {"done": 1}, "gathers": False}
    assert model([experiment], records, Question(), 9.0, print)["runs"][0]["steps"]["tokens"] == {
        "state": "done",
        "reason": "",
        "attempt": 1,
        "after": {},
        "shared": True,
        "elapsed": 3.0,
        "logdir": str(place.path),
    }


def test_what_gathers_runs_comes_after_what_it_gathers(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0, "eval": 1}, count=2)
    evals = {f"../../run-{number}/steps/eval": "ended" for number in (0, 1)}
    add_gatherer(experiment, "all-1f", evals)
    add_gatherer(experiment, "best-2f", {"../all-1f": "done"})
    graph = step_graph(read(experiment), print)
    assert [step["name"] for step in graph] == ["train", "eval", "all", "best"]
    assert graph[2:] == [
        {"name": "all", "after": {"eval": "ended"}, "states": {"planned": 1}, "gathers": True},
        {"name": "best", "after": {"all": "done"}, "states": {"planned": 1}, "gathers": True},
    ]


def test_runs_without_steps_have_no_graph(tmp_path):
    assert step_graph([], print) == []
    experiment = an_experiment(tmp_path, {}, count=2)
    assert model([experiment], read(experiment), Question(), 9.0, print)["graph"] == []


def test_each_step_of_a_run_has_its_log_command_and_metrics(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0, "eval": 0})
    run = experiment.run("run-0")
    for step, metric in (("train", "loss"), ("eval", "acc")):
        run.step(step).output.write_text(f"{step} printed\n")
        run.step(step).script.write_text(f"train() {{\nexec python {step}.py\n}}\n")
        run.step(step).metrics.write_text(f"start,start/step,0\nval,{metric},1.0,epoch,0\n")
    [page] = model([experiment], read(experiment), Question(), 9.0, print)["runs"]
    assert page["step_details"] == {
        "train": {"command": "python train.py", "log": "train printed\n", "metrics": ["loss"]},
        "eval": {"command": "python eval.py", "log": "eval printed\n", "metrics": ["acc"]},
    }


def test_a_step_that_goes_on_is_followed(tmp_path):
    experiment = an_experiment(tmp_path, {"train": 0, "eval": None})
    following = Follower([experiment], Question(), print)
    following.start()
    assert following.changes(10.0) == []
    place = experiment.run("run-0").step("eval")
    place.claim(1).write_text(json.dumps({"version": 1, "farm": None}))
    place.events(1).write_text(ENDED)
    place.output.write_text("evaluated\n")
    changes = {change["kind"]: change for change in following.changes(11.0)}
    assert changes["state"]["state"]["steps"]["eval"]["state"] == "done"
    graph = changes["statistics"]["statistics"]["graph"]
    assert [dict(step["states"]) for step in graph] == [{"done": 1}, {"done": 1}]
    assert following.log("run-0", -1, "eval").text == "evaluated\n"
    assert following.log("run-0", -1, "train").text == ""


def test_a_step_that_gathers_is_followed_without_any_news_of_its_runs(tmp_path):
    experiment = an_experiment(tmp_path, {"eval": 0})
    place = add_gatherer(experiment, "all-1f", {"../../run-0/steps/eval": "done"})
    following = Follower([experiment], Question(), print)
    following.start()
    assert following.changes(0.0) == []
    place.claim(1).write_text(json.dumps({"version": 1, "farm": None}))
    place.events(1).write_text(ENDED)
    [change] = following.changes(60.0)
    assert dict(change["statistics"]["graph"][1]["states"]) == {"done": 1}
    assert following.changes(120.0) == []
