"""Ranks in a distributed program, by the variables that its launcher sets for each process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Launcher(NamedTuple):
    """The variables of one launcher: the rank, the number of ranks, and all that are of a process.

    In ``own`` a name that ends in _ stands for all that begin so. What concerns the whole job is
    not among them.
    """

    rank: str
    sizes: tuple[str, ...]
    own: frozenset[str]


def _launcher(rank: str, sizes: str, own: str) -> Launcher:
    return Launcher(rank, tuple(sizes.split()), frozenset([rank, *own.split()]))


LAUNCHERS = (
    _launcher(
        "RANK",
        "WORLD_SIZE",
        "WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK GROUP_WORLD_SIZE ROLE_RANK ROLE_NAME"
        " ROLE_WORLD_SIZE TORCHELASTIC_",
    ),
    _launcher(
        "SLURM_PROCID",
        "SLURM_STEP_NUM_TASKS SLURM_NTASKS SLURM_NPROCS",
        "SLURM_LOCALID SLURM_NODEID SLURM_GTIDS SLURM_STEPID SLURM_STEP_ SLURM_SRUN_",
    ),
    _launcher(
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_ OMPI_UNIVERSE_SIZE OMPI_MCA_ess_ OMPI_MCA_orte_ PMIX_ PRTE_",
    ),
    _launcher("PMI_RANK", "PMI_SIZE", "PMI_ MPI_LOCALRANKID MPI_LOCALNRANKS"),
    _launcher("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_"),
    _launcher("JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_"),
    _launcher("FLUX_TASK_RANK", "FLUX_JOB_SIZE", "FLUX_TASK_"),
    _launcher("HOROVOD_RANK", "HOROVOD_SIZE", "HOROVOD_"),
)
"""Of torchrun, srun, mpirun (Open MPI), Hydra and PMI, MVAPICH, jsrun, Flux, Horovod."""


class Rank(NamedTuple):
    """The rank of a process among several, and the variable that has it."""

    rank: int
    size: int
    variable: str


NO_RANK = Rank(0, 1, "")
"""The rank of a process that is alone."""


def rank_of(environment: Mapping[str, str]) -> Rank:
    """Return the rank of a process by its environment.

    It counts only beside a number of ranks above 1 by the same launcher: by itself such a variable
    may be a hyperparameter, or what is left of an outer launcher.

    >>> rank_of({"SLURM_PROCID": "3", "SLURM_NTASKS": "4"}).rank
    3
    >>> rank_of({"RANK": "8"}).rank
    0
    """
    ranks = (_rank_by(launcher, environment) for launcher in LAUNCHERS)
    return next(filter(None, ranks), NO_RANK)


def _rank_by(launcher: Launcher, environment: Mapping[str, str]) -> Rank | None:
    rank = environment.get(launcher.rank, "")
    size = next(filter(None, map(environment.get, launcher.sizes)), "")
    if rank.isdecimal() and size.isdecimal() and int(rank) < int(size) > 1:
        return Rank(int(rank), int(size), launcher.rank)
    return None


def variables_of_ranks(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables that make a process one of several ranks.

    Those of its job are not among them: a job step that it starts needs them.

    >>> list(variables_of_ranks({"PMI_RANK": "1", "PMI_SIZE": "3", "SLURM_JOB_ID": "7"}))
    ['PMI_RANK', 'PMI_SIZE']
    """
    for launcher in LAUNCHERS:
        if _rank_by(launcher, environment):
            prefixes = tuple(name for name in launcher.own if name.endswith("_"))
            for name in environment:
                if name in launcher.own or name.startswith(prefixes):
                    yield name
