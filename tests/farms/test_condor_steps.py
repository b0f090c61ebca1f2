"""A real HTCondor: steps in turn in a job, and runs side by side in one."""

import pytest
from farm_steps import (
    a_chain_goes_on_at_the_step_that_asked_for_it,
    a_step_of_a_job_of_its_own_is_refused,
    several_runs_share_a_job,
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended,
    works,
)
from sites import Site, environment_of, running
from throwaway_condor import Condor, missing

pytestmark = pytest.mark.condor
FARM = """\
FARM: condor
condor:
  TYPE: condor
  RESOURCES: {cpus: 1, mem: 100M, time: 10m}
"""


@pytest.fixture(scope="module")
def pool():
    with running(Condor, missing()) as made:
        yield made


@pytest.fixture
def site(pool, installed, tmp_path):
    environment = environment_of(installed, pool.environment)
    return works(Site(tmp_path / 'it\'s my "$(project)" 100%', environment, FARM))


def test_a_chain(site):
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site, "{mem: 50M}")


def test_a_chain_is_requeued(site):
    a_chain_goes_on_at_the_step_that_asked_for_it(site)


def test_a_step_of_a_job_of_its_own_is_refused(site):
    a_step_of_a_job_of_its_own_is_refused(site)


def test_runs_side_by_side(site):
    several_runs_share_a_job(site, "ARRAY: true\n")
