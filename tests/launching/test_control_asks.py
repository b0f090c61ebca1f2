"""Cancel, hold and release by schedulers: what is still there is said, others' jobs are left."""

import json
import os

import pytest
from batched import commands, site, tasks

from runx.launching import control
from runx.launching.control import cancel
from runx.launching.hold import hold, release
from runx.rundir.attempts import clock, current_state, read_attempts


@pytest.fixture
def put(tmp_path, monkeypatch):
    put = commands(tmp_path / "bin", monkeypatch)
    monkeypatch.setattr(control, "_PAUSES", (0.0, 0.01))
    put("sbatch", "echo 71")
    put("sacct", "exit 1")
    put("scancel", f'echo "$@" >>{tmp_path}/cancelled')
    return put


@pytest.fixture
def place(tmp_path, put):
    """Two runs that were submitted as one array."""
    place = site(tmp_path)
    place.submit()
    return place


def state(run):
    """Return the state of a run by its files, without asking anybody."""
    now = clock(run.path.parent)
    return str(current_state(run, read_attempts(run, now, pytest.fail), {}, now)[0])


def answers(put, tmp_path, before, after):
    """Let squeue answer otherwise once something was cancelled."""
    put("squeue", f"if [ -e {tmp_path}/cancelled ]; then {after}; else {before}; fi")


def cancelled(place):
    said = []
    return cancel(place.runs, said.append, said.append), said


def test_what_is_gone_after_a_cancel_is_cancelled(place, put, tmp_path):
    answers(put, tmp_path, tasks(place, "PENDING", "RUNNING"), "exit 0")
    assert cancelled(place) == (control.Changed(2), [])
    assert (tmp_path / "cancelled").read_text() == "71_[0-1]\n"
    # Nobody needs to be asked again, nor by whom the jobs can be seen.
    assert [state(run) for run in place.runs] == ["cancelled", "cancelled"]


def test_what_is_still_there_after_a_cancel_is_left(place, put, tmp_path):
    answers(put, tmp_path, tasks(place, "PENDING", "RUNNING"), tasks(place, "CANCELLED", "RUNNING"))
    changed, _ = cancelled(place)
    first, second = place.runs
    assert changed == control.Changed(1, {second: "running (cancelled, but still at cluster)"})
    assert state(first) == "cancelled"
    perhaps = "queued (cancelled, but perhaps still at cluster: cluster was not asked)"
    assert state(second) == perhaps


def test_a_scheduler_that_will_not_cancel_is_quoted(place, put, tmp_path):
    put("squeue", tasks(place, "PENDING", "PENDING"))
    put("scancel", "echo 'scancel: error: Access/permission denied' >&2; exit 1")
    changed, said = cancelled(place)
    assert changed.done == 0
    assert set(changed.left.values()) == {"queued (cancelled, but still at cluster)"}
    assert said == ["farm cluster: scancel: scancel: error: Access/permission denied"]


def test_of_two_farms_one_that_fails_keeps_the_other_from_nothing(tmp_path, put):
    first, second = (site(tmp_path / name) for name in ("one", "two"))
    for place in (first, second):
        place.submit()
    # The second is on another cluster, whose commands fail.
    for run in second.runs:
        address = json.loads(run.job(1).read_text())
        run.job(1).write_text(json.dumps({**address, "options": {"cluster": "u"}}))
    gone = f"[ -e {tmp_path}/cancelled ] && exit 0"
    listed = tasks(first, "PENDING", "PENDING")
    put("squeue", f'case " $* " in *" -M u "*) ;; *) {gone};; esac; {listed}')
    put("scancel", f'case " $* " in *" -M u "*) exit 1;; esac; touch {tmp_path}/cancelled')
    said = []
    changed = cancel([*second.runs, *first.runs], said.append, said.append)
    assert changed.done == 2
    assert list(changed.left) == second.runs
    assert said == ["farm cluster: scancel: exit status 1"]


def test_what_can_not_be_asked_for_is_told_by_an_order(place, put, tmp_path):
    put("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    changed, said = cancelled(place)
    assert not (tmp_path / "cancelled").exists()
    why = "queued (cancelled, but perhaps still at cluster: cluster can't be asked)"
    assert changed == control.Changed(0, dict.fromkeys(place.runs, why))
    assert "Unable to contact" in said[0]
    [order] = [json.loads(file.read_text()) for file in place.runs[0].orders.iterdir()]
    assert (order["heed"], order["over"]) == (True, False)


def test_an_id_that_is_another_jobs_now_is_not_cancelled(place, put, tmp_path):
    put("squeue", "echo '71|0|RUNNING|None|somebody-elses'; echo '71|1|PENDING|None|x'")
    # Should ours be there by another name, it ends as it starts.
    assert cancelled(place) == (control.Changed(2), [])
    assert not (tmp_path / "cancelled").exists()
    assert [state(run) for run in place.runs] == ["cancelled", "cancelled"]


def test_a_job_of_another_cluster_is_asked_for_and_cancelled_there(place, put, tmp_path):
    for run in place.runs:
        address = json.loads(run.job(1).read_text())
        address = {**address, "options": {}, "answer": "71;u\n"}
        run.job(1).write_text(json.dumps(address))
    put(
        "squeue",
        f'[[ " $* " == *" -M u "* ]] || {{ echo "71|0|RUNNING|None|local"; exit; }}\n'
        f"[ -e {tmp_path}/cancelled ] || {{ {tasks(place, 'PENDING', 'PENDING')}; }}",
    )
    assert cancelled(place)[0] == control.Changed(2)
    assert (tmp_path / "cancelled").read_text() == "-M u 71_[0-1]\n"


def test_filters_in_the_environment_change_nothing(place, put, tmp_path, monkeypatch):
    monkeypatch.setenv("SQUEUE_PARTITION", "gpu")
    monkeypatch.setenv("SLURM_CLUSTERS", "other")
    put("squeue", f'[ -z "$SQUEUE_PARTITION$SLURM_CLUSTERS" ] && {{ {tasks(place, "PENDING")}; }}')
    changed, _ = cancelled(place)
    assert list(changed.left) == place.runs[:1]


def test_waiting_jobs_are_held_and_running_ones_left(place, put, tmp_path):
    put("squeue", tasks(place, "RUNNING", "PENDING"))
    put("scontrol", f'echo "$@" >{tmp_path}/held')
    assert hold(place.runs, pytest.fail) == control.Changed(1)
    assert (tmp_path / "held").read_text() == "hold 71_1\n"
    put("squeue", tasks(place, "RUNNING", "RUNNING"))
    assert release(place.runs, pytest.fail, pytest.fail) == control.Changed(
        0,
        dict.fromkeys(place.runs, "it is running"),
    )


def test_a_scheduler_that_will_not_hold_is_quoted(place, put):
    put("squeue", tasks(place, "PENDING", "PENDING"))
    put("scontrol", "echo 'Access/permission denied' >&2; exit 1")
    why = "farm cluster: scontrol: Access/permission denied"
    assert hold(place.runs, pytest.fail) == control.Changed(0, dict.fromkeys(place.runs, why))


def test_runs_without_a_farm_are_not_held_and_it_is_said_why(tmp_path):
    place = site(tmp_path, "command", 1)
    run = place.runs[0]
    run.claim(1).write_text(json.dumps({"version": 1, "host": "elsewhere", "farm": None}))
    changed = hold(place.runs, pytest.fail)
    assert changed.done == 0
    assert changed.left[run].endswith(
        "only what waits, here or at a farm, can be held and released"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_the_runs_of_another_user_are_left_where_one_can_not_see_them(place, put):
    for run in place.runs:
        address = json.loads(run.job(1).read_text())
        run.job(1).write_text(json.dumps({**address, "owner": ""}))
        os.chown(run.job(1), 65534, 65534)
        long_ago = run.job(1).stat().st_mtime - 3600
        os.utime(run.job(1), (long_ago, long_ago))
    put("squeue", "exit 0")
    changed, _ = cancelled(place)
    why = "queued (cancelled, but perhaps still at cluster: not seen by you: its job is nobody's)"
    assert changed == control.Changed(0, dict.fromkeys(place.runs, why))
