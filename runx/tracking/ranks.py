"""The rank of this process in a distributed run, and reductions over all ranks."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError
from runx.rundir.ranks import rank_of
from runx.tracking.plain import text_of

if TYPE_CHECKING:
    from runx.rundir.paths import RunDir
    from runx.rundir.records import Metric


WAIT = 2.0
"""Seconds that a rank waits at its end for rank 0 to begin."""
REDUCTIONS = ("mean", "sum", "min", "max")


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return this process's rank by torch.distributed, or else by what launched it.

    >>> rank({"SLURM_PROCID": "3", "SLURM_NTASKS": "4"})
    3
    """
    distributed = group()
    return distributed.get_rank() if distributed else rank_of(environment).rank


def without_rank0(run: RunDir, environment: Mapping[str, str] = os.environ) -> str:
    """Return a warning where this process is a rank, and rank 0 has logged nothing; else "".

    For a moment it waits for a rank 0 that begins later than this one has ended.
    """
    rank, size, variable = rank_of(environment)
    if not rank or group() is not None:
        return ""
    until = time.monotonic() + WAIT
    while not any(map(os.path.exists, (run.metrics, run.logx, run.messages))):
        if time.monotonic() >= until:
            return (
                f"this is rank {rank} of {size} by {variable}, and rank 0, which writes, has logged"
                f" nothing so far to {run.path}; if this process is no rank,"
                " initialize(global_rank=0)"
            )
        time.sleep(0.05)
    return ""


def group() -> Any:
    """Return torch.distributed if the script has initialised it, else None."""
    import sys

    # A script that never imported torch.distributed can't have initialised it.
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed


def reduced(metrics: dict[str, Metric], how: str) -> dict[str, Metric]:
    """Return metrics reduced over all ranks; every rank must call this with the same names.

    Raises LogxError where the names differ, or the reduction is unknown.
    """
    if not isinstance(how, str) or how not in REDUCTIONS:
        raise LogxError(f"reduce={text_of(how)!r} is not known; there are {', '.join(REDUCTIONS)}")
    distributed = group()
    if distributed is None or not metrics:
        return metrics
    names = sorted(metrics)
    _check_names(names, distributed)
    values = _vector([metrics[name] for name in names], distributed)
    operation = "sum" if how == "mean" else how
    distributed.all_reduce(values, op=getattr(distributed.ReduceOp, operation.upper()))
    if how == "mean":
        values /= distributed.get_world_size()
    return dict(zip(names, values.tolist(), strict=True))


def any_rank(value: bool) -> bool:
    """Return whether the value is true on any rank; every rank must call this."""
    distributed = group()
    if distributed is None:
        return value
    values = _vector([value], distributed)
    distributed.all_reduce(values, op=distributed.ReduceOp.MAX)
    return bool(values.item())


def from_rank0(text: str) -> str:
    """Return the text of rank 0; every rank must call this."""
    distributed = group()
    if distributed is None:
        return text
    texts = [text]
    distributed.broadcast_object_list(texts, src=0)
    return texts[0]


def _check_names(names: list[str], distributed: Any) -> None:
    """Raise LogxError unless all ranks have the same names."""
    from zlib import crc32

    digest = crc32("\n".join(names).encode("utf-8", "replace"))
    bounds = _vector([digest, -digest], distributed)
    distributed.all_reduce(bounds, op=distributed.ReduceOp.MAX)
    if bounds[0] != -bounds[1]:
        raise LogxError(f"reduce= needs the same metrics on every rank; here: {', '.join(names)}")


def _vector(values: list[Any], distributed: Any) -> Any:
    """Return a tensor of float64 on the device that the backend reduces on."""
    import torch

    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    return torch.tensor(values, dtype=torch.float64, device=device)
