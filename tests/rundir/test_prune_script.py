"""run.sh of a run of a search that is stopped early: how that ends, and what of it is written."""

import json

import pytest
from scripts import events, execute, wait_until
from search_runs import made, place_of
from sweeps import state_of

from runx.rundir.orders import write_order

QUICK = {"RUNX_WATCH": "0.1", "RUNX_PRUNE_GRACE": "0", "RUNX_OBSERVE": "600"}


def pruning(tmp_path, cmd, **options):
    """Make a run of a search with `prune`."""
    run = made(tmp_path, cmd=cmd, **options)
    place_of(run).record.write_text('{\n  "version": 1,\n  "prune": {\n    "asha": {}\n  }\n}\n')
    return run


def order(why="epoch 1: 2nd of 2"):
    """Return a command that orders its own run to stop, as logx does."""
    content = json.dumps({"order": "prune", "attempt": 1, "why": why}, indent=2)
    return f"mkdir -p $RUNX_LOGDIR/orders; echo '{content}' >$RUNX_LOGDIR/orders/1.json"


@pytest.mark.parametrize("ending", ["exit 0", "exit 1", "exit 75", "sleep 60", "kill -9 $BASHPID"])
def test_however_it_ends_it_is_pruned(tmp_path, ending):
    run = pruning(tmp_path, f"{order()}; {ending};:")
    assert execute(run, **QUICK).returncode == 0
    assert events(run)[-1]["code"] == 0
    assert events(run)[-1]["pruned"] == "epoch 1: 2nd of 2"
    assert state_of(run) == "pruned"


def test_where_run_sh_was_killed_the_order_tells(tmp_path):
    run = pruning(tmp_path, f"{order()}; kill -9 $$;:")
    assert execute(run).returncode == -9
    wait_until(lambda: state_of(run) != "running")
    assert state_of(run) == "pruned"


def test_one_whose_point_was_stopped_does_not_begin(tmp_path):
    run = pruning(tmp_path, "echo begun")
    place_of(run).pruned(7).write_text('{\n  "why": "wise-owl: epoch 1"\n}\n')
    assert execute(run).returncode == 0
    [event] = events(run)
    assert (event["code"], event["pruned"]) == (0, "wise-owl: epoch 1")


def test_one_that_is_done_when_its_point_is_stopped_stays_done(tmp_path):
    run = pruning(tmp_path, 'sleep 0.5; echo \'{"why": "other"}\' >$RUNX_SEARCH/points/7.pruned;:')
    assert execute(run, RUNX_WATCH="60").returncode == 0
    assert state_of(run) == "done"


def test_another_seed_of_the_point_is_asked_to_stop(tmp_path):
    waits = "until grep -s pruned $RUNX_LOGDIR/stop_requested; do sleep 0.05; done"
    run = pruning(tmp_path, f'echo \'{{"why": "other"}}\' >$RUNX_SEARCH/points/7.pruned; {waits};:')
    assert execute(run, RUNX_WATCH="0.1").returncode == 0
    assert run.output.read_text().startswith("pruned: other")
    assert events(run)[-1]["pruned"] == "other"


def test_one_that_was_cancelled_is_not_pruned(tmp_path):
    run = pruning(
        tmp_path, f"{order()}; cp $RUNX_LOGDIR/cancel $RUNX_LOGDIR/orders/0.json; exit 9;:"
    )
    write_order(run, "cancel", 1)
    [cancel] = run.orders.iterdir()
    cancel.rename(run.path / "cancel")
    assert execute(run).returncode == 9
    assert "pruned" not in events(run)[-1]


def test_after_a_retry_it_is_never_stopped(tmp_path):
    run = pruning(tmp_path, f"{order()}; echo search=$RUNX_SEARCH;:")
    assert execute(run).returncode == 0
    run.claim(2).write_text('{"version": 1, "farm": null}\n')
    assert execute(run).returncode == 0
    assert "search=\n" in run.output.read_text()
    assert state_of(run) == "done"


def test_a_search_without_prune_watches_nothing(tmp_path):
    run = made(tmp_path, cmd=f"{order()};:")
    place_of(run).record.write_text('{\n  "version": 1,\n  "prune": {}\n}\n')
    assert execute(run).returncode == 0
    assert state_of(run) == "done"
