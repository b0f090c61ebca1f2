"""Torque's commands before a real Slurm: steps that wait for each other, and runs side by side."""

import pytest
from farm_steps import (
    a_pipeline_goes_through_in_order_and_goes_on_when_mended,
    several_runs_share_a_job,
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended,
    works,
)
from sites import Site, environment_of, running
from throwaway_torque import Torque, missing

pytestmark = pytest.mark.torque
FARM = """\
FARM: torque
torque:
  RESOURCES: {cpus: 1, mem: 100M, time: 10m}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Torque, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    return works(Site(tmp_path / "project", environment_of(installed, cluster.environment), FARM))


def test_a_pipeline(site):
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{mem: 50M}")


def test_a_chain(site):
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site, "{mem: 50M}")


def test_runs_side_by_side(site):
    several_runs_share_a_job(site)
