"""A job that its scheduler doesn't list has ended only where all was asked that could have it."""

import json
import os
import pwd

import pytest
from batched import commands, farm_of, site, tasks

from runx.farms import query as module
from runx.farms.ask import ask
from runx.farms.base import StatusQuery
from runx.farms.query import is_named, query, submitted_jobs
from runx.farms.slurm_status import in_queue
from runx.processes import Finished
from runx.rundir.attempts import clock, current_state, read_attempts


@pytest.fixture
def put(tmp_path, monkeypatch):
    put = commands(tmp_path / "bin", monkeypatch)
    put("sbatch", "echo 71")
    put("squeue", "exit 0")
    put("sacct", "exit 1")
    return put


@pytest.fixture
def place(tmp_path, put):
    """A run that was submitted an hour ago, and that a scheduler should list as 71."""
    place = site(tmp_path, count=1)
    place.submit(array=False)
    file = place.runs[0].job(1)
    change(place, {})
    assert json.loads(file.read_text())["owner"] == login()
    return place


def login():
    return pwd.getpwuid(os.getuid()).pw_name


def change(place, more):
    """Change what is recorded of the job, an hour ago."""
    file = place.runs[0].job(1)
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))
    os.utime(file, (file.stat().st_mtime - 3600,) * 2)


def told(place):
    """Return the state of the run, and what was warned of."""
    warnings = []
    run = place.runs[0]
    now = clock(run.path.parent)
    attempts = read_attempts(run, now, warnings.append)
    statuses = query(submitted_jobs([(run, attempts)], warnings.append), warnings.append)
    return str(current_state(run, attempts, statuses, now)[0]), warnings


def test_a_task_of_an_array_that_is_listed_as_one_is_what_the_array_is(place, put):
    put("squeue", "echo '71|N/A|CANCELLED|Dependency|'")
    change(place, {"id": "71_0"})
    state, warnings = told(place)
    assert (state, warnings) == ("cancelled (its dependency failed)", [])


def test_its_owner_is_told_that_it_is_gone(place):
    assert told(place) == ("lost (cluster knows no job 71)", [])


def test_whom_it_is_not_is_told_that_he_does_not_see_it(place):
    change(place, {"owner": "alice"})
    assert told(place) == ("queued (not seen by you: its job is alice's)", [])


def test_a_user_without_a_name_is_known_by_his_number(place):
    change(place, {"owner": str(os.getuid())})
    assert told(place)[0].startswith("lost")


def test_who_can_see_it_is_told_of_anothers_job(place, put):
    change(place, {"owner": "alice"})
    put("squeue", f"echo '71|N/A|PENDING|JobHeldAdmin|{job_name(place)}'")
    assert told(place) == ("queued (JobHeldAdmin: held by an administrator)", [])


def job_name(place):
    return json.loads(place.runs[0].job(1).read_text())["name"]


def test_of_an_older_file_the_owner_is_its_own(place):
    change(place, {"owner": None})
    assert told(place)[0].startswith("lost")
    if os.getuid() == 0:
        os.chown(place.runs[0].job(1), 65534, 65534)
        assert told(place)[0] == "queued (not seen by you: its job is nobody's)"


def test_a_queue_that_can_not_be_asked_hides_what_the_accounts_lack(place, put):
    put("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    put("sacct", "exit 0")
    state, [warning] = told(place)
    assert state == "queued (cluster can't be asked)"
    assert "Unable to contact slurm controller" in warning
    put("sacct", f"echo '71|PENDING|None|{job_name(place)}'")
    assert told(place)[0] == "queued"


def test_a_farm_of_a_type_that_is_not_there_is_left_alone(place):
    change(place, {"type": "nomodule:x"})
    state, [warning] = told(place)
    assert state == "queued (cluster can't be asked)"
    assert "nomodule" in warning


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELLED", "COMPLETED"])
def test_an_id_that_has_another_name_tells_nothing(place, put, state):
    put("squeue", f"echo '71|N/A|{state}|None|another'")
    assert told(place)[0] == "queued (job 71 of cluster is another, another one)"


def test_a_state_of_tomorrow_is_told_as_it_is(place, put):
    put("squeue", f"echo '71|N/A|PONDERING|None|{job_name(place)}'")
    assert told(place)[0] == "unknown (cluster says PONDERING)"


def test_who_finds_anothers_job_by_its_name_does_not_become_its_owner(tmp_path, put):
    place = site(tmp_path)
    place.claim()
    if os.getuid() == 0:
        os.chown(place.runs[0].claim(1), 65534, 65534)
    put("squeue", tasks(place, "PENDING", "PENDING"))
    attempts = {run: read_attempts(run, clock(run.path.parent), pytest.fail) for run in place.runs}
    query(submitted_jobs(attempts.items(), pytest.fail), pytest.fail)
    first, second = (json.loads(run.job(1).read_text()) for run in place.runs)
    assert (first["id"], second["id"]) == ("71_0", "71_1")
    assert first["owner"] == ("nobody" if os.getuid() == 0 else login())
    assert second["owner"] == login()


def test_of_anothers_run_the_job_is_found_by_its_name_though_that_can_not_be_recorded(
    tmp_path, put, monkeypatch
):
    place = site(tmp_path)
    place.claim()

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(module, "write_job", refuse)
    put("squeue", tasks(place, "PENDING", "RUNNING"))
    states = []
    for run in place.runs:
        now = clock(run.path.parent)
        attempts = read_attempts(run, now, pytest.fail)
        statuses = query(submitted_jobs([(run, attempts)], pytest.fail), pytest.fail)
        states.append(current_state(run, attempts, statuses, now)[0].name)
    assert states == ["queued", "running"]


@pytest.mark.parametrize("options", [None, [], "x", {"cluster": 5}])
def test_damaged_options_of_a_job_end_nothing(place, options):
    change(place, {"options": options})
    assert told(place)[0].startswith("lost")


def test_jobs_of_two_clusters_with_one_id_are_two(tmp_path, put):
    here, there = site(tmp_path / "a", count=1), site(tmp_path / "b", count=1)
    for place in (here, there):
        place.submit(array=False)
    change(there, {"options": {"cluster": "u"}})
    put(
        "squeue",
        'state=PENDING; [ "$1 $2" = "-M u" ] && state=RUNNING\n'
        f'echo "71|N/A|$state|None|{job_name(here)}"',
    )
    attempts = {
        run: read_attempts(run, clock(run.path.parent), pytest.fail)
        for run in (*here.runs, *there.runs)
    }
    statuses = query(submitted_jobs(attempts.items(), pytest.fail), pytest.fail)
    states = [
        current_state(run, attempts[run], statuses, clock(run.path.parent))[0].name
        for run in attempts
    ]
    assert states == ["queued", "running"]


def test_one_unknown_id_is_an_answer():
    finished = Finished((), 1, "", "slurm_load_jobs error: Invalid job id specified\n")
    assert in_queue(finished) == {}
    assert in_queue(finished._replace(errors="slurm_load_jobs error: Socket timed out")) is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("launch failed requeued held", "launch failed requeued held: its node couldn't start it"),
        ("PartitionTimeLimit", "PartitionTimeLimit: asks for more time than its partition gives"),
        ("ReqNodeNotAvail, Reserved for maintenance", "ReqNodeNotAvail, Reserved for maintenance:"),
        ("QOSMaxGRESPerUser", "QOSMaxGRESPerUser: a limit of its quality of service"),
        ("AssocGrpGRES", "AssocGrpGRES: a limit of its account"),
        ("SomeReasonOfTomorrow", "SomeReasonOfTomorrow"),
    ],
)
def test_why_a_job_waits_is_told_in_slurms_words_and_in_plain_ones(reason, told):
    [status] = in_queue(Finished((), 0, f"7|N/A|PENDING|{reason}|x\n", "")).values()
    assert status.state == "queued"
    assert status.reason.startswith(told)


def test_names_that_schedulers_cut_are_still_ours():
    name = "sweep_2026-11-28T13.45.39Z-1d22ff.0"
    assert all(is_named(name, cut) for cut in (name[:10], name[:15], f"*{name[-9:]}", f"{name}[3]"))
    assert not any(is_named(name, other) for other in ("sweep", "sweep_2026-11", f"{name}2"))


def test_an_answer_that_shows_ones_own_jobs_alone_sees_not_all():
    def asked(*queries):
        return ask(farm_of("pbs"), queries, ["7"], pytest.fail)

    own = StatusQuery(lambda ids, farm: ("true",), lambda finished: {})
    everybody = own._replace(sees="all")
    assert not asked(own, everybody).sees_all
    assert asked(everybody, own).sees_all
    assert not asked(everybody, own._replace(live=True)).sees_all


def test_a_query_that_alone_has_waiting_jobs_must_be_answered():
    answered = StatusQuery(lambda ids, farm: ("true",), lambda finished: {}, sees="all")
    failing = StatusQuery(lambda ids, farm: ("false",), lambda finished: None)
    missing = StatusQuery(lambda ids, farm: ("no-such-command-here",), lambda finished: None)

    def hidden(*queries):
        return ask(farm_of("pbs"), queries, ["7"], lambda warning: None).hidden

    assert hidden(answered, failing) == ""
    assert hidden(answered, failing._replace(live=True)) == "mine can't be asked"
    assert hidden(answered, missing._replace(live=True)) == ""
    assert hidden(failing, answered) == "mine can't be asked"
