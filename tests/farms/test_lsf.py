"""LSF: how its answers are read, and a stand-in as strict as its manual."""

import json

import pytest
from batched import arrays_of
from sites import Site, all_end, environment_of, installed_commands

from runx.farms import lsf
from runx.farms.commands import shell_line
from runx.processes import Finished
from runx.sweeps.values import Hparam

ROW = "12|3|{}|{}|{}|sweep[3]|{}\n"
SECTION = """\
FARM: lsf
lsf:
  RESOURCES: {cpus: 2, mem: 4G, time: 1h}
"""


def read(word, code="-", why="-", pending="-"):
    answer = Finished((), 0, ROW.format(word, code, why, pending), "")
    return lsf.job_statuses(answer)["12[3]"]


STATES = [
    (("PEND",), ("queued", "")),
    (("PEND", "-", "-", "Job slot limit reached"), ("queued", "Job slot limit reached")),
    (("PSUSP",), ("queued", "held")),
    (("WAIT",), ("queued", "")),
    (("RUN",), ("running", "")),
    (("USUSP",), ("running", "suspended")),
    (("SSUSP",), ("running", "suspended by LSF")),
    (("UNKWN",), ("running", "its host does not answer LSF")),
    (("ZOMBI",), ("unknown", "ZOMBI: its host does not answer LSF")),
    (("NEWSTATE",), ("unknown", "NEWSTATE")),
    (("DONE", "0"), ("done", "")),
    (("EXIT", "3"), ("failed", "exit status 3")),
    (("EXIT", "137"), ("killed", "by signal 9")),
    (("EXIT", "130", "TERM_OWNER: job killed by owner"), ("cancelled", "")),
    (
        ("EXIT", "140", "TERM_RUNLIMIT: job killed after reaching LSF run time limit"),
        ("timeout", ""),
    ),
    (
        ("EXIT", "137", "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit"),
        ("oom", ""),
    ),
    (
        ("EXIT", "1", "TERM_CWD_NOTEXIST: current working directory is not accessible"),
        ("failed", "TERM_CWD_NOTEXIST: current working directory is not accessible"),
    ),
    (
        ("EXIT", "0", "TERM_ORPHAN_SYSTEM: orphaned job was killed"),
        ("cancelled", "what it waits for has failed"),
    ),
]


@pytest.mark.parametrize(("words", "status"), STATES)
def test_each_state_of_lsf_is_one_of_ours_or_unknown(words, status):
    assert read(*words) == (*status, "sweep", 2)


def test_a_job_that_is_not_found_is_no_silence():
    missing = Finished((), 255, "", "Job <99> is not found")
    assert lsf.job_statuses(missing) == {}
    assert lsf.job_statuses(Finished((), 255, "", "LSF is down. Please wait ...")) is None


def test_somebody_elses_jobs_are_asked_for_too():
    farm, _ = arrays_of("lsf")
    for query in lsf.FARM_TYPE.queries:
        words = query.command(["12[3]", "12[4]"], farm)
        assert words[1:3] == ("-u", "all")
        assert words.count("12") == 1


def options(resources=(), directives=()):
    farm, [array] = arrays_of("lsf", 1, resources, directives=directives)
    words = lsf.submission(array, farm).words
    return [words[at + 1] for at, word in enumerate(words) if word == "-R"]


MEM = [Hparam("mem", "4G", "4G")]


def test_memory_is_reserved_with_its_unit_not_only_limited():
    assert options(MEM) == ["rusage[mem=4096M]"]


@pytest.mark.parametrize(
    "own", ["rusage[mem=2GB]", "select[a100] rusage[tmp=1:mem=2GB]", "rusage[ngpus=1, mem = 5]"]
)
def test_a_users_own_reservation_stands_alone(own):
    assert options([*MEM, Hparam("R", own, own)]) == [own]
    assert options(MEM, [f'#BSUB -R "{own}"']) == [own]


def test_other_requirements_of_a_user_stand_beside_ours():
    own = "select[mem>100] rusage[tmp=1]"
    assert options(MEM, [f"#BSUB -R '{own}'"]) == ["rusage[mem=4096M]", own]
    cpus = [Hparam("cpus", 4, "4"), Hparam("R", "span[ptile=2]", "span[ptile=2]")]
    assert options(cpus) == ["span[ptile=2]"]


def test_the_script_is_on_standard_input_and_the_line_shows_it():
    farm, [array] = arrays_of("lsf", 1, directives=("#BSUB -P vision",))
    submission = lsf.submission(array, farm)
    assert "#BSUB -P vision" in submission.stdin.splitlines()
    assert shell_line(submission).endswith(f"<'{array.script}'")


@pytest.fixture
def site(installed, tmp_path):
    path = f"{installed_commands(tmp_path / 'bin', ('bsub', 'bjobs', 'bkill'), 'lsf')}"
    path = f"{path}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    made = Site(tmp_path / "project", environment, SECTION)
    made.cluster = tmp_path / "jobs"
    made.cluster.mkdir()
    return made


def test_directives_reach_the_scheduler(site):
    lines = ["#BSUB -P vision", "#BSUB -R 'select[a100]'", "#BSUB -q long"]
    site.runx(site.sweep("told", f"HPARAMS: {{lr: 1}}\nDIRECTIVES: {json.dumps(lines)}\n"))
    site.done("told", 1)
    submitted = json.loads((site.cluster / "submitted.json").read_text())["1"]
    assert submitted["-P"] == ["vision"]
    assert submitted["-q"] == ["long"]
    assert submitted["-R"] == ["span[hosts=1]", "rusage[mem=4096M]", "select[a100]"]


def test_an_lsf_that_shows_no_reasons_is_asked_without_them(site):
    (site.cluster / "old").touch()
    site.runx(site.sweep("old", "HPARAMS: {lr: [1, 2]}\nARRAY: true\n"))
    site.done("old", 2)


def test_some_runs_of_an_array_are_cancelled(site):
    site.runx(site.sweep("some", "HPARAMS: {lr: [1, 2, 3], nap: 4}\nARRAY: true\n"))
    site.wait("some", lambda states: set(states.values()) == {"running"})
    names = [run.name for run in site.runs("some")]
    site.runx("cancel", "some", names[0], names[2])
    states = site.wait("some", all_end)
    assert states == {names[0]: "cancelled", names[1]: "done", names[2]: "cancelled"}
