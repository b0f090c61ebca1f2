import os
import signal
import threading

import pytest

from runx.forks import hands, shared_out


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Have pytest's own threads, which hold no lock of ours, stop nobody."""
    besides = threading.active_count() - 1
    count = threading.active_count
    monkeypatch.setattr(threading, "active_count", lambda: count() - besides)


def test_nothing_to_do_is_nothing():
    assert shared_out(sum, []) == []


def test_each_part_is_done_by_another_process_and_told_in_order():
    done = shared_out(lambda part: (part, os.getpid()), [1, 2, 3])
    assert [part for part, _ in done] == [1, 2, 3]
    assert len({process for _, process in done}) == 3
    assert done[0][1] == os.getpid()


def test_more_than_a_pipe_holds_is_told_whole():
    assert shared_out(lambda size: b"x" * size, [1, 10**7]) == [b"x", b"x" * 10**7]


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

    assert shared_out(work, [1, 2, 3]) == [1, 2, 3]


def test_what_can_be_done_by_nobody_is_an_error():
    with pytest.raises(ZeroDivisionError):
        shared_out(lambda part: 1 // part, [1, 0])


def test_nothing_is_forked_while_other_threads_work():
    held = threading.Event()
    other = threading.Thread(target=held.wait)
    other.start()
    try:
        done = shared_out(lambda part: os.getpid(), [1, 2])
    finally:
        held.set()
        other.join()
    assert set(done) == {os.getpid()}


def test_there_is_at_least_one_to_work():
    assert hands() >= 1
