"""The commands that retry failed runs, from the command line that launched them."""

import pytest
from project import Project

from runx.analysis.commands import resume_command


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, installed)


def test_failed_runs_are_retried_by_the_command_that_launched_them(project):
    project.write(
        "sweeps/my.yml", "CMD: python train.py --fail\nEXP_NAME: study\nHPARAMS: {a: 1}\n"
    )
    project.runx("sweeps/my.yml", "-i", "a=1,2", "--resume", "--note", "it's", status=1)
    output = project.runx("status", "study", "--failures", status=1).stdout
    retry = output.splitlines()[-1].removeprefix("retry: ")
    assert (
        retry
        == """runx sweeps/my.yml -i a=1,2 --note 'it'"'"'s' --resume --retry failed --restage"""
    )
    (project.path / "elsewhere").mkdir()
    output = project.runx(
        "status", "study", "--failures", "--logroot", "../runs", cwd="elsewhere", status=1
    ).stdout
    assert output.splitlines()[-1] == f"retry: (cd {project.path} && {retry})"


def test_a_retry_is_of_all_that_failed_whichever_were_launched():
    words = ["sweep.yml", "--where", "lr < 1", "--where=wd == 0", "--resume", "-j", "2"]
    assert resume_command(words, "lost") == "runx sweep.yml -j 2 --resume --retry lost"
    assert resume_command(words[:3]) == "runx sweep.yml --where 'lr < 1' --resume"
