"""What runs get of this machine, by RESOURCES, the flags, and what there is."""

import re
import sys

import pytest

from runx.errors import SettingsError
from runx.farms.resources import Licence, Limit, Needs
from runx.local import capacity as module
from runx.local import machine
from runx.local.capacity import Share, Wanted, capacity, unused
from runx.local.machine import cores, memory
from runx.local.options import LocalOptions

AUTO, ONE, TWO = LocalOptions(jobs=0), LocalOptions(), LocalOptions(jobs=2)
GPUS = ("g0", "g1", "g2", "g3")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return the capacity of a machine of 8 cores, 16 GiB and no nvidia-smi, and its remarks."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "cores", lambda: 8)
    monkeypatch.setattr(module, "memory", lambda: 16 * 1024)

    def make(*needs, options=AUTO, **more):
        lines = []
        wanted = Wanted(needs, needs[0], options=options, **more)
        return capacity(wanted, {"RUNX_LEASES": str(tmp_path / "leases")}, lines.append), lines

    return make


def same(count, **needs):
    return [Needs(**needs)] * count


@pytest.mark.parametrize(
    "needs, more, jobs, said",
    [
        (same(20), {}, 8, "-j auto: 8 at a time, on 8 cores, no GPU"),
        (same(20, cpus=3), {}, 2, "-j auto: 2 at a time, on 8 cores, no GPU"),
        (same(20, mem=5 * 1024), {}, 3, "-j auto: 3 at a time, on 8 cores, no GPU"),
        (same(20, mem=0), {}, 1, "-j auto: 1 at a time, on 8 cores, no GPU"),
        (same(20), {"gpus": GPUS}, 4, "-j auto: 4 at a time, on 4 GPUs"),
        (same(20, gpus=2), {"gpus": GPUS}, 2, "-j auto: 2 at a time, on 4 GPUs"),
        (same(20, gpus=2, mem=16 * 1024), {"gpus": GPUS}, 1, "-j auto: 1 at a time, on 4 GPUs"),
        (same(20, gpus=0), {"gpus": GPUS}, 8, "-j auto: 8 at a time, on 8 cores, no GPU"),
        (same(20), {"max_parallel": 3}, 3, "MAX_PARALLEL: 3 at a time"),
        (same(20), {"gpus": GPUS[:1]}, 1, "-j auto: 1 at a time, on 1 GPU"),
    ],
)
def test_auto_is_what_the_machine_has_room_for(plan, needs, more, jobs, said):
    made, lines = plan(*needs, **more)
    assert (made.jobs, lines[-1]) == (jobs, said)


def test_auto_minds_the_limits_of_the_machine(plan):
    limits = {"licences": Limit(5), "mem": Limit(4096, True)}
    need = Needs(licences=(Licence("licences", 2),))
    assert plan(need, need, limits=limits)[0].jobs == 2
    assert plan(Needs(), need, limits=limits)[0].jobs == 2
    assert plan(Needs(mem=1024), Needs(), limits=limits)[0].jobs == 4
    assert plan(Needs(), limits=limits)[0].jobs == 8


@pytest.mark.parametrize("asked, said", [(3, "3: all runs"), (9, "9: all runs")])
def test_more_than_limits_let_all_runs_have_is_refused(plan, asked, said):
    need = Needs(licences=(Licence("licences", asked),))
    with pytest.raises(
        SettingsError, match=f"licences: {said} on this machine may have 2, says /x"
    ):
        plan(need, limits={"licences": Limit(2, origin="/x:1")})


def test_within_a_run_nothing_is_counted(monkeypatch, tmp_path):
    need = Needs(cpus=1)
    environment = {"RUNX_LEASES": str(tmp_path / "leases"), "RUNX_ATTEMPT": "1"}
    made = capacity(Wanted([need], need), environment, lambda line: None)
    assert made.counts.take(made.share(need).counted) == ()
    assert not (tmp_path / "leases").exists()


def test_a_run_gets_as_many_gpus_as_its_resources_say(plan):
    made, _ = plan(Needs(gpus=2), Needs(gpus=1), options=ONE, gpus=GPUS)
    shares = [made.share(Needs(gpus=2)), made.share(Needs(gpus=1, time=60))]
    assert [share[:3] for share in shares] == [Share(2)[:3], Share(1, 60)[:3]]
    leases = [made.devices.lease(share.gpus) for share in shares]
    assert [lease.devices for lease in leases] == [("g0", "g1"), ("g2",)]
    for lease in leases:
        lease.close()


def test_the_flag_outweighs_resources(plan):
    flag = LocalOptions(jobs=0, gpus_per_run=1)
    made, _ = plan(*same(4, gpus=8), options=flag, gpus=GPUS)
    assert made.jobs == 4
    assert made.share(Needs(gpus=8)).gpus is None
    assert plan(*same(4, gpus=8), options=LocalOptions(gpus_per_run=0))[0].jobs == 1


@pytest.mark.parametrize(
    "need, message",
    [
        ({"gpus": 5}, "RESOURCES: gpus: 5: 4 are there; say RESOURCES.gpus=4 or --gpus-per-run 4"),
        ({"cpus": 9}, "RESOURCES: cpus: 9: this machine has 8; RESOURCES.cpus=8 runs it here"),
        ({"mem": 2**15}, "RESOURCES: mem: 32G: this machine has 16G; RESOURCES.mem=16G runs it"),
        ({"nodes": 2}, "RESOURCES: nodes: 2: this machine has 1; RESOURCES.nodes=1 runs it here"),
    ],
)
def test_what_this_machine_lacks_is_refused_with_what_helps(plan, need, message):
    with pytest.raises(SettingsError) as raised:
        plan(Needs(**need), options=ONE, gpus=GPUS)
    assert str(raised.value).startswith(message)


def test_what_one_run_says_for_itself_is_refused_by_that_name(plan):
    with pytest.raises(SettingsError, match=r"SUBMIT_JOB.NODES=1 runs it here$"):
        plan(Needs(), Needs(nodes=2))
    with pytest.raises(SettingsError, match=r"4 are there; say SUBMIT_JOB.GPUS=4 or"):
        plan(Needs(gpus=1), Needs(gpus=9), gpus=GPUS)


def test_runs_that_go_on_together_share_the_cores(plan):
    assert plan(*same(9), options=TWO)[0].threads == 4
    assert plan(*same(9), options=LocalOptions(jobs=20))[0].threads == 1
    assert plan(*same(2), options=LocalOptions(jobs=20))[0].threads == 4
    assert plan(*same(9), options=ONE)[0].threads is None
    assert plan(*same(9), options=TWO, sets_threads=True)[0].share(Needs(cpus=2)).threads is None
    assert plan(*same(9, cpus=3), options=ONE)[0].share(Needs(cpus=3)).threads == 3


def test_words_of_a_site_are_named():
    assert unused([Needs(partition="gpu", gpus=1), Needs(image="x.sif")]) == ["partition", "image"]


@pytest.mark.parametrize(
    "groups, files, most, size",
    [
        ("0::/a/b\n", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}, 1, None),
        ("0::/\n", {"cpu.max": "200000 100000\n", "memory.max": "1073741824\n"}, 2, 1024),
        ("0::/a\n", {"a/cpu.max": "10000 100000", "a/memory.max": "max"}, 1, None),
        ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1"}, None, None),
        (
            "4:cpu,cpuacct:/x\n3:memory:/x\n",
            {
                "cpu/x/cpu.cfs_quota_us": "100000",
                "cpu/x/cpu.cfs_period_us": "100000",
                "memory/x/memory.limit_in_bytes": "2147483648",
            },
            1,
            2048,
        ),
        ("0::/nowhere\n", {}, None, None),
    ],
)
def test_limits_of_cgroups_count(tmp_path, monkeypatch, groups, files, most, size):
    unlimited = (cores(), memory())
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    listed = tmp_path / "cgroup"
    listed.write_text(groups)
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "_OWN_CGROUPS", listed)
    monkeypatch.setattr(sys.modules["os"], "sched_getaffinity", lambda pid: range(64))
    assert cores() == (64 if most is None else most)
    assert memory() == (unlimited[1] if size is None else min(size, unlimited[1]))


SMI = """#!/bin/bash
case $1 in
  --query-gpu=uuid,memory.total) printf '%s\\n' "GPU-a, 81920" "GPU-b, SMALL" ;;
  --query-gpu=index*) printf '%s\\n' "0, GPU-a, 0" "1, GPU-b, 0" ;;
esac
"""


@pytest.mark.parametrize(
    ("small", "visible", "gpu_mem", "problem"),
    [
        ("24564", {}, 22888, ""),
        ("24564", {}, 38147, "gpu_mem: 40G: of this machine's GPUs the smallest has 25.8G"),
        ("24564", {"CUDA_VISIBLE_DEVICES": "0"}, 76294, ""),
        ("[N/A]", {}, 954, "gpu_mem: 1G: of this machine's GPUs nvidia-smi can't tell that"),
        ("", {}, 1, "nvidia-smi can't tell that"),
    ],
)
def test_memory_of_gpus_is_that_of_the_smallest_which_any_run_may_get(
    plan, tmp_path, small, visible, gpu_mem, problem
):
    command = tmp_path / "nvidia-smi"
    command.write_text(SMI.replace("SMALL", small).replace("bin/bash", "bin/bash -p"))
    command.chmod(0o755)
    wanted = Wanted([Needs(gpus=1, gpu_mem=gpu_mem)], options=ONE)
    environment = {"RUNX_LEASES": str(tmp_path / "leases"), **visible}
    if problem:
        with pytest.raises(SettingsError, match=re.escape(problem)):
            capacity(wanted, environment, print)
        return
    assert capacity(wanted, environment, print).jobs == 1


def test_memory_of_gpus_is_no_matter_where_none_are_asked_for_or_nobody_asks(plan):
    assert plan(Needs(gpus=0, gpu_mem=99), options=ONE)[0].jobs == 1
    with pytest.raises(SettingsError, match=r"RESOURCES\.gpu_mem=null runs it here"):
        plan(Needs(gpu_mem=99), options=ONE)


def test_this_machine_is_measured_by_what_this_process_may_use(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    whole = module.measured(GPUS, {})
    assert (whole.gpus, whole.gpu_mem, whole.nodes) == (4, None, 1)
    assert whole.cpus == module.cores() >= 1
    assert whole.mem == module.memory() > 0
    assert module.measured((), {}).gpus == 0
    assert module.measured(GPUS, {"CUDA_VISIBLE_DEVICES": "g1"}).gpus == 1
