"""logx in the steps of a run: metrics apart, checkpoints together."""

import torch

from runx.logx import LogX
from runx.rundir.paths import RunDir


def _step(monkeypatch, run, name):
    run.step(name).attempts.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("RUNX_LOGDIR", str(run.path))
    monkeypatch.setenv("RUNX_ATTEMPT", "1")
    monkeypatch.setenv("RUNX_STEP", name)
    logx = LogX()
    logx.initialize(tensorboard=True)
    return logx


def _names(run):
    return sorted(path.name for path in run.path.iterdir() if "tfevents" not in path.name)


def test_each_step_has_its_metrics_messages_and_notes(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "wise-owl")
    for name, acc in (("train", 0.5), ("eval", 0.7)):
        logx = _step(monkeypatch, run, name)
        logx.metric("val", {"acc": acc}, 1)
        logx.msg(f"from {name}")
        assert logx.run.step == name
        logx.close()
    assert _names(run) == ["steps"]
    for name, acc in (("train", "0.5"), ("eval", "0.7")):
        step = run.step(name)
        assert f"acc,{acc}" in step.metrics.read_text()
        assert step.messages.read_text() == f"from {name}\n"
        assert any("tfevents" in path.name for path in step.path.iterdir())


def test_a_later_step_prunes_no_checkpoint_of_an_earlier_one(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "wise-owl")
    for name, epochs in (("train", (1, 2)), ("tune", (11, 12))):
        logx = _step(monkeypatch, run, name)
        for epoch in epochs:
            logx.save_model({"w": torch.zeros(1)}, metric=epoch, epoch=epoch, higher_better=True)
        logx.close()
    last = [name for name in _names(run) if name.startswith("last")]
    assert last == ["last_checkpoint_ep12.pth", "last_checkpoint_ep2.pth"]


def test_what_another_step_still_writes_is_left(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "wise-owl")
    logx = _step(monkeypatch, run, "tune")
    partial = run.path / "last_checkpoint_ep1.pth.77.tmp"
    partial.write_bytes(b"half")
    logx.save_model({"w": torch.zeros(1)}, metric=1, epoch=3)
    logx.close()
    assert partial.exists()


def test_a_step_without_its_directory_logs_to_the_run(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "tokens-3f9a")
    run.path.mkdir(parents=True)
    monkeypatch.setenv("RUNX_LOGDIR", str(run.path))
    monkeypatch.setenv("RUNX_STEP", "tokens")
    logx = LogX()
    logx.initialize()
    logx.metric("val", {"n": 3}, 1)
    logx.close()
    assert run.metrics.exists()


def test_a_stop_is_requested_of_a_step(tmp_path, monkeypatch):
    run = RunDir(tmp_path / "sweep" / "wise-owl")
    logx = _step(monkeypatch, run, "train")
    run.stop_requested.touch()
    assert not logx.should_stop()
    run.step("train").stop_requested.touch()
    assert logx.should_stop()
    logx.close()
