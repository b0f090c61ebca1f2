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


def test_looking_at_settings_executes_nothing_of_the_project(project):
    project.write("f.py", "open('executed', 'w')\ndef f(): return {'lr': [1, 2]}\n")
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS_FROM: f.py:f\n")
    assert "f.py:f" in project.runx("config", "sweep.yml").stdout
    assert not (project.path / "executed").exists()
    for words in (["check", "sweep.yml"], ["sweep.yml", "-n"]):
        note = project.runx(*words).stderr
        assert "note: f.py:f was executed, as HPARAMS_FROM says" in note
    template = "{{ lipsum.__globals__.os.system('touch executed') }}"
    project.write(".runx", f'FARM: f\nf: {{SUBMIT_CMD: "s {template}"}}\n')
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: [1, 2]}\n")
    (project.path / "executed").unlink()
    for words in (["check", "sweep.yml"], ["sweep.yml", "-n"], ["sweep.yml", "-n", "--json"]):
        assert "SUBMIT_CMD" in project.runx(*words, status=2).stderr
    assert not (project.path / "executed").exists()
