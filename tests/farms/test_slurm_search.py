"""A real Slurm: a search as one job array with nobody at the launch, requeued and preempted."""

import json
import re

import pytest
from sites import all_end, job_of

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 300M, time: 10m}
"""
SEARCH = """\
SEARCH: {metric: accuracy, goal: maximize, trials: %d}
MAX_PARALLEL: 2
ARRAY: true
HPARAMS:
  lr: {uniform: [0, 1]}
  epochs: %d
"""
PRUNING = """\
SEARCH:
  metric: accuracy
  goal: maximize
  trials: 2
  try_first: [{lr: 0.9}, {lr: 0.1}]
  prune: {median: {warmup: 1, min_runs: 1}}
MAX_PARALLEL: 1
ARRAY: true
RESOURCES: {mem: 50M}
HPARAMS: {lr: {uniform: [0, 1]}}
STEPS:
  train: {CMD: "python prunable.py {args}"}
  eval: {CMD: touch LOGDIR/evaluated, AFTER: train}
  report: {CMD: touch reported, AFTER: eval, PER: sweep}
"""
PRUNABLE = """\
import pathlib, time
from runx.logx import logx
logx.initialize(tensorboard=False)
at = pathlib.Path(logx.logdir, "epoch.txt")
first = int(at.read_text()) if at.exists() else 0
print("from epoch", first, flush=True)
for epoch in range(first, 8):
    # It measures otherwise once it was requeued.
    logx.metric("val", {"accuracy": logx.hparams.lr - (0.05 if first else 0)}, epoch)
    at.write_text(str(epoch + 1))
    print("epoch", epoch, flush=True)
    if logx.should_stop():
        break
    time.sleep(0.5)
"""


def point_of(run):
    search = json.loads((run / "run.json").read_text())["search"]
    folder = run.parent / ".runx/search" / search["name"] / "points"
    return json.loads((folder / f"{search['point']}.json").read_text())


def in_order(site, name):
    """Return the runs of a search, by the numbers of their points."""
    runs = [run for run in site.runs(name) if (run / "run.json").exists()]
    records = {run: json.loads((run / "run.json").read_text()) for run in runs}
    return sorted(records, key=lambda run: records[run]["search"]["point"])


def test_a_search_goes_on_with_nobody_at_its_launch(site):
    site.runx(site.sweep("search", SEARCH % (8, 0)))
    site.done("search", 8)
    runs = in_order(site, "search")
    assert len({job_of(run).partition("_")[0] for run in runs}) == 1
    points = [point_of(run) for run in runs]
    assert len({point["values"]["lr"] for point in points}) == 8
    assert max(point["known"] for point in points) >= 5
    for run, point in zip(runs, points, strict=True):
        assert json.loads((run / "hparams.json").read_text())["lr"] == point["values"]["lr"]
    assert "8 done" in site.runx("status", "search").stdout


def test_a_run_that_is_requeued_or_preempted_keeps_its_point(site, cluster):
    text = SEARCH % (3, 12) + "RESOURCES: {partition: spare, exclude: 'n[2-3]'}\n"
    site.runx(site.sweep("again", text))
    runs = in_order(site, "again")
    site.printed(runs[0], "\nepoch 1\n")
    before = point_of(runs[0])
    bound = (runs[0] / "bound.sh").read_text()
    cluster.call("scontrol", "requeue", job_of(runs[0]))
    cluster.at_once(job_of(runs[0]))
    site.printed(runs[0], "from epoch", 2)
    cluster.call("sbatch", "-p", "urgent", "-w", "n1", "--exclusive", "--wrap", "sleep 2")
    states = site.wait("again", lambda states: "preempted" in states.values())
    for run in runs:
        if states[run.name] == "preempted":
            cluster.at_once(job_of(run))
    site.done("again", 3)
    assert point_of(runs[0]) == before and (runs[0] / "bound.sh").read_text() == bound
    begun = sum(len(re.findall("from epoch", site.output(run))) for run in runs)
    assert begun >= 5
    for run in runs:
        assert json.loads((run / "hparams.json").read_text())["lr"] == point_of(run)["values"]["lr"]
        assert site.output(run).count("\nepoch 11\n") == 1


def test_a_run_is_pruned_with_nobody_at_its_launch_and_a_requeued_one_keeps_its_rungs(
    site, cluster
):
    site.write("prunable.py", PRUNABLE)
    site.write("stops.yml", PRUNING)
    site.runx("stops.yml")
    good, bad = in_order(site, "stops")
    site.printed(good / "steps/train", "\nepoch 3\n")
    [rungs] = good.parent.glob(".runx/search/*/rungs")
    early = rungs / "1" / f"{good.name}=1=0.9"
    assert early.exists()
    cluster.call("scontrol", "requeue", job_of(good / "steps/train"))
    cluster.at_once(job_of(good / "steps/train"))
    site.printed(good / "steps/train", "from epoch", 2)
    states = site.wait("stops", all_end)
    assert states == {good.name: "done", bad.name: "pruned"}, site.logs("stops")
    assert [each.name for each in early.parent.iterdir() if good.name in each.name] == [early.name]
    entered = {int(each.parent.name) for each in rungs.glob(f"*/{good.name}=*")}
    assert entered == set(range(1, 8)), "none of the warm-up"
    ends = (bad / "steps/train/attempts/1.events.jsonl").read_text().splitlines()
    ended = json.loads(ends[-1])
    assert ended["code"] == 0
    assert ended["pruned"].startswith("epoch 1: 0.1 is worse than 0.9")
    later = json.loads((bad / "steps/eval/attempts/1.events.jsonl").read_text().splitlines()[-1])
    assert (later["code"], later["pruned"]) == (0, "after train")
    assert [(run / "evaluated").exists() for run in (good, bad)] == [True, False]
    for step in (bad / "steps/train", bad / "steps/eval"):
        shown = cluster.call("scontrol", "show", "job", job_of(step))
        assert "JobState=COMPLETED" in shown and "ExitCode=0:0" in shown
    [report] = good.parent.glob("steps/report-*")
    cluster.until(
        lambda: '"code":0' in (report / "attempts/1.events.jsonl").read_text(), job_of(report)
    )
