"""A real Slurm with accounts: what its controller has forgotten, sacct knows."""

import json
import time

import pytest
from sites import job_of, running
from throwaway_accounts import AccountedSlurm, missing
from throwaway_slurm import missing as no_slurm

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 200M, time: 10m}
"""
FATES = """HPARAMS:
  - {fate: done}
  - {fate: failed, status: 3}
  - {fate: timeout, nap: 300, SUBMIT_JOB.TIME: 1m}
  - {fate: cancelled, nap: 301}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(AccountedSlurm, no_slurm() or missing()) as made:
        yield made


def read(run, name):
    return json.loads((run / name).read_text())


def test_what_squeue_has_forgotten_is_read_from_sacct(site, cluster):
    site.runx(site.sweep("base", "HPARAMS: {lr: 1}\n"))
    site.runx(site.sweep("fates", FATES))
    settings = "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\nRESOURCES: {hold: true}\n"
    site.runx(site.sweep("off", settings))
    runs = {
        json.loads((run / "hparams.json").read_text())["fate"]: run for run in site.runs("fates")
    }
    site.printed(runs["timeout"], "from epoch 0")
    site.printed(runs["cancelled"], "from epoch 0")
    # Not by runx, which would record it: of these, only the accounts have the end.
    cluster.call("scancel", job_of(runs["cancelled"]))
    cluster.call("scancel", job_of(site.runs("off")[0]).partition("_")[0])
    deadline = time.monotonic() + 300
    while cluster.call("squeue", "-h", "-t", "all").strip():
        assert time.monotonic() < deadline, cluster.call("squeue", "-t", "all")
        time.sleep(2)
    states = site.states("fates")
    assert {fate: states[run.name] for fate, run in runs.items()} == {fate: fate for fate in runs}
    assert list(site.states("off").values()) == ["cancelled"] * 3
    site.write("off.yml", (site.path / "off.yml").read_text().replace("hold: true", "hold: false"))
    site.runx("off.yml", "--resume")
    site.done("off", 3)
    # Slurm takes afterok on ids that it has forgotten, and starts such jobs: they are judged here.
    site.runx(site.sweep("next", "HPARAMS: {lr: 1}\n"), "--after", "base")
    site.done("next", 1)
    refused = site.runx("next.yml", "--again", "--after", "fates", status=2)
    assert "would never start" in refused.stderr
