"""A real Slurm as people meet it: several users, two clusters, filters, holds, forgotten jobs."""

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from real_farms import long_ago
from sites import Site, environment_of, job_of, running
from throwaway_accounts import AccountedSlurm, OtherCluster, missing
from throwaway_slurm import missing as no_slurm

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).resolve().parents[2]
ALICE, BOB = 65534, 5
"""Users without a home that every machine has: nobody, and games."""
FARM = """\
FARM: slurm
slurm:
  TYPE: slurm
  RESOURCES: {mem: 200M, time: 10m}
"""
PACKAGES = Path(yaml.__file__).parents[1]
HELD = "HPARAMS: {lr: [1, 2]}\nRESOURCES: {hold: true}\n"


@pytest.fixture(scope="module")
def cluster():
    with running(AccountedSlurm, no_slurm() or missing()) as made:
        yield made


@pytest.fixture(scope="module")
def other(cluster):
    """A second cluster, u, under the same accounts."""
    with running(lambda: OtherCluster(cluster), "") as made:
        yield made


def without_accounts(site):
    """Hide the accounts from a site's commands."""
    bin_folder = site.path / "bin"
    bin_folder.mkdir()
    site.write("bin/sacct", "#!/bin/sh\necho 'Slurm accounting storage is disabled' >&2\nexit 1\n")
    (bin_folder / "sacct").chmod(0o755)
    site.environment = {**site.environment, "PATH": f"{bin_folder}:{site.environment['PATH']}"}


def reasons(site, name):
    """Return the state and the reason of each run, which every command tells alike."""
    listed = json.loads(site.runx("status", name, "--json", status=(0, 1)).stdout)
    shown = json.loads(site.runx("show", name, "--json").stdout)
    ranked = json.loads(site.runx(name, "--json", program="sumx").stdout)
    states = [{run["name"]: run["state"] for run in runs} for runs in (listed, shown, ranked)]
    assert states[0] == states[1] == states[2]
    return {f"{run['state']}: {run['reason']}" for run in listed}


def test_a_waiting_run_is_told_with_its_reason_and_one_truth(site, cluster):
    site.runx(site.sweep("why", "HPARAMS: {lr: 1, nap: 100}\n"))
    [run] = site.runs("why")
    site.printed(run, "from epoch 0")
    cluster.call("scontrol", "requeuehold", job_of(run))
    cluster.until(lambda: "PENDING" in cluster.state(job_of(run)), job_of(run))
    long_ago(run)
    [why] = reasons(site, "why")
    assert why.startswith("preempted: queued again: ")
    assert "held" in why
    site.runx("release", "why")
    cluster.call("scontrol", "hold", job_of(run))
    assert "JobHeldAdmin" in next(iter(reasons(site, "why")))
    site.runx("cancel", "why")
    assert set(site.states("why").values()) == {"cancelled"}


def test_a_run_whose_dependency_fails_says_so(site, cluster):
    site.runx(site.sweep("first", "HPARAMS: {lr: 1, status: 3, nap: 5}\n"))
    site.runx(site.sweep("second", "HPARAMS: {lr: 1}\n"), "--after", "first")
    site.wait("second", lambda states: "queued" not in states.values())
    name = f"first/{site.runs('first')[0].name}"
    assert reasons(site, "second") == {f"cancelled: its dependency {name} failed"}


def test_filters_of_squeue_and_forgotten_jobs_lose_nothing(site, cluster):
    without_accounts(site)
    file = site.sweep("kept", HELD)
    site.runx(file)
    for run in site.runs("kept"):
        long_ago(run)
    site.environment |= {"SQUEUE_PARTITION": "spare", "SQUEUE_USERS": "nobody"}
    assert reasons(site, "kept") == {"queued: JobHeldUser: held; runx release lets it start"}
    assert "starting 0" in site.runx(file, "--resume").stderr
    first, second = site.runs("kept")
    cluster.call("scancel", job_of(first))
    cluster.until(
        lambda: not cluster.call("squeue", "-h", "-t", "all", "-j", job_of(first), check=False), ""
    )
    assert site.states("kept") == {first.name: "lost", second.name: "queued"}
    site.runx("cancel", "kept")
    assert site.states("kept")[second.name] == "cancelled"


def test_a_run_on_another_cluster_is_asked_for_and_cancelled_there(site, cluster, other):
    # The other cluster's ids begin at 1, and so may any job's here.
    for _ in range(8):
        cluster.call("sbatch", "--hold", "--job-name=another", "-o", "/dev/null", "--wrap", "true")
    file = site.sweep("there", "HPARAMS: {lr: [1, 2], nap: 100}\nRESOURCES: {clusters: u}\n")
    site.runx(file)
    for run in site.runs("there"):
        site.printed(run, "from epoch 0")
        options = json.loads((run / "attempts/1.job.json").read_text())["options"]
        assert options == {"cluster": "u", "site": "t"}
        long_ago(run)
    assert set(site.states("there").values()) == {"running"}
    assert "starting 0" in site.runx(file, "--resume").stderr
    before = cluster.call("squeue", "-h", "-o", "%i")
    assert "2 of 2 runs cancelled" in site.runx("cancel", "there").stderr
    assert set(site.states("there").values()) == {"cancelled"}
    assert cluster.call("squeue", "-h", "-o", "%i") == before
    assert other.call("squeue", "-h", "-t", "running").strip() == ""
    refused = site.runx(site.sweep("next", "HPARAMS: {lr: 1}\n"), "--after", "there", status=2)
    assert "cancelled" in refused.stderr
    # On the other cluster's own login node no job of this one is seen.
    site.runx(site.sweep("mine", HELD))
    for run in site.runs("mine"):
        long_ago(run)
    away = {**site.environment, "SLURM_CONF": other.environment["SLURM_CONF"]}
    site.environment, home = away, site.environment
    assert reasons(site, "mine") == {"queued: slurm can't be asked"}
    assert "its jobs are at t, and here its site is u" in site.runx("status", "mine").stderr
    assert "starting 0" in site.runx("mine.yml", "--resume").stderr
    site.environment = home
    site.runx("cancel", "mine")
    # Its controller is down: nobody can say, and nothing is started.
    site.runx(site.sweep("down", "HPARAMS: {lr: 1}\nRESOURCES: {clusters: u, hold: true}\n"))
    [run] = site.runs("down")
    long_ago(run)
    os.kill(int((other.folder / "run/slurmctld.pid").read_text()), signal.SIGKILL)
    resumed = site.runx("down.yml", "--resume").stderr
    assert "starting 0" in resumed
    assert "slurm can't be asked" in resumed
    other.call("slurmctld")


def test_of_anothers_waiting_runs_none_is_lost_or_doubled(cluster, installed):
    if os.getuid() != 0:
        pytest.skip("only root can become other users")
    if not (python_for_all() and open_to_all(ROOT / "runx") and open_to_all(PACKAGES)):
        pytest.skip("nobody but root can read this checkout, or start a Python of this version")
    with tempfile.TemporaryDirectory() as folder:
        site = lab(Path(folder), environment_of(installed, cluster.environment))
        without_accounts(site)
        file = site.sweep("shared", HELD)
        site.runx(file)
        for run in site.runs("shared"):
            long_ago(run)
        site.user = BOB
        assert reasons(site, "shared") == {"queued: JobHeldUser: held; runx release lets it start"}
        assert "starting 0" in site.runx(file, "--resume").stderr
        with (cluster.folder / "slurm.conf").open("a") as config:
            config.write("PrivateData=jobs\n")
        cluster.call("scontrol", "reconfigure")
        assert reasons(site, "shared") == {"queued: not seen by you: its job is nobody's"}
        resumed = site.runx(file, "--resume").stderr
        assert "starting 0" in resumed
        assert "left alone: queued (not seen by you: its job is nobody's)" in resumed
        message = site.runx("cancel", "shared", status=1).stderr
        assert "0 of 2 runs cancelled" in message
        assert "perhaps still at slurm: not seen by you: its job is nobody's" in message
        site.user = ALICE
        site.runx("cancel", "shared")
        assert set(site.states("shared").values()) == {"cancelled"}
        # That it is over is recorded: everybody is told.
        site.user = BOB
        assert set(site.states("shared").values()) == {"cancelled"}


def lab(folder, environment):
    """Make a project of alice's in a folder that everybody may write to."""
    (folder / "bin").mkdir()
    for name in ("runx", "sumx"):
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nexec {python_for_all()} -m runx.{name} "$@"\n')
    (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec {python_for_all()} "$@"\n')
    for place in (folder, folder / "bin", *(folder / "bin").iterdir()):
        place.chmod(0o777)
    environment = {
        **environment,
        "PATH": f"{folder}/bin{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{PACKAGES}",
        "HOME": f"{folder}",
        "XDG_CONFIG_HOME": "",
    }
    site = Site(folder / "project", environment, FARM, user=ALICE)
    site.path.chmod(0o777)
    site.umask = 0
    return site


def python_for_all():
    """Return a Python of this version that every user may start, None where there is none."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = (Path(path) for path in (sys.executable, shutil.which(name, path="/usr/bin")) if path)
    return next(filter(open_to_all, found), None)


def open_to_all(path):
    """Return whether every user may come to a path, wherever links lead."""
    real = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (real, *real.parents))
