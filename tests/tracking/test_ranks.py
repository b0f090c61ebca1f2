import os
import subprocess
import sys
from pathlib import Path

import pytest

from runx.errors import LogxError
from runx.rundir.paths import RunDir
from runx.rundir.records import read
from runx.tracking.ranks import rank, reduced, without_rank0

ROOT = Path(__file__).parents[2]


def test_an_unknown_reduction_lists_the_known_ones():
    with pytest.raises(LogxError, match="there are mean, sum, min, max"):
        reduced({"acc": 1}, "average")


def test_without_torch_distributed_a_reduction_is_the_value_itself():
    assert reduced({"acc": 1}, "mean") == {"acc": 1}


def test_a_rank_that_is_no_number_is_passed_over():
    sizes = dict.fromkeys(["WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE"], "4")
    assert rank({"RANK": "", "SLURM_PROCID": "n/a", "OMPI_COMM_WORLD_RANK": "2", **sizes}) == 2


DISTRIBUTED = """
import os
import torch.distributed as dist
from runx.errors import LogxError
from runx.logx import logx

dist.init_process_group("gloo")
rank = dist.get_rank()
logx.initialize(coolname=True)
logx.metric("val", {"acc": rank, "loss": 1.5}, 0, reduce="mean")
logx.metric("val", {"acc": rank}, 1, reduce="max")
logx.metric("val", {"acc": rank}, 2, reduce="sum")
logx.metric("val", {"acc": rank + 10}, 3)
try:
    logx.metric("val", {f"acc{rank}": 1}, 4, reduce="mean")
except LogxError as error:
    assert "same metrics on every rank" in str(error)
else:
    raise SystemExit("different names went through")
logx.msg(f"rank {rank}", all_ranks=True)
logx.msg("only the first")
if rank == 2:
    open(os.path.join(logx.logdir, "stop_requested"), "w").close()
asked = logx.should_stop(all_ranks=True)
assert asked
logx.save_model({"state_dict": {}}, 0.5, 0)
dist.barrier()
assert logx.restore() == 1
dist.destroy_process_group()
"""


def test_four_ranks_log_as_one(tmp_path):
    pytest.importorskip("torch.distributed")
    (tmp_path / "script.py").write_text(DISTRIBUTED)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=4", "script.py"]
    environment = {key: value for key, value in os.environ.items() if key[:5] != "RUNX_"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [run] = (tmp_path / "runs").iterdir()
    values = [record.metrics for record in read(run / "metrics.csv") if record.phase == "val"]
    assert values == [{"acc": 1.5, "loss": 1.5}, {"acc": 3.0}, {"acc": 6.0}, {"acc": 10}]
    assert done.stdout == "rank 0\nonly the first\n"
    assert (run / "logging.log").read_text() == "rank 0\nonly the first\n"
    for other in (1, 2, 3):
        assert (run / f"logging.rank{other}.log").read_text() == f"rank {other}\n"


def test_a_rank_0_that_begins_a_moment_later_is_waited_for(tmp_path):
    from threading import Timer

    run, ranks_of = RunDir(tmp_path), {"RANK": "1", "WORLD_SIZE": "2"}
    later = Timer(0.2, run.metrics.touch)
    later.start()
    assert without_rank0(run, ranks_of) == ""
    later.join()
