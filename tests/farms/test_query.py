"""Queries of schedulers that hang, are missing or print nonsense; and ids found by a job's name."""

import json

import pytest
from batched import LAUNCH, commands, farm_of, name_of, site

from runx.farms import ask, query
from runx.farms import commands as commands_of_farms
from runx.farms.base import StatusQuery
from runx.farms.query import by_farm, complete_arrays, submitted_jobs
from runx.locks import hold
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.claims import claim_text, take
from runx.rundir.events import JobStatus
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir

RESOURCES = "Resources: nothing is free yet"
QUEUE = "echo '71|0|RUNNING|None|{name}'; echo '71|1|PENDING|Resources|{name}'"


@pytest.fixture
def put(tmp_path, monkeypatch):
    put = commands(tmp_path / "bin", monkeypatch)
    put("sbatch", "echo 71")
    put("squeue", "exit 0")
    put("sacct", "exit 1")
    return put


@pytest.fixture
def claimed(tmp_path, put):
    """Two runs that were claimed to be submitted as one array, and nobody knows more."""
    place = site(tmp_path)
    place.claim()
    return place


@pytest.fixture
def submitted(tmp_path, put):
    """Two runs that were submitted as one array."""
    place = site(tmp_path)
    place.submit()
    return place


def jobs_of(runs, warn):
    """Return the jobs of runs that have not ended well."""
    attempts = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    return submitted_jobs(attempts.items(), warn)


def asked(place):
    """Return the statuses of a launch's jobs, and the warnings."""
    warnings = []
    return query.query(jobs_of(place.runs, warnings.append), warnings.append), warnings


def wrong(line):
    raise AssertionError(line)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("sleep 60", "no end within"),
        ("echo 'slurm_load_jobs error: no controller' >&2; exit 1", "no controller"),
        ("echo what do you mean", "can't be read"),
    ],
)
def test_a_scheduler_that_gives_no_good_answer_says_nothing_of_runs(
    submitted, put, answer, complaint, monkeypatch
):
    monkeypatch.setattr(commands_of_farms, "QUERY_SECONDS", 0.3)
    put("squeue", answer)
    statuses, [warning] = asked(submitted)
    assert set(statuses.values()) == {JobStatus("unseen", "cluster can't be asked")}
    assert warning.startswith("farm cluster can't be asked: squeue: ")
    assert complaint in warning
    assert warning.endswith("states are from the runs' own files")


def test_a_scheduler_that_is_not_there_is_warned_of(submitted, tmp_path):
    (tmp_path / "bin" / "squeue").unlink()
    statuses, [warning] = asked(submitted)
    assert set(statuses.values()) == {JobStatus("unseen", "cluster can't be asked")}
    assert "squeue: not found on PATH" in warning


def test_damaged_files_of_one_run_cost_only_its_status(submitted, put):
    name = name_of(submitted)
    put("squeue", QUEUE.format(name=name))
    submitted.runs[0].job(1).write_text("{")
    statuses, [warning] = asked(submitted)
    assert statuses == {("cluster", "71_1"): JobStatus("queued", RESOURCES, name)}
    assert "can't be read" in warning


def test_one_question_tells_of_all_jobs(submitted, put, tmp_path):
    put("squeue", f"echo asked >>{tmp_path}/calls; {QUEUE.format(name=name_of(submitted))}")
    statuses, warnings = asked(submitted)
    assert {job: status.state for job, status in statuses.items()} == {
        ("cluster", "71_0"): "running",
        ("cluster", "71_1"): "queued",
    }
    assert warnings == []
    assert (tmp_path / "calls").read_text() == "asked\n"


def test_what_the_queue_has_forgotten_the_accounts_may_know(submitted, put):
    put("squeue", f"echo '71|0|RUNNING|None|{name_of(submitted)}'")
    put("sacct", f"echo '71_1|OUT_OF_MEMORY|None|{name_of(submitted)}'")
    statuses, _ = asked(submitted)
    assert statuses["cluster", "71_1"].state == "oom"


def test_a_job_that_nobody_knows_is_gone(submitted):
    statuses, warnings = asked(submitted)
    assert set(statuses.values()) == {JobStatus("gone")}
    assert warnings == []


def test_an_id_that_was_never_kept_is_found_again_by_the_jobs_name(claimed, put):
    put("squeue", QUEUE.format(name=name_of(claimed)))
    statuses, warnings = asked(claimed)
    assert statuses["cluster", "71_0"].state == "running"
    assert statuses["cluster", "71_1"].state == "queued"
    assert warnings == []
    job = read_json(claimed.runs[1].job(1))
    assert (job["id"], job["answer"]) == ("71_1", "found again by its name")


def test_a_job_of_another_name_is_not_taken_for_ours(claimed, put):
    put("squeue", QUEUE.format(name="sweep_other.0"))
    statuses, _ = asked(claimed)
    assert statuses == {("cluster", str(run.path)): JobStatus("gone") for run in claimed.runs}


def test_while_a_submission_may_be_on_its_way_nothing_counts_as_gone(claimed):
    with hold(claimed.folder / "lock"):
        assert asked(claimed) == ({}, [])


def test_a_farm_without_queries_is_not_asked_and_not_warned_of(tmp_path):
    place = site(tmp_path, "command", 1)
    place.claim(array=False)
    assert asked(place) == ({}, [])


def test_what_a_farm_refused_is_not_asked_about(claimed):
    for run in claimed.runs:
        run.job(1).write_text(json.dumps({"version": 1, "farm": "cluster", "refused": True}))
    assert asked(claimed) == ({}, [])


def test_what_is_done_is_not_asked_about(submitted):
    for run in submitted.runs:
        run.events(1).write_text('{"event": "ended", "time": 1, "code": 0}\n')
    assert asked(submitted) == ({}, [])


def test_a_run_that_was_never_given_away_has_no_job(tmp_path):
    run = ExperimentDir(tmp_path).run("owl")
    assert jobs_of([run], wrong) == []
    run.attempts.mkdir(parents=True)
    take(run, 1, claim_text(None, None))
    assert jobs_of([run], wrong) == []


def test_a_claim_without_a_map_is_no_job(claimed):
    (claimed.folder / "jobs.jsonl").unlink()
    assert jobs_of(claimed.runs, wrong) == []


def test_a_torn_line_of_the_map_costs_nothing_else(claimed):
    with (claimed.folder / "jobs.jsonl").open("a") as file:
        file.write('{"name": "half')
    assert [job.task for job in jobs_of(claimed.runs, wrong)] == [0, 1]


def test_without_an_id_the_map_says_name_and_place(claimed):
    first, last = jobs_of(claimed.runs, wrong)
    assert (first.id, first.task, last.task) == ("", 0, 1)
    assert first.name == claimed.type.job_name(claimed.array())
    assert not first.is_pending


def test_after_a_requeue_a_run_is_still_of_the_same_job(claimed):
    run = claimed.runs[0]
    run.job(1).write_text(json.dumps({"farm": "cluster", "type": "slurm", "id": "7_0"}))
    run.claim(2).write_text('{"version": 1, "farm": "cluster", "by": "run.sh"}')
    [job] = jobs_of([run], wrong)
    assert (job.attempt, job.id) == (1, "7_0")


def test_a_job_of_an_older_runx_has_no_type_and_no_name(tmp_path):
    run = ExperimentDir(tmp_path).run("owl")
    run.attempts.mkdir(parents=True)
    take(run, 1, claim_text("big", None))
    run.job(1).write_text('{"version": 1, "farm": "big", "id": "7", "answer": "7", "time": 1}')
    [job] = jobs_of([run], wrong)
    assert (job.farm.name, job.farm.type, job.id, job.name) == ("big", "command", "7", "")


def test_runs_of_one_place_are_asked_about_together(claimed):
    jobs = jobs_of(claimed.runs, wrong)
    [(farm, together)] = by_farm(jobs)
    assert (farm.name, together) == ("cluster", jobs)
    other = jobs[0]._replace(farm=claimed.farm._replace(name="other"))
    assert len(by_farm([*jobs, other])) == 2


def test_an_array_is_complete_where_every_run_of_it_is_meant(claimed):
    jobs = jobs_of(claimed.runs, wrong)
    assert complete_arrays(jobs[:1], claimed.runs) == {jobs[0].name: jobs[0]}
    assert complete_arrays(jobs, claimed.runs[:1]) == {}
    assert LAUNCH in jobs[0].name


def test_a_job_whose_id_is_not_known_is_looked_for_among_all():
    queried = []
    status_query = StatusQuery(
        lambda ids, farm: ("echo", *ids), lambda answer: queried.append(answer.output.split()) or {}
    )
    ask.ask(farm_of("pbs"), (status_query, status_query), ["7"], pytest.fail, all=True)
    assert queried == [["7"], [], ["7"]]


def test_a_long_line_of_tasks_that_never_began_is_not_cut_short(submitted, put):
    line = f"|CANCELLED by 0|None|{name_of(submitted)}"
    put(
        "sacct",
        f'[ "$SLURM_BITSTR_LEN" = 0 ] && echo "71_[0-1%1]{line}" || echo "71_[0,...]{line}"',
    )
    statuses, warnings = asked(submitted)
    assert [status.state for status in statuses.values()] == ["cancelled"] * 2
    assert warnings == []
