"""The user's own file and the machine's: what they set, and LIMITS, which stands there alone."""

import pytest

from runx import home
from runx.config import every_source, sources
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError
from runx.farms.resources import Limit
from runx.tracking import logroot


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Return a function that loads an experiment, given the text of each file."""
    (tmp_path / "config").mkdir()
    machine = tmp_path / "etc.yml"
    for module in (home, sources, every_source, logroot):
        monkeypatch.setattr(module, "MACHINE_FILE", machine)

    def make(user="", machines="", own="", project="", overrides=(), **more):
        (tmp_path / "config" / "runx.yml").write_text(user)
        machine.write_text(machines)
        (tmp_path / ".runx").write_text(project)
        (tmp_path / "a.yml").write_text(f"CMD: x\nHPARAMS: {{}}\n{own}")
        environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), **more.pop("variables", {})}
        return load(Request(tmp_path / "a.yml", tmp_path, environment, overrides=overrides, **more))

    return make


def test_the_machines_file_is_the_weakest_and_holds_any_setting(host, tmp_path):
    machines = "LOGROOT: /all\nFARM: big\nbig: {TYPE: slurm, RESOURCES: {gpus: 2}}\n"
    loaded = host(machines=machines)
    assert str(loaded.logroot) == "/all"
    assert loaded.farm.type == "slurm"
    assert loaded.settings["LOGROOT"].origin == f"{tmp_path}/etc.yml:1"
    assert str(host("LOGROOT: /mine", machines).logroot) == "/mine"
    (tmp_path / "config" / "runx.yml").unlink()
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert str(logroot.logroot(tmp_path / "none", environment)) == "/all"


def test_limits_are_merged_key_by_key_and_the_users_own_count(host, tmp_path):
    loaded = host("LIMITS: {GPU: 1, mem: 2}", "LIMITS: {mem: 64G, my@licence.x: 3, scratch: 1.5T}")
    assert {name: limit[:2] for name, limit in loaded.limits.items()} == {
        "gpus": (1, False),
        "mem": (2048, True),
        "my@licence.x": (3, False),
        "scratch": (3 << 19, True),
    }
    assert loaded.limits["scratch"] == Limit(3 << 19, True, f"{tmp_path}/etc.yml:1")
    assert host("LIMITS: {mem: }\n").limits == host("LIMITS:\n").limits == {}


@pytest.mark.parametrize(
    "files, where",
    [
        ({"own": "LIMITS: {mem: 1}\n"}, "a.yml:3"),
        ({"project": "LIMITS: {mem: 1}\n"}, ".runx:1"),
        ({"project": "slurm: {TYPE: slurm, LIMITS: {mem: 1}}\n"}, ".runx:1"),
        ({"user": "slurm: {TYPE: slurm, LIMITS: {mem: 1}}\n"}, "config/runx.yml:1"),
        ({"overrides": ("LIMITS.mem=1",)}, "LIMITS.mem=1 on the command line"),
    ],
)
def test_limits_stand_in_the_files_of_a_machine_alone(host, files, where):
    with pytest.raises(SettingsError) as raised:
        host(**files)
    assert f"{where}: LIMITS is about a machine" in str(raised.value)
    assert "~/.config/runx.yml" in str(raised.value)


def test_limits_are_no_variable(host):
    with pytest.raises(SettingsError, match="LIMITS stands in files alone"):
        host(variables={"RUNX_LIMITS": "{mem: 1}"})


@pytest.mark.parametrize(
    "text, message",
    [
        ("3", "LIMITS must be a mapping, as"),
        ("[mem]", "LIMITS must be a mapping"),
        ("{mem: [1]}", "LIMITS.mem must be one value"),
        ("{mem: {a: 1}}", "LIMITS.mem must be one value"),
        ("{mem: lots}", "LIMITS: mem must be a size, as 40G or 512M, not 'lots'"),
        ("{mem: -1}", "LIMITS: mem must be a size"),
        ("{mem: .nan}", "LIMITS: mem must be a size"),
        ("{licences: 1.5}", "LIMITS: licences must be a whole number, or a size, as 40G"),
        ("{licences: true}", "LIMITS: licences must be a whole number"),
        ("{licences: -1}", "LIMITS: licences must be a whole number"),
        ("{licences: 9999999999}", "LIMITS: licences must be a whole number"),
        ("{cpus: 8G}", "LIMITS: cpus must be a whole number, not '8G'"),
        ("{gpus: 'a100:2'}", "LIMITS: gpus must be a whole number"),
        ("{gpuss: 2}", "LIMITS: unknown key gpuss; did you mean gpus?"),
        ("{time: 2h}", "LIMITS: time can't be counted; name one of gpus, cpus, mem, or another"),
        ("{partition: 2}", "LIMITS: partition can't be counted"),
        ("{../../etc/x: 2}", "can't be counted"),
        ("{'': 2}", "a key is empty"),
        ("{'a b': 2}", "can't be counted"),
        ("{'a:1,b': 2}", "can't be counted"),
        ("{é: 2}", "can't be counted"),
        ("{'--x': 2}", "can't be counted"),
        (f"{{{'a' * 101}: 2}}", "can't be counted"),
    ],
)
def test_limits_that_make_no_sense_are_refused_where_they_stand(host, text, message):
    with pytest.raises(SettingsError) as raised:
        host(f"\nLIMITS: {text}\n")
    assert message in str(raised.value)
    assert "config/runx.yml:2" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text, value", [("-10", -10), ("10", 10), ("+3", 3), ("", 0), ("0", 0)])
def test_priority_is_from_minus_ten_to_ten(host, text, value):
    assert host(own=f"PRIORITY: {text}\n").priority == value
    assert host(variables={"RUNX_PRIORITY": text}).priority == value


@pytest.mark.parametrize("text", ["11", "-11", "1.5", "high", "[1]", "{a: 1}", "true", "1e1", "٣"])
def test_another_priority_is_refused(host, text):
    with pytest.raises(
        SettingsError, match=r"a.yml:3: PRIORITY must be a whole number from -10 to"
    ):
        host(own=f"PRIORITY: {text}\n")


def test_the_priority_of_a_farm_is_that_of_its_jobs_and_the_command_line_outweighs_it(host):
    project = "FARM: slurm\nPRIORITY: 1\nslurm: {PRIORITY: 2}\nsge: {PRIORITY: -4}\n"
    assert host(project=project).farm.priority == 2
    assert host(project=project, overrides=("FARM=sge",)).farm.priority == -4
    assert host(project=project, overrides=("PRIORITY=3",)).farm.priority == 3
    assert host(project=project, here=True).priority == 1
