"""A real Slurm: steps that wait for each other, in turn in a job, and runs side by side in one."""

import json

import pytest
from farm_steps import (
    a_chain_goes_on_at_the_step_that_asked_for_it,
    a_pipeline_goes_through_in_order_and_goes_on_when_mended,
    noted,
    several_runs_share_a_job,
    works,
)
from sites import all_end

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 100M, time: 10m}
"""


@pytest.fixture
def site(site):
    return works(site)


@pytest.mark.parametrize("array", ["true", "false"])
def test_a_pipeline(site, array):
    more = f"ARRAY: {array}\n"
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{mem: 50M}", more)


def test_a_chain_is_requeued(site, cluster):
    def at_once(step):
        site.printed(step.parent / "train", "")
        job = json.loads((step / "attempts/1.job.json").read_text())["id"]
        cluster.at_once(job)

    a_chain_goes_on_at_the_step_that_asked_for_it(site, at_once)


def test_runs_side_by_side_have_gpus_of_their_own(site):
    several_runs_share_a_job(site, "RESOURCES: {gpus: 0}\n")
    site.write(
        "gpus.yml",
        "CMD: python work.py\nRUNS_PER_JOB: 2\nRESOURCES: {gpus: 1}\n"
        "HPARAMS: {lr: [11, 12, 13, 14]}\n",
    )
    site.runx("gpus.yml")
    site.done("gpus", 4)
    names = {run.name for run in site.runs("gpus")}
    gpus = [each["gpus"] for each in noted(site) if each["run"] in names and each["what"] == "ends"]
    assert sorted(gpus) == ["0", "0", "1", "1"]


def test_a_job_of_several_runs_lasts_until_the_last_of_them_and_no_longer(site, cluster):
    site.write(
        "last.yml",
        "CMD: python work.py\nRUNS_PER_JOB: 3\nHPARAMS: [{nap: 0}, {nap: 8}, {nap: 300}]\n",
    )
    site.runx("last.yml")
    naps = {json.loads((run / "hparams.json").read_text())["nap"]: run for run in site.runs("last")}
    [job] = {json.loads((run / "attempts/1.job.json").read_text())["id"] for run in naps.values()}
    site.wait("last", lambda states: states[naps[0].name] == "done")
    site.runx("cancel", "last", naps[300].name)
    states = site.wait("last", lambda states: states[naps[300].name] == "cancelled")
    assert states[naps[8].name] == "running"
    assert cluster.state(job).split() == ["RUNNING"]
    site.wait("last", lambda states: states[naps[8].name] == "done")
    cluster.until(lambda: "RUNNING" not in cluster.state(job), job)
    assert sorted(site.states("last").values()) == ["cancelled", "done", "done"]


def test_a_job_of_several_runs_is_handed_back_after_the_last_of_them(site, cluster):
    site.write(
        "back.yml",
        "CMD: python work.py\nRUNS_PER_JOB: 2\nREQUEUE: {max: 2}\n"
        "HPARAMS: [{again: 1}, {again: 0, nap: 5}]\n",
    )
    site.runx("back.yml")
    runs = {run.name: json.loads((run / "hparams.json").read_text()) for run in site.runs("back")}
    [long] = [name for name, hparams in runs.items() if "nap" in hparams]
    site.wait("back", lambda states: states[long] == "done")
    [job] = {
        json.loads((run / "attempts/1.job.json").read_text())["id"] for run in site.runs("back")
    }
    cluster.at_once(job)
    site.done("back", 2)
    notes = [each for each in noted(site) if each["run"] in runs]
    again = [each["time"] for each in notes if each["attempt"] == 2 and each["what"] == "begins"]
    ended = [each["time"] for each in notes if each["run"] == long and each["what"] == "ends"]
    assert len(again) == len(ended) == 1
    assert again > ended
    assert sum(each["run"] == long and each["what"] == "begins" for each in notes) == 1


def test_a_mended_eval_leaves_its_train_done(site):
    text = (
        'STEPS:\n  train: {CMD: "python work.py {args}", RESOURCES: {mem: 50M}}\n'
        '  eval: {CMD: "python wrong.py", AFTER: train, RESOURCES: {mem: 50M}}\n'
        "HPARAMS: {lr: [1, 2]}\n"
    )
    site.write("mend.yml", text)
    site.runx("mend.yml")
    assert set(site.wait("mend", all_end).values()) == {"failed"}
    site.write("mend.yml", text.replace("wrong.py", "work.py LOGDIR"))
    site.runx("mend.yml", "--resume")
    site.done("mend", 2)
    begun = [each["step"] for each in noted(site) if each["what"] == "begins"]
    assert sorted(begun) == ["eval"] * 2 + ["train"] * 2
