"""A real Grid Engine: steps that wait for each other, in turn in a job, and runs side by side."""

import pytest
from farm_steps import (
    a_chain_goes_on_at_the_step_that_asked_for_it,
    a_pipeline_goes_through_in_order_and_goes_on_when_mended,
    several_runs_share_a_job,
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended,
    works,
)
from sites import Site, environment_of, running
from throwaway_sge import GridEngine, missing

pytestmark = pytest.mark.sge
FARM = """\
FARM: sge
sge:
  TYPE: sge
  RESOURCES: {time: 10m}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(GridEngine, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    environment = environment_of(installed, cluster.environment)
    return works(Site(tmp_path / "project", environment, FARM, seconds=180))


@pytest.mark.parametrize("array", ["true", "false"])
def test_a_pipeline(site, array):
    more = f"ARRAY: {array}\n"
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{time: 5m}", more)


def test_a_chain(site):
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site, "{time: 5m}")


def test_a_chain_is_requeued(site):
    a_chain_goes_on_at_the_step_that_asked_for_it(site)


def test_runs_side_by_side(site):
    several_runs_share_a_job(site)
