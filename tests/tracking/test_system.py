import time

from runx.rundir.records import read
from runx.tracking.system import visible_gpus


def test_figures_of_the_machine_are_written_every_so_often(logx, tmp_path):
    logx.initialize(tmp_path, system=0.02)
    until = time.monotonic() + 60
    found = []
    while len(found) < 2 and time.monotonic() < until:
        time.sleep(0.02)
        if (tmp_path / "system.csv").exists():
            found = list(read(tmp_path / "system.csv"))
    assert len(found) >= 2
    assert found[0].phase == "system"
    assert found[0].metrics["rss_mb"] > 1
    assert found[0].metrics["cpu"] >= 0
    assert found[0].timestamp > 1e9


def test_figures_of_the_machine_may_be_left_out(logx, tmp_path):
    logx.initialize(tmp_path, system=False)
    logx.close()
    assert not (tmp_path / "system.csv").exists()


def test_where_there_is_no_gpu_there_are_no_figures_of_one(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
