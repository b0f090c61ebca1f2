"""Which of a distributed run's processes this is, and how they agree on numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError

if TYPE_CHECKING:
    from runx.rundir.records import Metric


VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")
"""Where torchrun, srun and mpirun say which process this is."""


REDUCTIONS = ("mean", "sum", "min", "max")


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """Tell this process's rank from what its launcher put into the environment.

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
    """Give torch.distributed if the script has initialised it, else None."""
    import sys

    # A script that never imported torch.distributed can't have initialised it.
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed


def reduced(metrics: dict[str, Metric], how: str) -> dict[str, Metric]:
    """Combine each metric over all ranks; every rank must call this with the same names."""
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


def anywhere(yes: bool) -> bool:
    """Tell whether any rank says yes, so that all of them act alike."""
    distributed = group()
    if distributed is None:
        return yes
    said = _vector([yes], distributed)
    distributed.all_reduce(said, op=distributed.ReduceOp.MAX)
    return bool(said.item())


def shared(text: str) -> str:
    """Give every rank the text that rank 0 has."""
    distributed = group()
    if distributed is None:
        return text
    box = [text]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def _check_names(names: list[str], distributed: Any) -> None:
    from zlib import crc32

    digest = crc32("\n".join(names).encode("utf-8", "replace"))
    bounds = _vector([digest, -digest], distributed)
    distributed.all_reduce(bounds, op=distributed.ReduceOp.MAX)
    if bounds[0] != -bounds[1]:
        raise LogxError(f"reduce= needs the same metrics on every rank; here: {', '.join(names)}")


def _vector(values: list[Any], distributed: Any) -> Any:
    import torch

    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    return torch.tensor(values, dtype=torch.float64, device=device)
