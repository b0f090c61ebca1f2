"""The ablations that a page shows, and what it says of hyperparameters."""

import pytest
from run_folders import make_run

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.report.data import model
from runx.rundir.files import to_json
from runx.rundir.paths import ExperimentDir

BASELINE = {"baseline": {"a": 1}}


def modelled(folder):
    experiment = ExperimentDir(folder)
    records = list(read_experiment(experiment, Reader(warn=print)))
    return model([experiment], records, Question(), 100.0, print)


def test_the_best_value_of_each_metric_is_compared_with_the_baseline(tmp_path):
    for a in (1, 2):
        for seed in (0, 1, 2):
            hparams = {"a": a, "seed": seed}
            accs = [a + seed, 0.5] if (a, seed) != (2, 0) else []
            make_run(tmp_path / f"{a}-{seed}", hparams, accs, ablation=BASELINE)
    baseline, change = modelled(tmp_path)["ablations"]["acc"]
    assert (baseline["change"], baseline["mean"], baseline["difference"]) == ("baseline", 2, None)
    assert (change["change"], change["difference"], change["n"]) == ("a=2", 1, 2)
    assert change["missing"] == "1 of 3: seed=0"


def test_runs_of_no_ablation_have_none(tmp_path):
    make_run(tmp_path / "a", {"a": 1}, [1])
    page = modelled(tmp_path)
    assert (page["ablations"], page["help"]) == ({}, {})


@pytest.mark.parametrize("said", [{"type": "float", "min": 0, "help": "<b>rate"}])
def test_what_types_say_is_told_by_the_page(tmp_path, said):
    make_run(tmp_path / "a", {"lr": 1}, [1], labels=["paper"])
    for name, types in (("1", {"lr": {"help": "old"}}), ("2", {"lr": said}), ("3", 5)):
        folder = ExperimentDir(tmp_path).launches / name
        folder.mkdir(parents=True)
        (folder / "launch.json").write_text(to_json({"hparams_types": types}))
    page = modelled(tmp_path)
    assert page["help"] == {"lr": "<b>rate (float, at least 0)"}
    assert page["runs"][0]["labels"] == ["paper"]
