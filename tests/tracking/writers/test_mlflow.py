import pytest

from runx.logx import LogX

tracking = pytest.importorskip("mlflow.tracking", reason="needs mlflow")


def test_mlflow_has_one_run_over_all_attempts(tmp_path, monkeypatch):
    for name in ("RUNX_LOGDIR", "RUNX_LOGX", "RANK", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    logx = LogX()
    for epoch in (0, 1):
        logx.initialize(tmp_path / "sweep" / "owl", writers=["csv", "mlflow"], hparams={"lr": 0.1})
        logx.metric("val", {"acc (%)": epoch + 0.5}, epoch)
        logx.close()
    client = tracking.MlflowClient((tmp_path / "sweep" / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("sweep")
    [run] = client.search_runs([experiment.experiment_id])
    assert run.data.params == {"lr": "0.1"}
    assert (run.info.run_name, run.info.status) == ("owl", "FINISHED")
    history = client.get_metric_history(run.info.run_id, "val/acc ___")
    assert [(each.step, each.value) for each in history] == [(0, 0.5), (1, 1.5)]
