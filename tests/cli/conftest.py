import pytest
from project import Project


@pytest.fixture
def project(tmp_path, installed):
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", installed)
