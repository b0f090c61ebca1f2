import json
import os
import signal
import subprocess
import sys
import time

import pytest

from runx.rundir.attempts import (
    clock,
    current_state,
    is_process_alive,
    read_attempts,
    status_of,
    this_machine,
)
from runx.rundir.events import JobAddress, JobStatus
from runx.rundir.paths import RunDir
from runx.rundir.state import state


@pytest.fixture
def run(tmp_path):
    made = RunDir(tmp_path / "owl")
    made.attempts.mkdir(parents=True)
    return made


def no_warning(warning):
    raise AssertionError(warning)


def read_state(run, warn=no_warning, statuses=None):
    attempts = read_attempts(run, time.time, warn)
    return state(attempts, status_of(run, attempts, statuses or {}))


def claim(run, number=1, farm=None, pid=None, **more):
    pid = os.getpid() if pid is None else pid
    who = {
        "host": this_machine().host,
        "boot": this_machine().boot,
        "pid": pid,
        "start": start_of(pid),
        **more,
    }
    run.claim(number).write_text(json.dumps({"version": 1, **who, "farm": farm}))


def start_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def write_events(run, *events, number=1):
    with open(run.events(number), "a") as file:
        for event in events:
            name, details = event if isinstance(event, tuple) else (event, {})
            file.write(json.dumps({"event": name, "time": 1.5, **details}) + "\n")


def dead_pid():
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_directory_without_attempts_is_a_planned_run(tmp_path):
    assert read_state(RunDir(tmp_path)).name == "planned"


def test_a_damaged_line_costs_itself_and_a_warning(run):
    claim(run)
    write_events(run, "started")
    with open(run.events(1), "a") as file:
        file.write('{"event": "run\n{"event": "ended", "code": 0}\n{"eve')
    warnings = []
    assert read_state(run, warnings.append).name == "done"
    assert [warning.split(": ")[0] for warning in warnings] == [f"{run.events(1)}, line 2"]


def test_a_damaged_claim_costs_a_warning(run):
    run.claim(1).write_text("{")
    write_events(run, "started", ("ended", {"code": 2}))
    warnings = []
    assert read_state(run, warnings.append).name == "failed"
    assert len(warnings) == 1


def test_whoever_holds_the_lock_is_running_though_run_sh_is_gone(run):
    claim(run, pid=dead_pid())
    write_events(run, "started")
    holder = subprocess.Popen(
        ["bash", "-c", 'exec 9>>"$1"; flock 9; echo held; exec sleep 60', "-", run.lock],
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        assert read_state(run).name == "running"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    assert read_state(run).name == "killed"


def test_a_claim_whose_launcher_lives_is_queued_and_a_dead_ones_is_void(run):
    claim(run)
    assert read_state(run).name == "queued"
    claim(run, pid=dead_pid())
    assert read_state(run).name == "planned"


def test_a_pid_that_is_used_again_is_not_the_claims(run):
    claim(run, start=12)
    assert read_state(run).name == "planned"


def test_another_boot_of_this_machine_has_taken_its_processes(run):
    claim(run, boot="before")
    write_events(run, "started")
    run.lock.touch()
    assert read_state(run).name == "lost"


@pytest.mark.parametrize("code", [0, 3])
def test_a_run_that_ends_while_it_is_looked_at_is_not_taken_for_dead(run, monkeypatch, code):
    claim(run)
    write_events(run, "started")
    run.lock.touch()
    module = sys.modules[read_attempts.__module__]
    unchanged = module.is_held

    def ends_now(path):
        if len(run.events(1).read_text().splitlines()) == 1:
            write_events(run, ("ended", {"code": code}))
        return unchanged(path)

    monkeypatch.setattr(module, "is_held", ends_now)
    assert read_state(run).name == ("failed" if code else "done")


def test_a_run_of_another_machine_is_left_alone(run):
    claim(run, host="elsewhere")
    write_events(run, "started")
    assert str(read_state(run)) == "running (on elsewhere)"


def test_a_farms_run_is_known_by_its_beat(run):
    claim(run, farm="slurm", host="login")
    run.job(1).write_text('{"version": 1, "farm": "slurm", "id": "123"}')
    assert read_state(run).name == "queued"
    write_events(run, ("started", {"host": "node", "boot": "b", "pid": 1, "start": 1}))
    long_ago = time.time() - 720
    os.utime(run.events(1), (long_ago, long_ago))
    assert str(read_state(run)) == "lost (silent for 12 min; slurm was not asked)"
    statuses = {("slurm", "123"): JobStatus("running")}
    assert str(read_state(run, statuses=statuses)) == "running (silent for 12 min)"
    run.beat(1).touch()
    assert str(read_state(run)) == "running"


def test_an_attempt_that_gave_no_sign_since_the_next_was_claimed_runs_no_more(run):
    """Its node failed after a heartbeat; a launcher was told so, and started it again."""
    for number in (1, 2):
        claim(run, number, farm="slurm", host="login")
        write = [{"event": "started"}] + [{"event": "ended", "code": 0}] * (number == 2)
        run.events(number).write_text("".join(json.dumps(event) + "\n" for event in write))
    for path, age in ((run.events(1), 50), (run.beat(1), 40), (run.claim(2), 20)):
        path.touch()
        os.utime(path, (time.time() - age, time.time() - age))
    assert str(read_state(run)) == "done"
    run.beat(1).touch()
    assert str(read_state(run)) == "running"


def test_what_a_further_attempt_wrote_is_no_sign_of_one_that_never_began(run):
    for number in (1, 2):
        claim(run, number, farm="bigfarm", host="elsewhere")
        run.job(number).write_text(json.dumps({"version": 1, "farm": "bigfarm", "id": "7"}))
    ended = [{"event": "started"}, {"event": "ended", "code": 0}]
    run.events(2).write_text("".join(json.dumps(event) + "\n" for event in ended))
    for path in (run.claim(1), run.job(1)):
        os.utime(path, (time.time() - 100, time.time() - 100))
    run.metrics.write_text("val,acc,1\n")
    assert read_state(run).name == "done"


def test_metrics_are_a_sign_of_life_where_a_job_never_calls_run_sh(run):
    run.metrics.write_text("val,acc,1\n")
    os.utime(run.metrics, (time.time() - 50, time.time() - 50))
    claim(run, farm="bare", host="login")
    run.job(1).write_text('{"version": 1, "farm": "bare", "id": "9"}')
    assert read_state(run).name == "queued", "what an earlier attempt wrote says nothing"
    for path in (run.claim(1), run.job(1)):
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert read_state(run).name == "running"
    long_ago = time.time() - 7200
    for path in (run.claim(1), run.job(1), run.metrics):
        os.utime(path, (long_ago - (path != run.metrics), long_ago - (path != run.metrics)))
    assert str(read_state(run)).startswith("unknown (it last wrote 120 min ago")


def test_what_a_later_attempt_wrote_is_no_sign_of_one_that_was_never_submitted(run):
    claim(run, farm="torque", host="login", pid=dead_pid())
    claim(run, number=2, farm="torque", host="login")
    run.events(2).write_text('{"event":"started","time":1}\n{"event":"ended","time":2,"code":0}\n')
    run.metrics.write_text("val,epoch\n")
    assert read_state(run).name == "done"


def test_an_order_tells_why_a_run_was_ended(run):
    claim(run, pid=dead_pid())
    write_events(run, "started", ("ended", {"code": 143}))
    assert read_state(run).name == "killed"
    run.orders.mkdir()
    (run.orders / "2.json").write_text('{"order": "cancel", "attempt": 2}')
    assert read_state(run).name == "killed"
    (run.orders / "1.json").write_text('{"order": "cancel", "attempt": 1}')
    assert read_state(run).name == "cancelled"


def test_events_torn_at_any_byte_never_make_a_dead_run_alive(run):
    claim(run, pid=dead_pid())
    run.lock.touch()
    write_events(run, "started", ("running", {"group": 5}), "warned", ("ended", {"code": 0}))
    whole = run.events(1).read_bytes()
    for end in range(len(whole) + 1):
        run.events(1).write_bytes(whole[:end])
        assert read_state(run, lambda warning: None).name in ("planned", "killed", "done")


def test_reading_leaves_nothing_behind(run):
    claim(run, farm="slurm", host="login")
    before = sorted(os.listdir(run.attempts))
    assert clock(run.path)() == pytest.approx(time.time(), abs=60)
    read_attempts(run, clock(run.path), no_warning)
    assert sorted(os.listdir(run.attempts)) == before
    assert os.listdir(run.path) == ["attempts"]


def test_this_process_lives_and_a_finished_one_does_not():
    me = {**this_machine()._asdict(), "pid": os.getpid(), "start": start_of(os.getpid())}
    assert is_process_alive(me, this_machine()) is True
    assert is_process_alive({**me, "pid": dead_pid()}, this_machine()) is False
    assert is_process_alive({}, this_machine()) is False


def submitted(run, **more):
    job = {"version": 1, "farm": "slurm", "type": "slurm", "id": "123", **more}
    run.job(1).write_text(json.dumps(job))
    long_ago = time.time() - 5000
    os.utime(run.job(1), (long_ago, long_ago))


def queried(run, attempts, job, word):
    return current_state(run, attempts, {("slurm", job): JobStatus(word)}, time.time)


def test_a_job_is_where_job_json_says(run):
    claim(run, farm="slurm", launch="now")
    submitted(run, name="owl", options={"QUEUE": "long"}, answer="123\n")
    [attempt] = read_attempts(run, time.time, no_warning)
    assert attempt.job == JobAddress("slurm", "slurm", "123", "owl", {"QUEUE": "long"}, "123\n")
    assert (attempt.job_id, attempt.launch, attempt.job.refused) == ("123", "now", False)


def test_where_job_json_is_damaged_nobody_knows_where_the_job_is(run):
    claim(run, farm="slurm")
    run.job(1).write_text("{")
    warnings = []
    attempts = read_attempts(run, time.time, warnings.append)
    assert attempts[0].job == JobAddress()
    assert state(attempts).name == "queued"
    assert len(warnings) == 1


def test_a_run_that_ends_while_its_scheduler_is_asked_is_not_lost(run):
    claim(run, farm="slurm")
    submitted(run)
    before = read_attempts(run, time.time, no_warning)
    assert queried(run, before, "123", "gone")[0].name == "lost"
    write_events(run, "started", ("ended", {"code": 0}))
    now, attempts = queried(run, before, "123", "gone")
    assert now.name == "done"
    assert attempts != before


def test_a_job_whose_id_was_found_by_its_name_is_told_of(run):
    claim(run, farm="slurm", pid=dead_pid())
    before = read_attempts(run, time.time, no_warning)
    submitted(run)
    now, [attempt] = queried(run, before, "123", "running")
    assert (now.name, attempt.job_id) == ("running", "123")


def test_what_changes_nothing_is_not_read_again(run, monkeypatch):
    claim(run, farm="slurm")
    submitted(run)
    before = read_attempts(run, time.time, no_warning)
    monkeypatch.setattr(sys.modules[current_state.__module__], "read_attempts", None)
    now, attempts = queried(run, before, "123", "queued")
    assert (now.name, attempts) == ("queued", before)
