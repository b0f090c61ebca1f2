"""Slurm: what is submitted, and a real one of three nodes that takes it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

import pytest
from sites import (
    Site,
    all_end,
    environment_of,
    hostile_values_come_out_as_they_went_in,
)

from runx.farms import slurm
from runx.farms.base import Farm
from runx.processes import Finished
from runx.rundir.events import JobStatus

real = pytest.mark.slurm
ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
NOBODY = 65534
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {gpus: 1, mem: 500M, time: 10m}
"""


def answered(output, status=0):
    return Finished((), status, output, "")


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("TIMEOUT", "timeout"),
        ("OUT_OF_MEMORY", "oom"),
        ("PREEMPTED", "preempted"),
        ("NODE_FAIL", "lost"),
        ("CANCELLED", "cancelled"),
        ("A_STATE_OF_TOMORROW", "unknown"),
    ],
)
def test_squeue_states_are_told_apart(state, word):
    statuses = slurm.in_queue(answered(f"12|N/A|{state}|None|a|b\n"))
    assert statuses["12"].state == word
    assert statuses["12"].name == "a|b"


def test_squeue_that_fails_is_no_answer():
    assert slurm.in_queue(answered("", 1)) is None
    assert slurm.in_accounts(answered("", 1)) is None


def test_tasks_that_stand_together_in_one_line_are_told_apart():
    squeue = slurm.in_queue(answered("4|0|PENDING|None|x\n4|2-3|CANCELLED|None|x\n"))
    assert [(job, status.state) for job, status in squeue.items()] == [
        ("4_0", "queued"),
        ("4_2", "cancelled"),
        ("4_3", "cancelled"),
    ]
    sacct = slurm.in_accounts(answered("4_[5,7%2]|CANCELLED by 0|None|x\n"))
    assert list(sacct) == ["4_5", "4_7"]


def test_an_array_is_cancelled_in_one_call():
    ids = [f"12_{task}" for task in range(20_000)]
    assert slurm.FARM_TYPE.cancel(ids, Farm("slurm")) == [("scancel", "12_[0-19999]")]


def test_sacct_says_who_cancelled():
    statuses = slurm.in_accounts(answered("4_2|CANCELLED by 0|None|x\n5|COMPLETED|None|y\n"))
    assert statuses == {
        "4_2": JobStatus("cancelled", name="x"),
        "5": JobStatus("done", name="y"),
    }


@real
def test_eight_networks_are_trained_and_ranked(site):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    site.write("train.py", (DIGITS / "train.py").read_text())
    text = (DIGITS / "sweep.yml").read_text().replace("0.1]", "0.1, 1e-9]\n  epochs: 3")
    site.write("digits.yml", text + "RESOURCES: {mem: 1G}\nARRAY: true\n")
    site.runx("digits.yml")
    site.done("digits", 8)
    done = site.runx("digits", "--sortwith", "accuracy", "--json", program="sumx")
    ranked = [run["metrics"]["accuracy"] for run in json.loads(done.stdout)]
    assert ranked == sorted(ranked, reverse=True)
    assert ranked[0] > 85 > 50 > ranked[-1]


@real
def test_hostile_values_survive(site):
    hostile_values_come_out_as_they_went_in(site, "ARRAY: true\n")


@real
def test_a_refusal_is_reported_in_slurms_words_and_leaves_runs_planned(site):
    file = site.sweep("no", "HPARAMS: {lr: [1, 2]}\nRESOURCES: {partition: nowhere}\n")
    done = site.runx(file, status=3)
    assert "invalid partition" in done.stderr
    assert "--resume" in done.stderr
    assert set(site.states("no").values()) == {"planned"}
    site.write("no.yml", (site.path / "no.yml").read_text().replace("nowhere", "main"))
    site.runx("no.yml", "--resume")
    site.done("no", 2)
    assert len(site.runs("no")) == 2


@real
def test_an_array_above_the_largest_index_is_cut_and_throttled(site, cluster):
    file = site.sweep("cut", f"HPARAMS: {{lr: {list(range(25))}, nap: 0.3}}\nMAX_PARALLEL: 4\n")
    site.runx(file)
    site.done("cut", 25)
    jobs = [json.loads((run / "attempts/1.job.json").read_text())["id"] for run in site.runs("cut")]
    assert len({job.partition("_")[0] for job in jobs}) == 3
    assert most_at_a_time(site.runs("cut")) <= 4


def most_at_a_time(runs):
    """Return how many runs went on at one time at most, by what they wrote of their first attempts.

    What status shows of many runs is read one after the other, while they start and end.
    """
    changes = []
    for run in runs:
        lines = (run / "attempts/1.events.jsonl").read_text().splitlines()
        times = {event["event"]: event["time"] for event in map(json.loads, lines)}
        changes += [(times["started"], 1), (times["ended"], -1)]
    return max(accumulate(change for _, change in sorted(changes)))


@real
def test_what_waits_can_be_held_and_released(site):
    site.runx("cancel", "held", status=2)
    site.runx(site.sweep("held", "HPARAMS: {lr: [1, 2], nap: 2}\nRESOURCES: {begin: now+60}\n"))
    site.runx("hold", "held")
    assert "held" in site.runx("status", "held").stdout
    site.runx("release", "held")
    site.runx("cancel", "held")
    assert set(site.states("held").values()) == {"cancelled"}


@real
def test_a_launcher_killed_half_way_leaves_every_run_once(site, cluster):
    file = site.sweep("half", "HPARAMS: {lr: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}\n")
    launcher = subprocess.Popen(
        ["runx", file],
        cwd=site.path,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    logs = site.path / "logs" / "half"
    while len(list(logs.glob("*/attempts/1.job.json"))) < 3:
        time.sleep(0.005)
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait()
    # One whose id was never kept is found by its name.
    [lost, *_] = sorted(logs.glob("*/attempts/1.job.json"))
    lost.unlink()
    site.runx(file, "--resume")
    site.done("half", 12)
    assert len(site.runs("half")) == 12
    # One whose submission was cut off is claimed anew, but only one attempt ever happened.
    assert {len(list(run.glob("attempts/*.events.jsonl"))) for run in site.runs("half")} == {1}


@real
def test_a_run_waits_for_another_experiment(site):
    site.runx(site.sweep("first", "HPARAMS: {lr: [1, 2], nap: 3}\n"))
    site.runx(site.sweep("second", "HPARAMS: {lr: 1}\n"), "--after", "first")
    assert list(site.states("second").values()) == ["queued"]
    site.done("second", 1)
    assert set(site.states("first").values()) == {"done"}
    site.runx(site.sweep("third", "HPARAMS: {lr: 1}\n"), "--after", "first")
    site.done("third", 1)
    site.runx(site.sweep("bad", "HPARAMS: {status: 3}\n"))
    site.wait("bad", all_end)
    refused = site.runx("third.yml", "--again", "--after", "bad", status=2)
    assert "failed" in refused.stderr


@real
def test_slurm_is_asked_whether_it_would_take_the_runs(site):
    file = site.sweep("ask", "HPARAMS: {lr: [1, 2]}\n")
    assert "to start at" in site.runx(file, "--test-only").stderr
    assert not (site.path / "logs" / "ask").exists()
    site.write("ask.yml", (site.path / "ask.yml").read_text() + "RESOURCES: {partition: nowhere}\n")
    assert "nvalid partition" in site.runx("ask.yml", "--test-only", status=3).stderr


@real
def test_slurm_tells_when_a_run_would_start_and_computed_needs_are_arrays_of_their_own(site):
    runx = (site.path / ".runx").read_text().replace("FARM: slurm", "FARM: soonest")
    site.write(".runx", f"{runx}  CAPACITY: {{gpus: 8, cpus: 64, mem: 500G}}\n  ARRAY: true\n")
    # The other can't tell: nobody has its command.
    site.write(".runx", (site.path / ".runx").read_text() + "lab: {TYPE: lsf, CAPACITY: {}}\n")
    needs = "RESOURCES: {mem: '{{ 100 * lr * attempt }}M'}\n"
    file = site.sweep("soon", f"HPARAMS: {{lr: [1, 2], nap: [0, 0.1]}}\n{needs}")
    shown = site.runx(file, "-n")
    assert "4 runs go to slurm: gpus: 1, mem: 100M, time: 10m; others differ" in shown.stderr
    assert "lab can't tell when a run would start" in shown.stderr
    assert (
        len(re.findall(r"^sbatch .*--array=0-1 .*--mem=[12]00M", shown.stdout, re.MULTILINE)) == 2
    )
    site.runx(file)
    site.done("soon", 4)
    asked = sorted(
        run["resources"]["mem"] for run in json.loads(site.runx("show", "soon", "--json").stdout)
    )
    assert asked == ["100M", "100M", "200M", "200M"]
    assert "time: 10m, runs took at most" in site.runx("status", "soon").stdout


@real
def test_an_ordinary_user_launches_looks_and_cancels(cluster, installed):
    if os.getuid() != 0:
        pytest.skip("only root can become another user; the other tests are by one already")
    if not all(open_to_all(path) for path in (Path(sys.executable), ROOT / "runx")):
        pytest.skip("nobody but root can read this checkout, or start this Python")
    with tempfile.TemporaryDirectory() as folder:
        site = of_nobody(Path(folder), environment_of(installed, cluster.environment))
        site.runx(site.sweep("mine", "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\n"))
        site.done("mine", 3)
        site.runx(site.sweep("long", "HPARAMS: {nap: [300, 301]}\n"))
        site.wait("long", lambda states: set(states.values()) == {"running"})
        site.runx("cancel", "long")
        assert set(site.wait("long", all_end).values()) == {"cancelled"}
        assert {run.stat().st_uid for run in site.runs("mine")} == {NOBODY}


def of_nobody(folder, environment):
    """Make a project that belongs to nobody, who has the commands of root's but not his folders."""
    commands = Path(environment["PATH"].split(os.pathsep)[0])
    shutil.copytree(commands, folder / "bin").chmod(0o755)
    path = f"{folder}/bin{os.pathsep}{environment['PATH']}"
    environment = {**environment, "PATH": path, "HOME": f"{folder}", "XDG_CONFIG_HOME": ""}
    site = Site(folder / "project", environment, FARM, user=NOBODY)
    for place in (folder, site.path):
        os.chown(place, NOBODY, NOBODY)
    return site


def open_to_all(path):
    """Return whether every user may come to a path, wherever links lead."""
    real = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (real, *real.parents))


@real
def test_torchrun_meets_over_nodes(site):
    pytest.importorskip("torch")
    site.write(
        "train.py",
        "import os, torch\n"
        "torch.distributed.init_process_group('gloo')\n"
        "total = torch.ones(1)\n"
        "torch.distributed.all_reduce(total)\n"
        "os.write(1, f'sum {int(total)} of {os.environ[\"WORLD_SIZE\"]}\\n'.encode())\n"
        # gloo's threads abort a process that leaves while others still speak to it.
        "torch.distributed.barrier()\n"
        "torch.distributed.destroy_process_group()\n",
    )
    resources = "RESOURCES: {nodes: 2, gpus: 2, mem: 3G}\nLAUNCH: torchrun\n"
    site.runx(site.sweep("spread", f"HPARAMS: {{}}\n{resources}"))
    site.done("spread", 1, 240)
    [run] = site.runs("spread")
    assert site.output(run).count("sum 4 of 4") == 4
