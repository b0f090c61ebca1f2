"""A real Slurm: failed runs are tried again, bad nodes avoided, what waits held, a run tried."""

import json
import os

import pytest
from sites import all_end, job_of

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 200M, time: 10m}
"""
FAILS_ON_N3 = 'import os, sys\nsys.exit(os.environ["SLURMD_NODENAME"] == "n3")\n'


def attempts(run):
    return len(list((run / "attempts").glob("*.claim")))


def node_of(run, attempt):
    return json.loads((run / f"attempts/{attempt}.events.jsonl").read_text().split("\n")[0])["node"]


def is_back(states):
    return "preempted" in states.values()


def test_a_failed_run_is_tried_again_and_resume_does_not_double_that(site, cluster):
    site.runx(site.sweep("retry", "HPARAMS: {status: 3}\nRETRIES: {max: 1, on: failed}\n"))
    [run] = site.runs("retry")
    site.wait("retry", is_back)
    assert "queued again" in site.runx("status", "retry").stdout
    cluster.at_once(job_of(run))
    assert site.wait("retry", all_end) == {run.name: "failed"}
    assert attempts(run) == 2
    site.runx("retry.yml", "--resume")
    site.wait("retry", all_end)
    assert attempts(run) == 3


def test_a_time_limit_is_warned_of_and_the_run_tried_again(site, cluster):
    site.runx(site.sweep("late", "HPARAMS: {nap: 300}\nRETRIES: {max: 1, on: timeout}\n"))
    [run] = site.runs("late")
    site.printed(run, "from epoch 0")
    cluster.call("scancel", "--batch", "--signal=USR1", job_of(run))
    site.wait("late", is_back)
    assert '"retry":"timeout"' in (run / "attempts/1.events.jsonl").read_text()
    site.runx("cancel", "late")


def test_a_node_on_which_runs_fail_at_once_is_avoided(site, cluster):
    site.write("n3.py", FAILS_ON_N3)
    site.write("bad.yml", "CMD: python n3.py\nHPARAMS: {lr: [1, 2, 3, 4]}\nARGS: env\n")
    site.runx("bad.yml", "--where", "lr > 2", "RESOURCES.exclude=n[1-2]")
    site.wait("bad", all_end)
    assert "avoided" not in site.runx("status", "bad", status=1).stdout
    site.runx("bad.yml", "--where", "lr < 3", "RESOURCES.exclude=n3", "--again")
    site.wait("bad", all_end)
    assert "bad: n3 is avoided: 2 runs failed there within a minute" in (
        site.runx("status", "bad", status=1).stdout
    )
    assert (
        "--exclude=n2,n3" in site.runx("bad.yml", "-n", "--resume", "RESOURCES.exclude=n2").stdout
    )
    assert "--exclude" not in site.runx("bad.yml", "-n", "--resume", "AVOID_HOSTS=false").stdout
    assert "n3 is avoided" in site.runx("bad.yml", "--resume").stderr
    site.done("bad", 4)


def test_a_run_that_is_tried_again_goes_elsewhere(site, cluster):
    site.write("n3.py", FAILS_ON_N3)
    site.write("other.yml", "CMD: python n3.py\nHPARAMS: {lr: [1, 2]}\nARGS: env\nRETRIES: 1\n")
    site.runx("other.yml", "--where", "lr < 2", "RESOURCES.exclude=n3")
    site.done("other", 1)
    cluster.call("scontrol", "update", "nodename=n[1-2]", "state=drain", "reason=test")
    try:
        site.runx("other.yml", "--where", "lr > 1")
        site.wait("other", is_back)
    finally:
        cluster.call("scontrol", "update", "nodename=n[1-2]", "state=resume")
    run = next(run for run in site.runs("other") if "2" in (run / "hparams.json").read_text())
    assert node_of(run, 1) == "n3"
    assert cluster.call("squeue", "-h", "-j", job_of(run), "-o", "%x").strip() == "n3", site.logs(
        "other"
    )
    cluster.at_once(job_of(run))
    site.done("other", 2)
    assert node_of(run, 2) != "n3"


def test_what_waits_is_held_after_failures_and_resume_starts_it(site, cluster):
    settings = "HPARAMS: {status: [1, 1.0, 0], nap: 0}\n"
    settings = (
        "HPARAMS: {lr: [1, 2, 3, 4], status: 3}\nMAX_FAILURES: 2\nMAX_PARALLEL: 1\nARRAY: true\n"
    )
    site.runx(site.sweep("held", settings))
    states = site.wait("held", lambda states: not {"queued", "running"} & set(states.values()))
    assert sorted(states.values()) == ["failed", "failed", "planned", "planned"]
    shown = site.runx("status", "held", status=1).stdout
    assert "held is held: 2 runs in a row failed: exit status 3" in shown
    site.runx("held.yml", "--resume", "--retry", "planned", "MAX_FAILURES=9")
    assert list(site.wait("held", all_end).values()) == ["failed"] * 4


@pytest.mark.parametrize("nap", [0, 300])
def test_the_first_run_is_tried_at_a_farm(site, cluster, nap):
    name = f"smoke{nap}"
    site.runx(
        site.sweep(name, f"HPARAMS: {{lr: [1], nap: {nap}}}\nSMOKE: {{time: 2s, farm: slurm}}\n")
    )
    assert not os.path.exists(site.path / "logs/.smoke")
    assert len(site.runs(name)) == 1
    site.runx("cancel", name, status=(0, 1))


def test_and_where_it_fails_there_nothing_is_submitted(site, cluster):
    settings = "HPARAMS: {lr: [1], status: 3}\nSMOKE: {time: 60s, farm: slurm}\n"
    done = site.runx(site.sweep("nosmoke", settings), status=1)
    assert "the first run failed" in done.stderr
    assert not os.path.exists(site.path / "logs/nosmoke")
    assert "nosmoke" not in cluster.call("squeue", "-h", "-o", "%j")


@pytest.mark.parametrize("resources", ["", ", RESOURCES: {mem: 100M}"])
def test_the_steps_of_the_first_run_are_tried_at_a_farm(site, cluster, resources):
    name = f"steps{len(resources)}"
    text = (
        "STEPS:\n  here: {CMD: 'touch LOGDIR/made', PER: sweep, FARM: local}\n"
        "  train: {CMD: 'test -e {here.dir}/made && echo {lr}', AFTER: here}\n"
        f"  eval: {{CMD: 'exit 3', AFTER: train{resources}}}\n"
        "HPARAMS: {lr: [1, 2]}\nSMOKE: {time: 60s, farm: slurm}\n"
    )
    site.write(f"{name}.yml", text)
    said = site.runx(f"{name}.yml", status=1).stderr
    assert "trying the first run at farm slurm, 1 min each: here, train, eval" in said
    assert "eval of the first run failed" in said.splitlines()[-1]
    assert not os.path.exists(site.path / f"logs/{name}")
    assert name not in cluster.call("squeue", "-h", "-o", "%j")
    site.write(f"{name}.yml", text.replace("exit 3", "sleep 60").replace("60s", "2s"))
    assert "it ran well for 2 s" in site.runx(f"{name}.yml").stderr
    assert not os.path.exists(site.path / "logs/.smoke")
    site.runx("cancel", name, status=(0, 1))
