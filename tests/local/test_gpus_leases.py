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
    source, _ = devices(["g0", "g1"], None, environment)
    first, second = source.lease(), source.lease()
    assert (first.devices, second.devices) == (("g0",), ("g1",))
    assert first.environment == dict.fromkeys(["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"], "g0")
    assert source.lease() is None
    first.close()
    third = source.lease()
    assert third.devices == ("g0",)
    second.close()
    third.close()


def test_a_run_gets_all_that_it_needs_or_nothing(environment):
    source, room = devices(["g0", "g1", "g2"], 2, environment)
    assert room == 1
    lease = source.lease()
    assert source.lease() is None
    other = devices(["g0", "g1", "g2"], 1, environment)[0].lease()
    assert other.devices == ("g2",)
    lease.close()
    other.close()


def test_a_lease_is_held_by_a_run_that_outlives_its_launcher(environment):
    source, _ = devices(["g0"], None, environment)
    lease = source.lease()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=lease.locks)
    lease.close()
    assert source.lease() is None
    child.communicate(b"\n")
    lease = source.lease()
    assert lease is not None
    lease.close()


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
    """Call a function as another user, in a process of its own, and return its result as text."""
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
    with os.fdopen(read) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result
