"""LOGROOT on a disk of this machine alone is warned of; what nodes may share is not."""

from pathlib import Path

import pytest
from batched import farm_of

from runx.farms.base import Farm
from runx.farms.visibility import unseen_warning

MOUNTS = """\
1 0 0:1 / / rw - ext4 /dev/vda rw
2 1 0:2 / /dev/shm rw - tmpfs tmpfs rw
3 1 0:3 / /scratch rw - lustre mds:/scratch rw
4 1 0:4 / /home rw - nfs4 server:/home rw
5 1 0:5 / /run rw - tmpfs tmpfs rw
6 1 0:6 / /local\\040disk rw - tmpfs tmpfs rw
7 1 0:7 / /work rw - tmpfs tmpfs rw
8 1 0:8 / /work rw - fuse.sshfs server: rw
"""
SLURM = Farm("cluster", type="slurm")


@pytest.mark.parametrize(
    ("logroot", "where"),
    [
        ("/tmp/runs", "as /tmp is"),
        ("/var/tmp/me/runs", "as /var/tmp is"),
        ("/dev/shm/runs", "as /dev/shm (tmpfs) is"),
        ("/run/user/7/runs", "as /run is"),
        ("/local disk/runs", "as /local disk (tmpfs) is"),
    ],
)
def test_what_is_clearly_local_is_warned_of(logroot, where):
    warning = unseen_warning(Path(logroot), SLURM, MOUNTS)
    assert where in warning
    assert "jobs on other nodes of cluster can't see it" in warning


@pytest.mark.parametrize(
    "logroot", ["/scratch/me", "/home/me/runs", "/work/runs", "/data", "/tmpx"]
)
def test_what_nodes_may_share_is_not(logroot):
    assert unseen_warning(Path(logroot), SLURM, MOUNTS) == ""


def test_a_shared_disk_may_be_mounted_at_tmp_and_one_in_memory_below_a_shared_one():
    mounts = (
        f"{MOUNTS}9 1 0:9 / /tmp rw - nfs4 server:/tmp rw\n10 1 0:9 / /home/ram rw - tmpfs t rw"
    )
    assert unseen_warning(Path("/tmp/runs"), SLURM, mounts) == ""
    assert "/home/ram (tmpfs)" in unseen_warning(Path("/home/ram/runs"), SLURM, mounts)


@pytest.mark.parametrize("type", ["kubernetes", "ngc", "command"])
def test_a_farm_that_mounts_it_from_elsewhere_or_may_be_this_machine_is_not(type):
    assert unseen_warning(Path("/tmp/runs"), farm_of(type), MOUNTS) == ""


def test_what_this_machine_mounts_is_read():
    assert "on this machine alone" in unseen_warning(Path("/dev/shm/x"), SLURM)
