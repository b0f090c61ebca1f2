"""GPU-hours and idle GPUs, from RESOURCES, the events of attempts and system.csv."""

import json
import shutil

import pytest
from run_folders import make_run

from runx.analysis.gpus import GpuUse, asked_gpus, gpu_lines, gpu_use, idle_gpus
from runx.analysis.read import Reader, read_experiment
from runx.rundir.paths import ExperimentDir
from runx.rundir.records import encode


@pytest.fixture
def run(tmp_path):
    """A function that writes a run of two hours, and what logx measured meanwhile, and reads it."""

    def make(resources=None, loads=(), ended=7200.0, name="a", first=0.0, text="", code=0):
        folder = tmp_path / "sweep" / name
        shutil.rmtree(folder, ignore_errors=True)
        make_run(folder, {"lr": 1}, resources=resources or {})
        claim = {"version": 1, "host": "h", "boot": "b", "pid": 1, "start": 1, "farm": "slurm"}
        (folder / "attempts" / "1.claim").write_text(json.dumps(claim))
        events = ['{"event":"started","time":0}']
        events += [f'{{"event":"ended","time":{ended},"code":{code}}}'] if ended else []
        (folder / "attempts" / "1.events.jsonl").write_text("\n".join(events) + "\n")
        rows = [
            encode("system", {"cpu": 5.0, **each}, None, first + 30 * (at + 1))
            for at, each in enumerate(loads)
        ]
        if rows or text:
            (folder / "system.csv").write_text("".join(rows) + text)
        reader = Reader(warn=lambda line: None, ask=False)
        records = read_experiment(ExperimentDir(tmp_path / "sweep"), reader)
        return next(record for record in records if record.name == name)

    return make


def test_a_run_without_gpus_or_of_which_nobody_says_any_takes_none(run):
    assert gpu_use(run(), 0.0) is None
    assert gpu_use(run({"gpus": 0}), 0.0) is None
    assert gpu_use(run(loads=[{}, {}]), 0.0) is None
    assert gpu_use(run({"gpu": "lots"}), 0.0) is None
    assert gpu_use(run({"gpus": ["a", "b"]}), 0.0) is None


def test_what_is_damaged_or_odd_in_measurements_counts_for_nothing(run):
    odd = [{"gpu0": "nan"}, {"gpu0": "x"}, {"gpu0_mb": 1}, {"gpux": 0}, {"gpu0": 0}]
    use = gpu_use(run({"gpus": 1}, odd, text="system,gpu0,torn,\nnothing\n\0\n"), 0.0)
    assert use == GpuUse(2.0, 1.0)
    assert gpu_use(run({"gpus": 1}, text="\0\0\0"), 0.0) == GpuUse(2.0)


def test_hours_are_those_of_all_gpus_that_were_asked_for(run):
    assert gpu_use(run({"gpus": 4, "nodes": 2}), 0.0) == GpuUse(16.0)
    assert gpu_use(run({"GPU": "a100:2", "wombat": 3}), 0.0) == GpuUse(4.0)
    assert asked_gpus({"gpus": 4, "mem": "nonsense"}) == 4


def test_without_resources_those_count_that_the_script_could_see(run):
    busy = [{"gpu0": 90, "gpu0_mb": 1, "gpu1": 0, "gpu1_mb": 0}] * 3
    assert gpu_use(run(loads=busy), 0.0) == GpuUse(4.0, 0.5)
    assert str(gpu_use(run(loads=busy), 0.0)) == "4 GPU-hours, idle 50% of the time"
    assert str(gpu_use(run({"gpus": 1}), 0.0)) == "2 GPU-hours"


def test_all_attempts_count_and_one_that_goes_on_to_now(run, tmp_path):
    make = run({"gpus": 1})
    attempts = make.dir.attempts
    (attempts / "2.claim").write_text((attempts / "1.claim").read_text())
    (attempts / "2.events.jsonl").write_text('{"event":"started","time":10800}\n')
    (attempts / "2.beat").touch()
    reader = Reader(warn=lambda line: None, ask=False)
    [record] = read_experiment(ExperimentDir(tmp_path / "sweep"), reader)
    assert record.state == "running"
    assert gpu_use(record, 14400.0) == GpuUse(3.0)


def test_gpus_that_were_idle_lately_are_told_of_runs_that_go_on(run):
    idle, busy = {"gpu0": 0, "gpu1": 95}, {"gpu0": 30, "gpu1": 95}
    going = run({"gpus": 2}, [busy, *[idle] * 8], ended=None)
    (going.dir.attempts / "1.beat").touch()
    now = 9 * 30.0
    assert idle_gpus(going, now) == (0, 2)  # It was busy less than five minutes ago.
    assert idle_gpus(going, now + 61) == (1, 2)
    assert idle_gpus(going, now + 280) == (0, 0)  # Too little was measured since.
    assert idle_gpus(run(name="b"), now) == (0, 0)


def test_a_line_sums_up_what_runs_took(run):
    going = run({"gpus": 2}, [{"gpu0": 0, "gpu1": 1}] * 12, ended=None)
    going = going._replace(status=going.status._replace(name="running"))
    runs = [run({"gpus": 4}, name="b"), run(name="c"), going]
    assert list(gpu_lines(runs, 360.0)) == [
        "8.2 GPU-hours",
        "2 GPUs have been idle for 5 min: a (2 of 2)",
    ]
    assert list(gpu_lines([run(name="c")], 360.0)) == []


def test_they_are_columns_details_and_lines_of_status(run, tmp_path, capsys):
    import runx

    run({"gpus": 2}, [{"gpu0": 0}, {"gpu0": 50}])
    results = runx.results("sweep", logroot=tmp_path)
    table = results.columns("gpu_hours", "gpu_idle").written("csv")
    assert table.splitlines() == ["run,gpu_hours,gpu_idle", "a,4.0,0.5"]
    assert [one.name for one in results.where("gpu_idle > 0.4 and gpu_hours > 3")] == ["a"]
    assert runx.status("sweep", logroot=tmp_path).gpus() == ["4 GPU-hours"]
    [shown] = runx.show("sweep", logroot=tmp_path)
    assert (shown["gpu_hours"], shown["gpu_idle"]) == (4.0, 0.5)
    assert '"gpu_hours":4.0,"gpu_idle":0.5' in results.html()
