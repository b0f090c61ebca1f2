"""The one table of settings: what goes by it, and that the documents say the same."""

import json
import re
from pathlib import Path

import pytest
from project import Project

from runx.config.keys import KEYS
from runx.config.load import load
from runx.config.request import Request
from runx.config.sources import entry_of, from_environment
from runx.errors import SettingsError
from runx.sweeps.yaml import parse_value

IN_FILES = ("file", "host")
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.default is not None])
def test_a_default_is_what_its_kind_reads_of_its_text(name):
    key = KEYS[name]
    entry = entry_of(parse_value(key.default_text, "x"), "x", Path("/project"))
    value = key.value(name, None, Path("/project"), {})
    assert value == key.kind.decode(name, entry, {})


# RUNX_SEARCH is what run.sh tells a run of a search.
ALONE = [name for name, key in KEYS.items() if key.scope in IN_FILES and name != "SEARCH"]


@pytest.mark.parametrize("name", ALONE)
def test_what_stands_in_files_alone_is_refused_of_the_environment(name):
    with pytest.raises(SettingsError, match=f"RUNX_{name} .*; {name} stands in files alone"):
        from_environment({f"RUNX_{name}": "x"}, Path())


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.scope not in IN_FILES])
def test_any_other_may_be_a_variable(name):
    assert list(from_environment({f"RUNX_{name}": "x"}, Path()).entries) == [name]


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.scope == "farm"])
def test_what_only_some_farms_read_reaches_the_farm(name, tmp_path):
    (tmp_path / "a.yml").write_text(f"CMD: x\nHPARAMS: {{}}\nFARM: slurm\n{name}: here\n")
    experiment = load(Request(tmp_path / "a.yml", tmp_path, {"HOME": "/none"}))
    assert experiment.farm.options == {name: "here"}


def test_the_documents_name_what_stands_in_files_alone():
    text = " ".join((DOCS / "runx-file.md").read_text().split())
    [listed] = re.findall(r"so for every key but (.*?);", text)
    assert re.findall(r"`(\w+)`", listed) == [
        name for name, key in KEYS.items() if key.scope in IN_FILES
    ]


def test_config_shows_every_key_and_its_default(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("sweep.yml", "CMD: x\nHPARAMS: {}\n")
    shown = json.loads(project.runx("config", "sweep.yml", "--json").stdout)
    assert list(shown) == list(KEYS)
    defaults = {name: item["value"] for name, item in shown.items() if item["from"] == "default"}
    assert defaults == {
        name: key.default_text for name, key in KEYS.items() if key.default is not None
    }


def test_every_key_is_completed(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("sweep.yml", "CMD: x\nHPARAMS: {lr: 1}\n")
    typed = {"_RUNX_COMPLETE": "bash_complete", "COMP_WORDS": "runx sweep.yml ", "COMP_CWORD": "2"}
    words = project.runx(**typed).stdout.split()
    assert [word.partition(",")[2] for word in words] == ["lr=", *(f"{name}=" for name in KEYS)]
