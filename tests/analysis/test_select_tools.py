"""What acts on runs leaves those of other tools alone, and says so in one line."""

import shutil

import pytest
from run_folders import make_run
from tool_samples import SAMPLES

from runx.analysis.read import Reader
from runx.analysis.select import records_of, select
from runx.errors import RunxError
from runx.rundir.paths import RunDir

RUNS = {
    "mlflow": "mlruns/[1-9]*/*[0-9a-f]",
    "wandb": "wandb/offline-run-*",
    "hydra": "multirun/*/*/*[0-9]",
    "lightning": "lightning_logs/*",
    "sacred": "sacred/*",
    "tensorboard": "runs/*",
}


@pytest.mark.parametrize("tool", RUNS)
def test_runs_of_other_tools_are_refused_by_folder_and_by_run(tool, tmp_path):
    top = shutil.copytree(SAMPLES / tool, tmp_path / tool)
    before = sorted(top.rglob("*"))
    for path in (top, next(top.glob(RUNS[tool]))):
        with pytest.raises(RunxError, match=f"runs of {tool}, which runx reads, .*; sumx {path} "):
            select([str(path)], tmp_path / "runs", tmp_path)
        with pytest.raises(RunxError, match=f"runs of {tool}"):
            records_of([str(path)], tmp_path / "runs", tmp_path, Reader())
    assert sorted(top.rglob("*")) == before


def test_an_experiment_of_ours_is_selected_whatever_its_scripts_left(tmp_path):

    run = make_run(tmp_path / "sweep" / "owl", {"lr": 1}, [0.5])
    shutil.copytree(SAMPLES / "lightning" / "lightning_logs", run / "lightning_logs")
    assert select(["sweep"], tmp_path, tmp_path) == [RunDir(run)]
