import threading

from run_folders import make_run

from runx.analysis import index
from runx.analysis import read as read_module
from runx.analysis.index import MANY
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.rundir.paths import ExperimentDir


def test_several_processes_read_what_one_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(read_module, "WORTH_A_FORK", 10)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(index, "SETTLED", -(10**12))
    (tmp_path / ".runx").mkdir()
    for number in range(MANY + 10):
        make_run(tmp_path / f"run{number:03}", {"lr": number}, [number, 2.5, 3])
    (tmp_path / "run007" / "hparams.json").write_text("{")
    with open(tmp_path / "run009" / "metrics.csv", "a") as file:
        file.write("val,acc,3,ep")
    (tmp_path / "run011" / "attempts" / "1.events.jsonl").unlink()
    outcomes = []
    for processes in (1, 3, 3, 1):
        (tmp_path / ".runx" / "index.json").unlink(missing_ok=processes == 1)
        for reader in (Reader(), Reader((Measure("best", "acc", "max"),)), Reader(at=1)):
            warnings = []
            reader = reader._replace(warn=warnings.append, processes=processes)
            records = read_experiment(ExperimentDir(tmp_path), reader)
            outcomes.append(([record._replace(attempts=()) for record in records], warnings))
    assert len(outcomes[0][0]) == MANY + 10
    assert len(outcomes[0][1]) == 2
    assert outcomes[:3] == outcomes[3:6] == outcomes[6:9] == outcomes[9:]
