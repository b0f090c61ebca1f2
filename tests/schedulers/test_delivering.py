"""Submit commands that hang, are missing, refuse or talk nonsense; and what is kept of them."""

import pytest
from batched import a_batch, an_order, commands

from runx.disk.joining import elsewhere
from runx.errors import FarmError
from runx.farms import slurm
from runx.files import read_json
from runx.plans.experiment import Farm
from runx.schedulers import delivering
from runx.schedulers.delivering import delivered, submit_words
from runx.types import Submission

SLURM = Farm("cluster", type="slurm")


@pytest.fixture
def put(tmp_path, monkeypatch):
    return commands(tmp_path / "bin", monkeypatch)


@pytest.fixture
def said():
    return []


@pytest.fixture
def order(tmp_path, said):
    return an_order(tmp_path, say=said.append)


def job(order, name):
    file = order.kit.experiment.dir.run(name).job(1)
    return read_json(file) if file.exists() else None


def test_a_command_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(delivering, "SUBMIT_SECONDS", 0.2)
    with pytest.raises(FarmError, match="no end within"):
        submit_words(Submission(("sleep", "60"), {}), SLURM, slurm.KIND)


def test_a_command_that_is_missing_names_what_to_install():
    with pytest.raises(FarmError, match="load the module"):
        submit_words(Submission(("no-such-sbatch",), {}), SLURM, slurm.KIND)


def test_a_command_that_can_not_be_started_is_told(tmp_path):
    with pytest.raises(FarmError, match="farm cluster: "):
        submit_words(Submission((str(tmp_path),), {}), SLURM, slurm.KIND)


def test_a_refusal_is_told_in_its_own_words_and_kept(order, put):
    put("sbatch", "printf 'sbatch: error: no such\\nqueue\\n' >&2; exit 1")
    with pytest.raises(FarmError) as caught:
        delivered(a_batch(order), order, -1, (0, 2))
    told = str(caught.value)
    assert "status 1: sbatch: error: no such | queue (0 of 2 runs submitted" in told
    assert "--resume submits the others" in told
    assert f"{order.folder}/0.sh" in told
    assert job(order, "run-0")["refused"] is True


@pytest.mark.parametrize("answer", ["", "welcome to the cluster", "job: none"])
def test_an_answer_that_names_no_job_is_a_refusal(order, put, answer):
    put("sbatch", f"echo '{answer}'")
    with pytest.raises(FarmError, match="refused"):
        delivered(a_batch(order), order, -1, (0, 2))
    assert job(order, "run-0")["refused"] is True


def test_a_scheduler_that_was_too_slow_to_say_has_not_refused(order, put):
    put("sbatch", "echo 'sbatch: error: Socket timed out on send/recv' >&2; exit 1")
    with pytest.raises(FarmError, match="timed out"):
        delivered(a_batch(order), order, -1, (0, 2))
    assert job(order, "run-0") is None


def test_each_run_of_an_array_keeps_its_id(order, put, said):
    put("sbatch", "echo 71")
    assert delivered(a_batch(order, array=True), order, -1, (0, 2)) == ["71_0", "71_1"]
    assert [job(order, name)["id"] for name in ("run-0", "run-1")] == ["71_0", "71_1"]
    assert said == ["2 runs submitted as an array, jobs 71_0 to 71_1"]
    submitted = order.kit.experiment.dir.run("run-1").submit_command.read_text()
    assert submitted.startswith("sbatch --parsable")


def test_a_run_on_ngc_leads_to_where_its_job_writes(tmp_path, put, said, monkeypatch):
    order = an_order(tmp_path, "ngc", 1, said.append)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    put("ngc", "echo '{\"id\": 5}'")
    assert delivered(a_batch(order), order, -1, (0, 2)) == ["5"]
    run = order.kit.experiment.dir.run("run-0")
    assert str(elsewhere(run)) == "/mnt/sweep/run-0"
