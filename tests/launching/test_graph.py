"""The steps of runs: which are shared, what each is after, where it lies, what it is given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runx.config.load import load
from runx.config.request import Request
from runx.launching.graph import step_runs
from runx.launching.plan import plan, sweep_of
from runx.rundir.step_command import step_command
from runx.rundir.steps import leaders
from runx.sweeps.values import Hparam

PIPELINE = """\
STEPS:
  tokens: {CMD: "tok {dataset} LOGDIR", PER: [dataset], RESOURCES: {cpus: 8}}
  train: {CMD: "train {args} --data {tokens.dir}", AFTER: tokens, RESOURCES: {gpus: 1}}
  eval: {CMD: "eval LOGDIR/best", AFTER: train}
  seeds: {CMD: "ens {eval.dirs}", AFTER: eval, PER: {without: seed}}
  report: {CMD: "sumx EXPERIMENT", AFTER: {eval: ended}, PER: sweep}
HPARAMS: {dataset: [a, b], lr: [0.1, 0.2], seed: [0, 1]}
"""


def experiment_of(folder, text=PIPELINE):
    (folder / "sweep.yml").write_text(text)
    return load(Request(folder / "sweep.yml", folder, {"HOME": "/none"}))


def graph_of(folder, text=PIPELINE, names=None):
    experiment = experiment_of(folder, text)
    given_names = iter(names or (f"run{number}" for number in range(1000)))
    runs = list(plan(experiment, sweep_of(experiment), lambda _: next(given_names)))
    return experiment, runs, step_runs(experiment, runs)


def by_step(graph):
    steps = {}
    for run in graph.steps:
        steps.setdefault(run.step.name, []).append(run)
    return steps


def test_each_step_is_there_once_for_what_it_is_per(tmp_path):
    _, runs, graph = graph_of(tmp_path)
    counts = {name: len(steps) for name, steps in by_step(graph).items()}
    assert counts == {"tokens": 2, "train": 8, "eval": 8, "seeds": 4, "report": 1}
    assert len(runs) == 8
    assert len({run.dir for run in graph.steps}) == len(graph.steps) == len(graph.ids)


def test_a_run_s_chain_comes_before_the_next_run_s(tmp_path):
    _, _, graph = graph_of(tmp_path)
    names = [run.name.rpartition("-")[0] or run.name for run in graph.steps]
    assert names[:5] == [
        "steps/tokens",
        "run0/steps/train",
        "run0/steps/eval",
        "run1/steps/train",
        "run1/steps/eval",
    ]
    assert names[-5:] == ["steps/seeds"] * 4 + ["steps/report"]


def test_a_run_needs_its_own_steps_and_what_comes_before_not_what_gathers(tmp_path):
    _, runs, graph = graph_of(tmp_path)
    assert [run.step.name for run in graph.of[runs[5].dir]] == ["tokens", "train", "eval"]
    assert graph.record(runs[5])["steps"][1] == {
        "name": "train",
        "dir": "steps/train",
        "after": {"tokens": "done"},
    }
    assert graph.record(runs[5])["steps"][0]["dir"].startswith("../steps/tokens-")


def test_what_gathers_waits_for_all_that_falls_into_it(tmp_path):
    _, _, graph = graph_of(tmp_path)
    steps = by_step(graph)
    assert [each.dir.path.parts[-3] for each in steps["seeds"][0].after] == ["run0", "run1"]
    assert len(steps["report"][0].after) == 8
    assert {each.when for each in steps["report"][0].after} == {"ended"}
    upstream = [each.path.name.partition("-")[0] for each in steps["report"][0].after[0].upstream]
    assert sorted(upstream) == ["tokens", "train"]


def test_directories_are_paths_from_logdir(tmp_path):
    _, _, graph = graph_of(tmp_path)
    steps = by_step(graph)
    token = steps["tokens"][0].dir.path.name
    [directory] = [each for each in steps["train"][0].point.hparams if each.name == "tokens.dir"]
    path = f"LOGDIR/../steps/{token}"
    assert directory == Hparam("tokens.dir", path, path)
    [directories] = [each for each in steps["seeds"][0].point.hparams if "." in each.name]
    assert directories.value == ("LOGDIR/../../run0", "LOGDIR/../../run1")


def test_nothing_follows_at_the_end_of_a_step_s_command(tmp_path):
    experiment, _, graph = graph_of(tmp_path)
    steps, folder = by_step(graph), tmp_path / "runs/sweep"
    commands = [step_command(steps[name][0], experiment.style) for name in steps]
    token, seeds, report = (steps[name][0].dir.path for name in ("tokens", "seeds", "report"))
    assert commands == [
        f"tok a {token}",
        f"train --dataset a --lr 0.1 --seed 0 --data {folder}/run0/../steps/{token.name}",
        f"eval {folder}/run0/best",
        f"ens {seeds}/../../run0 {seeds}/../../run1",
        f"sumx {report}/../..",
    ]


def ids(folder, text, names=None):
    _, _, graph = graph_of(folder, text, names)
    return {run.name: graph.ids[run.dir] for run in graph.steps}


def changed(folder, old, new):
    before, after = ids(folder, PIPELINE), ids(folder, PIPELINE.replace(old, new))
    stem = {name.rpartition("-")[0] or name for name in after if after[name] not in before.values()}
    return {name.rpartition("/")[2] for name in stem}


@pytest.mark.parametrize(
    ("old", "new", "others"),
    [
        ("tok {dataset}", "tok2 {dataset}", {"tokens", "train", "eval", "seeds", "report"}),
        ("train {args}", "train2 {args}", {"train", "eval", "seeds", "report"}),
        ("eval LOGDIR", "eval2 LOGDIR", {"eval", "seeds", "report"}),
        ("ens {", "ens2 {", {"seeds"}),
        ("RESOURCES: {cpus: 8}", "RESOURCES: {cpus: 4}", set()),
        ("  tokens:", "  # a remark\n  tokens:", set()),
    ],
)
def test_a_step_is_another_one_by_its_command_and_what_it_is_after(tmp_path, old, new, others):
    assert changed(tmp_path, old, new) == others


def test_what_gathers_is_another_one_of_other_runs(tmp_path):
    one, other = ids(tmp_path, PIPELINE), ids(tmp_path, PIPELINE, (f"x{n}" for n in range(8)))
    assert {name for name in one if name.startswith("steps/")} & set(other) == {
        name for name in one if name.startswith("steps/tokens")
    }


def test_the_files_that_a_shared_step_rests_on_make_it_another(tmp_path):
    experiment, runs, graph = graph_of(tmp_path)
    other = step_runs(experiment, runs, {"tokens": "digest"})
    assert not set(graph.ids.values()) & set(other.ids.values())


def test_a_step_that_says_nothing_goes_into_the_job_of_the_step_before(tmp_path):
    experiment = experiment_of(tmp_path)
    assert leaders(experiment.steps) == {
        "tokens": "tokens",
        "train": "train",
        "eval": "train",
        "seeds": "seeds",
        "report": "report",
    }
    two = PIPELINE.replace("AFTER: eval, PER", "AFTER: [eval, tokens], PER").replace(
        'report: {CMD: "sumx EXPERIMENT", AFTER: {eval: ended}, PER: sweep}',
        "more: {CMD: x, AFTER: [train, eval, tokens]}",
    )
    assert leaders(experiment_of(tmp_path, two).steps)["more"] == "train"


PERS = some.sampled_from(["run", "sweep", "[a]", "[a, b]", "{without: [c]}", "{without: [a, b]}"])


@given(pers=some.lists(PERS, min_size=2, max_size=5), data=some.data())
def test_a_step_waits_for_exactly_what_shares_a_run_with_it(tmp_path_factory, pers, data):
    names = ["one", *(f"s{number}" for number in range(len(pers)))]
    lines = ["  one: {CMD: 'x {args}'}"]
    after = {"one": set()}
    for number, per in enumerate(pers):
        before = data.draw(some.sets(some.sampled_from(names[: number + 1])))
        after[f"s{number}"] = before
        lines.append(
            f"  s{number}: {{CMD: x, PER: {per}, AFTER: {sorted(before)}}}".replace("'", "")
        )
    text = "\n".join(["STEPS:", *lines, "HPARAMS: {a: [1, 2], b: [1, 2], c: [1, 2]}\n"])
    folder = Path(tmp_path_factory.mktemp("graph"))
    experiment, runs, graph = graph_of(folder, text)
    place = {}
    for index, run in enumerate(runs):
        for step in graph.steps:
            own = {each.name: each.value for each in run.point.hparams}
            mine = {each.name: each.value for each in step.point.hparams}
            is_mine = step.dir.path.parent.parent == run.dir.path
            if is_mine if step.step.per.is_run else mine.items() <= own.items():
                place.setdefault((step.step.name, index), []).append(step.dir)
    assert all(len(dirs) == 1 for dirs in place.values())
    for step in graph.steps:
        members = [n for n in range(len(runs)) if place[step.step.name, n] == [step.dir]]
        wanted = {place[name, n][0] for name in after[step.step.name] for n in members}
        assert {each.dir for each in step.after} == wanted
    assert experiment.steps
