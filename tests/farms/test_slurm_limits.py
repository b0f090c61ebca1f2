"""A real Slurm whose accounts limit how many jobs one may have: what fits goes in."""

import json
import time

import pytest
from sites import Site, environment_of, running
from throwaway_accounts import AccountedSlurm, missing
from throwaway_slurm import missing as no_slurm

pytestmark = pytest.mark.slurm
LIMIT = 4
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 200M, time: 10m}
"""


class LimitedSlurm(AccountedSlurm):
    """A cluster on which its user may have four jobs, however short."""

    def __init__(self):
        super().__init__()
        enforced = "AccountingStorageEnforce=associations,limits,qos\n"
        self.edits = {old: new for old, new in self.edits.items() if "MinJobAge" not in old}
        for old in self.edits:
            self.edits[old] += enforced

    def start_accounts(self):
        super().start_accounts()
        self.call("sacctmgr", "-i", "add", "account", "lab", "cluster=t")
        words = (self.user, "account=lab", "cluster=t")
        self.call("sacctmgr", "-i", "add", "user", *words, f"MaxSubmitJobs={LIMIT}", check=False)
        self.call("sacctmgr", "-i", "modify", "user", self.user, "set", "DefaultAccount=lab")


@pytest.fixture(scope="module")
def cluster():
    with running(LimitedSlurm, no_slurm() or missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    more = {**cluster.environment, "SBATCH_ACCOUNT": "lab"}
    return Site(tmp_path / "project", environment_of(installed, more), FARM)


def attempts(site, name):
    return [len(list(run.glob("attempts/*.events.jsonl"))) for run in site.runs(name)]


@pytest.mark.parametrize("array", ["true", "false"])
def test_what_fits_goes_in_and_resume_brings_the_rest_in_turn(site, cluster, array):
    settings = f"HPARAMS: {{lr: [1, 2, 3, 4, 5, 6, 7], nap: 20}}\nARRAY: {array}\n"
    told = site.runx(site.sweep("many", settings), status=3).stderr.splitlines()[-1]
    assert f"{LIMIT} of 7 runs submitted" in told
    assert "takes no more of your jobs now" in told and "--resume submits them" in told
    states = sorted(site.states("many").values())
    assert states.count("planned") == 3, states
    again = site.runx("many.yml", "--resume", status=3).stderr.splitlines()[-1]
    assert "0 of 3 runs submitted; the others stay planned" in again
    site.wait("many", lambda states: list(states.values()).count("done") == LIMIT)
    deadline = time.monotonic() + 60
    while cluster.call("squeue", "-h", "-t", "PD,R,CG").strip():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    site.runx("many.yml", "--resume")
    site.done("many", 7)
    assert attempts(site, "many") == [1] * 7
    refused = [
        json.loads(job.read_text())
        for run in site.runs("many")
        for job in run.glob("attempts/*.job.json")
    ]
    assert all("MaxSubmitJob" in job["answer"] for job in refused if job.get("refused"))
