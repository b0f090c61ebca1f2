"""Grammars of other tools in an experiment get the way to write it here."""

import pytest

import runx
from runx.errors import RunxError


def refusal(folder, text):
    (folder / "sweep.yml").write_text(text)
    with pytest.raises(RunxError) as error:
        runx.load(folder / "sweep.yml", LOGROOT=str(folder)).plan()
    return str(error.value)


PARAMETERS = {
    "{values: [0.1, 0.2]}": "write lr: [0.1, 0.2];",
    "{value: 0.1}": "write lr: 0.1;",
    "{value: [1, 2]}": "write lr: [[1, 2]];",
    "{min: 1e-4, max: 0.1}": "write lr: {uniform: [1e-4, 0.1]}, and SAMPLES;",
    "{distribution: log_uniform_values, min: 1e-4, max: 1}": "write lr: {loguniform: [1e-4, 1]}",
    "{distribution: int_uniform, min: 1, max: 4}": "write lr: {randint: [1, 4]}",
    "{distribution: normal, mu: 0, sigma: 1}": "write lr: {normal: [0, 1]}",
    "{min: 16, max: 64}": "write lr: {randint: [16, 64]}, and SAMPLES;",
    "{min: 16, max: 64.0}": "write lr: {uniform: [16, 64.0]}, and SAMPLES;",
    "{distribution: log_uniform, min: -8, max: 0}": "write lr: {loguniform: [0.000335463, 1]}",
    "{distribution: log_uniform, min: 1, max: 999}": "write lr: {loguniform: [2.71828, e^999]}",
    "{mu: 0, sigma: 1}": "write lr: {normal: [0, 1]}",
    "{type: int, low: 1, high: 8}": "write lr: {randint: [1, 8]}",
    "{type: float, low: 1e-5, high: 1, log: true}": "write lr: {loguniform: [1e-5, 1]}",
    "{type: int, low: 1, high: 8, log: true}": "write lr: {lograndint: [1, 8]}",
    "{type: float, low: 0, high: 1, step: 0.1}": "write lr: {uniform: [0, 1, 0.1]}",
    "{distribution: q_uniform, min: 0, max: 8, q: 2}": "write lr: {uniform: [0, 8, 2]}",
    "{type: choice, options: [1, 2]}": "write lr: [1, 2];",
    "{type: float, low: 0, high: 1}": "write lr: {uniform: [0, 1]}",
    "{parameters: {b: {value: 1}}}": "with dots in the names",
}


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_of_another_tool_is_written_as_here(tmp_path, parameter):
    message = refusal(tmp_path, f"CMD: python x.py\nHPARAMS:\n  lr: {parameter}\n")
    assert "sweep.yml:3: lr: this is another tool's; " in message
    assert PARAMETERS[parameter] in message
    assert "runx import" in message


KEYS = ("program", "method", "parameters", "metric", "run_cap", "early_terminate", "defaults")


@pytest.mark.parametrize("key", [*KEYS, "hydra", "command", "grid", "fixed"])
def test_a_key_of_another_tool_is_told_so(tmp_path, key):
    message = refusal(tmp_path, f"CMD: python x.py\n{key}: [x]\nHPARAMS: {{}}\n")
    assert f"sweep.yml:2: {key} is of " in message
    assert "here: " in message
    assert "runx import" in message


FILES = {
    "W&B": "name: x\nprogram: a.py\nparameters: {lr: {values: [1]}}\n",
    "Hydra": "lr: 1\nhydra: {sweeper: {params: {lr: '1,2'}}}\n",
    "SEML": "seml: {executable: x.py}\ngrid: {}\n",
}


def test_a_sweeper_of_hydra_is_known_without_its_package(tmp_path):
    message = refusal(tmp_path, "_target_: hydra_plugins.x.OptunaSweeper\nparams: {a: '1,2'}\n")
    assert "this is a sweep of Hydra; runx import " in message


@pytest.mark.parametrize("tool", FILES)
def test_a_file_of_another_tool_is_to_be_imported(tmp_path, tool):
    message = refusal(tmp_path, FILES[tool])
    file = tmp_path / "sweep.yml"
    assert f"this is a sweep of {tool}; runx import {file} prints it as an experiment" in message
    assert runx.convert(file).experiment


TEXTS = {
    "choice(1, 2)": "[1, 2]",
    "range(1,4)": "{range: [1,4]}",
    "interval(0, 1)": "{uniform: [0, 1]}",
    "glob(*)": "a list of the options",
    "1e-3, 1e-2": "[1e-3, 1e-2]",
}


def warnings(folder, value):
    (folder / "sweep.yml").write_text(f"CMD: python x.py\nHPARAMS:\n  lr: {value}\n")
    loaded = runx.load(folder / "sweep.yml", LOGROOT=str(folder))
    assert len(loaded.plan()) == 1
    return [line for line in loaded.warnings if "is a text; for its values" in line]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_another_grammar_is_warned_of_unless_it_is_quoted(tmp_path, text):
    [line] = warnings(tmp_path, text)
    assert f"sweep.yml:3: lr: {text} is a text; for its values write {TEXTS[text]}" in line
    assert warnings(tmp_path, f"'{text}'") == []


@pytest.mark.parametrize("text", ["0,1", "a, b", "f(x)", "0.9,0.999", "choice", "range(1", "1"])
def test_other_texts_are_texts(tmp_path, text):
    assert warnings(tmp_path, text) == []
