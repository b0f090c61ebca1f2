"""A real Slurm: a search as one job array with nobody at the launch, requeued and preempted."""

import json
import re

import pytest
from sites import Site, environment_of, running
from throwaway_slurm import Slurm, missing

pytestmark = pytest.mark.slurm
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 300M, time: 10m}
"""
SEARCH = """\
SEARCH: {metric: accuracy, goal: maximize, trials: %d}
MAX_PARALLEL: 2
ARRAY: true
HPARAMS:
  lr: {uniform: [0, 1]}
  epochs: %d
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Slurm, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    return Site(tmp_path / "project", environment_of(installed, cluster.environment), FARM)


def job_of(run):
    return json.loads((run / "attempts/1.job.json").read_text())["id"]


def point_of(run):
    search = json.loads((run / "run.json").read_text())["search"]
    folder = run.parent / ".runx/search" / search["name"] / "points"
    return json.loads((folder / f"{search['point']}.json").read_text())


def in_order(site, name):
    """Return the runs of a search, by the numbers of their points."""
    records = {run: json.loads((run / "run.json").read_text()) for run in site.runs(name)}
    return sorted(records, key=lambda run: records[run]["search"]["point"])


def test_a_search_goes_on_with_nobody_at_its_launch(site):
    site.runx(site.sweep("search", SEARCH % (8, 0)))
    site.done("search", 8)
    runs = in_order(site, "search")
    assert len({job_of(run).partition("_")[0] for run in runs}) == 1
    points = [point_of(run) for run in runs]
    assert len({point["values"]["lr"] for point in points}) == 8
    assert max(point["known"] for point in points) >= 5
    for run, point in zip(runs, points, strict=True):
        assert json.loads((run / "hparams.json").read_text())["lr"] == point["values"]["lr"]
    assert "8 done" in site.runx("status", "search").stdout


def test_a_run_that_is_requeued_or_preempted_keeps_its_point(site, cluster):
    text = SEARCH % (3, 12) + "RESOURCES: {partition: spare, exclude: 'n[2-3]'}\n"
    site.runx(site.sweep("again", text))
    runs = in_order(site, "again")
    site.printed(runs[0], "\nepoch 1\n")
    before = point_of(runs[0])
    bound = (runs[0] / "bound.sh").read_text()
    cluster.call("scontrol", "requeue", job_of(runs[0]))
    cluster.at_once(job_of(runs[0]))
    site.printed(runs[0], "from epoch", 2)
    cluster.call("sbatch", "-p", "urgent", "-w", "n1", "--exclusive", "--wrap", "sleep 2")
    states = site.wait("again", lambda states: "preempted" in states.values())
    for run in runs:
        if states[run.name] == "preempted":
            cluster.at_once(job_of(run))
    site.done("again", 3)
    assert point_of(runs[0]) == before and (runs[0] / "bound.sh").read_text() == bound
    begun = sum(len(re.findall("from epoch", site.output(run))) for run in runs)
    assert begun >= 5
    for run in runs:
        assert json.loads((run / "hparams.json").read_text())["lr"] == point_of(run)["values"]["lr"]
        assert site.output(run).count("epoch 11\n") == 1
