"""Schedulers that hang, are missing or talk nonsense are not believed; what they know is kept."""

import json

import pytest
from batched import ABOUT, a_batch, an_order, commands

from runx.disk.claims import claim_text, take
from runx.disk.facts import Word
from runx.files import read_json
from runx.locks import hold
from runx.schedulers import asking
from runx.schedulers.asking import words
from runx.schedulers.delivering import delivered
from runx.schedulers.handing import _write_map

QUEUE = "echo '71|0|RUNNING|None|{name}'; echo '71|1|PENDING|Resources|{name}'"


@pytest.fixture
def put(tmp_path, monkeypatch):
    put = commands(tmp_path / "bin", monkeypatch)
    put("sbatch", "echo 71")
    put("squeue", "exit 0")
    put("sacct", "exit 1")
    return put


@pytest.fixture
def order(tmp_path, put):
    """Two runs that were submitted as one array."""
    return an_order(tmp_path, say=lambda line: None)


@pytest.fixture
def batch(order):
    batch = a_batch(order, array=True)
    for run in runs(order):
        take(run, 1, claim_text("cluster", None, ABOUT.launch))
    _write_map(batch, order)
    return batch


@pytest.fixture
def gone(order, batch):
    delivered(batch, order, -1, (0, 2))


def runs(order):
    return [order.kit.experiment.dir.run(name) for name in ("run-0", "run-1")]


def asked(order):
    said = []
    return words(runs(order), said.append), said


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("sleep 60", "no end within"),
        ("echo 'slurm_load_jobs error: no controller' >&2; exit 1", "no controller"),
        ("echo what do you mean", "can't be read"),
    ],
)
def test_a_scheduler_that_gives_no_good_answer_says_nothing_of_runs(
    order, gone, put, answer, complaint, monkeypatch
):
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.3)
    put("squeue", answer)
    found, [said] = asked(order)
    assert found == {}
    assert said.startswith("farm cluster can't be asked: squeue: ")
    assert complaint in said
    assert said.endswith("states are from the runs' own files")


def test_a_scheduler_that_is_not_there_is_told(order, gone, tmp_path):
    (tmp_path / "bin" / "squeue").unlink()
    found, [said] = asked(order)
    assert found == {}
    assert "squeue: not found on PATH" in said


def test_damaged_files_of_one_run_cost_only_its_word(order, gone, put):
    put("squeue", QUEUE.format(name="x"))
    runs(order)[0].job(1).write_text("{")
    found, [said] = asked(order)
    assert found == {("cluster", "71_1"): Word("queued")}
    assert "can't be read" in said


def test_one_question_tells_of_all_jobs(order, gone, put, tmp_path):
    put("squeue", f"echo asked >>{tmp_path}/calls; {QUEUE.format(name='x')}")
    found, said = asked(order)
    assert found == {("cluster", "71_0"): Word("running"), ("cluster", "71_1"): Word("queued")}
    assert said == []
    assert (tmp_path / "calls").read_text() == "asked\n"


def test_what_the_queue_has_forgotten_the_accounts_may_know(order, gone, put):
    put("squeue", "echo '71|0|RUNNING|None|x'")
    put("sacct", "echo '71_1|OUT_OF_MEMORY|x'")
    found, _ = asked(order)
    assert found["cluster", "71_1"] == Word("oom")


def test_a_job_that_nobody_knows_is_gone(order, gone):
    found, said = asked(order)
    assert set(found.values()) == {Word("gone")}
    assert said == []


def test_an_id_that_was_never_kept_is_found_again_by_the_jobs_name(order, batch, put):
    put("squeue", QUEUE.format(name=order.kind.job_name(batch)))
    found, said = asked(order)
    assert found == {("cluster", "71_0"): Word("running"), ("cluster", "71_1"): Word("queued")}
    assert said == []
    job = read_json(runs(order)[1].job(1))
    assert (job["id"], job["answer"]) == ("71_1", "found again by its name")


def test_a_job_of_another_name_is_not_taken_for_ours(order, batch, put):
    put("squeue", QUEUE.format(name="sweep_other.0"))
    found, _ = asked(order)
    assert found == {("cluster", str(run.path)): Word("gone") for run in runs(order)}


def test_while_a_submission_may_be_on_its_way_nothing_counts_as_gone(order, batch, put):
    with hold(order.folder / "lock"):
        assert asked(order) == ({}, [])


def test_what_a_farm_refused_is_not_asked_about(order, batch, put):
    for run in runs(order):
        run.job(1).write_text(json.dumps({"version": 1, "farm": "cluster", "refused": True}))
    assert asked(order) == ({}, [])


def test_what_is_done_is_not_asked_about(order, gone, put):
    for run in runs(order):
        run.events(1).write_text('{"event":"ended","time":1,"code":0}\n')
    assert asked(order) == ({}, [])
