"""Runs of a search that are stopped early, by real launches here."""

import json
import subprocess
import time

import pytest
from sweeps import Sweep, events, state_of

from runx.rundir.rungs import rungs
from runx.rundir.searches import SearchDir

YAML = """\
CMD: {cmd}
{more}SEARCH:
  metric: acc
  goal: maximize
  trials: {trials}
  sampler: random
  try_first: [{{x: 0.9}}, {{x: 0.1}}]
  prune: {{median: {{warmup: 1, min_runs: 1}}}}
HPARAMS:
  x: {{uniform: [0, 1]}}
"""
LOGX = """\
import sys, time
from runx.logx import logx
logx.initialize()
for epoch in range(1, 4):
    logx.metric("val", {"acc": logx.hparams.x * epoch}, epoch)
    if logx.should_stop():
        logx.msg(f"stopping: {logx.stop_reason}")
        break
else:
    logx.msg("all epochs")
"""
BARE = """\
import sys, time
for epoch in range(1, 4):
    print("acc:", float(sys.argv[2]) * epoch, flush=True)
if float(sys.argv[2]) < 0.5:
    time.sleep(60)
"""
QUICK = {"RUNX_OBSERVE": "0", "RUNX_WATCH": "0.2", "RUNX_PRUNE_GRACE": "0"}


class Pruning(Sweep):
    """A search whose second run is worse than its first."""

    def __init__(self, path, environment, script, trials=2, more="", cmd="python train.py {args}"):
        super().__init__(path, {**environment, **QUICK})
        self.write("train.py", script)
        self.write("sweep.yml", YAML.format(trials=trials, more=more, cmd=cmd))

    def by_point(self):
        """Return the runs by the number of their point."""
        found = {
            json.loads(run.record.read_text())["search"]["point"]: run
            for run in self.runs()
            if run.record.exists()
        }
        return dict(sorted(found.items()))

    def rungs(self):
        """Return the rungs of the search."""
        [folder] = (self.root / "sweep/.runx/search").iterdir()
        return rungs(SearchDir(folder))


@pytest.fixture
def pruning(tmp_path, installed):
    made = []

    def make(*arguments, **options):
        made.append(Pruning(tmp_path / "project", installed, *arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.clean()


def test_logx_stops_a_run_that_is_worse_than_the_others(pruning):
    sweep = pruning(LOGX)
    output = sweep.runx("-i", "-j", "1")
    good, bad = sweep.by_point().values()
    assert state_of(good) == "done"
    assert state_of(bad) == "pruned"
    why = "epoch 1: 0.1 is worse than 0.9, the median of 1 other"
    assert f"stopping: pruned: {why}" in bad.output.read_text()
    assert events(bad, 1)[-1]["pruned"] == why
    assert "1 run done, 1 pruned" in output
    assert sweep.rungs()[1] == {good.path.name: 0.9, bad.path.name: 0.1}
    assert f"pruned ({why})" in sweep.command("status", "sweep")
    shown = sweep.command("show", f"sweep/{bad.path.name}")
    assert f"pruned ({why})" in shown
    assert "stopped at epoch 1, compared with" in shown
    assert good.path.name in shown


def test_resume_leaves_what_was_pruned_and_retry_lets_it_go_to_its_end(pruning):
    sweep = pruning(LOGX)
    sweep.runx("-i", "-j", "1")
    assert "starting 0" in sweep.runx("-i", "--resume")
    bad = sweep.by_point()[2]
    sweep.runx("-i", "--resume", "--retry", "pruned")
    assert state_of(bad) == "done"
    assert "all epochs" in bad.output.read_text()
    assert sweep.rungs()[1][bad.path.name] == 0.1


def test_a_script_without_logx_is_observed_and_ended(pruning):
    sweep = pruning(BARE, more='METRICS: {acc: "acc: ([0-9.]+)"}\n')
    begin = time.monotonic()
    sweep.runx("-i", "-j", "1")
    assert time.monotonic() - begin < 50
    good, bad = sweep.by_point().values()
    assert (state_of(good), state_of(bad)) == ("done", "pruned")
    assert events(bad, 1)[-1]["code"] == 0
    assert good.path.name in sweep.rungs()[1], "entered at its end at the latest"


TENSORBOARD = """\
import sys, time
from tensorboardX import SummaryWriter
x = float(sys.argv[2])
writer = SummaryWriter(sys.argv[4], flush_secs=1)
for epoch in range(1, 4):
    writer.add_scalar("acc", x * epoch, epoch)
writer.flush()
if x < 0.5:
    time.sleep(60)
writer.close()
"""


def test_a_script_that_writes_tensorboard_alone_is_observed_and_ended(pruning):
    sweep = pruning(TENSORBOARD, cmd="python train.py --x {x} --to LOGDIR/tb")
    begin = time.monotonic()
    sweep.runx("-i", "-j", "1")
    assert time.monotonic() - begin < 50
    good, bad = sweep.by_point().values()
    assert (state_of(good), state_of(bad)) == ("done", "pruned")
    assert sweep.rungs()[1] == pytest.approx({good.path.name: 0.9, bad.path.name: 0.1})


def test_a_run_that_has_the_terminal_is_pruned(pruning):
    sweep = pruning(LOGX)
    text = (sweep.path / "sweep.yml").read_text()
    one = text.replace("trials: 2", "trials: 1").replace(", {x: 0.1}", "")
    sweep.write("sweep.yml", one)
    sweep.runx("-i", "-j", "1")
    sweep.write("sweep.yml", text)
    sweep.runx("-i", "--attach", "--resume")
    good, bad = sweep.by_point().values()
    assert (state_of(good), state_of(bad)) == ("done", "pruned")
    assert events(bad, 1)[-1]["code"] == 0


def test_a_script_that_ignores_everything_is_killed(pruning):
    script = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LOGX.replace(
        "        break\n", "        time.sleep(60)\n"
    )
    sweep = pruning(script)
    sweep.runx("-i", "-j", "1")
    assert state_of(sweep.by_point()[2]) == "pruned"


def test_all_ranks_end_where_rank_0_is_told_to(pruning):
    """Rank 0 leaves; the other, which waits for it as in a collective, is ended with the group."""
    waits = "import os, time\nos.environ['RANK'] == '1' and time.sleep(60)\n"
    sweep = pruning(waits + LOGX, cmd="bash two.sh {args}")
    sweep.write(
        "two.sh",
        'RANK=1 python train.py "$@" & RANK=0 python train.py "$@"\n'
        "[[ $2 == 0.9 ]] && kill $!\nwait\n",
    )
    begin = time.monotonic()
    sweep.runx("-i", "-j", "1")
    assert time.monotonic() - begin < 50
    good, bad = sweep.by_point().values()
    assert (state_of(good), state_of(bad)) == ("done", "pruned")


TORCHRUN = """\
import sys
import torch
import torch.distributed as dist
from runx.logx import logx
dist.init_process_group("gloo")
logx.initialize(hparams={"x": float(sys.argv[2])})
rank = dist.get_rank()
for epoch in range(1, 4):
    logx.metric("val", {"acc": float(sys.argv[2]) * epoch}, epoch)
    asked = torch.tensor([int(rank == 0 and logx.should_stop())])
    dist.broadcast(asked, 0)
    if asked:
        break
print(f"rank {rank} left at epoch {epoch}", flush=True)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_both_processes_of_torchrun_end_where_rank_0_is_told_to(pruning):
    pytest.importorskip("torch")
    command = "python -m torch.distributed.run --standalone --nproc-per-node 2 train.py {args}"
    sweep = pruning(TORCHRUN, cmd=command)
    sweep.runx("-i", "-j", "1")
    good, bad = sweep.by_point().values()
    assert (state_of(good), state_of(bad)) == ("done", "pruned"), bad.output.read_text()
    for run, epoch in ((good, 3), (bad, 1)):
        for rank in range(2):
            assert f"rank {rank} left at epoch {epoch}" in run.output.read_text()
    assert sweep.rungs()[1] == {good.path.name: 0.9, bad.path.name: 0.1}


def test_all_seeds_of_a_point_stop_with_one(pruning):
    sweep = pruning(LOGX)
    with (sweep.path / "sweep.yml").open("a") as file:
        file.write("  seed: {repeat: 2}\n")
    sweep.runx("-i", "-j", "1")
    states = {}
    for run in sweep.runs():
        point = json.loads(run.record.read_text())["search"]["point"]
        states.setdefault(point, []).append(state_of(run))
    assert states[2] == ["pruned", "pruned"]


STEPS = """\
STEPS:
  train: {CMD: "python train.py {args}"}
  eval: {CMD: "touch LOGDIR/evaluated", AFTER: train}
  report: {CMD: "touch reported", AFTER: eval, PER: sweep}
"""


def test_later_steps_of_a_pruned_run_do_not_start_and_release_what_waits(pruning):
    sweep = pruning(LOGX, more=STEPS)
    text = (sweep.path / "sweep.yml").read_text()
    (sweep.path / "sweep.yml").write_text(text.partition("\n")[2])
    output = sweep.runx("-i", "-j", "1")
    good, bad = sweep.by_point().values()
    assert (good.path / "evaluated").exists(), output
    assert not (bad.path / "evaluated").exists()
    status = json.loads(sweep.command("status", "sweep", "--json"))
    assert {run["name"]: run["state"] for run in status} == {
        good.path.name: "done",
        bad.path.name: "pruned",
    }
    [report] = (sweep.root / "sweep/steps").glob("report-*")
    assert '"code":0' in (report / "attempts/1.events.jsonl").read_text()


def test_a_metric_that_two_steps_have_is_judged_in_the_one_that_it_names(pruning):
    steps = """\
STEPS:
  first: {CMD: "python first.py"}
  eval: {CMD: "python train.py {args}", AFTER: first}
"""
    sweep = pruning(LOGX, more=steps)
    text = (sweep.path / "sweep.yml").read_text().partition("\n")[2]
    sweep.write("sweep.yml", text.replace("metric: acc", "metric: eval.acc"))
    sweep.write("first.py", LOGX.replace("logx.hparams.x * epoch", "7"))
    sweep.runx("-i", "-j", "1")
    good, bad = sweep.by_point().values()
    assert sweep.rungs()[1] == {good.path.name: 0.9, bad.path.name: 0.1}
    assert '"pruned":"epoch 1: ' in bad.step("eval").events(1).read_text()


def test_a_search_that_is_damaged_costs_no_training(pruning):
    sweep = pruning(LOGX)
    sweep.runx("-i", "-j", "1")
    [folder] = (sweep.root / "sweep/.runx/search").iterdir()
    (folder / "search.json").write_text('{\n  "prune": {\n')
    run = sweep.by_point()[1]
    done = subprocess.run(["bash", run.script], env=sweep.environment, timeout=60, check=False)
    assert done.returncode == 0
    assert run.output.read_text().count("all epochs") == 2
    assert "its rung of the search can't be written" in run.output.read_text()
