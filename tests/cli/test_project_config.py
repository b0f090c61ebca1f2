"""runx config as a person calls it."""

import json


def test_config_tells_of_a_farm_that_no_section_describes(project):
    project.write(".runx", "FARM: bag\nbig: {SUBMIT_CMD: submit_job}\n")
    assert "bag; did you mean big?" in project.runx("config", "sweep.yml", status=2).stderr


def test_config_shows_what_a_farm_s_section_says_of_its_jobs(project):
    project.write(".runx", "FARM: big\nbig: {TYPE: slurm, WRAP: srun, ENV: {A: 1}, ARRAY: true}\n")
    printed = json.loads(project.runx("config", "sweep.yml", "--json").stdout)
    assert [printed[key]["value"] for key in ("WRAP", "ENV", "ARRAY")] == ["srun", "{A: 1}", "true"]
    assert printed["WRAP"]["from"].endswith(".runx:2")
