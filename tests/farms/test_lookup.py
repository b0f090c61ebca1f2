"""Submissions that fail: their jobs are looked for by name, whatever the words of the failure."""

import json
from dataclasses import replace

import pytest
from batched import commands, later, site

from runx.errors import FarmError
from runx.farms import lookup, registry, slurm
from runx.farms.registry import farm_type_of
from runx.rundir.files import read_json

FAILURES = {
    "timed out": "echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1",
    "zero bytes": "echo 'sbatch: error: Zero Bytes were transmitted or received' >&2; exit 1",
    "unable": "echo 'sbatch: error: Unable to contact slurm controller' >&2; exit 1",
    "silent": "exit 1",
    "killed": "kill -9 $$",
    "odd answer": "echo 'welcome to the cluster'",
    "no answer": "exit 0",
    "two numbers": "echo 9; echo 'hours left:'; echo 4000",
}
QUEUES = """\
for word; do case $word in --job-name=*) echo "${{word#*=}}" >>{jobs};; esac; done
"""
SQUEUE = """\
touch {jobs}; number=70
while read -r name; do
  number=$((number + 1))
  case $name in
    *run-*) echo "$number|N/A|PENDING|Resources|$name" ;;
    *) for task in 0 1; do echo "$number|$task|PENDING|Resources|$name"; done ;;
  esac
done <{jobs}
"""

LIMITED = """\
size=1
for word; do case $word in --array=0-*) size=$((${{word#--array=0-}} + 1));; esac; done
[ -e {folder}/count ] || echo 0 >{folder}/count
read -r count <{folder}/count
if [ $((count + size)) -gt {limit} ]; then
  echo "sbatch: error: AssocMaxSubmitJobLimit" >&2
  echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
  exit 1
fi
echo $((count + size)) >{folder}/count
echo $((70 + count))
"""


@pytest.fixture
def put(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "PAUSES", (0.1, 0.1))
    put = commands(tmp_path / "bin", monkeypatch)
    put("squeue", SQUEUE.format(jobs=tmp_path / "jobs"))
    put("sacct", "exit 1")
    return put


@pytest.fixture
def place(tmp_path):
    return site(tmp_path)


def queues(tmp_path):
    return QUEUES.format(jobs=tmp_path / "jobs")


def job(place, number):
    file = place.runs[number].job(1)
    return read_json(file) if file.exists() else None


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("failure", FAILURES)
def test_what_went_in_all_the_same_is_submitted(place, put, tmp_path, failure, array):
    put("sbatch", queues(tmp_path) + FAILURES[failure])
    assert place.submit(array=array) == 2
    ids = ["71_0", "71_1"] if array else ["71", "72"]
    assert [job(place, number)["id"] for number in (0, 1)] == ids
    assert "although status" in place.messages[0]


@pytest.mark.parametrize("failure", FAILURES)
def test_what_did_not_go_in_is_refused_and_stays_planned(place, put, failure):
    put("sbatch", FAILURES[failure])
    with pytest.raises(FarmError, match=r"refused .*0 of 2 runs submitted; --resume submits"):
        place.submit(array=False)
    assert job(place, 0)["refused"] is True


@pytest.mark.parametrize("failure", FAILURES)
def test_where_its_scheduler_can_not_be_asked_it_is_left_alone(place, put, failure):
    put("sbatch", FAILURES[failure])
    put("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(FarmError, match="may have taken") as caught:
        place.submit()
    assert "--resume asks again" in str(caught.value)
    assert [job(place, number) for number in (0, 1)] == [None, None]
    assert place.runs[0].claim(1).exists()


def test_a_command_that_hangs_after_it_has_queued_is_killed_and_its_job_found(
    place, put, tmp_path, monkeypatch
):
    impatient = replace(slurm.FARM_TYPE, submit_timeout=0.3)
    monkeypatch.setattr("runx.farms.submit.farm_type_of", lambda type: impatient)
    put("sbatch", queues(tmp_path) + "sleep 60")
    assert place.submit() == 2
    assert job(place, 1)["id"] == "71_1"
    assert "no end within" in place.messages[0]


def test_a_controller_that_is_still_at_it_is_given_time(place, put, tmp_path):
    jobs, looks = tmp_path / "jobs", tmp_path / "looks"
    put("sbatch", FAILURES["timed out"])
    name = place.type.job_name(place.array())
    late = f"echo look >>{looks}; [ $(wc -l <{looks}) -lt 2 ] || echo '{name}' >{jobs}\n"
    put("squeue", late + SQUEUE.format(jobs=jobs))
    assert place.submit() == 2
    assert job(place, 0)["id"] == "71_0"


def test_the_job_of_an_earlier_attempt_is_not_taken_for_it(place, put, tmp_path):
    put("sbatch", queues(tmp_path) + "echo 71")
    place.submit(place.jobs[:1], array=False)
    put("sbatch", FAILURES["silent"])
    with pytest.raises(FarmError, match="refused"):
        place.submit([replace(place.jobs[0], attempt=2)], array=False)
    assert read_json(place.runs[0].job(2))["refused"] is True


@pytest.mark.parametrize(("type", "commanded"), [("sge", "qsub"), ("lsf", "bsub")])
def test_so_it_is_on_other_schedulers(tmp_path, put, type, commanded):
    place = site(tmp_path, type)
    name = place.type.job_name(place.array(is_array=False))
    put(commanded, "echo 'communication error' >&2; exit 1")
    xml = (
        "<job_info><queue_info><job_list><JB_job_number>7</JB_job_number><state>qw</state>"
        f"<JB_name>{name}</JB_name></job_list></queue_info></job_info>"
    )
    put("qstat", f"echo '{xml}'")
    put("qacct", "exit 0")
    put("bjobs", f"echo '7|0|PEND|-|-|{name}'")
    assert place.submit(place.jobs[:1], array=False) == 1
    assert job(place, 0)["id"] == "7"


@pytest.mark.parametrize(
    ("directives", "variable", "cluster"),
    [
        (("#SBATCH --clusters=u",), "", "u"),
        (("#SBATCH --mem=1G -M u",), "t", "u"),
        ((), "u", "u"),
        ((), "", None),
    ],
)
def test_it_is_looked_for_in_the_cluster_that_it_was_sent_to(
    tmp_path, put, monkeypatch, directives, variable, cluster
):
    place = site(tmp_path)
    place = place._replace(farm=place.farm._replace(directives=directives))
    monkeypatch.setenv("SLURM_CLUSTERS", variable)
    put("sbatch", queues(tmp_path) + FAILURES["timed out"])
    assert place.submit() == 2
    assert job(place, 0)["options"].get("cluster") == cluster
    launched = json.loads((place.folder / "jobs.jsonl").read_text())
    assert launched["options"].get("cluster") == cluster


def test_what_was_answered_tells_the_cluster(place, put, monkeypatch):
    monkeypatch.setenv("SBATCH_CLUSTERS", "u,v")
    put("sbatch", "printf '2026\\n41;v\\n'")
    assert place.submit() == 2
    assert (job(place, 1)["id"], job(place, 1)["options"]["cluster"]) == ("41_1", "v")


def test_a_submit_command_that_failed_is_left_alone_and_the_way_on_is_told(tmp_path, put):
    place = site(tmp_path, "command")
    put("submit_job", f"echo queued >>{tmp_path}/jobs; {FAILURES['timed out']}")
    with pytest.raises(FarmError) as caught:
        place.submit()
    assert "if it isn't there, runx cancel run-0 lets --resume submit it" in str(caught.value)
    assert job(place, 0) is None
    assert not place.runs[1].claim(1).exists()


def test_a_submit_command_that_ran_the_run_itself_has_submitted_it(tmp_path, put):
    place = site(tmp_path, "command")
    started = '{"event":"started","time":1}'
    for run in place.runs:
        run.script.write_text(f"echo '{started}' >{run.events(1)}\n")
    put("submit_job", 'bash -c "${@: -1}"; exit 3')
    assert place.submit() == 2
    assert [job(place, number)["id"] for number in (0, 1)] == ["", ""]
    assert "although status 3" in place.messages[0]


def test_what_a_limit_lets_in_goes_in(place, put, tmp_path):
    """As Slurm's MaxSubmitJobs does: an array counts with all its tasks."""
    place = site(tmp_path / "more", count=10)
    put("sbatch", LIMITED.format(folder=tmp_path, limit=7))
    put("scontrol", "echo MaxArraySize = 1001")
    with pytest.raises(FarmError) as caught:
        place.submit()
    message = str(caught.value)
    assert "takes no more of your jobs now: status 1: sbatch: error: AssocMaxSubmit" in message
    assert "7 of 10 runs submitted; the others stay planned: --resume" in message
    jobs = [job(place, number) for number in range(10)]
    assert ["refused" in each for each in jobs] == [False] * 7 + [True] * 3
    assert len({each["id"] for each in jobs[:7]}) == 7
    entry = json.loads((place.folder / "jobs.jsonl").read_text().splitlines()[-1])
    assert entry["runs"] == ["run-7"]
    with pytest.raises(FarmError, match="0 of 3 runs submitted; the others stay planned"):
        place.submit(later(place.jobs[7:], 2))
    (tmp_path / "count").unlink()
    assert place.submit(later(later(place.jobs[7:], 2), 3)) == 3


@pytest.mark.parametrize("type", sorted(set(registry.FARMS) - {"command"}))
def test_every_farm_that_has_jobs_can_be_asked_for_them_by_name(type):
    assert farm_type_of(type).queries
