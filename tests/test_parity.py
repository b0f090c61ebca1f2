"""What the command line can do, Python can do: every flag has its counterpart, or says why not."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import click
import pytest

import runx
from runx.api.results import Results
from runx.api.run_result import RunResult
from runx.rundir.run import RunRecord
from runx.runx import COMMANDS
from runx.runx import runx as group
from runx.sumx import command as sumx

LOOKS = "how often a terminal looks; a loop in Python"
FORM = "the form of what a terminal prints; the API returns values"
ELSEWHERE = "a caller in Python gives logroot"
SETTINGS = {
    "file": "load(file)",
    "overrides": "load(overrides)",
    "config": "load(runx_file)",
    "farm": "load(values)",
    "exp_name": "load(values)",
    "note": "load(values)",
    "notify": "load(values)",
    "sweep": "load(sweep)",
    "tag": "Experiment.plan(tag)",
    "no_cooldir": "Experiment.plan(cooldir)",
}
"""FARM, EXP_NAME, NOTE and NOTIFY are settings, which go by their keys."""

COUNTERPARTS = {
    "launch": {
        **SETTINGS,
        "smoke": "load(values)",
        "best": "Experiment.best(count)",
        "of": "Experiment.best(of)",
        "no_run": "preview(runs)",
        "interactive": "launch(here)",
        "as_json": "preview(json)",
        "table": "Experiment.survey(where)",
        "detach": "launch(wait)",
        "save": "what a command line says is written; Python has Experiment(cmd, hparams)",
        "max_runs": "Experiment.plan(max_runs)",
        **{
            name: f"launch({name})"
            for name in (
                *("where", "limit", "shuffle", "resume", "retry", "restage", "again", "jobs"),
                "steps",
                *("after", "test_only", "gpus_per_run", "retries", "timeout", "grace"),
                *("fail_fast", "max_failures", "stream", "attach"),
            )
        },
    },
    "ls": {
        "config": ELSEWHERE,
        "as_json": FORM,
        **{name: f"experiments({name})" for name in ("logroot", "label")},
    },
    "status": {
        "names": "status(names)",
        "logroot": "status(logroot)",
        "config": ELSEWHERE,
        "where": "status(where)",
        "label": "status(label)",
        "failures": "Standings.failures()",
        "as_json": "Standings.json()",
        "disk": "Standings.written(disk)",
        "watch": LOOKS,
    },
    "logs": {
        "config": ELSEWHERE,
        **{
            name: f"logs({name})"
            for name in ("names", "logroot", "where", "follow", "lines", "step")
        },
    },
    "attach": {
        "config": ELSEWHERE,
        "experiment": "attach(experiment)",
        "logroot": "attach(logroot)",
    },
    "show": {
        "config": ELSEWHERE,
        "as_json": FORM,
        **{name: f"show({name})" for name in ("names", "logroot", "where")},
    },
    "cancel": {
        "config": ELSEWHERE,
        **{name: f"cancel({name})" for name in ("names", "logroot", "where", "step")},
    },
    "hold": {"config": ELSEWHERE, **{n: f"hold({n})" for n in ("names", "logroot", "step")}},
    "release": {"config": ELSEWHERE, **{n: f"release({n})" for n in ("names", "logroot", "step")}},
    "slots": {
        "config": ELSEWHERE,
        **{name: f"slots({name})" for name in ("count", "experiment", "logroot")},
    },
    "gpus": {"as_json": FORM},
    "rm": {
        "config": ELSEWHERE,
        "yes": "nobody is asked in Python",
        **{name: f"remove({name})" for name in ("names", "logroot", "where")},
    },
    "gc": {
        "config": ELSEWHERE,
        **{
            name: f"thin({name})"
            for name in ("experiment", "logroot", "keep_top", "by", "higher", "lower", "delete")
        },
    },
    "top": dict.fromkeys(
        ("names", "logroot", "config", "where", "sortwith"),
        "a terminal's; Python has status, results and what changes runs",
    ),
    "watch": {
        "config": ELSEWHERE,
        "is_opened": "a caller in Python opens what watch(ready) is given",
        **{
            name: f"watch({name})"
            for name in ("experiments", "sortwith", "port", "bind", "logroot")
        },
    },
    "check": {"files": "Experiment.check()", "max_runs": "Experiment.check(max_runs)"},
    "config": {**SETTINGS, "as_json": FORM},
    "init": {"force": "init(force)"},
    "import": {"file": "convert(file)", "settings": "the runx_file of what convert returns"},
    "schema": {"of": "schema(of)"},
    "sumx": {
        "experiments": "results(experiments)",
        "logroot": "results(logroot)",
        "config": ELSEWHERE,
        "sortwith": "Results.sorted(metrics)",
        "lower": "Results.lower(metrics)",
        "higher": "Results.higher(metrics)",
        "ignore": "Results.ignore(names)",
        "columns": "Results.columns(names)",
        "all_hparams": "Results.all_hparams()",
        "fields": "Results.fields()",
        "where": "Results.where(expression)",
        "top": "Results.top(count)",
        "at": "Results.at(epoch)",
        "over": "Results.over(names)",
        "by": "Results.by(names)",
        "agg": "Results.by(agg)",
        "best_per": "Results.best_per(name)",
        "importance": "Results.importance(metric)",
        "pivot": "Results.pivot(across)",
        "values": "Results.pivot(values)",
        "compare": "Results.compare(other)",
        "ablation": "Results.ablation(metric)",
        "label": "Results.label(labels)",
        "diff": "Results.diff(other)",
        "plot": "Results.plot(what)",
        "log": "Results.plot(log)",
        "smooth": "Results.plot(smooth)",
        "launch": "Results.launch(launch)",
        "form": "Results.written(form)",
        "output": "Results.plot(file)",
        "precision": "Results.written(precision)",
        "csv_file": "Results.written(form)",
        "html_file": "Results.page(file)",
        "as_json": "Results.json()",
        "watch": LOOKS,
    },
}
"""Of every flag: the function and parameter that do the same, or why there is none."""


def _commands():
    context = click.Context(group)
    return {name: group.get_command(context, name) for name in COMMANDS} | {"sumx": sumx}


@pytest.mark.parametrize("name", [*COMMANDS, "sumx"])
def test_every_flag_has_its_counterpart_in_python_or_says_why_not(name):
    flags = {param.name for param in _commands()[name].params}
    assert flags == COUNTERPARTS[name].keys()
    for counterpart in COUNTERPARTS[name].values():
        match = re.fullmatch(r"(?P<what>[\w.]+)\((?P<parameter>\w*)\)", counterpart)
        if match is None:
            assert " " in counterpart  # a reason
            continue
        function = runx
        for part in match["what"].split("."):
            function = getattr(function, part)
        parameter = match["parameter"]
        assert not parameter or parameter in inspect.signature(function).parameters, counterpart


def test_every_flag_that_says_which_runs_start_is_previewed_too():
    chosen = {"where", "limit", "shuffle", "resume", "retry", "here"}
    assert chosen <= inspect.signature(runx.preview).parameters.keys()


def test_the_page_on_python_names_all_that_there_is():
    text = (Path(__file__).parents[1] / "docs" / "python.md").read_text()
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    documented = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    public = [name for name in runx.__all__ if not name.startswith("_") and name != "logx"]
    methods = [
        name
        for kind in (Results, RunResult, runx.Experiment, runx.Handle, runx.Standings)
        for base in kind.__mro__
        if base.__module__.startswith("runx.")
        for name in vars(base)
        if not name.startswith("_") and callable(getattr(kind, name)) and base is not RunRecord
    ]
    parameters = [*inspect.signature(runx.launch).parameters]
    missing = [name for name in (*public, *methods, *parameters) if name not in documented]
    assert missing == []


def test_no_public_name_is_a_module_of_the_package():
    for name in runx.__all__:
        if name not in ("logx", "__version__"):
            with pytest.raises(ImportError):
                import_module(f"runx.{name}")
