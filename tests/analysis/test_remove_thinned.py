import os

import pytest
from run_folders import make_run
from sweeps import Sweep


@pytest.fixture
def sweep(tmp_path, installed):
    """Five runs, each with a best checkpoint that is a second name of the last."""
    made = Sweep(tmp_path / "project", installed)
    for number, (acc, code) in enumerate([(0.1, 0), (0.9, 0), (0.5, 0), (0.2, 1), (None, 0)]):
        folder = made.root / f"sweep/run{number}"
        make_run(folder, {"n": number}, [acc] if acc is not None else (), code=code)
        (folder / "last_checkpoint_ep3.pth").write_bytes(b"x" * 8192)
        os.link(folder / "last_checkpoint_ep3.pth", folder / "best_checkpoint_ep3.pth")
    return made


def with_checkpoints(sweep):
    return [run.path.name for run in sweep.runs() if list(run.path.glob("*.pth"))]


ALL = [f"run{number}" for number in range(5)]


def test_nothing_is_removed_without_delete(sweep):
    output = sweep.command("gc", "sweep", "--keep-top", "1", "--by", "acc")
    assert "--delete does it" in output
    assert with_checkpoints(sweep) == ALL


def test_only_runs_that_are_done_and_have_the_metric_lose_their_checkpoints(sweep):
    output = sweep.command("gc", "sweep", "--keep-top", "1", "--by", "acc", "--delete")
    assert "the checkpoints of 2 runs removed" in output
    assert with_checkpoints(sweep) == ["run1", "run3", "run4"]
    assert (sweep.root / "sweep/run0/metrics.csv").exists()
    assert "nothing to remove" in sweep.command("gc", "sweep", "--keep-top", "1", "--by", "acc")


def test_the_checkpoints_of_one_run_are_said_to_be_those_of_one(sweep):
    output = sweep.command("gc", "sweep", "--keep-top", "2", "--by", "acc", "--delete")
    assert "the checkpoints of 1 run removed" in output


def test_less_can_be_better(sweep):
    sweep.command("gc", "sweep", "--keep-top", "1", "--by", "acc", "--lower", "--delete")
    assert with_checkpoints(sweep) == ["run0", "run3", "run4"]


def test_a_metric_of_unknown_direction_needs_higher_or_lower(sweep):
    for words in (["--by", "size"], ["--by", "acc", "--lower", "--higher"]):
        output = sweep.command("gc", "sweep", "--keep-top", "1", *words, "--delete", status=2)
        assert "--higher or --lower" in output
    output = sweep.command("gc", "sweep", "--keep-top", "1", "--by", "n", "--lower", status=2)
    assert "is no metric" in output
    assert with_checkpoints(sweep) == ALL


def test_a_metric_that_no_run_has_is_a_mistake(sweep):
    output = sweep.command(
        "gc", "sweep", "--keep-top", "1", "--by", "accuracy", "--delete", status=2
    )
    assert "acc" in output
    assert with_checkpoints(sweep) == ALL
