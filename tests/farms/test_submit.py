"""Submit commands that hang, are missing, refuse or print nonsense; and what is recorded then."""

import json
from dataclasses import replace

import pytest
from batched import commands, later, site

from runx.errors import FarmError
from runx.farms import lookup, slurm
from runx.farms.base import Farm, Submission
from runx.farms.commands import NotStarted, execute
from runx.farms.registry import farm_type_of
from runx.rundir.claims import claim_text, take
from runx.rundir.files import read_json
from runx.rundir.workspace import workspace_of

SLURM = Farm("cluster", type="slurm")
TIMED_OUT = "echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1"


@pytest.fixture
def put(tmp_path, monkeypatch):
    return commands(tmp_path / "bin", monkeypatch)


@pytest.fixture
def place(tmp_path):
    return site(tmp_path)


@pytest.fixture
def nothing_there(put, monkeypatch):
    """A scheduler that answers that it has no job."""
    monkeypatch.setattr(lookup, "PAUSES", (0.0, 0.0))
    put("squeue", "exit 0")
    put("sacct", "exit 1")


def job(place, number):
    file = place.runs[number].job(1)
    return read_json(file) if file.exists() else None


def test_a_command_that_hangs_is_killed():
    impatient = replace(slurm.FARM_TYPE, submit_timeout=0.2)
    finished = execute(Submission(("sleep", "60"), {}), SLURM, impatient)
    assert finished.status == -9
    assert "no end within" in finished.last_line


def test_a_submit_command_that_may_execute_the_run_itself_is_never_given_up():
    assert farm_type_of("command").submit_timeout is None


def test_a_command_that_is_missing_names_what_to_install(place, put):
    with pytest.raises(FarmError, match=r"sbatch is not found on PATH; .* load the module"):
        place.submit()
    assert job(place, 0)["refused"] is True


def test_a_command_that_can_not_be_started_has_submitted_nothing(tmp_path):
    with pytest.raises(NotStarted, match="can't be started"):
        execute(Submission((str(tmp_path),), {}), SLURM, slurm.FARM_TYPE)


@pytest.mark.usefixtures("nothing_there")
def test_a_refusal_is_reported_in_its_own_words_and_recorded(place, put):
    put("sbatch", "printf 'sbatch: error: no such\\nqueue\\n' >&2; exit 1")
    with pytest.raises(FarmError) as caught:
        place.submit(array=False)
    message = str(caught.value)
    assert "status 1: sbatch: error: no such | queue (0 of 2 runs submitted" in message
    assert "--resume submits the others" in message
    assert f"{place.folder}/0.sh" in message
    assert job(place, 0)["refused"] is True
    assert not place.runs[1].claim(1).exists()


@pytest.mark.usefixtures("nothing_there")
@pytest.mark.parametrize("answer", ["", "welcome to the cluster", "job: none"])
def test_an_answer_that_names_no_job_is_a_refusal(place, put, answer):
    put("sbatch", f"echo '{answer}'")
    with pytest.raises(FarmError, match="refused"):
        place.submit(array=False)
    assert job(place, 0)["refused"] is True


def test_where_nobody_can_be_asked_the_run_is_left_alone_and_the_way_on_is_said(tmp_path, put):
    place = site(tmp_path, "command")
    put("submit_job", TIMED_OUT)
    with pytest.raises(FarmError) as caught:
        place.submit()
    assert "may have taken 1st sweep%_run-0" in str(caught.value)
    assert "if it isn't there, runx cancel run-0 lets --resume submit it" in str(caught.value)
    assert job(place, 0) is None
    assert place.runs[0].claim(1).exists()
    assert not place.runs[1].claim(1).exists()


def test_a_plain_command_is_given_its_run_and_its_answer_kept(tmp_path, put):
    place = site(tmp_path, "command")
    put("submit_job", f'echo "$@" >>{tmp_path}/calls; echo job $(wc -l <{tmp_path}/calls)')
    assert place.submit() == 2
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [
        f"--now --name {spec.name} -c bash {run.script}"
        for spec, run in zip(place.jobs, place.runs, strict=True)
    ]
    record = job(place, 1)
    assert (record["farm"], record["type"], record["id"]) == ("cluster", "command", "2")
    assert place.messages == ["run-0: submitted as job 1", "run-1: submitted as job 2"]


def test_a_plain_commands_job_of_a_further_attempt_takes_no_other(tmp_path, put):
    place = site(tmp_path, "command", 1)
    put("submit_job", f'echo "$@" >{tmp_path}/call')
    place.submit(later(place.jobs, 2))
    [run] = place.runs
    assert (tmp_path / "call").read_text().endswith(f"-c bash {run.attempts}/2.sh\n")
    assert run.script_of(2).read_text().endswith(f"exec bash {run.script} 2\n")
    assert place.messages == ["run-0: submitted"]


def test_what_another_launcher_has_claimed_is_theirs(place, put, tmp_path):
    put("sbatch", f"echo call >>{tmp_path}/calls; echo 71")
    take(place.runs[0], 1, claim_text("cluster", None, "another"))
    assert place.submit(array=False) == 1
    assert job(place, 0) is None
    assert job(place, 1)["id"] == "71"
    assert (tmp_path / "calls").read_text() == "call\n"


def test_each_run_of_an_array_keeps_its_id(place, put):
    put("sbatch", "echo 71")
    assert place.submit() == 2
    assert [job(place, number)["id"] for number in (0, 1)] == ["71_0", "71_1"]
    assert place.messages == ["2 runs submitted as an array, jobs 71_0 to 71_1"]
    assert place.runs[1].submit_command.read_text().startswith("sbatch --parsable")


def test_which_job_is_which_run_is_written_before_it_is_submitted(place, put):
    put("sbatch", f"cat {place.folder}/jobs.jsonl >{place.folder}/seen; echo 71")
    place.submit()
    entry = json.loads((place.folder / "seen").read_text())
    assert (entry["runs"], entry["attempts"], entry["array"]) == (["run-0", "run-1"], [1, 1], True)


def test_a_run_on_ngc_leads_to_where_its_job_writes(tmp_path, put, monkeypatch):
    place = site(tmp_path, "ngc", 1)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    put("ngc", "echo '{\"id\": 5}'")
    assert place.submit() == 1
    assert job(place, 0)["id"] == "5"
    assert str(workspace_of(place.runs[0])) == "/mnt/sweep/run-0"
