"""Claims: the first wins, whoever comes at the same time."""

import json
import multiprocessing
import os

from runx.rundir.claims import claim_text, take
from runx.rundir.machines import start_time, whoami
from runx.rundir.paths import RunDir


def _take(path, results):
    results.put(take(RunDir(path), 1, claim_text(None, None)))


def test_of_many_that_claim_at_once_one_wins(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_take, args=(tmp_path, results)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(results.get() for _ in processes) == [False] * 7 + [True]
    assert [path.name for path in (tmp_path / "attempts").iterdir()] == ["1.claim"]


def test_a_claim_says_who_made_it(tmp_path):
    assert take(RunDir(tmp_path), 3, claim_text("slurm", "abc"))
    told = json.loads(RunDir(tmp_path).claim(3).read_text())
    assert (told["pid"], told["farm"], told["code"]) == (os.getpid(), "slurm", "abc")
    assert told["start"] == start_time(os.getpid())
    assert told["boot"] == whoami()["boot"]


def test_a_process_that_is_gone_has_no_start_time():
    assert start_time(2**22 + 1) is None
