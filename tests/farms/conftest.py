"""A real Slurm and a project on it; tests of other schedulers have fixtures of these names, too."""

import pytest
from sites import Site, environment_of, running
from throwaway_slurm import Slurm, missing


@pytest.fixture(scope="module")
def cluster():
    with running(Slurm, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path, request):
    """A project with the settings that its module has as FARM."""
    environment = environment_of(installed, cluster.environment)
    return Site(tmp_path / "project", environment, request.module.FARM)
