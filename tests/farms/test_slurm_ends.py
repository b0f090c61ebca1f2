"""A real Slurm: the ways in which a run ends before it is done, and how it goes on."""

import json
import os
import time

import pytest
from sites import all_end, job_of

pytestmark = pytest.mark.slurm
# Others would stand in the way where a node is to die, or to be wanted by somebody.
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 500M, time: 10m, exclude: "n[2-3]"}
"""
FATES = """HPARAMS:
  - {fate: done}
  - {fate: timeout, nap: 300, SUBMIT_JOB.TIME: 1m}
  - {fate: lost, nap: 301, SUBMIT_JOB.exclude: "n[1-2]", SUBMIT_JOB.no-requeue: true}
  - {fate: preempted, nap: 302, SUBMIT_JOB.PARTITION: scavenge, SUBMIT_JOB.exclude: "n[1,3]"}
  - {fate: cancelled, nap: 303}
  - {fate: failed, status: 3}
  - {fate: out of memory, nap: 304, hog: 900}
"""
ONCE_MORE = """\
import os, sys, time
from runx.logx import logx
attempt = int(os.environ["RUNX_ATTEMPT"])
logx.initialize(logdir=os.environ["RUNX_LOGDIR"], tensorboard=False)
print("attempt", attempt, logx.remaining_time(), flush=True)
while attempt == 1 and "--until_warned" in sys.argv and not logx.should_stop():
    time.sleep(0.1)
sys.exit(75 if attempt == 1 else 0)
"""


def attempts(run):
    return len(list((run / "attempts").glob("*.claim")))


def hparams(run):
    return json.loads((run / "hparams.json").read_text())


def test_every_way_to_end_is_a_state_of_its_own(site, cluster):
    site.runx(site.sweep("fates", FATES))
    runs = {hparams(run)["fate"]: run for run in site.runs("fates")}
    lasting = [runs[fate] for fate in ("timeout", "lost", "preempted", "cancelled")]
    for run in lasting:
        site.printed(run, "from epoch 0")
    cluster.call("sbatch", "-p", "urgent", "-w", "n2", "--exclusive", "--wrap", "sleep 2")
    site.runx("cancel", "fates", runs["cancelled"].name)
    cluster.power_cut(3)
    grow_old(runs["lost"])
    try:
        over = lambda states: not {"planned", "queued", "running"} & set(states.values())  # noqa: E731
        states = site.wait("fates", over, 240)
    finally:
        cluster.start_node(3)
    states_by_fate = {fate: states[run.name] for fate, run in runs.items()}
    # Only task/cgroup says OUT_OF_MEMORY; what jobacct_gather kills is a failed job of Slurm's.
    assert states_by_fate.pop("out of memory") == "failed"
    assert states_by_fate == {fate: fate for fate in states_by_fate}
    table = site.runx("status", "fates", status=1).stdout
    assert "NODE_FAIL" in table
    assert "perhaps for its memory" in table


def grow_old(run):
    """Make the last heartbeat so old that the run counts as silent."""
    for kind in ("beat", "events.jsonl"):
        os.utime(run / f"attempts/1.{kind}", (time.time() - 1000, time.time() - 1000))


def test_a_dead_node_sends_its_run_elsewhere_and_it_goes_on(site, cluster):
    site.runx(site.sweep("node", "HPARAMS: {lr: 1, epochs: 12}\nRESOURCES: {exclude: false}\n"))
    [run] = site.runs("node")
    site.printed(run, "\nepoch 1\n")
    node = cluster.call("squeue", "-h", "-j", job_of(run), "-o", "%N").strip()
    cluster.call("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        # ReturnToService=2 takes a node back that answers, as this one does.
        cluster.at_once(job_of(run), f"ExcNodeList={node}")
        site.done("node", 1)
    finally:
        cluster.call("scontrol", "update", f"nodename={node}", "state=resume", check=False)
    assert "from epoch 0" in site.output(run)
    assert attempts(run) == 2


def test_one_task_of_an_array_is_warned_and_goes_on_from_its_checkpoint(site, cluster):
    settings = "HPARAMS: {lr: [1, 2, 3], epochs: 20}\nARRAY: true\nREQUEUE: {max: 1}\n"
    site.runx(site.sweep("again", settings))
    run = next(run for run in site.runs("again") if hparams(run)["lr"] == 2)
    for attempt in (1, 2):
        site.printed(run, f"\nepoch {4 * attempt}\n")
        # What Slurm does at the time of --signal=B:USR1@120.
        cluster.call("scancel", "--batch", "--signal=USR1", job_of(run))
        if attempt == 1:
            site.wait("again", lambda states: states[run.name] == "preempted")
            cluster.at_once(job_of(run))
    states = site.wait("again", all_end)
    # The second warning finds that REQUEUE's max has been used up.
    assert states.pop(run.name) == "killed"
    assert list(states.values()) == ["done", "done"]
    output = site.output(run)
    assert output.count("from epoch 0") == 1
    assert output.count("from epoch") == 2
    assert "as often as REQUEUE allows" in output
    assert [attempts(run) for run in site.runs("again")].count(1) == 2


def test_a_run_that_asks_to_be_run_again_and_one_that_is_warned_go_on(site, cluster):
    site.write("again.py", ONCE_MORE)
    site.write(
        "warned.yml",
        "CMD: python again.py\nREQUEUE: {max: 1, signal: USR1@55, forward: note}\n"
        "RESOURCES: {time: 1m}\nHPARAMS: {until_warned: [false, true]}\n",
    )
    site.runx("warned.yml")
    for run in site.runs("warned"):
        site.printed(run, "attempt 1")
    for run in sorted(site.runs("warned"), key=lambda run: hparams(run)["until_warned"]):
        cluster.at_once(job_of(run))
    site.done("warned", 2)
    for run in site.runs("warned"):
        assert "attempt 2" in site.output(run)
        events = (run / "attempts/1.events.jsonl").read_text()
        assert ("warned" in events) == hparams(run)["until_warned"]


def test_a_run_that_is_preempted_goes_on_whether_it_is_warned_or_not(site, cluster):
    site.write("again.py", ONCE_MORE)
    for partition, node, more in (
        ("spare", 2, ""),
        ("polite", 3, "REQUEUE: {max: 1, forward: note}\n"),
    ):
        needs = f"RESOURCES: {{partition: {partition}, exclude: 'n[1,{5 - node}]'}}\n"
        text = f"CMD: python again.py\n{needs}{more}HPARAMS: {{until_warned: true}}\n"
        site.write(f"{partition}.yml", text)
        site.runx(f"{partition}.yml")
        [run] = site.runs(partition)
        site.printed(run, "attempt 1")
        cluster.call("sbatch", "-p", "urgent", "-w", f"n{node}", "--exclusive", "--wrap", "sleep 1")
    for partition in ("spare", "polite"):
        [run] = site.runs(partition)
        site.wait(partition, lambda states: list(states.values()) == ["preempted"])
        cluster.at_once(job_of(run))
        site.done(partition, 1)
        assert attempts(run) == 2
        events = (run / "attempts/1.events.jsonl").read_text()
        assert ("warned" in events) == (partition == "polite")
