"""Variables of outer jobs, which no command of a scheduler sees, and those of users, which stay."""

import pytest

from runx.farms.environment import cleared, cleared_to_submit, starts_steps

OF_JOBS = {
    "slurm": "SLURM_JOB_ID SLURM_JOBID SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_MEM_PER_CPU"
    " SLURM_CPUS_PER_TASK SRUN_CPUS_PER_TASK SLURMD_NODENAME SLURM_RESTART_COUNT SBATCH_ARRAY_INX"
    " SLURM_JOB_END_TIME SBATCH_WAIT SLURM_EXPORT_ENV CUDA_VISIBLE_DEVICES GPU_DEVICE_ORDINAL",
    "filters": "SQUEUE_PARTITION SQUEUE_ACCOUNT SQUEUE_FORMAT SQUEUE_STATES SACCT_FORMAT"
    " SCANCEL_PARTITION SCANCEL_INTERACTIVE SCONTROL_ALL SLURM_BITSTR_LEN SLURM_TIME_FORMAT",
    "sge": "SGE_TASK_ID SGE_O_HOST SGE_STDOUT_PATH JOB_ID JOB_NAME QUEUE NSLOTS RESTARTED PE"
    " ENVIRONMENT REQUEST",
    "pbs": "PBS_JOBID PBS_ARRAY_INDEX PBS_ARRAYID PBS_ARRAY_ID PBS_NODEFILE PBS_ENVIRONMENT"
    " PBS_O_WORKDIR PBS_O_QUEUE PBS_JOBCOOKIE NCPUS",
    "moab": "MOAB_JOBID MOAB_JOBARRAYINDEX",
    "lsf": "LSB_JOBID LSB_JOBINDEX LSB_HOSTS LSB_DJOB_HOSTFILE LS_JOBPID LS_SUBCWD"
    " LSF_JOB_TIMESTAMP BSUB_BLOCK BSUB_QUIET BSUB_CHK_RESREQ LSB_BJOBS_FORMAT",
    "oar": "OAR_JOB_ID OAR_JOBID OAR_ARRAY_INDEX OAR_NODEFILE OAR_WORKDIR",
    "condor": "_CONDOR_JOB_AD _CONDOR_SLOT _CONDOR_SCRATCH_DIR _CONDOR_ANCESTOR_77 BATCH_SYSTEM",
    "kubernetes": "JOB_COMPLETION_INDEX",
    "ray": "RAY_JOB_ID RAY_JOB_CONFIG_JSON_ENV_VAR RAY_RAYLET_PID",
    "ngc": "NGC_JOB_ID NGC_ARRAY_SIZE NGC_RESULT_DIR",
    "ranks": "PMI_RANK PMIX_RANK OMPI_COMM_WORLD_RANK MPI_LOCALRANKID TORCHELASTIC_RUN_ID RANK"
    " LOCAL_RANK WORLD_SIZE MASTER_ADDR",
    "runx": "RUNX_LOGDIR RUNX_ATTEMPT RUNX_LOCK RUNX_RUN RUNX_EXPERIMENT RUNX_DEADLINE",
}
OF_USERS = """\
SLURM_CONF SLURM_JWT SBATCH_ACCOUNT SBATCH_PARTITION SBATCH_QOS SBATCH_EXPORT SGE_ROOT SGE_CELL
SGE_QMASTER_PORT PBS_CONF_FILE PBS_DEFAULT PBS_SERVER PBS_EXEC LSF_ENVDIR LSF_SERVERDIR
LSB_DEFAULTQUEUE KUBECONFIG KUBERNETES_SERVICE_HOST RAY_ADDRESS NGC_CLI_API_KEY
_CONDOR_SCHEDD_HOST CONDOR_CONFIG OAR_JOB_KEY_FILE OMPI_MCA_btl RUNX_LOGROOT RUNX_FARM
HYDRA_FULL_ERROR HOME PATH TMPDIR
"""


@pytest.mark.parametrize("scheduler", OF_JOBS)
def test_what_a_job_leaves_in_the_environment_reaches_no_inner_one(scheduler):
    variables = OF_JOBS[scheduler].split()
    present = dict.fromkeys([*variables, *OF_USERS.split()], "7")
    present["TMPDIR"] = "/tmp"
    assert set(cleared(present)) == set(variables)
    assert set(cleared_to_submit("", present)) == set(variables)


def test_names_that_mean_something_else_outside_of_a_job_stay_there():
    plain = (
        "JOB_ID QUEUE REQUEST ENVIRONMENT NCPUS CUDA_VISIBLE_DEVICES RANK WORLD_SIZE MASTER_ADDR"
    )
    assert cleared(dict.fromkeys(plain.split(), "1")) == {}


def test_a_users_cluster_is_for_submissions_alone():
    assert list(cleared({"SLURM_CLUSTERS": "u"})) == ["SLURM_CLUSTERS"]
    assert cleared_to_submit("", {"SLURM_CLUSTERS": "u"}) == {}


@pytest.mark.parametrize("folder", ["/scratch/12345", "/tmp/slurm.12345.0", "/tmp/12345.pbs01"])
def test_a_folder_that_ends_with_the_outer_job_is_not_passed_on(folder):
    name = "PBS_JOBID" if "pbs" in folder else "SLURM_JOB_ID"
    present = {name: folder.rpartition("/")[2] if "pbs" in folder else "12345", "TMPDIR": folder}
    assert set(cleared(present)) == set(present)
    assert set(cleared({**present, "TMPDIR": "/tmp"})) == {name}


@pytest.mark.parametrize(
    ("submit_cmd", "inside"),
    [
        ("srun -n 1 --exclusive", True),
        ("/usr/bin/mpirun -np 1", True),
        ("env A=1 timeout 9 blaunch", True),
        ("for i in 1; do srun {{ script }}; done", True),
        ("sbatch --wrap 'srun x'", False),
        ("salloc srun", False),
        ("submit_job --after srun-like", False),
        ("ssh login srun", False),
    ],
)
def test_a_submit_command_that_starts_steps_keeps_the_job_that_it_is_in(submit_cmd, inside):
    assert starts_steps(submit_cmd) is inside
    present = dict.fromkeys(("SLURM_JOB_ID", "SLURM_NODELIST", "PMI_RANK", "RUNX_LOCK"), "1")
    expected = {"RUNX_LOCK"} if inside else set(present)
    assert set(cleared_to_submit(submit_cmd, present)) == expected


def test_a_submit_command_may_execute_the_run_itself_on_the_devices_that_it_has():
    present = {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "3"}
    assert list(cleared_to_submit("my_submit", present)) == ["SLURM_JOB_ID"]
