"""A real Slurm: steps that wait for each other, in turn in a job, and runs side by side in one."""

import json

import pytest
from farm_steps import (
    a_chain_goes_on_at_the_step_that_asked_for_it,
    a_pipeline_goes_through_in_order_and_goes_on_when_mended,
    noted,
    several_runs_share_a_job,
    works,
)
from sites import Site, environment_of, running
from throwaway_slurm import Slurm, missing

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 100M, time: 10m}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Slurm, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    return works(Site(tmp_path / "project", environment_of(installed, cluster.environment), FARM))


@pytest.mark.parametrize("array", ["true", "false"])
def test_a_pipeline(site, array):
    more = f"ARRAY: {array}\n"
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{mem: 50M}", more)


def test_a_chain_is_requeued(site, cluster):
    def at_once(step):
        site.printed(step.parent / "train", "")
        job = json.loads((step / "attempts/1.job.json").read_text())["id"]
        cluster.at_once(job)

    a_chain_goes_on_at_the_step_that_asked_for_it(site, at_once)


def test_runs_side_by_side_have_gpus_of_their_own(site):
    several_runs_share_a_job(site, "RESOURCES: {gpus: 0}\n")
    site.write(
        "gpus.yml",
        "CMD: python work.py\nRUNS_PER_JOB: 2\nRESOURCES: {gpus: 1}\n"
        "HPARAMS: {lr: [11, 12, 13, 14]}\n",
    )
    site.runx("gpus.yml")
    site.done("gpus", 4)
    names = {run.name for run in site.runs("gpus")}
    gpus = [each["gpus"] for each in noted(site) if each["run"] in names and each["what"] == "ends"]
    assert sorted(gpus) == ["0", "0", "1", "1"]
