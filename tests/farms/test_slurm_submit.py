"""A real Slurm: submission from within its jobs, by an sbatch that fails, and above a limit."""

import shutil

import pytest
from sites import all_end, job_of
from throwaway_slurm import PATH

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 200M, time: 10m}
"""
OUTER = """\
#!/bin/bash
# What people have in their .bashrc, beside what Slurm sets.
export SBATCH_ARRAY_INX=0-2 SQUEUE_PARTITION=spare SQUEUE_ACCOUNT=nobody RUNX_DEADLINE=5
echo "started $SLURM_ARRAY_JOB_ID, $SLURM_MEM_PER_CPU a CPU" >>"$1"
runx inner.yml --exp_name "$2" >>"$1" 2>&1
runx status "$2" >>"$1" 2>&1
echo "launched $?" >>"$1"
sleep 100
"""
AGAIN = """\
import os, sys
print("job", os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("RUNX_DEADLINE"), flush=True)
sys.exit(75 if os.environ["RUNX_ATTEMPT"] == "1" else 0)
"""
SBATCH = """\
#!/bin/bash
answer=$({sbatch} "$@")
echo "$answer" >>{calls}
{failure}
"""
FAILURES = {
    "timed out": "echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1",
    "zero bytes": "echo 'sbatch: error: Zero Bytes were transmitted or received' >&2; exit 1",
    "unable": "echo 'sbatch: error: Unable to contact slurm controller' >&2; exit 1",
    "killed": "kill -9 $$",
}


def test_a_launch_within_an_array_task_leaves_nothing_of_it_in_the_inner_jobs(site, cluster):
    site.write("again.py", AGAIN)
    settings = "HPARAMS: {lr: [1, 2]}\nREQUEUE: {max: 1}\nWRAP: srun --overlap\n"
    site.write("inner.yml", f"CMD: python again.py\n{settings}")
    site.write("outer.sh", OUTER)
    log = site.path / "outer.log"
    environment, cluster.environment = cluster.environment, site.environment
    try:
        options = ("--array=1", "--mem-per-cpu=100", f"--chdir={site.path}", "--output=/dev/null")
        outer = cluster.call(
            "sbatch", "--parsable", *options, f"{site.path}/outer.sh", str(log), "in"
        ).strip()
    finally:
        cluster.environment = environment
    cluster.until(lambda: log.exists() and "launched" in log.read_text(), outer)
    assert "launched 0" in log.read_text(), log.read_text()
    runs = site.runs("in")
    try:
        site.wait("in", lambda states: set(states.values()) == {"preempted"})
        for run in runs:
            cluster.at_once(job_of(run))
        site.done("in", 2)
    finally:
        cluster.call("scancel", outer)
    for run in runs:
        outputs = [line for line in site.output(run).splitlines() if line.startswith("job ")]
        assert [line.split()[1] for line in outputs] == ["None", "None"]
        assert all(float(line.split()[2]) > 1000 for line in outputs)
    # A requeue of the launcher's own task would have started it again.
    assert log.read_text().count("started") == 1


@pytest.mark.parametrize("array", ["true", "false"])
@pytest.mark.parametrize("failure", FAILURES)
def test_an_sbatch_that_submits_and_then_fails_doubles_no_run(site, tmp_path, failure, array):
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    sbatch = shutil.which("sbatch", path=PATH)
    text = SBATCH.format(sbatch=sbatch, calls=calls, failure=FAILURES[failure])
    (folder / "sbatch").write_text(text)
    (folder / "sbatch").chmod(0o755)
    site.environment = {**site.environment, "PATH": f"{folder}:{site.environment['PATH']}"}
    settings = f"HPARAMS: {{lr: [1, 2]}}\nARRAY: {array}\n"
    done = site.runx(site.sweep("fails", settings))
    assert "although status" in done.stderr
    site.runx("fails.yml", "--resume")
    site.done("fails", 2)
    assert len(calls.read_text().split()) == (1 if array == "true" else 2)
    for run in site.runs("fails"):
        assert site.output(run).count("from epoch 0") == 1
        assert len(list(run.glob("attempts/*.claim"))) == 1


def test_a_job_that_was_taken_for_lost_starts_nothing_when_it_comes_back(site, cluster):
    site.runx(site.sweep("lost", "HPARAMS: {lr: 1}\nRESOURCES: {hold: true}\n"))
    [run] = site.runs("lost")
    job = job_of(run)
    # Nobody can ask about it: what a purged or a split controller comes to.
    (run / "attempts/1.job.json").unlink()
    for line in (site.path / "logs/lost/.runx").glob("launches/*/jobs/jobs.jsonl"):
        line.write_text(line.read_text().replace("lost_", "other_"))
    site.write(
        "lost.yml", (site.path / "lost.yml").read_text().replace("hold: true", "hold: false")
    )
    site.runx("lost.yml", "--resume")
    site.wait("lost", all_end)
    cluster.call("scontrol", "release", job)
    cluster.until(lambda: "FAILED" in cluster.state(job) or not cluster.state(job), job)
    site.done("lost", 1)
    assert site.output(run).count("from epoch 0") == 1
    assert "attempt 1 was called off" in site.output(run)
