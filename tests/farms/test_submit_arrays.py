"""Many runs submitted: in few calls, each once, however the scheduler or the launcher fails."""

import json

import pytest
from project import Project

SBATCH = """#!/bin/bash
for word; do
  last=${{word#--array=0-}}
  if [ "$word" != "$last" ] && [ "${{last%%%*}}" -ge {largest} ]; then
    echo "sbatch: error: Batch job submission failed: Invalid job array specification" >&2
    exit 1
  fi
done
count=$(ls {jobs} | wc -l)
for word; do case $word in --job-name=*) echo "${{word#*=}}" >{jobs}/$count;; esac; done
{then}
echo $count
"""
SQUEUE = """#!/bin/bash
for file in {jobs}/*; do
  for task in 0 1 2; do echo "${{file##*/}}|$task|PENDING|Resources|$(cat "$file")"; done
done
"""
SCONTROL = "#!/bin/bash\necho 'MaxArraySize = 3'\n"


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    (tmp_path / "jobs").mkdir()
    project.jobs = tmp_path / "jobs"
    project.environment = {**installed, "PATH": f"{tmp_path}/bin:{installed['PATH']}"}
    sbatch(project)
    project.write("bin/squeue", SQUEUE.format(jobs=project.jobs), 0o755)
    project.write("bin/scontrol", SCONTROL, 0o755)
    project.write("bin/sacct", "#!/bin/bash\nexit 1\n", 0o755)
    project.write("bin/scancel", "#!/bin/bash\n", 0o755)
    project.write(".runx", "FARM: slurm\nslurm: {ARRAY: true}\n")
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {n: {range: [0, 7]}}\n")
    return project


def sbatch(project, then="", largest=3):
    text = SBATCH.format(jobs=project.jobs, then=then, largest=largest)
    project.write("bin/sbatch", text, 0o755)


def ids(project):
    jobs = [job for run in project.runs() for job in run.glob("attempts/*.job.json")]
    return sorted(json.loads(job.read_text()).get("id", "") for job in jobs)


def states(project):
    runs = json.loads(project.runx("status", "sweep", "--json").stdout)
    return sorted(run["state"] for run in runs)


ALL = ["0_0", "0_1", "0_2", "1_0", "1_1", "1_2", "2_0"]


def test_what_a_refusal_left_over_is_all_that_resume_submits(project):
    sbatch(project, then=f"[ $count = 1 ] && rm {project.jobs}/1 && exit 1")
    done = project.runx("sweep.yml", status=3)
    assert "3 of 7 runs submitted; --resume submits the others" in done.stderr
    assert states(project) == ["planned"] * 4 + ["queued"] * 3
    assert ids(project)[-3:] == ["0_0", "0_1", "0_2"]
    sbatch(project)
    assert "3 queued: starting 4" in project.runx("sweep.yml", "--resume").stderr
    assert states(project) == ["queued"] * 7


def test_a_launcher_killed_before_it_kept_the_answer_loses_no_job(project):
    sbatch(project, then="[ $count = 1 ] && kill -9 $PPID")
    project.runx("sweep.yml", status=-9)
    assert ids(project) == ALL[:3]
    assert states(project) == ["planned"] + ["queued"] * 6
    assert ids(project) == ALL[:6]
    sbatch(project)
    assert "1 planned, 6 queued: starting 1" in project.runx("sweep.yml", "--resume").stderr
    assert ids(project) == ALL


def test_runs_go_in_as_few_arrays_as_the_site_takes(project):
    project.runx("sweep.yml")
    assert ids(project) == ALL
    assert len(list(project.jobs.iterdir())) == 3


def test_a_site_that_does_not_tell_its_limit_is_given_what_is_usual(project):
    project.write("bin/scontrol", "#!/bin/bash\nexit 1\n", 0o755)
    sbatch(project, largest=1000)
    project.runx("sweep.yml")
    assert ids(project) == [f"0_{n}" for n in range(7)]
