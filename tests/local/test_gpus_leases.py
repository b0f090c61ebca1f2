import os
import subprocess
import sys
import tempfile

import pytest

from runx.local.gpus import devices
from runx.local.leases import Leases

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


def test_a_device_comes_back_with_the_end_of_its_run_whoever_has_inherited_its_lock(environment):
    source, _ = devices(["g0"], None, environment)
    lease = source.lease()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=lease.locks)
    lease.close()
    again = source.lease()
    assert again.devices == ("g0",)
    child.communicate(b"\n")
    again.close()


def test_a_lease_is_held_by_a_run_that_outlives_its_launcher(environment):
    source, _ = devices(["g0"], None, environment)
    lease = source.lease()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=lease.locks)
    for lock in lease.locks:
        os.close(lock)
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
        assert os.stat(f"{folder}/leases").st_mode & 0o7777 == 0o1777


def nobodys(path, kind):
    """Make something of another user's."""
    if kind == "link":
        path.symlink_to(path.parent / "victim")
        os.lchown(path, 65534, 65534)
        return
    if kind == "file":
        path.write_text("x" * 100)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    path.chmod({"closed": 0o700, "open": 0o777, "sticky": 0o1777}.get(kind, 0o666))
    os.chown(path, 65534, 65534)


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
@pytest.mark.parametrize("kind", ["link", "file", "pipe", "open"])
def test_what_another_user_puts_in_place_of_the_folder_is_passed_by(tmp_path, kind):
    victim, folder = tmp_path / "victim", tmp_path / "leases"
    victim.mkdir(mode=0o700)
    nobodys(folder, kind)
    before = os.lstat(folder).st_mode
    lines = []
    leases = Leases({"RUNX_LEASES": str(folder)}, lines.append)
    lock = leases.lock("g0")
    assert leases.path == f"{folder}-0"
    [line] = lines
    assert line.startswith(f"{folder}: not used, it is not a folder that users can share safely;")
    assert line.endswith(f"leased in {folder}-0, which launches of other users don't see")
    assert Leases({"RUNX_LEASES": str(folder)}, lines.append).lock("g0") is None
    os.close(lock)
    assert victim.stat().st_mode & 0o7777 == 0o700
    assert not list(victim.iterdir())
    assert os.lstat(folder).st_mode == before


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_another_users_folder_is_shared_if_nobody_else_can_remove_locks(tmp_path):
    nobodys(tmp_path / "leases", "sticky")
    leases = Leases({"RUNX_LEASES": str(tmp_path / "leases")}, pytest.fail)
    lock = leases.lock("g0")
    assert os.stat(tmp_path / "leases" / "gpu-g0.lock").st_mode & 0o7777 == 0o666
    os.close(lock)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_lock_that_is_no_plain_file_is_passed_by(tmp_path, kind):
    folder = tmp_path / "leases"
    folder.mkdir()
    victim, lock = tmp_path / "victim", folder / "gpu-g0.lock"
    victim.write_text("mine")
    victim.chmod(0o600)
    {
        "link": lambda: lock.symlink_to(victim),
        "pipe": lambda: os.mkfifo(lock),
        "folder": lock.mkdir,
    }[kind]()
    lines = []
    leases = Leases({"RUNX_LEASES": str(folder)}, lines.append)
    os.close(leases.lock("g0"))
    assert leases.path == f"{folder}-{os.geteuid()}"
    assert len(lines) == 1
    assert (victim.read_text(), victim.stat().st_mode & 0o777) == ("mine", 0o600)


def test_where_nothing_can_be_trusted_each_launch_has_a_folder_of_its_own(tmp_path):
    folder = tmp_path / "leases"
    folder.symlink_to(tmp_path)
    (tmp_path / f"leases-{os.geteuid()}").symlink_to(tmp_path)
    lines = []
    leases = Leases({"RUNX_LEASES": str(folder)}, lines.append)
    os.close(leases.lock("g0"))
    assert os.path.basename(leases.path).startswith("runx-leases-")
    assert os.stat(leases.path).st_mode & 0o777 == 0o700


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
