import pytest

from runx.errors import SettingsError
from runx.local.gpus import Gpus, NoDevices, devices, usable, visible_names


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A machine without nvidia-smi, and leases of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return {"RUNX_LEASES": str(tmp_path / "leases")}


def nvidia_smi(folder, monkeypatch, output, status=0, listed=""):
    """Put a stand-in for nvidia-smi on PATH, with this output, and that of -L."""
    command = folder / "nvidia-smi"
    command.write_text(
        f"#!/bin/sh\n[ \"$1\" = -L ] && printf '{listed}' && exit\nprintf '{output}'\n"
        f"exit {status}\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


TWO = r"0, GPU-aa, 3\n1, GPU-bb, 40960\n"


def test_more_than_there_are_is_a_mistake(environment):
    with pytest.raises(SettingsError, match="--gpus-per-run 3: 2 are there"):
        devices(["g0", "g1"], 3, environment)
    with pytest.raises(SettingsError, match=r"none is found; GPUS in .runx names them$"):
        devices([], 1, environment)


def test_without_gpus_runs_share_the_machine(environment):
    source, room = devices([], None, environment)
    assert isinstance(source, NoDevices)
    assert room == 0
    assert source.lease().environment == {}


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


def test_only_what_a_person_is_allowed_is_given(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, TWO)
    assert devices([], None, {**environment, "CUDA_VISIBLE_DEVICES": "0"})[1] == 1
    assert devices([], None, {**environment, "CUDA_VISIBLE_DEVICES": ""})[1] == 0
    assert visible_names(["g0", "g1"], {"CUDA_VISIBLE_DEVICES": "g1"}) == ["g1"]
    assert visible_names(["g0", "g1", "g0"], {}) == ["g0", "g1"]


def test_runs_that_go_one_after_another_keep_what_there_is(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, TWO)
    assert isinstance(devices([], None, environment, alone=True)[0], NoDevices)
    assert isinstance(devices(["g0"], None, environment, alone=True)[0], NoDevices)
    assert isinstance(devices([], 1, environment, alone=True)[0], Gpus)
    assert isinstance(devices(["g0"], 0, environment)[0], NoDevices)


def test_a_run_may_get_another_number_than_the_others(environment):
    source, _ = devices(["g0", "g1", "g2"], 2, environment)
    one, none = source.lease(1), source.lease(0)
    assert (one.devices, none.devices, none.environment) == (("g0",), (), {})
    two = source.lease(2)
    assert two.devices == ("g1", "g2")
    assert source.lease(1) is None
    one.close()
    two.close()


MIG = r"GPU 0: A100 (UUID: GPU-aa)\n  MIG 1g.5gb  Device  0: (UUID: MIG-c)\n\
  MIG 1g.5gb  Device  1: (UUID: MIG-d)\nGPU 1: A100 (UUID: GPU-bb)\n"


def test_mig_slices_are_leased_one_to_a_run(tmp_path, monkeypatch, environment):
    nvidia_smi(tmp_path, monkeypatch, TWO.replace("40960", "0"), listed=MIG)
    source, room = devices([], None, environment)
    assert (source.names, room) == (["MIG-c", "MIG-d", "GPU-bb"], 3)
    leases = [source.lease() for _ in range(3)]
    assert [lease.environment["CUDA_VISIBLE_DEVICES"] for lease in leases] == source.names
    for lease in leases:
        lease.close()
    chosen = {**environment, "CUDA_VISIBLE_DEVICES": "MIG-d"}
    assert devices([], None, chosen)[0].names == ["MIG-d"]
    assert devices([], None, {**environment, "CUDA_VISIBLE_DEVICES": "0"})[0].names == ["MIG-c"]
    with pytest.raises(SettingsError, match="1 is there, and a process sees but one MIG slice"):
        devices([], 2, environment)
    assert usable(["MIG-c"], 1) == ["MIG-c"]
