"""Every flag of a launch is honoured or refused, on every type of farm and here."""

import json
import os

import pytest
from click.testing import CliRunner

from runx import launch as launch_runs
from runx import load
from runx.cli.launch import launch
from runx.errors import RunxError
from runx.farms.base import Wait
from runx.farms.registry import FARMS

SECTIONS = {
    "command": "SUBMIT_CMD: submit_job",
    "kubernetes": "VOLUME: logs\n  RESOURCES: {image: torch}",
    "ngc": "WORKSPACE: ws\n  NGC_LOGROOT: /mnt",
}
PLACES = ["local", *FARMS]
FOR_RUNS_HERE = {
    "jobs": (["-j", "2"], "MAX_PARALLEL"),
    "gpus_per_run": (["--gpus-per-run", "2"], "RESOURCES.gpus=2"),
    "retries": (["--retries", "3"], "write RETRIES=3"),
    "timeout": (["--timeout", "2h"], "RESOURCES.time=7200s"),
    "grace": (["--grace", "30s"], "REQUEUE.signal"),
    "fail_fast": (["--fail-fast"], "write MAX_FAILURES=1"),
    "max_failures": (["--max-failures", "2"], "write MAX_FAILURES=2"),
    "stream": (["--stream"], "runx logs -f"),
    "attach": (["--attach"], "-i --attach"),
    "detach": (["--detach"], "without the terminal"),
}
"""What a farm can't follow, though it be what is usual here; what to do is said."""
SHOWN = {
    "overrides": ["lr=7"],
    "config": ["-c", "other.runx"],
    "exp_name": ["--exp-name", "other"],
    "tag": ["--tag", "mine"],
    "no_cooldir": ["--no-cooldir"],
    "sweep": ["--sweep", "more"],
    "where": ["--where", "lr > 1"],
    "limit": ["--limit", "1"],
    "shuffle": ["--shuffle"],
    "as_json": ["--json"],
    "table": ["--table"],
}
"""What changes a preview everywhere."""
REFUSED = {
    "max_runs": (["--max-runs", "2"], "--max-runs"),
    "retry": (["--retry", "failed"], "--retry"),
    "restage": (["--restage"], "--restage"),
    "after": (["--after", "nosuch"], "nosuch"),
    "farm": (["--farm", "nosuch"], "nosuch"),
    "test_only": (["--test-only"], "--test-only"),
}
"""What is refused everywhere, given like this, though -i or -n be given."""
ELSEWHERE = {
    "file": "what the others are tried on",
    "no_run": "what the others are tried with",
    "interactive": "what the others are tried with",
    "note": "kept with the launch: tests/launching/test_support.py",
    "notify": "told at its end: tests/api/test_notifier.py",
    "resume": "tests/launching/test_decide.py",
    "again": "tests/launching/test_decide.py",
    "smoke": "tests/cli/test_launch_smoke.py",
    "steps": "tests/cli/test_launch_steps.py",
    "save": "tests/cli/test_source.py",
    "best": "tests/config/test_best.py",
    "of": "tests/config/test_best.py",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RUNX_")]:
        monkeypatch.delenv(name)

    def write(place):
        section = SECTIONS.get(place, "ARRAY: false")
        farm = "" if place == "local" else f"FARM: mine\nmine:\n  TYPE: {place}\n  {section}\n"
        (tmp_path / ".runx").write_text(farm)
        (tmp_path / "other.runx").write_text(f"{farm}LOGROOT: elsewhere\n")
        (tmp_path / "sweep.yml").write_text(
            "CMD: python train.py --to LOGDIR\nHPARAMS: {lr: [1, 2, 3, 4]}\n"
            "RUN_NAME: '{tag}{sep}{wid}'\nSEED: 3\nSWEEPS: {more: {wd: [1, 2]}}\n"
        )

    return write


def run(*words):
    return CliRunner().invoke(launch, ["sweep.yml", *words])


def message(result):
    return f"{result.exception} {result.output}"


def test_every_flag_is_in_the_table():
    names = {parameter.name for parameter in launch.params}
    assert {*FOR_RUNS_HERE, *SHOWN, *REFUSED, *ELSEWHERE} == names


@pytest.mark.parametrize("place", FARMS)
@pytest.mark.parametrize("preview", [[], ["-n"]])
def test_what_is_for_runs_here_is_refused_on_every_farm(project, place, preview):
    project(place)
    for words, instead in FOR_RUNS_HERE.values():
        result = run(*words, *preview)
        assert isinstance(result.exception, RunxError), words
        assert f"{words[0]} is for runs here" in str(result.exception)
        assert instead in str(result.exception)
    assert not (os.path.exists("runs"))


@pytest.mark.parametrize("place", PLACES)
def test_what_chooses_and_names_runs_shows_in_a_preview(project, place):
    project(place)
    for name, words in SHOWN.items():
        others = ["--tag", "mine", "lr=9"] if name == "no_cooldir" else []
        before, shown = run("-n", *others), run("-n", *others, *words)
        assert before.exit_code == 0, message(before)
        assert shown.exit_code == 0, (words, message(shown))
        assert shown.stdout != before.stdout, name


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["-n", "-i"])
def test_what_can_not_be_followed_is_refused_and_named(project, place, how):
    project(place)
    for name, (words, named) in REFUSED.items():
        result = run(*words, how)
        assert isinstance(result.exception, (RunxError, SystemExit)), (name, message(result))
        assert result.exit_code != 0
        assert named in message(result), name


def test_a_farm_in_a_file_that_is_described_elsewhere_does_not_hinder_runs_here(project):
    project("local")
    with open(".runx", "w") as file:
        file.write("FARM: nosuch\n")
    assert run("-n", "-i").exit_code == 0
    for words in (["--farm", "nosuch"], ["FARM=nosuch"]):
        assert "nosuch" in message(run("-n", "-i", *words))


def test_two_flags_that_contradict_each_other_are_refused(project):
    project("local")
    assert "--max-failures 1, not 3" in message(run("-i", "--fail-fast", "--max-failures", "3"))
    assert "say one of them" in message(run("-n", "--test-only"))


@pytest.mark.parametrize(
    "given",
    [{"jobs": 2}, {"jobs": None}, {"retries": 1}, {"timeout": 9.0}, {"stream": True}],
)
def test_the_api_refuses_what_a_farm_can_not_follow(project, given):
    project("slurm")
    plan = load("sweep.yml").plan()
    with pytest.raises(RunxError, match=f"{'-j' if 'jobs' in given else '--'}.* is for runs here"):
        launch_runs(plan, **given)


def test_a_preview_of_runs_after_others_shows_what_they_wait_for(project, monkeypatch):
    project("slurm")
    waits = (Wait("7"), Wait("9"))
    monkeypatch.setattr("runx.cli.launch.job_ids_in_preview", lambda *_: waits)
    assert "--dependency=afterok:7:9" in run("-n", "--after", "first").stdout
    [first, *_] = json.loads(run("-n", "--json", "--after", "first").stdout)
    assert "--dependency=afterok:7:9" in " ".join(first["submit"])
