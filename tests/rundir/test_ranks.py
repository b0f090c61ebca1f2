import pytest

from runx.rundir.ranks import rank_of, variables_of_ranks


@pytest.mark.parametrize(
    "environment, rank",
    [
        ({}, 0),
        ({"RANK": "1", "WORLD_SIZE": "2"}, 1),
        ({"RANK": "1"}, 0),
        ({"RANK": "1", "WORLD_SIZE": "1"}, 0),
        ({"RANK": "8", "WORLD_SIZE": "2"}, 0),  # LoRA's, inside of some launcher's world.
        ({"RANK": "8", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, 1),
        # A step of one task in a job of several.
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "3"}, 0),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "1", "SLURM_STEP_NUM_TASKS": "3"}, 2),
        # A size of another launcher is none.
        ({"SLURM_PROCID": "1", "WORLD_SIZE": "2"}, 0),
        ({"JSM_NAMESPACE_RANK": "3", "JSM_NAMESPACE_SIZE": "6"}, 3),
        ({"PMI_RANK": "-1", "PMI_SIZE": "2"}, 0),
        ({"RANK": "\u00b2", "WORLD_SIZE": "4"}, 0),
    ],
)
def test_a_rank_counts_beside_a_number_of_ranks_by_the_same_launcher(environment, rank):
    assert rank_of(environment).rank == rank


def test_a_task_of_a_step_is_told_from_its_job():
    step = {"SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_STEP_NUM_TASKS": "3"}
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "3", "SLURM_JOB_NODELIST": "n1", "RANKING": "x"}
    assert set(variables_of_ranks({**step, **job})) == set(step)
    assert not list(variables_of_ranks({**job, "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}))
