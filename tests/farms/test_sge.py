"""Grid Engine: how its answers are read, and a real one that takes runs."""

import json
import os
import shutil
import subprocess

import pytest
from sites import (
    Site,
    a_sweep_of_training_runs_is_ranked_by_sumx,
    all_end,
    hostile_values_come_out_as_they_went_in,
)

from runx.farms import sge
from runx.processes import Finished

real = pytest.mark.sge
ROOT = "/var/lib/gridengine"
FARM = """\
FARM: sge
sge:
  TYPE: sge
  RESOURCES: {time: 10m}
"""


def up():
    """Say why there is no Grid Engine to be asked, or give an empty string."""
    if not shutil.which("qconf"):
        return "no qconf here; .ci/farms installs and starts Grid Engine"
    asked = subprocess.run(
        ["qconf", "-sql"], env={**os.environ, "SGE_ROOT": ROOT}, capture_output=True, text=True
    )
    return "" if "main.q" in asked.stdout else "Grid Engine is not up; .ci/farms starts it"


@pytest.fixture
def site(installed, tmp_path):
    if up():
        pytest.skip(up())
    environment = {**installed, "SGE_ROOT": ROOT, "SGE_CELL": "default"}
    return Site(tmp_path / "project", environment, FARM, seconds=180)


def answered(output, status=0):
    return Finished((), status, output, "")


def test_the_last_record_of_a_job_counts():
    record = "=" * 62 + "\njobname  a\njobnumber 7\ntaskid {}\nfailed {}\nexit_status {}\n"
    text = record.format("2", "25  : rescheduling", "99") + record.format("2", "0", "0")
    assert sge.in_accounts(answered(text))["7.2"].word.state == "done"


def test_a_time_limit_is_told_from_a_kill():
    record = "=" * 62 + "\njobname a\njobnumber 7\ntaskid undefined\nfailed {}\nexit_status 137\n"
    limit = record.format("37  : qmaster enforced h_rt limit")
    assert sge.in_accounts(answered(limit))["7"].word.state == "timeout"
    killed = record.format("100 : assumedly after job")
    assert sge.in_accounts(answered(killed))["7"].word.state == "killed"


@real
def test_a_sweep_of_eight_is_done_and_ranked(site):
    told = a_sweep_of_training_runs_is_ranked_by_sumx(site, "ARRAY: true\n")
    assert "8" in told.stdout


@real
def test_hostile_values_survive(site):
    hostile_values_come_out_as_they_went_in(site)


@real
def test_failure_time_limit_and_cancelling_are_told_apart(site):
    hparams = """HPARAMS:
  - {nap: 0}
  - {status: 3}
  - {nap: 300, SUBMIT_JOB.TIME: 5s}
  - {nap: 301}
"""
    site.runx(site.sweep("fates", hparams))
    names = {run.name: json.loads((run / "hparams.json").read_text()) for run in site.runs("fates")}
    [long] = [name for name, hparams in names.items() if hparams.get("nap") == 301]
    site.wait("fates", lambda states: states[long] == "running")
    site.runx("cancel", "fates", long)
    states = site.wait("fates", all_end)
    fates = {json.dumps(names[name]): state for name, state in states.items()}
    assert states[long] == "cancelled"
    assert sorted(states.values()) == ["cancelled", "done", "failed", "timeout"], fates


@real
def test_what_waits_can_be_held_and_released(site):
    subprocess.run(["qmod", "-d", "main.q"], env=site.environment, check=True)
    try:
        site.runx(site.sweep("held", "HPARAMS: {lr: [1, 2], nap: 2}\n"))
        site.runx("hold", "held")
        assert "held" in site.runx("status", "held").stdout
        site.runx("release", "held")
        site.runx("cancel", "held")
    finally:
        subprocess.run(["qmod", "-e", "main.q"], env=site.environment, check=True)
    assert set(site.wait("held", all_end).values()) == {"cancelled"}


@real
def test_a_run_that_asks_for_it_is_run_again(site):
    site.write(
        "train.py",
        "import os, pathlib, sys\n"
        "print('attempt', os.environ['RUNX_ATTEMPT'], flush=True)\n"
        "sys.exit(75 if os.environ['RUNX_ATTEMPT'] == '1' else 0)\n",
    )
    site.runx(site.sweep("again", "HPARAMS: {lr: [1, 2]}\nARRAY: true\nREQUEUE: true\n"))
    assert set(site.wait("again", all_end).values()) == {"done"}
    assert all("attempt 2" in site.output(run) for run in site.runs("again"))
