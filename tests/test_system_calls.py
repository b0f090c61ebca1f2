"""The number of system calls of each command for one run more: what a slow file system makes felt.

Calls are counted for a few runs and for more of them; the difference is what a run costs. Only
calls that name a file and those that start a process are counted, not what a libc does besides.
"""

import json
import re
import shutil
import subprocess
import time
from collections import Counter
from typing import NamedTuple

import pytest

from benchmarks import projects
from benchmarks.commands import OURS, environment

FEW, MANY = 4, 14
FILES = 5

pytestmark = pytest.mark.system_calls


class Calls(NamedTuple):
    """The calls that name a file, by name; the number of processes made and of programs started."""

    named: Counter
    processes: int
    programs: int


@pytest.fixture(scope="module", autouse=True)
def strace():
    """Skip where there is no strace, or where it may not trace."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")


def traced(words, folder, *options):
    log = folder.with_name(f"{folder.name}.calls")  # a file within would be frozen
    command = ["strace", *options, "-e", "trace=%file,%process", "-o", log, *words]
    done = subprocess.run(command, cwd=folder, env=environment(OURS, folder), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    # A stat of a descriptor names no file, whatever the name of the call.
    lines = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if not re.search(r'newfstatat\(\d+, ""', line)
    ]
    matches = (re.match(r"(?:\d+ +)?(\w+)\(", line) for line in lines)
    counted = Counter(match[1] for match in matches if match)
    programs = sum(1 for line in lines if re.search(r"execve\b.* = 0$", line))
    processes = sum(counted[name] for name in ("fork", "vfork", "clone", "clone3"))
    for name in ("fork", "vfork", "clone", "clone3", "execve", "exit_group", "wait4", "kill"):
        counted.pop(name, None)
    return Calls(counted, processes, programs)


def sweep(folder, runs):
    folder.mkdir()
    for number in range(FILES):
        (folder / f"module{number}.py").write_text("pass\n")
    (folder / "sweep.yml").write_text(f"CMD: 'true'\nHPARAMS:\n  seed: {list(range(runs))}\n")
    (folder / ".runx").write_text("LOGROOT: logs\nCODE_STAGING: link\n")
    return folder


def for_each_run(few, many, runs=MANY - FEW):
    """Return the calls that each further run adds."""
    more = many.named - few.named
    return {name: count / runs for name, count in more.items()}


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """Projects in which FEW and MANY runs are done, by that number."""
    folder = tmp_path_factory.mktemp("launched")
    by_count = {runs: sweep(folder / str(runs), runs) for runs in (FEW, MANY)}
    for project in by_count.values():
        words = OURS.entry("runx", "sweep.yml", "-i")
        subprocess.run(words, cwd=project, env=environment(OURS, project), capture_output=True)
    return by_count


def test_launching_a_run_links_its_code_and_makes_a_handful_of_files(tmp_path):
    words = OURS.entry("runx", "sweep.yml", "-i")
    few, many = (traced(words, sweep(tmp_path / str(runs), runs)) for runs in (FEW, MANY))
    more = for_each_run(few, many)
    assert more.pop("link") == FILES + 3  # the sweep and .runx are frozen too; and its claim
    assert more["mkdir"] <= 3
    assert sum(more.values()) <= 20, more


def test_a_run_starts_bash_its_script_the_relay_the_sync_of_its_end_and_what_unlocks_it(tmp_path):
    words = OURS.entry("runx", "sweep.yml", "-i")
    few, many = (traced(words, sweep(tmp_path / str(runs), runs), "-f") for runs in (FEW, MANY))
    assert (many.programs - few.programs) / (MANY - FEW) == 5
    assert (many.processes - few.processes) / (MANY - FEW) == 6


def test_resuming_looks_at_a_finished_run_but_writes_nothing(launched):
    words = OURS.entry("runx", "sweep.yml", "-i", "--resume")
    more = for_each_run(*(traced(words, launched[runs]) for runs in (FEW, MANY)))
    assert more.keys() <= {"openat", "newfstatat", "stat", "lstat", "statx"}
    assert sum(more.values()) <= 6, more


@pytest.mark.parametrize("words", [("runx", "status", "sweep"), ("sumx", "sweep")])
def test_looking_at_a_run_opens_its_files_once(launched, words):
    more = for_each_run(*(traced(OURS.entry(*words), launched[runs]) for runs in (FEW, MANY)))
    assert more.keys() <= {"openat", "newfstatat", "stat", "lstat", "statx", "readlink", "access"}
    # Where a script has written no metrics by logx, what it has left is looked for.
    assert more["openat"] <= 10, more
    assert sum(more.values()) <= 20, more


@pytest.mark.parametrize(
    ("words", "most"), [(("runx", "status", "sweep"), 5), (("sumx", "sweep"), 4)]
)
def test_looking_again_at_a_run_that_is_over_opens_nothing(looked_at, words, most):
    command = OURS.entry(*words, "--logroot", "logs")
    more = for_each_run(*(traced(command, folder) for folder in looked_at), 20)
    assert {name for name, count in more.items() if count} <= {"newfstatat", "stat", "statx"}
    assert sum(more.values()) <= most, more


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory):
    """Experiments that have an index, which takes only what has settled for a while."""
    folders = [tmp_path_factory.mktemp("looked") for _ in range(2)]
    for folder in folders:
        projects.results(folder / "logs", 100, 2)
    for run in sorted((folders[0] / "logs" / "sweep").glob("brave*"))[80:]:
        shutil.rmtree(run)
    for folder, runs in zip(folders, (80, 100), strict=True):
        index = folder / "logs" / "sweep" / ".runx" / "index.json"
        while _indexed(index) < runs:
            index.unlink(missing_ok=True)
            time.sleep(0.5)
            words = OURS.entry("sumx", "sweep", "--logroot", "logs")
            subprocess.run(words, cwd=folder, env=environment(OURS, folder), capture_output=True)
    return folders


def _indexed(index):
    """Return how many runs an index has; it leaves out those that have not settled yet."""
    if not index.exists():
        return 0
    return sum(len(shape["runs"]) for shape in json.loads(index.read_text())["shapes"])


def test_reading_a_thousand_rows_takes_no_more_calls_than_reading_ten(tmp_path):
    counted = []
    for epochs in (10, 1000):
        folder = tmp_path / str(epochs)
        projects.results(folder / "logs", 10, epochs)
        words = OURS.entry("sumx", "sweep", "--logroot", "logs")
        counted.append(sum(traced(words, folder).named.values()))
    assert counted[1] <= counted[0] + 5
