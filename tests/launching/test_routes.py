"""Where runs go, by what they need and farms have, and what RESOURCES computes for each attempt."""

import json
import os
import re
from datetime import datetime

import pytest
from project import Project

from runx.api.experiment import SweepPlan
from runx.config.load import load
from runx.config.request import Request
from runx.errors import RunxError, SettingsError, SweepError
from runx.farms.resources import Needs
from runx.launching import routes as module
from runx.launching.plan import PlannedAttempt, resources_of
from runx.launching.routes import routes

CMD = "CMD: python train.py\n"
ONE = f"{CMD}HPARAMS: {{lr: 1}}\n"
WIDTHS = f"{CMD}HPARAMS: {{width: [256, 512, 1024]}}\n"
FARMS = """\
FARM: auto
local: {CAPACITY: {gpus: 0, cpus: 4, mem: 8G}}
small: {TYPE: slurm, CAPACITY: {gpus: 1, gpu_mem: 24G, cpus: 16, time: 6h}}
big: {TYPE: lsf, CAPACITY: {gpus: 8, gpu_mem: 80G, cpus: 64}}
"""


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path / "project", installed)


def loaded(folder, sweep, runx="", *overrides, **more):
    (folder / "sweep.yml").write_text(sweep)
    (folder / ".runx").write_text(runx)
    environment = {"HOME": "/none", "PATH": os.environ["PATH"], "SCALE": "3"}
    return load(Request(folder / "sweep.yml", folder, environment, overrides=overrides, **more))


def routed(experiment, attempt=1, say=lambda line: None):
    """Return for each run where it goes and what it asks for there."""
    attempts = [PlannedAttempt(run, attempt) for run in SweepPlan.of(experiment).runs()]
    return [
        (
            route.experiment.place,
            {each.name: each.text for each in resources_of(route.experiment, run)},
        )
        for route in routes(experiment, attempts, say)
        for run in route.runs
    ]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            "'cuda*9 | duration=4d & cuda*8 & cpu(cores=65)'",
            (
                r"sweep.yml:3: RESOURCES: no farm has .*: local lacks gpus .9 needed, 0 there.;.*;"
                r" small lacks .*; or gpus .8 needed, 1 there., .*, time .4 d needed, 6 h there.;"
            ),
        ),
        ("{gpus: 8, gpu_mem: 141G}", r"big lacks gpu_mem \(141G needed, 80G there\)"),
        ("{mem: '{{ 8 * attemp }}G'}", "sweep.yml:3: RESOURCES.mem: .* attemp is unknown: did you"),
        ("{mem: '{{ 8 G'}", "sweep.yml:3: RESOURCES.mem: .*{{ is never closed"),
        ("{mem: '{{ 1 / 0 }}G'}", "sweep.yml:3: RESOURCES.mem: .*division by zero"),
        ("{mem: '{{ lr }}Q'}", "RESOURCES: mem must be a size, as 40G or 512M, not '1Q'"),
        ("{gpus: '{{ 1 / 2 }}'}", "RESOURCES: gpus must be a whole number, not '0.5'"),
        ("[{gpus: 1}, {time: 3}]", "RESOURCES: time must be as 2h"),
        ("{env: '{{ env.NOBODY }}'}", "NOBODY is not set in the environment"),
    ],
)
def test_what_no_farm_has_or_nobody_can_compute_is_refused_when_planned(
    tmp_path, resources, message
):
    experiment = loaded(tmp_path, f"{ONE}RESOURCES: {resources}\n", FARMS)
    with pytest.raises((SettingsError, SweepError), match=message):
        routed(experiment)


def test_the_first_farm_that_fits_has_it_one_alternative_after_the_other(tmp_path):
    text = "duration=3h & cuda(mem=4G)*1 & cpu(cores=2) | duration=5h & cpu(cores=16)"
    lines = []
    experiment = loaded(tmp_path, f"{ONE}RESOURCES: {text!r}\n", FARMS)
    asked = {"time": "3h", "gpu_mem": "4G", "gpus": "1", "cpus": "2"}
    assert routed(experiment, say=lines.append) == [("small", asked)]
    assert lines == [
        "1 run goes to small (alternative 1 of 2): time: 3h, gpu_mem: 4G, gpus: 1, cpus: 2",
        "local lacks gpus (1 needed, 0 there); or cpus (16 needed, 4 there)",
    ]
    wide = text.replace("*1", "*9").replace("cores=16", "cores=4")
    experiment = loaded(tmp_path, f"{ONE}RESOURCES: {wide!r}\n", FARMS)
    assert routed(experiment) == [("local", {"time": "5h", "cpus": "4"})]


def test_what_a_farm_adds_counts_for_that_farm(tmp_path):
    farms = FARMS.replace("TYPE: lsf,", "TYPE: lsf, RESOURCES: {gpus: 4, partition: long},")
    assert routed(loaded(tmp_path, ONE, farms))[0][0] == "local"
    assert routed(loaded(tmp_path, f"{ONE}RESOURCES: {{cpus: 32}}\n", farms)) == [
        ("big", {"gpus": "4", "partition": "long", "cpus": "32"})
    ]


def test_runs_of_one_sweep_may_go_to_different_farms(tmp_path):
    sweep = f"{WIDTHS}RESOURCES: {{gpus: '{{{{ width / 256 }}}}', gpu_mem: 20G}}\n"
    assert routed(loaded(tmp_path, sweep, FARMS)) == [
        ("small", {"gpus": "1", "gpu_mem": "20G"}),
        ("big", {"gpus": "2", "gpu_mem": "20G"}),
        ("big", {"gpus": "4", "gpu_mem": "20G"}),
    ]
    listed = f"{CMD}HPARAMS: {{lr: [1, 2], SUBMIT_JOB.GPUS: [1, 5]}}\n"
    assert [place for place, _ in routed(loaded(tmp_path, listed, FARMS))] == [
        *("small", "small", "big", "big")
    ]


def test_a_later_attempt_asks_for_more_and_may_go_elsewhere(tmp_path):
    sweep = f"{ONE}RESOURCES: {{mem: '{{{{ 4 * attempt }}}}G', cpus: 1}}\n"
    experiment = loaded(tmp_path, sweep, FARMS)
    assert routed(experiment, 1) == [("local", {"mem": "4G", "cpus": "1"})]
    assert routed(experiment, 2) == [("local", {"mem": "8G", "cpus": "1"})]
    assert routed(experiment, 3) == [("small", {"mem": "12G", "cpus": "1"})]
    tight = FARMS.replace("gpus: 1,", "gpus: 1, mem: 8G,").replace("gpus: 8,", "gpus: 8, mem: 8G,")
    with pytest.raises(SettingsError, match=r"no farm has what a run needs at attempt 3: local"):
        routed(loaded(tmp_path, sweep, tight), 3)


def test_whatever_computed_values_may_name_may_be_named(tmp_path):
    hparams = "HPARAMS: {opt.lr: 0.5, 'a-b': 2, attempt: 7, RUNX.CASES: [{x: 1}, {y: 2}]}"
    resources = (
        "{mem: \"{{ hp['a-b'] * 2 }}G\", cpus: '{{ 4 * opt.lr }}', note: '{{ attempt }}',"
        " name: '{{ experiment.name }}-{{ env.SCALE }}', x: '{{ x }}',"
        " mount: ['{{ y }}', 010, 'LOGDIR/{{ opt.lr }}']}"
    )
    first, second = routed(loaded(tmp_path, f"{CMD}{hparams}\nRESOURCES: {resources}\n"))
    assert first[1]["mem"] == "4G"
    assert (first[1]["cpus"], first[1]["note"], first[1]["name"]) == ("2", "7", "sweep-3")
    assert (first[1]["x"], "x" in second[1]) == ("1", False)
    assert second[1]["mount"][:2] == ("2", "010")
    assert re.fullmatch(r"/.*/runs/sweep/[^/]+/0.5", second[1]["mount"][2])


def test_here_alternatives_are_chosen_of_by_what_this_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr("runx.local.capacity.measured", lambda *_: Needs(gpus=1, cpus=8, nodes=1))
    sweep = f"{ONE}RESOURCES: 'cuda*2 | cpu(cores=4)'\n"
    assert routed(loaded(tmp_path, sweep)) == [("local", {"cpus": "4"})]
    assert routed(loaded(tmp_path, sweep, FARMS, here=True)) == [("local", {"cpus": "4"})]
    measured = FARMS.replace("{gpus: 0, cpus: 4, mem: 8G}", "auto")
    assert routed(loaded(tmp_path, f"{ONE}RESOURCES: 'cuda*1'\n", measured))[0][0] == "local"
    with pytest.raises(SettingsError, match=r"local lacks nodes \(2 needed, 1 there\)"):
        routed(loaded(tmp_path, f"{ONE}RESOURCES: [{{nodes: 2}}, {{gpus: 3}}]\n"))


def test_one_farm_with_a_capacity_is_no_choice_but_a_limit(tmp_path):
    one = FARMS.replace("auto", "small", 1)
    lines = []
    sweep = f"{ONE}RESOURCES: {{cpus: 16}}\n"
    assert routed(loaded(tmp_path, sweep, one), say=lines.append) == [("small", {"cpus": "16"})]
    assert lines == []
    with pytest.raises(SettingsError, match=r"small lacks cpus \(17 needed, 16 there\)"):
        routed(loaded(tmp_path, sweep.replace("16", "17"), one))
    free = "FARM: slurm\n"
    alternatives = f"{ONE}RESOURCES: 'cuda*99 | cpu(cores=1)'\n"
    assert routed(loaded(tmp_path, alternatives, free)) == [("slurm", {"gpus": "99"})]


def test_only_what_is_chosen_must_follow_the_settings(tmp_path):
    sweep = f"{ONE}REQUEUE: true\nRESOURCES: {{gpus: 1}}\n"
    assert routed(loaded(tmp_path, sweep, FARMS))[0][0] == "small"
    with pytest.raises(SettingsError, match="REQUEUE: no scheduler takes runs back here"):
        routed(loaded(tmp_path, sweep.replace("gpus: 1", "gpus: 0"), FARMS))


@pytest.mark.parametrize(
    ("starts", "place", "words"),
    [
        ({"small": "2026-11-30T10:00:00", "big": "2026-11-30T09:00:00"}, "big", []),
        ({"small": "2026-11-30T09:00:00", "big": "2026-11-30T09:00:00"}, "small", []),
        ({"big": "2026-11-30T09:00:00"}, "big", ["small can't tell when a run would start"]),
        ({}, "small", ["small can't tell when", "big can't tell when"]),
    ],
)
def test_soonest_is_the_farm_where_a_run_would_start_first(
    tmp_path, monkeypatch, starts, place, words
):
    calls = []

    def expected(farm, jobs, folder):
        calls.append(farm.name)
        return datetime.fromisoformat(starts[farm.name]) if farm.name in starts else None

    monkeypatch.setattr("runx.farms.probe.expected_start", expected)
    soonest = FARMS.replace("auto", "soonest", 1)
    sweep = f"{CMD}HPARAMS: {{lr: [1, 2]}}\nRESOURCES: {{gpus: 1, time: 2h}}\n"
    lines = []
    assert [each for each, _ in routed(loaded(tmp_path, sweep, soonest), say=lines.append)] == [
        place,
        place,
    ]
    assert sorted(calls) == ["big", "small"]
    assert lines[0] == f"2 runs go to {place}: gpus: 1, time: 2h"
    assert [line for line in lines if "can't tell" in line] == [
        line for line in lines if any(line.startswith(word) for word in words)
    ]


def test_soonest_starts_here_at_once_where_this_machine_has_it(tmp_path, monkeypatch):
    later = datetime(2999, 1, 1, tzinfo=None)
    monkeypatch.setattr("runx.farms.probe.expected_start", lambda *_: later)
    soonest = FARMS.replace("auto", "soonest", 1)
    assert routed(loaded(tmp_path, f"{ONE}RESOURCES: {{cpus: 4}}\n", soonest))[0][0] == "local"


def test_a_launch_goes_to_all_of_its_farms(project):
    project.write(
        ".runx",
        "FARM: [local, lab]\nlocal: {CAPACITY: {cpus: 1}}\n"
        "lab: {SUBMIT_CMD: \"bash -c 'echo sent' {{ resources.cpus }} {{ script }}\"}\n",
    )
    project.write("sweep.yml", f"{CMD}HPARAMS: {{n: [1, 2]}}\nRESOURCES: {{cpus: '{{{{ n }}}}'}}\n")
    shown = project.runx("sweep.yml", "-n")
    assert "1 run goes to local: cpus: 1\n1 run goes to lab: cpus: 2\n" in shown.stderr
    assert "local lacks cpus (2 needed, 1 there)\n" in shown.stderr
    assert re.search(r"^python train.py --n 1$.*^bash -c .* 2 \S+run.sh", shown.stdout, re.M | re.S)
    listed = json.loads(project.runx("sweep.yml", "-n", "--json").stdout)
    assert [(each["resources"], each["farm"], bool(each["submit"])) for each in listed] == [
        ({"cpus": 1}, None, False),
        ({"cpus": 2}, "lab", True),
    ]
    project.runx("check", "sweep.yml")
    done = project.runx("sweep.yml")
    assert "1 run submitted; " in done.stderr
    assert "1 run done; " in done.stderr
    listed = json.loads(project.runx("status", "sweep", "--json").stdout)
    states = {each["hparams"]["n"]: each for each in listed}
    assert (states[1]["state"], states[2]["state"]) == ("done", "queued")
    assert [states[n]["resources"] for n in (1, 2)] == [{"cpus": 1}, {"cpus": 2}]
    refused = project.runx("sweep.yml", "-j", "2", "--again", status=2).stderr
    assert "-j is for runs here, with -i, and these go to farm lab" in refused
    again = project.runx("sweep.yml", "--resume").stderr
    assert "1 queued, 1 done: starting 0" in again


def test_a_retry_asks_for_more(project):
    project.write(
        ".runx", 'FARM: lab\nlab: {SUBMIT_CMD: "false {{ resources.mem }} {{ script }}"}\n'
    )
    project.write("sweep.yml", f"{ONE}RESOURCES: {{mem: '{{{{ 32 * attempt }}}}G'}}\n")
    assert " 32G " in project.runx("sweep.yml", "-n").stdout
    project.runx("sweep.yml", status=3)
    project.runx("cancel", "sweep")
    assert " 64G " in project.runx("sweep.yml", "-n", "--resume").stdout
    table = project.runx("sweep.yml", "-n", "--table", "--json", "--resume").stdout
    assert json.loads(table)["resources"] == [{"runs": 1, "mem": "64G"}]


def test_the_order_of_candidates_is_that_of_their_file(tmp_path):
    assert module.is_open(loaded(tmp_path, ONE, FARMS))
    assert not module.is_open(loaded(tmp_path, ONE))
    with pytest.raises(RunxError, match="no section describes farm nowhere"):
        loaded(tmp_path, ONE, FARMS, flags={"FARM": "small,nowhere"})
