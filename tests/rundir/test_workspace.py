"""A run in two places, read as one."""

import os

import pytest

from runx.analysis.read import Reader, read_runs
from runx.rundir.paths import RunDir
from runx.rundir.workspace import (
    join,
    link_workspace,
    remove,
    remove_file,
    without_links,
    workspace_of,
)


@pytest.fixture
def run(tmp_path):
    """A run that was given to a farm, and the directory where its job writes."""
    here = tmp_path / "logs" / "sweep" / "owl"
    (here / "attempts").mkdir(parents=True)
    (here / "run.json").write_text('{"version": 1, "hparams": {"lr": 1}}')
    (here / "attempts" / "1.claim").write_text('{"version": 1, "farm": "ngc"}')
    run = RunDir(here)
    link_workspace(run, tmp_path / "mnt" / "sweep" / "owl")
    return run


@pytest.fixture
def place(run):
    place = workspace_of(run)
    (place / "attempts").mkdir(parents=True)
    (place / "run.json").write_text('{"version": 1, "hparams": {"lr": 1}}')
    (place / "attempts" / "1.events.jsonl").write_text('{"event":"ended","time":2,"code":0}\n')
    (place / "metrics.csv").write_text("val,acc,91,epoch,3,timestamp,2\n")
    return place


def names(folder):
    return sorted(os.listdir(folder))


def wrong(line):
    raise AssertionError(line)


def test_a_workspace_that_is_not_mounted_is_no_fault(run):
    join(run, wrong)
    assert names(run.path) == ["attempts", "run.json"]
    assert remove(workspace_of(run)) == f"{workspace_of(run)} is not mounted here"


def test_a_folder_that_can_not_be_read_is_told(run, place):
    place.rename(place.with_name("away"))
    place.write_text("no folder")
    said = []
    join(run, said.append)
    assert len(said) == 1
    assert "can't be joined" in said[0]


def test_what_the_job_wrote_is_read_with_what_lies_here(run, place):
    [found] = read_runs([run], "sweep", Reader(warn=wrong))
    assert found.state == "done"
    assert found.metrics == {"acc": 91}
    assert found.hparams == {"lr": 1}


def test_what_lies_here_is_never_covered(run, place):
    (place / "attempts" / "1.claim").write_text("theirs")
    join(run, wrong)
    assert not run.record.is_symlink()
    assert "ngc" in run.claim(1).read_text()


def test_what_passes_and_what_has_gone_is_not_joined(run, place):
    for name in (".now.1", "logx.json.7.tmp", "attempts/lock", "attempts/claim.host.1.2"):
        (place / name).touch()
    (place / "best_checkpoint_ep1.pth").touch()
    join(run, wrong)
    assert names(run.path) == ["attempts", "best_checkpoint_ep1.pth", "metrics.csv", "run.json"]
    assert names(run.attempts) == ["1.claim", "1.events.jsonl", "workspace"]
    (place / "best_checkpoint_ep1.pth").unlink()
    join(run, wrong)
    assert names(run.path) == ["attempts", "metrics.csv", "run.json"]


def test_a_users_own_link_stays(run, place):
    (run.path / "mine").symlink_to("nowhere")
    join(run, wrong)
    assert (run.path / "mine").is_symlink()


def test_a_run_can_be_copied_without_what_lies_elsewhere(run, place):
    join(run, wrong)
    with without_links(run, wrong):
        assert names(run.path) == ["attempts", "run.json"]
        assert names(run.attempts) == ["1.claim"]
    assert workspace_of(run) == place
    assert run.metrics.exists()


def test_a_run_that_lies_in_the_workspace_itself_leads_nowhere(tmp_path):
    run = RunDir(tmp_path / "sweep" / "owl")
    run.attempts.mkdir(parents=True)
    link_workspace(run, run.path)
    assert workspace_of(run) is None
    with without_links(run, wrong):
        pass


def test_a_checkpoint_that_is_removed_is_removed_where_it_lies(run, place):
    (place / "last_checkpoint_ep1.pth").touch()
    join(run, wrong)
    remove_file(run.checkpoint("last", 1))
    assert not (place / "last_checkpoint_ep1.pth").exists()
    assert remove(place) == ""
    assert not place.exists()
