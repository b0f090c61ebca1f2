"""HTCondor: a real one, from Debian's package, that takes runs."""

import json

import pytest
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    an_array_above_the_largest_is_cut,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    it_goes_on_where_it_was,
    learns,
    sweep,
)
from sites import Site, all_end, environment_of, running
from throwaway_condor import CPUS, Condor, missing

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
    return learns(Site(tmp_path / "it's my \"$(project)\" 100%", environment, FARM))


def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site, "ARRAY: true\nRESOURCES: {gpus: 1}\n")


def test_fates(site):
    four_fates_are_told_apart(site, "8s")


def test_hostile_values(site):
    hostile_values_come_out_of_each_job(site)


def test_a_killed_launcher(site):
    a_killed_launcher_leaves_every_run_once(site)


def test_a_run_goes_on_where_it_was(site):
    it_goes_on_where_it_was(site, "ARRAY: true\nREQUEUE: true\n")
