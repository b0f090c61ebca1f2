"""Every key and flag is honoured or refused, on every type of farm and here; none is dropped."""

import itertools
import json
import os
import re
import subprocess

import pytest

from runx.api.experiment import SweepPlan
from runx.config.keys import KEYS
from runx.config.load import load
from runx.config.request import Request
from runx.errors import RunxError, SettingsError
from runx.farms.registry import FARMS
from runx.launching.create import create_runs
from runx.launching.plan import PlannedAttempt
from runx.launching.preview import check_first, lines
from runx.launching.routes import Route, routes

HERE = "local"
PLACES = [HERE, *FARMS]
SECTIONS = {
    "command": {"SUBMIT_CMD": "submit_job"},
    "kubernetes": {"VOLUME": "logs", "RESOURCES": "{image: torch}"},
    "ngc": {"WORKSPACE": "ws", "NGC_LOGROOT": "/mnt"},
}
RANDOM = {"HPARAMS": "{lr: {uniform: [0, 1]}}", "RUN_NAME": "'{wid}'"}
THREE = {"HPARAMS": "{lr: [1, 2, 3]}", "RUN_NAME": "'r{lr}'"}
TOP = {
    "CMD": {"CMD": "python other.py"},
    "HPARAMS": {"HPARAMS": "{lr: 2}"},
    "HPARAMS_TYPES": {"HPARAMS_TYPES": "{lr: {min: 0}}"},
    "SAMPLES": {"SAMPLES": "2"},
    "SEED": {"SEED": "5"},
    "SEARCH": {"SEARCH": "{metric: loss, trials: 3}"},
    "ARGS": {"ARGS": "{style: equals}"},
    "RUN_NAME": {"RUN_NAME": "other"},
    "NAMES": {"NAMES": "{own: 'x{{ lr }}'}", "RUN_NAME": "'{own}'"},
    "HPARAMS_FROM": {"HPARAMS_FROM": "axes.py:more"},
    "SWEEPS": {"SWEEPS": "{more: {wd: 1}}"},
    "CONFIG": {"CONFIG": "defaults.yml"},
    "EXTENDS": {"EXTENDS": "extended.yml"},
    "EXP_NAME": {"EXP_NAME": "other"},
    "TITLE": {"TITLE": "a title"},
    "LABELS": {"LABELS": "[paper]"},
    "NOTE": {"NOTE": "a note"},
    "LOGROOT": {"LOGROOT": "elsewhere-{count}"},
    "PYTHONPATH": {"PYTHONPATH": "LOGDIR/code/lib"},
    "CODE_ROOT": {"CODE_ROOT": "lib"},
    "CODE_FROM": {"CODE_FROM": "HEAD"},
    "CODE_IGNORE_PATTERNS": {"CODE_IGNORE_PATTERNS": "other.py"},
    "CODE_GITIGNORE": {"CODE_GITIGNORE": "false"},
    "CODE_LINKS": {"CODE_LINKS": "data"},
    "CODE_MAX_SIZE": {"CODE_MAX_SIZE": "1B"},
    "CODE_STAGING": {"CODE_STAGING": "none"},
    "FILES": {"FILES": "{more.txt: train.py}"},
    "GIT_DIRTY": {"GIT_DIRTY": "error"},
    "DIR_MODE": {"DIR_MODE": "0700"},
    "RESUME": {"RESUME": "true"},
    "IDENTITY_IGNORE": {"IDENTITY_IGNORE": "lr"},
    "IDENTITY_DEFAULTS": {"IDENTITY_DEFAULTS": "{lr: 1}"},
    "STDERR": {"STDERR": "separate"},
}
"""Keys of an experiment, and what is set in it beside the others."""
OF_FARM = {
    "SUBMIT_CMD": {"SUBMIT_CMD": "ngc batch run --more"},
    "RESOURCES": {"RESOURCES": "{mem: 3G}"},
    "ARRAY": {"ARRAY": "true"},
    "MAX_PARALLEL": {"MAX_PARALLEL": "2"},
    "REQUEUE": {"REQUEUE": "true"},
    "MAX_FAILURES": {"MAX_FAILURES": "2"},
    "DIRECTIVES": {"DIRECTIVES": "['#MINE --exclusive']"},
    "SETUP": {"SETUP": "module load cuda"},
    "TEARDOWN": {"TEARDOWN": "echo over"},
    "SETUP_MAY_FAIL": {"SETUP": "module load cuda", "SETUP_MAY_FAIL": "true"},
    "LINGER": {"LINGER": "5m"},
    "WRAP": {"WRAP": "nice"},
    "LAUNCH": {"LAUNCH": "torchrun"},
    "ENV": {"ENV": "{CACHE: x}"},
    "ADDRESS": {"ADDRESS": "lab"},
    "NAMESPACE": {"NAMESPACE": "ml"},
    "VOLUME": {"VOLUME": "other:/mnt"},
    "PRIORITY_CLASSES": {"PRIORITY": "-1", "PRIORITY_CLASSES": "low=-1"},
    "NGC_LOGROOT": {"NGC_LOGROOT": "/other"},
    "WORKSPACE": {"WORKSPACE": "other"},
}
"""Keys of the section of a farm; for runs here they stand beside the sections."""
BEFORE = {
    "SAMPLES": {**RANDOM, "SAMPLES": "1"},
    "SEED": {**RANDOM, "SAMPLES": "1"},
    "SEARCH": {**RANDOM, "SEARCH": "{metric: loss, trials: 2}"},
    "CONFIG": {"ARGS": "{style: file}"},
    "RESUME": {},
    **dict.fromkeys(("ARRAY",), THREE),
    "MAX_PARALLEL": {**THREE, "ARRAY": "true"},
}
"""What is set without the key, too, to see what it does."""
ELSEWHERE = {
    "FARM": "what the others are tried on",
    "TYPE": "what the others are tried on",
    "RESTAGE": "what runs get that start again; test_restage.py",
    "CAPACITY": "whether a farm is taken at all; test_routes.py",
    "GPUS": "names this machine's GPUs; tests/local/test_gpus.py",
    "RETRIES": "what a farm is asked, and told; tests/farms/test_registry_retries.py",
    "SMOKE": "what a launch does first; tests/cli/test_launch_smoke.py",
    "AVOID_HOSTS": "what runs have shown; test_launch_guards.py, tests/farms/test_slurm_guards.py",
    "STEPS": "what takes the place of CMD; tests/config/test_steps.py",
    "AFTER": "what a launch waits for; test_after.py",
    "RUNS_PER_JOB": "several runs in a job; tests/farms/test_together.py",
    "PRIORITY": "tests/farms/test_registry_priority.py",
    "LIMITS": "what all runs on a machine may have; tests/cli/test_launch_here_counts.py",
    "NOTIFY": "whom the end is told; tests/api/test_notifier.py",
    "METRICS": "what sumx reads, of runs anywhere; tests/readers/test_asked.py",
}
OF_HERE = {"RESOURCES", "MAX_PARALLEL"}
"""What runs here do with these is a matter of this machine; tests/local."""
REFUSED = {
    HERE: {"SUBMIT_CMD", "ARRAY", "REQUEUE", "DIRECTIVES"}
    | {name for name, key in KEYS.items() if key.scope == "farm"},
    "command": {"ARRAY", "MAX_PARALLEL", "REQUEUE", "DIRECTIVES"},
    "ngc": {"ARRAY", "MAX_PARALLEL", "REQUEUE", "DIRECTIVES", "MAX_FAILURES"},
    "ray": {"ARRAY", "MAX_PARALLEL", "REQUEUE", "DIRECTIVES"},
    "pbs": {"REQUEUE"},
    "torque": {"REQUEUE"},
    "oar": {"MAX_PARALLEL", "RESOURCES"},
    "kubernetes": {"DIRECTIVES"},
}
"""What is refused on each, besides the keys of other types of farms."""
READS = {
    "command": {"SUBMIT_CMD"},
    "ngc": {"SUBMIT_CMD", "NGC_LOGROOT", "WORKSPACE"},
    "kubernetes": {"ADDRESS", "NAMESPACE", "VOLUME", "PRIORITY_CLASSES"},
    "ray": {"ADDRESS"},
}
OF_SOME = {"SUBMIT_CMD", *(name for name, key in KEYS.items() if key.scope == "farm")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    files = {
        "train.py": "print(1)\n",
        "other.py": "print(2)\n",
        "lib/lib.py": "x = 1\n",
        "data/big.bin": "0" * 100,
        "ignored.txt": "x",
        ".gitignore": "ignored.txt\n",
        "axes.py": "def more(*args, **hparams):\n    return {'wd': 7}\n",
        "defaults.yml": "{lr: 0.5, wd: 3}\n",
        "extended.yml": "ENV: {EXTENDED: 1}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder))
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    (folder / "train.py").write_text("print(3)\n")
    return folder


@pytest.fixture(autouse=True)
def inside(project, monkeypatch):
    monkeypatch.chdir(project)
    for name in [name for name in os.environ if name.startswith("RUNX_")]:
        monkeypatch.delenv(name)


COUNT = itertools.count()


def experiment_of(project, place, top=(), of_farm=(), **more):
    """Return the settings of an experiment for a place, in a LOGROOT of their own."""
    top = {
        "CMD": "python train.py",
        "HPARAMS": "{lr: 1}",
        "RUN_NAME": "r",
        "LOGROOT": f"{project.parent}/logs-{next(COUNT)}",
        **dict(top),
    }
    section = dict(of_farm)
    lines = []
    if place == HERE:
        top |= section
    else:
        section = {**SECTIONS.get(place, {}), **section}
        top["FARM"] = "mine"
        lines = [
            "mine:",
            f"  TYPE: {place}",
            *(f"  {key}: {text}" for key, text in section.items()),
        ]
    text = "\n".join([*(f"{key}: {text}" for key, text in top.items()), *lines, ""])
    (project / "sweep.yml").write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(project)}
    return load(Request(project / "sweep.yml", project, environment, **more))


def observed(project, settings):
    """Return all that a launch would write and submit, without what differs from time to time."""
    sweep = SweepPlan.of(settings)
    runs = list(sweep.runs())
    check_first(settings, runs)
    shown = list(lines(routes(settings, map(PlannedAttempt, runs))))
    messages = []
    [plan] = create_runs(
        settings, runs, sweep.new_name, sweep.options(None, None, False, False), messages.append
    )
    folder = settings.dir.path
    files = {}
    for file in sorted(folder.rglob("*")):
        # What was asked is kept as it was written, and shows nothing of what is done about it.
        if "/.runx" in str(file) or file.name in ("lock", "sweep.yml"):
            continue
        kind = "link" if file.is_symlink() else oct(file.stat().st_mode)
        content = file.read_text() if file.is_file() and not file.is_symlink() else ""
        content = re.sub(r'(?s)"resources": \{.*?\}', "", content)
        files[str(file.relative_to(folder.parent))] = (kind, content)
    [record] = [
        json.loads(file.read_text()) for file in folder.glob(".runx/launches/*/launch.json")
    ]
    noted = [record[name] for name in ("title", "note", "labels", "hparams_types")]
    noted.append(folder.parent.name.partition("-")[0])
    counts = (len(plan.attempts), second_attempts(settings) if settings.resume else None)
    return plain(f"{shown} {files} {noted} {counts}", settings)


def second_attempts(settings):
    """Return how many attempts a second launch of the same makes."""
    sweep = SweepPlan.of(settings)
    options = sweep.options(None, None, False, settings.resume)
    second = create_runs(settings, list(sweep.runs()), sweep.new_name, options, print)
    return sum(len(plan.attempts) for plan in second)


def plain(text, settings):
    text = text.replace(str(settings.logroot), "LOGROOT")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d.:]+(\+00:00)?Z?(-\w{6})?", "TIME", text)
    text = re.sub(r"\b1[789]\d{8}(\.\d+)?\b", "SECONDS", text)
    return re.sub(r"logs-\d+|0x\w+|[0-9a-f]{8,}", "X", text)


def outcome(project, place, key, before):
    """Return whether a key is honoured or refused; what is neither is dropped."""
    extra = {name: BEFORE.get(key, {}).get(name) for name in BEFORE.get(key, {})}
    of_jobs = {name: extra.pop(name) for name in [name for name in extra if name in OF_FARM]}
    if place in ("command", "ngc", "ray") and "ARRAY" in of_jobs:
        of_jobs.pop("ARRAY")
    if place == HERE:
        of_jobs.pop("ARRAY", None)
    cases = {**TOP, **OF_FARM}[key]
    if key == "RESOURCES" and place == "kubernetes":
        cases = {key: "{image: torch, mem: 3G}"}
    if key == "LOGROOT":
        cases = {key: cases[key].format(count=next(COUNT))}
    sweeps = ("more",) if key == "SWEEPS" else ()
    try:
        without = before(place, tuple(extra.items()), tuple(of_jobs.items()))
        is_top = key in TOP
        settings = experiment_of(
            project,
            place,
            {**extra, **cases} if is_top else extra,
            of_jobs if is_top else {**of_jobs, **cases},
            sweeps=sweeps,
        )
        shown = observed(project, settings)
    except RunxError as error:
        assert key in str(error) or key == "RESOURCES", error
        return "refused"
    return "honoured" if shown != without else "dropped"


@pytest.fixture(scope="module")
def before(project):
    seen = {}

    def of(place, top, of_farm):
        if (place, top, of_farm) not in seen:
            settings = experiment_of(project, place, top, of_farm)
            seen[place, top, of_farm] = observed(project, settings)
        return seen[place, top, of_farm]

    return of


def test_every_key_is_in_the_table():
    assert {*TOP, *OF_FARM, *ELSEWHERE} == set(KEYS)


@pytest.mark.parametrize("place", PLACES)
def test_two_launches_of_the_same_are_seen_as_equal(project, place, before):
    settings = experiment_of(project, place)
    assert observed(project, settings) == before(place, (), ())


@pytest.mark.parametrize("place", PLACES)
def test_every_key_is_honoured_or_refused(project, place, before):
    keys = [key for key in (*TOP, *OF_FARM) if place != HERE or key not in OF_HERE]
    found = {key: outcome(project, place, key, before) for key in keys}
    assert [key for key, fate in found.items() if fate == "dropped"] == []
    others = OF_SOME - READS.get(place, set())
    refused = {key for key, fate in found.items() if fate == "refused"}
    assert refused - {"CODE_MAX_SIZE", "GIT_DIRTY"} == REFUSED.get(place, set()) | others


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("submit {{ script }}", "gpu"),
        ("submit {{ resources.gpu }} {{ script }}", "mem"),
        ("submit {{ resources | flags }} {{ script }}", ""),
        ("submit {% if resources.gpu == '2' %}-g {{ resources.mem }}{% endif %} {{ script }}", ""),
    ],
)
def test_a_resource_that_a_template_makes_no_use_of_is_refused(project, template, named):
    section = {"SUBMIT_CMD": f'"{template}"', "RESOURCES": "{gpu: 2, mem: 3G}"}
    settings = experiment_of(project, "command", of_farm=section)
    runs = list(SweepPlan.of(settings).runs())
    if not named:
        assert list(lines([Route(settings, list(map(PlannedAttempt, runs)))]))
        return
    with pytest.raises(SettingsError, match=rf"RESOURCES.{named}: .*resources.{named}"):
        list(lines([Route(settings, list(map(PlannedAttempt, runs)))]))
    with pytest.raises(SettingsError, match=rf"RESOURCES.{named}"):
        check_first(settings, runs)


@pytest.mark.parametrize("place", PLACES)
def test_torchrun_that_can_not_be_started_is_refused_when_planned(project, place):
    section = {"LAUNCH": "torchrun"}
    settings = experiment_of(project, place, {"CMD": "./train.sh"}, section)
    runs = list(SweepPlan.of(settings).runs())
    with pytest.raises(SettingsError, match="LAUNCH: torchrun starts one Python script"):
        list(lines([Route(settings, list(map(PlannedAttempt, runs)))]))
    with pytest.raises(SettingsError, match="LAUNCH: torchrun starts one Python script"):
        check_first(settings, runs)


def test_with_i_the_section_of_a_farm_is_left_aside_and_no_farm_is_needed(project):
    section = {"ARRAY": "true", "DIRECTIVES": "['#SBATCH -x']", "REQUEUE": "true"}
    settings = experiment_of(project, "slurm", of_farm=section, here=True)
    assert len(list(SweepPlan.of(settings).runs())) == 1
    settings = experiment_of(project, "slurm", {"DIRECTIVES": "['#SBATCH -x']"}, here=True)
    with pytest.raises(SettingsError, match=r"sweep.yml:5: DIRECTIVES: .* section of a farm"):
        SweepPlan.of(settings)
