"""The rank of this process in a distributed run, and reductions over all ranks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError

if TYPE_CHECKING:
    from runx.rundir.records import Metric


VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")
"""The variables with the rank, of torchrun, srun and mpirun."""
REDUCTIONS = ("mean", "sum", "min", "max")


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return this process's rank by the environment, 0 without a distributed launcher.

    >>> rank({"SLURM_PROCID": "3"})
    3
    >>> rank({})
    0
    """
    for variable in VARIABLES:
        text = environment.get(variable, "")
        if text.isdecimal():
            return int(text)
    return 0


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
    if how not in REDUCTIONS:
        raise LogxError(f"reduce={how!r} is not known; there are {', '.join(REDUCTIONS)}")
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
