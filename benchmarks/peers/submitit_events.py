"""submitit's side of benchmarks/events.py: ``submit FOLDER KEY=VALUE``, ``state FOLDER ID``."""

import os
import sys

import submitit


class Training(submitit.helpers.Checkpointable):
    """The training that runx runs, too; submitit requeues it after a warning of Slurm's."""

    def __call__(self, folder, steps):
        """Train in a folder, from its last checkpoint."""
        sys.path.insert(0, os.environ["PROJECT"])
        import train

        train.train(folder, steps)


def submit(folder, steps, *options):
    """Submit a training for each folder that ``COUNT`` asks for, and print the ids of the jobs."""
    given = dict(option.split("=", 1) for option in options)
    executor = submitit.AutoExecutor(folder=f"{folder}/submitit", slurm_max_num_timeout=5)
    executor.update_parameters(
        timeout_min=int(given.pop("time", "10")),
        slurm_signal_delay_s=int(given.pop("warning", "120")),
        slurm_additional_parameters={"mem": "500M", **given},
    )
    folders = [f"{folder}/{number}" for number in range(int(os.environ.get("COUNT", "1")))]
    for each in folders:
        os.makedirs(each, exist_ok=True)
    jobs = executor.map_array(Training(), folders, [int(steps)] * len(folders))
    print(*[job.job_id for job in jobs])


def state(folder, job_id):
    """Print the state that submitit gives of a job, and the error that its result raises."""
    job = submitit.SlurmJob(f"{folder}/submitit", job_id)
    told = job.watcher.get_state(job_id, mode="force")
    if job.done(force_check=True) and (error := job.exception()) is not None:
        told += f" ({type(error).__name__})"
    print(told)


{"submit": submit, "state": state}[sys.argv[1]](*sys.argv[2:])
