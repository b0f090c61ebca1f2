import pytest

from runx.errors import SettingsError
from runx.local.gpus import Gpus, NoDevices, devices, list_gpus, visible_names


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A machine without nvidia-smi, and leases of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return {"RUNX_LEASES": str(tmp_path / "leases")}


def nvidia_smi(folder, monkeypatch, output, status=0):
    """Put a stand-in for nvidia-smi on PATH, with this output."""
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\nprintf '{output}'\nexit {status}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


TWO = r"0, GPU-aa, 3\n1, GPU-bb, 40960\n"


def test_more_than_there_are_is_a_mistake(environment):
    with pytest.raises(SettingsError, match="--gpus-per-run 3: 2 are there"):
        devices(["g0", "g1"], 3, environment)
    with pytest.raises(SettingsError, match="none is found; GPUS in"):
        devices([], 1, environment)


def test_without_gpus_runs_share_the_machine(environment):
    source, room = devices([], None, environment)
    assert isinstance(source, NoDevices)
    assert room == 0
    assert source.lease().environment == {}


def test_a_broken_nvidia_smi_is_an_error(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, r"NVIDIA-SMI has failed\n", status=9)
    with pytest.raises(SettingsError, match="nvidia-smi: NVIDIA-SMI has failed; name the GPUs"):
        devices([], None, environment)


def test_gpus_are_named_by_uuid_and_those_that_others_use_left_out(
    tmp_path, monkeypatch, environment
):
    nvidia_smi(tmp_path, monkeypatch, TWO)
    source, room = devices([], None, environment)
    assert room == 2
    lease = source.lease()
    assert lease.environment == {"CUDA_VISIBLE_DEVICES": "GPU-aa"}
    assert source.lease() is None
    lease.close()


def test_a_gpu_of_unknown_memory_is_not_busy(tmp_path, monkeypatch):
    nvidia_smi(tmp_path, monkeypatch, r"0, GPU-aa, [N/A]\n")
    assert [gpu.used for gpu in list_gpus()] == [0]


def test_only_what_a_person_is_allowed_is_given(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, TWO)
    assert devices([], None, {**environment, "CUDA_VISIBLE_DEVICES": "0"})[1] == 1
    assert devices([], None, {**environment, "CUDA_VISIBLE_DEVICES": ""})[1] == 0
    assert visible_names(["g0", "g1"], {"CUDA_VISIBLE_DEVICES": "g1"}) == ["g1"]
    assert visible_names(["g0", "g1", "g0"], {}) == ["g0", "g1"]


def test_runs_that_go_one_after_another_keep_what_there_is(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, TWO)
    assert isinstance(devices([], None, environment, alone=True)[0], NoDevices)
    assert isinstance(devices(["g0"], None, environment, alone=True)[0], Gpus)
    assert isinstance(devices([], 1, environment, alone=True)[0], Gpus)
    assert isinstance(devices(["g0"], 0, environment)[0], NoDevices)
