"""A real Ray: steps in turn in a job, and runs side by side in one."""

import pytest
from farm_steps import (
    a_step_of_a_job_of_its_own_is_refused,
    several_runs_share_a_job,
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended,
    works,
)
from sites import Site, environment_of, running
from throwaway_ray import Ray, missing

pytestmark = pytest.mark.ray
FARM = """\
FARM: ray
ray:
  TYPE: ray
  ADDRESS: {}
  RESOURCES: {{cpus: 1}}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Ray, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    environment = environment_of(installed, cluster.environment)
    farm = FARM.format(cluster.address)
    return works(Site(tmp_path / "project", environment, farm, seconds=180))


def test_a_chain(site):
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site)


def test_a_step_of_a_job_of_its_own_is_refused(site):
    a_step_of_a_job_of_its_own_is_refused(site)


def test_runs_side_by_side(site):
    several_runs_share_a_job(site)
