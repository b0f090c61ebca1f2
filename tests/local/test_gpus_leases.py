import os
import subprocess
import sys
import tempfile

import pytest

from runx.local.gpus import devices, leases_folder

ROOT = os.geteuid() == 0


@pytest.fixture
def environment(tmp_path):
    return {"RUNX_LEASES": str(tmp_path / "leases")}


def test_a_device_is_given_out_once_until_it_comes_back(environment):
    found, _ = devices(["g0", "g1"], None, environment)
    first, second = found.lease(), found.lease()
    assert (first.devices, second.devices) == (("g0",), ("g1",))
    assert first.environment == dict.fromkeys(["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"], "g0")
    assert found.lease() is None
    first.close()
    third = found.lease()
    assert third.devices == ("g0",)
    second.close()
    third.close()


def test_a_run_gets_all_that_it_needs_or_nothing(environment):
    found, room = devices(["g0", "g1", "g2"], 2, environment)
    assert room == 1
    lease = found.lease()
    assert found.lease() is None
    other = devices(["g0", "g1", "g2"], 1, environment)[0].lease()
    assert other.devices == ("g2",)
    lease.close()
    other.close()


def test_a_lease_is_held_by_a_run_that_outlives_its_launcher(environment):
    found, _ = devices(["g0"], None, environment)
    lease = found.lease()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=lease.locks)
    lease.close()
    assert found.lease() is None
    child.communicate(b"\n")
    again = found.lease()
    assert again is not None
    again.close()


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_users_share_the_leases_of_a_machine():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        environment = {"RUNX_LEASES": f"{folder}/leases"}
        old = os.umask(0o077)
        try:
            lease = devices(["g0"], None, environment)[0].lease()
        finally:
            os.umask(old)
        assert as_nobody(lambda: devices(["g0", "g1"], None, environment)[0].lease().devices) == (
            "('g1',)"
        )
        lease.close()
        assert leases_folder(environment).stat().st_mode & 0o7777 == 0o1777


def as_nobody(work):
    """Do something as another user, in a process of its own; give what it came to."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            os.write(write, str(work()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told
