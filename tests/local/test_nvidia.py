"""nvidia-smi, as it answers where something is wrong: nothing fails of it, and it is said."""

import sys
import time

import pytest

from runx.errors import SettingsError
from runx.local.gpus import NoDevices, devices
from runx.local.nvidia import BusyGpus, list_gpus


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Put a stand-in for nvidia-smi on PATH, with this text."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    def make(text):
        command = tmp_path / "nvidia-smi"
        command.write_text(text)
        command.chmod(0o755)
        return {"RUNX_LEASES": str(tmp_path / "leases")}

    return make


def answering(output, status=0):
    return f"#!/bin/sh\n[ \"$1\" = -L ] && exit\ncat <<'END'\n{output}\nEND\nexit {status}\n"


LOST = "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system"


@pytest.mark.parametrize(
    "output, status, problem",
    [
        ("No devices were found", 0, "nvidia-smi: No devices were found"),
        ("No devices were found", 6, "nvidia-smi: No devices were found"),
        (LOST, 15, f"nvidia-smi: {LOST}"),
        ("Failed to initialize NVML: Driver/library version mismatch", 18, "nvidia-smi: Failed to"),
        ("NVIDIA-SMI has failed because it couldn't communicate", 9, "nvidia-smi: NVIDIA-SMI has"),
        ('Field "memory.used" is not a valid field to query.', 2, "nvidia-smi: Field"),
        ("\x00\x1b[31m, , ,", 0, "nvidia-smi: "),
        ("0, GPU-aa", 0, "nvidia-smi: 0, GPU-aa"),
        ("x" * 100_000, 1, "nvidia-smi: xxx"),
    ],
)
def test_what_it_says_is_no_gpu_and_no_failure(nvidia_smi, output, status, problem):
    environment = nvidia_smi(answering(output, status))
    gpus, told = list_gpus()
    assert not gpus
    assert told.startswith(problem) and len(told) < 300
    lines = []
    source, room = devices([], None, environment, say=lines.append)
    assert isinstance(source, NoDevices) and room == 0
    assert lines == [f"note: {told}; no GPU is used"]
    with pytest.raises(
        SettingsError, match=r"^--gpus-per-run 1: nvidia-smi: .*GPUS in .runx names"
    ):
        devices([], 1, environment)


def test_the_gpus_beside_a_lost_one_are_used(nvidia_smi):
    environment = nvidia_smi(answering(f"0, GPU-aa, 3\n{LOST}\n2, GPU-cc, 4", 15))
    lines = []
    source, room = devices([], None, environment, say=lines.append)
    assert (source.names, room) == (["GPU-aa", "GPU-cc"], 2)
    assert lines == [f"note: nvidia-smi: {LOST}; only other GPUs are used"]


@pytest.mark.parametrize("text", ["#!/no/such/shell\n", "", "\x7fELF"])
def test_one_that_cannot_be_started_is_no_failure(nvidia_smi, text):
    nvidia_smi(text)
    assert list_gpus().gpus == ()


def test_one_that_hangs_is_not_waited_for(nvidia_smi, monkeypatch):
    nvidia_smi("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(sys.modules[list_gpus.__module__], "_TIMEOUT", 0.2)
    begin = time.monotonic()
    assert list_gpus() == ((), "nvidia-smi: no end within 0.2 s; ended")
    assert time.monotonic() - begin < 30


def test_a_gpu_of_unknown_memory_is_not_busy(nvidia_smi):
    nvidia_smi(answering("0, GPU-aa, [N/A]"))
    assert [gpu.used for gpu in list_gpus().gpus] == [0]


def test_a_failure_in_the_middle_leaves_what_was_known(nvidia_smi):
    nvidia_smi(answering("0, GPU-aa, 3\n1, GPU-bb, 40960"))
    busy = BusyGpus()
    assert list(busy()) == ["GPU-bb"]
    nvidia_smi(answering(LOST, 15))
    busy.fresh_until = 0.0
    assert list(busy()) == ["GPU-bb"]
