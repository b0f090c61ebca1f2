"""Who holds a GPU: by the kernel's lock, and what the lease says, which nobody has to trust."""

import json
import os

import pytest

from runx.local.gpus import devices
from runx.local.holders import gpus_held
from runx.local.leases import Leases
from runx.local.nvidia import Gpu, Listing, list_gpus

TWO = Listing((Gpu("0", "GPU-a", 0), Gpu("1", "GPU-b", 9000)))
SAID = {"run": "/logs/sweep/owl", "experiment": "sweep", "user": "me", "pid": 7, "since": 5.5}


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    return {"RUNX_LEASES": str(tmp_path / "leases")}


def leased(environment, name="GPU-a"):
    return devices([name], None, environment)[0].lease()


def test_a_lease_says_which_run_has_it_as_long_as_it_is_held(environment):
    lease = leased(environment)
    lease.say_holder(SAID)
    held, used = gpus_held(TWO, environment)
    assert held.json() == {"gpu": "0", "name": "GPU-a", "state": "held", **SAID}
    assert (used.state, used.user, used.pid) == ("used", "", None)
    lease.close()
    assert next(gpus_held(TWO, environment)).state == "free"


def test_a_later_holder_replaces_what_an_earlier_one_said(environment):
    first = leased(environment)
    first.say_holder({**SAID, "run": "/logs/" + "long" * 500})
    first.close()
    second = leased(environment)
    second.say_holder(SAID)
    assert next(gpus_held(TWO, environment)).run == "/logs/sweep/owl"
    second.close()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b'"text"',
        b"{" * 20_000,
        b'{"run": 5, "pid": "x", "since": true, "user": null}',
        b'{"user": "\\u001b[31m"' + b" " * 20_000 + b"}",
    ],
)
def test_odd_text_of_a_lease_is_as_good_as_none(environment, text):
    lease = leased(environment)
    os.pwrite(lease.locks[0], text, 0)
    held = next(gpus_held(TWO, environment))
    assert held == ("0", "GPU-a", "held", "", "", "", None, None)
    lease.close()


def test_what_people_would_see_has_no_control_characters(environment):
    lease = leased(environment)
    lease.say_holder({**SAID, "user": "\x1b[31mred\n"})
    assert next(gpus_held(TWO, environment)).user == "[31mred"
    lease.close()


def test_a_pipe_in_the_place_of_a_lease_is_not_waited_for(environment, tmp_path):
    (tmp_path / "leases").mkdir()
    os.mkfifo(tmp_path / "leases" / "gpu-GPU-a.lock")
    assert Leases(environment, print).text("GPU-a") == {}


def test_devices_that_only_the_setting_names_are_shown_while_they_are_held(environment):
    lease = leased(environment, "7")
    lease.say_holder(SAID)
    [held] = gpus_held(Listing(), environment)
    assert (held.gpu, held.name, held.run) == ("", "7", "/logs/sweep/owl")
    lease.close()
    assert list(gpus_held(Listing(), environment)) == []


def test_looking_makes_nothing(environment, tmp_path):
    list(gpus_held(TWO, environment))
    assert not (tmp_path / "leases").exists()


SMI = f"""#!/bin/sh
case "$*" in
  *compute-apps*) echo "GPU-11111111-aaaa, {os.getpid()}" ;;
  *memory.used*) echo "0, GPU-11111111-aaaa, 40000"; echo "1, GPU-22222222-bbbb, 12" ;;
  -L) cat <<'END'
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-aaaa)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-22222222-bbbb)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 3g.20gb     Device  1: (UUID: MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135)
END
esac
"""


def test_slices_stand_alone_and_other_processes_are_named_with_their_user(environment, tmp_path):
    command = tmp_path / "nvidia-smi"
    command.write_text(SMI)
    command.chmod(0o755)
    os.symlink("/bin/cat", tmp_path / "cat")
    shown = [each.json() for each in gpus_held(list_gpus(with_slices=True), environment)]
    whole, *slices = shown
    assert whole["state"] == "used" and whole["pid"] == os.getpid()
    assert whole["user"] and abs(os.stat("/proc/self").st_ctime - whole["since"]) < 86400
    assert [each["gpu"] for each in slices] == ["1", "1"]
    assert all(each["name"].startswith("MIG-") and each["state"] == "free" for each in slices)
    json.dumps(shown)
