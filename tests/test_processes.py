from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runx.errors import RunxError
from runx.processes import (
    NULL,
    CommandError,
    CommandNotFound,
    CommandTimeout,
    map_in_forks,
    run_command,
    send_group_signal,
    send_signal,
    start_command,
    worker_count,
)


def test_a_command_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(
        CommandNotFound, match=r"^no-such-command: not found on PATH; install"
    ) as it:
        run_command(["no-such-command", "-x"])
    assert isinstance(it.value, FileNotFoundError)
    assert isinstance(it.value, RunxError)


def test_what_path_refuses_to_execute_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # So does a folder on PATH that may not be entered, whatever is sought.
    (tmp_path / "no-such-command").write_text("hello")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(CommandNotFound, match="no-such-command: not found on PATH"):
        run_command(["no-such-command"])


def test_a_command_given_by_path_is_not_sought_on_path(tmp_path: Path):
    with pytest.raises(CommandNotFound, match="nothing: no such file"):
        run_command([str(tmp_path / "nothing")])


def test_a_folder_that_is_not_there_is_named_rather_than_the_command(tmp_path: Path):
    with pytest.raises(CommandError, match="gone: can't start true there: No such file"):
        run_command(["true"], cwd=tmp_path / "gone")


def test_a_file_that_is_not_executable_says_so(tmp_path: Path):
    (tmp_path / "plain").write_text("hello")
    with pytest.raises(CommandError, match="plain: can't be started: Permission denied"):
        run_command([str(tmp_path / "plain")])


def test_too_many_arguments_are_a_clear_error():
    with pytest.raises(CommandError, match="true: its arguments are longer than the system takes"):
        run_command(["/bin/true", *["x" * 100_000] * 100])


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path):
    beside = tmp_path / "pid"
    with pytest.raises(CommandTimeout, match=r"bash: no end within 1 s; ended") as it:
        run_command(["bash", "-c", f"sleep 1000 & echo $! > {beside}; wait"], timeout=1)
    assert isinstance(it.value, TimeoutError)
    child = int(beside.read_text())
    deadline = time.monotonic() + 30
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_status_output_and_errors_are_kept_apart():
    done = run_command(["bash", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.status, done.output, done.errors) == (3, "out\n", "err\n")
    assert done.last_line == "err"


def test_a_signal_is_a_negative_status():
    assert run_command(["bash", "-c", "kill -TERM $$"]).status == -signal.SIGTERM


def test_words_reach_the_command_as_they_are():
    words = ["a b", "$HOME", "'", "", "*", "\udcff"]
    shown = "import os, sys; print(list(map(os.fsencode, sys.argv[1:])))"
    done = run_command([sys.executable, "-c", shown, *words])
    assert done.output.strip() == repr([os.fsencode(word) for word in words])


def test_bytes_that_are_not_text_survive_both_ways():
    assert run_command(["cat"], stdin="caf\udce9\0").output == "caf\udce9\0"


def test_the_environment_is_ours_with_what_is_given_over_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUNX_TEST_KEPT", "kept")
    monkeypatch.setenv("RUNX_TEST_GONE", "gone")
    environment = {"RUNX_TEST_NEW": "new", "RUNX_TEST_GONE": None}
    script = "echo $RUNX_TEST_KEPT $RUNX_TEST_NEW ${RUNX_TEST_GONE-none}"
    assert run_command(["bash", "-c", script], environment=environment).output == "kept new none\n"


def test_the_empty_stream_is_that_of_subprocess():
    assert subprocess.DEVNULL == NULL


def test_without_input_a_command_finds_the_end_at_once():
    assert run_command(["cat"]).output == ""


def test_a_started_command_writes_to_the_descriptors_it_is_given(tmp_path: Path):
    extra_out, extra_in = os.pipe()
    with (tmp_path / "out").open("wb") as out:
        process = start_command(
            ["bash", "-c", f"echo out; echo extra >&{extra_in}"],
            stdout=out,
            pass_fds=[extra_in],
            new_session=True,
        )
    os.close(extra_in)
    assert process.wait() == 0
    assert (tmp_path / "out").read_text() == "out\n"
    with os.fdopen(extra_out) as extra:
        assert extra.read() == "extra\n"


def test_a_signal_to_what_is_gone_is_no_error():
    process = start_command(["true"], new_session=True)
    process.wait()
    assert not send_signal(process.pid, signal.SIGTERM)
    assert not send_group_signal(process.pid, signal.SIGTERM)


def test_a_signal_reaches_a_process_and_a_whole_group():
    for send in (send_signal, send_group_signal):
        process = start_command(["sleep", "60"], new_session=True)
        assert send(process.pid, signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Have pytest's own threads, which hold no lock of ours, stop nobody."""
    besides = threading.active_count() - 1
    count = threading.active_count
    monkeypatch.setattr(threading, "active_count", lambda: count() - besides)


def test_nothing_to_do_is_nothing():
    assert map_in_forks(sum, []) == []


def test_each_part_is_done_by_another_process_and_told_in_order():
    done = map_in_forks(lambda part: (part, os.getpid()), [1, 2, 3])
    assert [part for part, _ in done] == [1, 2, 3]
    assert len({process for _, process in done}) == 3
    assert done[0][1] == os.getpid()


def test_more_than_a_pipe_holds_is_told_whole():
    assert map_in_forks(lambda size: b"x" * size, [1, 10**7]) == [b"x", b"x" * 10**7]


@pytest.mark.parametrize("how", ["ended", "killed", "raised", "not to be pickled"])
def test_what_a_fork_can_not_tell_is_done_here(how):
    here = os.getpid()

    def work(part):
        if os.getpid() == here:
            return part
        if how == "ended":
            os._exit(3)
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "raised":
            raise ValueError(how)
        return lambda: part

    assert map_in_forks(work, [1, 2, 3]) == [1, 2, 3]


def test_what_can_be_done_by_nobody_is_an_error():
    with pytest.raises(ZeroDivisionError):
        map_in_forks(lambda part: 1 // part, [1, 0])


def test_nothing_is_forked_while_other_threads_work():
    held = threading.Event()
    other = threading.Thread(target=held.wait)
    other.start()
    try:
        done = map_in_forks(lambda part: os.getpid(), [1, 2])
    finally:
        held.set()
        other.join()
    assert set(done) == {os.getpid()}


def test_there_is_at_least_one_to_work():
    assert worker_count() >= 1
