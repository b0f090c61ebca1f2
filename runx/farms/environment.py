"""What a scheduler's commands must not see in the environment: an outer job, and users' filters.

Where runx is started within a job, as from an ``salloc`` or by a run that launches runs, the outer
job's variables are options of the inner one, or become part of its environment: run.sh would
requeue the job that launched it. Variables by which users choose a site's settings, such as
``SLURM_CONF`` and ``SBATCH_ACCOUNT``, stay. So start only commands of schedulers, never a run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class _Scheduler(NamedTuple):
    """The variables of one scheduler, as patterns of their whole names.

    ``sets``: what a job of it has, and what makes its commands answer otherwise than they are
    asked; ``keeps``: those of them that users set. ``generic``: names that mean something else
    outside of its jobs, removed where there is one of the variables ``mark``.
    """

    sets: str
    keeps: str = ""
    mark: str = ""
    generic: str = ""


_DEVICES = "(CUDA|ROCR|HIP|NVIDIA)_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK"
_TABLE = (
    _Scheduler(
        # sbatch(1), srun(1), squeue(1), sacct(1), scancel(1), scontrol(1)
        sets="SLURMD?_.*|SPANK_.*|SBATCH_(ARRAY_INX|WAIT|JOB_NAME)|SRUN_(CPUS_PER_TASK|DEBUG)"
        "|(SQUEUE|SACCT|SCANCEL|SCONTROL|SINFO)_.*",
        keeps="SLURM_(CONF|CONF_SERVER|CLUSTERS|JWT|JWKS|SACK_.*)",
        mark="SLURM_JOB_ID",
        generic=_DEVICES,
    ),
    _Scheduler(
        # submit(1) of Grid Engine
        sets="SGE_.*",
        keeps="SGE_(ROOT|CELL|CLUSTER_NAME|(QMASTER|EXECD)_PORT|ARCH|JSV.*|LIBRARY.*)",
        mark="SGE_(TASK_ID|O_HOST)",
        generic="JOB_(ID|NAME|SCRIPT)|TASK_ID|QUEUE|NSLOTS|NHOSTS|NQUEUES|PE|PE_HOSTFILE|ARC"
        f"|REQUEST|REQNAME|RESTARTED|ENVIRONMENT|{_DEVICES}",
    ),
    _Scheduler(
        # qsub(1B), pbs.conf(8), msub of Moab
        sets="PBS_.*|MOAB_.*",
        keeps="PBS_(CONF_FILE|DEFAULT|SERVER|EXEC|HOME|PRIMARY|SECONDARY|LEAF_.*|.*HOST_NAME"
        "|.*SERVICE_PORT.*|AUTH.*|SUPPORTED_AUTH.*|ENCRYPT.*|CLIENTRETRY)",
        mark="PBS_JOBID",
        generic=f"NCPUS|{_DEVICES}",
    ),
    _Scheduler(
        # bsub and bjobs of LSF; BSUB_QUIET drops the job's id, BSUB_CHK_RESREQ submits nothing
        sets="LSB_.*|LS_(JOBPID|SUBCWD|EXEC_T)|BSUB_.*|LSF_(JOB|PM|INVOKE|CGROUP)_.*|JSM_.*",
        keeps="LSB_(DEFAULT.*|CONFDIR|SHAREDIR|NTRIES|API_.*|STDOUT_DIRECT)",
        mark="LSB_JOBID",
        generic=_DEVICES,
    ),
    _Scheduler(
        # oarsub(1)
        sets="OAR_.*",
        keeps="OAR_(JOB_KEY_FILE|API_.*)",
        mark="OAR_JOB_?ID",
        generic=_DEVICES,
    ),
    _Scheduler(
        # Any setting of HTCondor may be given as _CONDOR_NAME: those of its jobs, by name.
        sets="_CONDOR_(JOB_AD|JOB_IWD|JOB_PIDS|MACHINE_AD|SCRATCH_DIR|SLOT|CHIRP_CONFIG|CREDS"
        "|WRAPPER_ERROR_FILE|EXECUTE|ANCESTOR_.*|ASSIGNED.*|Assigned.*|(MAX_)?DAGMAN_LOG)"
        "|CONDOR_PARENT_ID|_CHIRP_.*|BATCH_SYSTEM",
        mark="_CONDOR_(JOB_AD|SCRATCH_DIR)",
        generic=_DEVICES,
    ),
    _Scheduler(sets="JOB_COMPLETION_INDEX"),  # Kubernetes; its API server's address stays
    _Scheduler(
        sets="RAY_(JOB_.*|RAYLET_PID|NODE_ID|OVERRIDE_JOB_RUNTIME_ENV.*|RUNTIME_ENV_.*)",
        mark="RAY_(JOB_CONFIG_JSON_ENV_VAR|RAYLET_PID)",
        generic=_DEVICES,
    ),
    _Scheduler(sets="NGC_.*", keeps="NGC_(CLI|API)_.*|NGC_HOME"),
    _Scheduler(
        # Ranks of mpirun, srun and torchrun, in which a launch was started
        sets="PMI_.*|PMI2_.*|PMIX_.*|PRTE_.*|OMPI_(COMM_WORLD|UNIVERSE)_.*|MV2_COMM_WORLD_.*"
        "|MPI_LOCALN?RANKS?I?D?|HYDI?_.*|TORCHELASTIC_.*",
        keeps="PMIX_MCA_.*|PRTE_MCA_.*",
        mark="TORCHELASTIC_RUN_ID",
        generic="(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)",
    ),
    _Scheduler(
        # A run that launches runs; settings such as RUNX_LOGROOT stay.
        sets="RUNX_(LOGDIR|RUN|EXPERIMENT|PROJECT|LOCK|ATTEMPT|ATTACH|DEADLINE)",
    ),
)
_ASKED_ANYWHERE = "SLURM_CLUSTERS"
"""Where a job goes, but not where another one is looked for: jobs have their own place."""
_STEPS = (
    r"srun|mpirun|mpiexec(?:\.\w+)?|orterun|prterun|prun|blaunch|jsrun|aprun|ibrun|pbsdsh|oarsh"
)
_SUBMITTERS = (
    "sbatch|salloc|qsub|qrsh|msub|bsub|oarsub|condor_submit|kubectl|ray|ngc|ssh|docker|podman"
)
_PROGRAM = re.compile(rf"(?<![^\s;&|(])(?:\S*/)?(?:({_STEPS})|{_SUBMITTERS})(?!\S)")


def cleared(environment: Mapping[str, str] | None = None) -> dict[str, None]:
    """Return what a command that asks or orders a scheduler must not see, each name with None.

    >>> list(cleared({"SLURM_ARRAY_JOB_ID": "7", "SQUEUE_PARTITION": "gpu", "SLURM_CONF": "/etc"}))
    ['SLURM_ARRAY_JOB_ID', 'SQUEUE_PARTITION']
    """
    present = os.environ if environment is None else environment
    names = _of_table(present, _TABLE)
    return dict.fromkeys(name for name in present if name in names or name == _ASKED_ANYWHERE)


def cleared_to_submit(
    submit_cmd: str = "", environment: Mapping[str, str] | None = None
) -> dict[str, None]:
    """Return what a submit command must not see, each name with None.

    A SUBMIT_CMD that starts its runs within the job that runx is in, as srun does, needs that one's
    variables: it loses those of an outer run alone. So may any other that executes runs itself:
    it keeps the devices that it was given.

    >>> list(cleared_to_submit("srun -n 1", {"SLURM_JOB_ID": "7", "RUNX_ATTEMPT": "1"}))
    ['RUNX_ATTEMPT']
    """
    present = os.environ if environment is None else environment
    names = _of_table(present, _TABLE[-1:] if starts_steps(submit_cmd) else _TABLE)
    kept = _DEVICES if submit_cmd else ""
    return dict.fromkeys(name for name in present if name in names and not re.fullmatch(kept, name))


def starts_steps(submit_cmd: str) -> bool:
    """Return whether SUBMIT_CMD starts steps of the job that it is executed in.

    >>> starts_steps("nice srun -n 1"), starts_steps("sbatch --wrap 'srun x'"), starts_steps("ok")
    (True, False, False)
    """
    program = _PROGRAM.search(submit_cmd)
    return bool(program and program[1])


def _of_table(present: Mapping[str, str], table: tuple[_Scheduler, ...]) -> set[str]:
    names = {name for each in table for name in _of_scheduler(each, present)}
    # That of a job is removed with it, and is named after it where a site makes one for each.
    jobs = (present[name] for name in ("SLURM_JOB_ID", "JOB_ID", "PBS_JOBID") if name in names)
    folder = present.get("TMPDIR", "")
    if any(re.search(rf"(?<!\w){re.escape(job)}(?!\w)", folder) for job in jobs):
        names.add("TMPDIR")
    return names


def _of_scheduler(each: _Scheduler, present: Mapping[str, str]) -> Iterator[str]:
    is_inside = bool(each.mark) and any(re.fullmatch(each.mark, name) for name in present)
    for name in present:
        is_set = re.fullmatch(each.sets, name) and not re.fullmatch(each.keeps, name)
        if is_set or (is_inside and re.fullmatch(each.generic, name)):
            yield name
