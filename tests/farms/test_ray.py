"""Ray: how its answers are read, and a real one that takes runs."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from batched import farm_of
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    learns,
    long_ago,
    sweep,
)
from sites import Site, all_end, environment_of, running
from throwaway_ray import Ray, missing

from runx.farms import ray
from runx.processes import Finished, run_command

real = pytest.mark.ray
FARM = """\
FARM: ray
ray:
  TYPE: ray
  ADDRESS: {}
  RESOURCES: {{cpus: 1}}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Ray, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    environment = environment_of(installed, cluster.environment)
    farm = FARM.format(cluster.address)
    return learns(Site(tmp_path / "project", environment, farm, seconds=180))


def test_a_job_whose_node_died_is_lost():
    message = "Job supervisor actor died: x\n\tip: 1\nThe actor died because its node has died. "
    job = {"submission_id": "a", "status": "FAILED", "message": message}
    [status] = ray.job_statuses(Finished((), 0, json.dumps([job]), "")).values()
    assert status[:2] == ("lost", "The actor died because its node has died")


@pytest.mark.parametrize(
    ("job", "status"),
    [
        ({"status": "PENDING", "message": "waits for\n GPUs"}, ("queued", "waits for GPUs")),
        ({"status": "RUNNING", "message": "Job is running."}, ("running", "")),
        ({"status": "SUCCEEDED"}, ("done", "")),
        ({"status": "STOPPED"}, ("cancelled", "")),
        ({"status": "PAUSED"}, ("unknown", "PAUSED")),
        ({}, ("unknown", "None")),
    ],
)
def test_each_state_of_ray_is_one_of_ours_or_unknown(job, status):
    answer = Finished((), 0, json.dumps([{"submission_id": "a", **job}]), "")
    assert ray.job_statuses(answer)["a"][:2] == status


class Dashboard(BaseHTTPRequestHandler):
    """It knows only the job b, and can't stop the job c."""

    stopped: ClassVar[list] = []

    def do_POST(self):
        job = self.path.split("/")[3]
        status = {"b": 200, "c": 500}.get(job, 404)
        self.stopped.append(job)
        self.send_response(status)
        self.end_headers()
        text = {200: '{"stopped": true}', 404: f"Job {job} does not exist"}.get(status, "no luck")
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("jobs", "is_over"), [("ab", True), ("b", True), ("acb", False)])
def test_what_can_not_be_stopped_keeps_no_other_job_from_it(jobs, is_over):
    server = HTTPServer(("127.0.0.1", 0), Dashboard)
    Thread(target=server.serve_forever, daemon=True).start()
    farm = farm_of("ray")._replace(options={"ADDRESS": f"http://127.0.0.1:{server.server_port}"})
    Dashboard.stopped.clear()
    try:
        [command] = ray.FARM_TYPE.cancel(list(jobs), farm)
        finished = run_command(command, timeout=60)
    finally:
        server.shutdown()
    assert Dashboard.stopped == list(jobs)
    assert (not finished.status or ray.FARM_TYPE.had_ended(finished)) is is_over


@real
def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site)


@real
def test_fates(site):
    four_fates_are_told_apart(site, "")


@real
def test_hostile_values(site):
    hostile_values_come_out_of_each_job(site)


@real
def test_a_killed_launcher(site):
    a_killed_launcher_leaves_every_run_once(site)


@real
def test_a_run_gets_the_gpu_that_it_asks_for(site):
    site.write("show.py", "import os\nprint('gpu', os.environ.get('CUDA_VISIBLE_DEVICES'))\n")
    site.write("gpu.yml", "CMD: python show.py\nHPARAMS: {lr: 1}\nRESOURCES: {gpus: 1}\n")
    site.runx("gpu.yml")
    site.done("gpu", 1)
    [run] = site.runs("gpu")
    assert "gpu 0" in site.output(run) or "gpu 1" in site.output(run)


@real
def test_what_is_cancelled_while_it_waits_is_never_trained(site, cluster):
    site.runx(sweep(site, "waits", "HPARAMS: {lr: 1}\nRESOURCES: {cpus: 99}\n"))
    assert list(site.states("waits").values()) == ["queued"]
    # Ray's stop of a job that waits never ends.
    assert "cancelled, but still at ray" in site.runx("cancel", "waits", status=1).stderr
    assert "cancelled, but still at ray" in site.runx("status", "waits").stdout
    pids = cluster.another_node("large", cpus=99)
    site.wait("waits", all_end)
    cluster.end(pids)
    [run] = site.runs("waits")
    assert list(site.states("waits").values()) == ["cancelled"]
    assert site.output(run) == ""


@real
def test_a_run_on_a_dead_node_is_lost(site, cluster):
    pids = cluster.another_node("far")
    text = "HPARAMS: {epochs: 999, pause: 1}\nRESOURCES: {entrypoint-resources: '{\"far\": 1}'}\n"
    site.runx(sweep(site, "node", text))
    site.wait("node", lambda states: list(states.values()) == ["running"])
    cluster.end(pids)
    [run] = site.runs("node")
    job = json.loads((run / "attempts/1.job.json").read_text())["id"]
    site.wait("node", lambda _: cluster.status(job) == "FAILED")
    # The scheduler's word counts when the run itself has been silent for long.
    long_ago(run)
    [shown] = json.loads(site.runx("status", "node", "--json", status=(0, 1)).stdout)
    assert (shown["state"], shown["reason"]) == ("lost", "The actor died because its node has died")
