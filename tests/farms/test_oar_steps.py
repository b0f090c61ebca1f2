"""A real OAR: steps in turn in a job, and runs side by side in one."""

import pytest
from farm_steps import (
    a_chain_goes_on_at_the_step_that_asked_for_it,
    a_step_of_a_job_of_its_own_is_refused,
    several_runs_share_a_job,
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended,
    works,
)
from sites import Site, running
from throwaway_oar import Oar, missing

pytestmark = pytest.mark.oar
SETTINGS = """\
LOGROOT: {0}/logs
PYTHONPATH: LOGDIR/code
FARM: oar
oar:
  TYPE: oar
  RESOURCES: {{cpus: 1, time: 10m}}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Oar, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, tmp_path):
    folder = cluster.folder / "home" / tmp_path.name
    made = works(Site(folder, cluster.environment, "", seconds=180))
    made.write(".runx", SETTINGS.format(folder))
    folder.chmod(0o777)
    return made


def test_a_chain(site):
    steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site, "{time: 5m}")


def test_a_step_of_a_job_of_its_own_is_refused(site):
    a_step_of_a_job_of_its_own_is_refused(site)


def test_a_chain_is_requeued(site):
    """Its train takes a minute, since OAR runs nothing again that has not."""
    a_chain_goes_on_at_the_step_that_asked_for_it(site, nap=62)


def test_runs_side_by_side(site):
    several_runs_share_a_job(site)
