"""Ending runs on purpose, where the farm can't."""

import pytest
from project import Project


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, installed)


def test_a_run_that_its_farm_can_t_end_never_counts_as_cancelled(project):
    # Else --resume would start it again, beside the job that still waits.
    farm = project.write("bin/submit_job", "#!/bin/sh\necho job 7\n", 0o755)
    project.write(".runx", f"FARM: big\nbig: {{SUBMIT_CMD: {farm}}}\n")
    assert "4 runs submitted" in project.runx("sweep.yml").stderr
    said = project.runx("cancel", "sweep", status=3).stderr
    assert said == (
        "runx: farm big: runx can't cancel jobs of TYPE command; do it in its own way\n"
    )
    assert not any((run / "orders").exists() for run in project.runs())
    assert "4 queued: starting 0" in project.runx("sweep.yml", "--resume").stderr
