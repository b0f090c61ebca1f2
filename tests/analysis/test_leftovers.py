"""What a script left counts wherever it lies, and nothing that it didn't write."""

import json
import os
import shutil

import pytest
from run_folders import make_run

import runx
from runx.analysis.leftovers import files_left, locate
from runx.analysis.read import Reader, read_experiment
from runx.rundir.paths import ExperimentDir
from runx.rundir.runfiles import RunFiles, fingerprint
from runx.staging.freeze import FreezeRules, freeze
from runx.staging.materialize import stage
from runx.staging.store import StagingMethod

LOG = "epoch,acc\n1,0.5\n"


@pytest.fixture(params=[StagingMethod.COPY, StagingMethod.LINK])
def run(tmp_path, request):
    """A run whose code, a script and logs of an earlier run among it, was frozen."""
    project, experiment = tmp_path / "project", tmp_path / "runs" / "sweep"
    for name in ("train.py", "old/log.csv", "log.csv", "deep/er/x.py", "data/x.csv"):
        write(project / name, LOG)
    frozen = freeze(FreezeRules(project), experiment / ".runx" / "code")
    folder = experiment / "owl"
    folder.mkdir()
    stage(frozen, folder / "code", request.param)
    return make_run(folder, {"lr": 1}, code=0, code_digest="") and with_code(folder, frozen)


def with_code(folder, frozen):
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, "code": frozen.digest}))
    return folder


def write(path, text=LOG):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(run):
    return sorted(file.name for file in files_left(RunFiles(str(run))))


def test_what_was_frozen_does_not_count(run):
    assert names(run) == []


@pytest.mark.parametrize(
    "name",
    ["log.csv", "a/b/c/log.csv", "code/new/log.csv", "code/deep/er/log.csv", "code/new.csv"],
)
def test_what_the_script_wrote_counts_wherever_it_lies(run, name):
    write(run / name)
    assert names(run) == [name]


def test_a_frozen_file_counts_once_the_run_has_changed_it(run):
    os.unlink(run / "code/old/log.csv")
    write(run / "code/old/log.csv", LOG + "2,0.6\n")
    assert names(run) == ["code/old/log.csv"]


def test_a_copy_of_an_experiment_with_new_times_says_nothing_more(run, tmp_path):
    shutil.copytree(run.parent, tmp_path / "copy", copy_function=shutil.copyfile)
    assert names(tmp_path / "copy" / "owl") == []


def test_a_change_of_the_frozen_file_itself_is_nobodys(run):
    [digest] = [
        path
        for path in (run.parent / ".runx/code").iterdir()
        if path.is_dir() and path.name[0] != "."
    ]
    shared = digest / "tree/old/log.csv"
    shared.chmod(0o644)
    shared.write_text(LOG + "2,0.6\n")
    assert names(run) == []


def test_nothing_behind_a_link_counts(run, tmp_path):
    write(tmp_path / "elsewhere/log.csv")
    (run / "link").symlink_to(tmp_path / "elsewhere")
    (run / "linked.csv").symlink_to(tmp_path / "elsewhere/log.csv")
    (run / "code/link").symlink_to(tmp_path / "elsewhere")
    assert names(run) == []


def test_the_project_itself_is_not_a_runs(run):
    shutil.rmtree(run / "code")
    write(run.parent / "project/new.csv")
    (run / "code").symlink_to(run.parent / "project")
    assert names(run) == []


@pytest.mark.parametrize(
    "folder",
    ["data", "Dataset", "wandb/run-1", ".git", "node_modules", "checkpoints", "my_ckpt", "code.1"],
)
def test_data_checkpoints_and_other_tools_are_not_walked_into(run, folder):
    write(run / folder / "log.csv")
    assert names(run) == []


def test_of_a_trainers_checkpoints_the_newest_state_counts(run):
    for steps in (500, 1000, 50):
        write(run / f"out/checkpoint-{steps}/trainer_state.json", "{}")
        write(run / f"out/checkpoint-{steps}/log.csv")
    assert names(run) == ["out/checkpoint-1000/trainer_state.json"]


def test_what_is_large_deep_or_called_data_is_no_metric(run):
    write(run / "predictions.csv")
    write(run / "train_data.csv")
    write(run / "/".join("abcdefghijklm") / "log.csv")
    with open(write(run / "large.csv"), "r+b") as file:
        file.truncate(1 << 30)
    os.mkfifo(run / "pipe.csv")
    (run / "folder.csv").mkdir()
    assert names(run) == []


def test_a_walk_ends(run):
    for folder in range(60):
        for name in range(100):
            write(run / f"a{folder:02}" / f"{name}.bin", "")
    write(run / "zz/log.csv")
    assert names(run) == []


@pytest.mark.parametrize("name", ["new/er/log.csv", "code/deep/er/log.csv", "code/new/log.csv"])
def test_a_new_file_in_a_new_folder_changes_the_stamps(run, name):
    look = RunFiles(str(run))
    files_left(look)
    assert fingerprint(look.path, look.stamps) == look.fingerprint
    write(run / name)
    assert fingerprint(look.path, look.stamps) != look.fingerprint


def test_a_row_more_changes_the_stamps(run):
    write(run / "a/log.csv")
    look = RunFiles(str(run))
    files_left(look)
    write(run / "a/log.csv", LOG + "2,0.6\n")
    assert fingerprint(look.path, look.stamps) != look.fingerprint


def test_a_file_that_is_named_is_looked_for_below_logdir_then_below_the_code(run):
    look = RunFiles(str(run))
    assert locate(look, "out/eval.json") is None
    assert locate(look, "old/log.csv") is None  # Frozen.
    write(run / "code/out/eval.json", "{}")
    assert locate(look, "out/eval.json") == "code/out/eval.json"
    write(run / "out/eval.json", "{}")
    assert locate(look, "out/eval.json") == "out/eval.json"


def test_a_named_file_that_appears_in_a_new_folder_changes_the_stamps(run):
    look = RunFiles(str(run))
    assert locate(look, "out/deep/eval.json") is None
    write(run / "out/deep/eval.json", "{}")
    assert fingerprint(look.path, look.stamps) != look.fingerprint


def test_a_named_file_behind_a_link_out_of_the_run_is_not_there(run, tmp_path):
    write(tmp_path / "elsewhere/eval.json", "{}")
    (run / "out").symlink_to(tmp_path / "elsewhere")
    assert locate(RunFiles(str(run)), "out/eval.json") is None


def test_another_tools_directory_has_what_lies_in_it_itself(tmp_path):
    write(tmp_path / "owl/metrics.csv", "epoch,step,val_acc\n0,9,0.5\n")
    write(tmp_path / "owl/inner/metrics.csv", "epoch,step,val_acc\n0,9,0.9\n")
    [run] = runx.results(tmp_path)
    assert (run.metrics, run.state, run.tool) == ({"acc": 0.5}, "unknown", "files")


def test_a_wide_metrics_file_is_not_taken_for_logxs(run):
    write(run / "metrics.csv", "epoch,step,train_loss,val_acc\n0,9,0.1,\n0,9,,0.5\n")
    [found] = read_experiment(ExperimentDir(run.parent), Reader(warn=pytest.fail))
    assert (found.metrics, found.sources["acc"]) == ({"acc": 0.5}, "metrics.csv")


def test_a_metric_of_the_runs_own_directory_goes_before_one_beside_the_code(run):
    write(run / "code" / "baseline" / "results.csv", "epoch,val_acc\n1,0.9\n")
    write(run / "out" / "log.csv", "epoch,val_acc\n1,0.4\n2,0.5\n")
    (record,) = runx.results(run.parent)
    assert record.metrics == {"acc": 0.5, "results/acc": 0.9}
