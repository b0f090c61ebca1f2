"""NGC: a run whose job writes in a workspace is one run wherever one looks."""

import json
import re
import subprocess

import pytest
from batched import arrays_of
from sites import (
    Site,
    a_sweep_of_training_runs_is_ranked_by_sumx,
    all_end,
    installed_commands,
)

from runx.farms import ngc
from runx.farms.commands import shell_line
from runx.processes import Finished
from runx.sweeps.values import Hparam

RUNX = """FARM: ngc
ngc:
  SUBMIT_CMD: ngc batch run
  NGC_LOGROOT: {mount}
  WORKSPACE: ws
  RESOURCES: {{image: torch, instance: dgx1v.16g.1.norm, ace: nv}}
"""


class Cloud(Site):
    """A project whose runs go to NGC; its workspace can be mounted here."""

    def __init__(self, path, environment):
        self.mount = path / "mnt" / "logs"
        self.space = path / "jobs" / "workspaces" / "ws"
        super().__init__(path / "project", environment, RUNX.format(mount=self.mount))

    def mounted(self):
        words = ["ngc", "workspace", "mount", "ws", str(self.mount), "--mode", "RW"]
        subprocess.run(words, env=self.environment, check=True)


@pytest.fixture
def cloud(installed, tmp_path):
    path = f"{installed_commands(tmp_path / 'bin', ('ngc',))}:{installed['PATH']}"
    return Cloud(tmp_path, {**installed, "PATH": path, "STANDIN": str(tmp_path / "jobs")})


def test_without_a_mount_ngc_tells_how_runs_stand_and_nothing_is_read(cloud):
    message = cloud.runx(cloud.sweep("far", "HPARAMS: {lr: [1, 2]}\n")).stderr
    assert f"shows here once their workspace is mounted at {cloud.mount}" in message
    assert set(cloud.wait("far", all_end).values()) == {"done"}
    [run, _] = cloud.runs("far")
    assert not (run / "metrics.csv").exists()
    message = cloud.runx("rm", run.name, "--yes").stderr
    assert f"{run.name}: what its job wrote in its workspace stays: " in message
    assert "is not mounted here" in message


def test_what_lies_here_and_in_the_mounted_workspace_is_one_run(cloud):
    cloud.mounted()
    done = a_sweep_of_training_runs_is_ranked_by_sumx(cloud)
    assert [line.split()[1] for line in done.stdout.splitlines()[2:5]] == ["8", "7", "6"]
    run = cloud.runs("rank")[0]
    assert "others []" in cloud.runx("logs", run.name).stdout
    shown = cloud.runx("show", run.name).stdout
    assert "accuracy" in shown
    assert "cmd       python train.py" in shown
    page = cloud.path.parent / "page.html"
    cloud.runx("rank", "--html", str(page), program="sumx")
    assert "others []" in page.read_text()


def test_a_workspace_that_is_mounted_later_shows_what_was_written_before(cloud):
    cloud.runx(cloud.sweep("late", "HPARAMS: {lr: 1}\n"))
    cloud.wait("late", all_end)
    assert "accuracy" not in cloud.runx("late", program="sumx").stdout
    cloud.mounted()
    assert "accuracy" in cloud.runx("late", program="sumx").stdout


def test_removing_a_run_removes_what_its_job_wrote(cloud):
    cloud.mounted()
    cloud.runx(cloud.sweep("gone", "HPARAMS: {lr: [1, 2]}\n"))
    cloud.wait("gone", all_end)
    [run, other] = cloud.runs("gone")
    assert "1 of 1 runs removed" in cloud.runx("rm", run.name, "--yes").stderr
    assert [path.name for path in (cloud.space / "gone").iterdir()] == [other.name]
    assert cloud.runs("gone") == [other]


def test_a_failed_run_starts_again_beside_what_it_wrote_before(cloud):
    cloud.mounted()
    cloud.runx(cloud.sweep("twice", "HPARAMS: {epochs: 2, status: 3}\n"))
    assert set(cloud.wait("twice", all_end).values()) == {"failed"}
    assert "1 failed: starting 1" in cloud.runx("twice.yml", "--resume").stderr
    [run] = cloud.runs("twice")
    cloud.printed(run, "from epoch 2")
    cloud.wait("twice", all_end)
    assert [attempt.split()[0] for attempt in attempts(cloud, run)] == ["1", "2"]


STATES = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "STARTING": "queued",
    "REQUESTING_RESOURCE": "queued",
    "RESOURCE_GRANTED": "queued",
    "RESOURCE_CONSUMPTION_REQUEST_IN_PROGRESS": "queued",
    "PENDING_STORAGE_CREATION": "queued",
    "RUNNING": "running",
    "PENDING_TERMINATION": "running",
    "PREEMPTED": "preempted",
    "PREEMPTED_BY_ADMIN": "preempted",
    "FINISHED_SUCCESS": "done",
    "FAILED": "failed",
    "FAILED_RUN_LIMIT_EXCEEDED": "timeout",
    "RESOURCE_LIMIT_EXCEEDED": "failed",
    "RESOURCE_GRANT_DENIED": "failed",
    "INFINITY_POOL_MISSING": "failed",
    "IM_INTERNAL_ERROR": "failed",
    "KILLED_BY_USER": "cancelled",
    "KILLED_BY_ADMIN": "cancelled",
    "CANCELED": "cancelled",
    "KILLED_BY_SYSTEM": "killed",
    "TERMINATED": "killed",
    "RESOURCE_RELEASED": "lost",
    "TASK_LOST": "lost",
    "UNKNOWN": "unknown",
    "SOMETHING_NEW": "unknown",
    "": "unknown",
}


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_each_state_of_ngc_is_one_of_ours_or_unknown(word, state):
    job = {"id": 7, "jobStatus": {"status": word}, "jobDefinition": {"name": "a"}}
    status = ngc.job_statuses(Finished((), 0, json.dumps([job]), ""))["7"]
    assert (status.state, status.name) == (state, "a")
    if state in ("unknown", "preempted") and word != "PREEMPTED":
        assert status.reason == word


def test_a_job_without_a_status_is_unknown():
    answer = json.dumps([{"id": 7, "jobStatus": None, "jobDefinition": None}])
    assert ngc.job_statuses(Finished((), 0, answer, ""))["7"].state == "unknown"


def test_what_ngc_says_of_a_job_is_its_reason():
    job = {"id": 7, "jobStatus": {"status": "QUEUED", "statusDetails": "waits for 8 GPUs"}}
    status = ngc.job_statuses(Finished((), 0, json.dumps([job]), ""))["7"]
    assert status[:2] == ("queued", "waits for 8 GPUs")


def test_a_job_is_looked_for_and_ended_where_it_was_submitted():
    places = [Hparam(name, name, f"my-{name}") for name in ("org", "team", "ace")]
    farm, [array] = arrays_of("ngc", 1, places)
    submission = ngc.submission(array, farm)
    line = shell_line(submission)
    assert line.startswith("NGC_CLI_ORG=my-org NGC_CLI_TEAM=my-team NGC_CLI_ACE=my-ace ngc workspa")
    assert "--org my-org --team my-team --ace my-ace" in line
    place = ngc.FARM_TYPE.place('{"id": 7}', submission.environment)
    farm = farm._replace(options={**farm.options, **place})
    words = ngc.FARM_TYPE.queries[0].command(["7"], farm)
    assert words[3:9] == ("--org", "my-org", "--team", "my-team", "--ace", "my-ace")
    assert ngc.FARM_TYPE.cancel(["7"], farm)[0][3:] == (*words[3:7], "7")


def test_a_job_starts_the_attempt_that_it_was_submitted_for():
    farm, [array] = arrays_of("ngc", 1)
    assert re.search(r"/run\.sh\S+ 1'", ngc.submission(array, farm).words[2])


def attempts(cloud, run):
    shown = cloud.runx("show", run.name).stdout.split("\nattempts\n")[1]
    return [line for line in shown.split("files")[0].splitlines() if line.strip()]


def test_a_running_job_is_followed_and_ended(cloud):
    cloud.mounted()
    cloud.runx(cloud.sweep("long", "HPARAMS: {nap: 300}\n"))
    [run] = cloud.runs("long")
    cloud.wait("long", lambda states: set(states.values()) == {"running"})
    cloud.printed(run, "from epoch 0")
    cloud.runx("cancel", "long")
    assert set(cloud.wait("long", all_end).values()) == {"cancelled"}
