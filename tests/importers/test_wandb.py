"""Sweeps of W&B: what its own agent would give to the script, word by word."""

import copy
import itertools
import json

import pytest
import yaml

from runx.errors import SettingsError
from tests.support.importing import argvs, imported

HEAD = "program: train.py\nmethod: {method}\nparameters:\n"

SPELLINGS = """
  lr: {values: [1e-3, 1.0e-4, 0.1, 15e-5]}
  opt: {values: [adam, "1", None, null]}
  layers: {values: [[1, 2], ["a", 1e-3]]}
  flag: {values: [yes, false]}
  text: {value: "it's; $5 {x}"}
  one: {value: [3, 4]}
  mapping: {value: {a: 1}}
  n: {min: 1, max: 2}
  z: {value: "{{ x }}"}
"""


def grid(text):
    return f"{HEAD.format(method='grid')}{text}"


def test_values_are_spelt_as_the_agent_spells_them(tmp_path):
    first, *_ = runs = argvs(tmp_path, "sweep.yaml", grid(SPELLINGS))
    assert len(runs) == 4 * 4 * 2 * 2 * 2
    assert first == [
        *("python", "train.py", "--flag=True", "--layers=[1, 2]", "--lr=1e-3"),
        *("--mapping={'a': 1}", "--n=1", "--one=[3, 4]", "--opt=adam", "--text=it's; $5 {x}"),
        "--z={{ x }}",
    ]
    spelt = {word for words in runs for word in words}
    assert {"--lr=0.0001", "--lr=15e-5", "--opt=1", "--opt=None", "--layers=['a', '1e-3']"} <= spelt


MACROS = {
    "${args}": ["--amp=True", "--lr=0.1", "--sizes=[1, 2]"],
    "${args_no_hyphens}": ["amp=True", "lr=0.1", "sizes=[1, 2]"],
    "${args_append_hydra}": ["+amp=True", "+lr=0.1", "+sizes=[1, 2]"],
    "${args_override_hydra}": ["++amp=True", "++lr=0.1", "++sizes=[1, 2]"],
    "${args_no_boolean_flags}": ["--amp", "--lr=0.1", "--sizes=[1, 2]"],
    "${args_no_equals}": ["--amp", "True", "--lr", "0.1", "--sizes", "[1, 2]"],
}


@pytest.mark.parametrize("macro", MACROS)
def test_each_macro_of_a_command_has_its_way_of_arguments(tmp_path, macro):
    text = grid("  lr: {value: 0.1}\n  amp: {value: true}\n  sizes: {value: [1, 2]}\n")
    text += f"command: ['${{env}}', '${{interpreter}}', '${{program}}', fit, '{macro}', --last]\n"
    assert argvs(tmp_path, "sweep.yaml", text) == [
        ["python", "train.py", "fit", *MACROS[macro], "--last"]
    ]


def test_json_is_a_file_of_the_run(tmp_path):
    text = grid("  lr: {value: 0.1}\n") + "command: ['${program}', '--config', '${args_json}']\n"
    found = imported(tmp_path, "sweep.yaml", text)
    assert 'CMD: train.py --config "$(cat {config})"' in found.experiment
    assert "ARGS: {style: file, format: json}" in found.experiment


def test_a_script_that_reads_wandb_config_is_given_no_words(tmp_path):
    text = grid("  lr: {values: [0.1, 0.2]}\n") + "command: [python3, '${program}', 14]\n"
    found = imported(tmp_path, "sweep.yaml", text)
    assert any("reads wandb.config" in line for line in found.warnings)
    [line, _] = argvs(tmp_path, "sweep.yaml", text)
    assert line[-3:] == ["python3", "train.py", "14"]


def test_draws_become_operators(tmp_path):
    parameters = """
  a: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
  b: {distribution: log_uniform, min: -2, max: 0}
  c: {min: 1, max: 4}
  d: {min: 0, max: 0.5}
  e: {distribution: normal, mu: 1, sigma: 2}
  f: {distribution: q_uniform, min: 0, max: 64, q: 8}
  g: {values: [x, y], probabilities: [0.75, 0.25]}
  h: {distribution: uniform, values: [0.5]}
"""
    text = (
        HEAD.format(method="bayes") + parameters + "run_cap: 7\nmetric: {name: x, goal: minimize}\n"
    )
    found = imported(tmp_path, "sweep.yaml", text)
    for line in (
        "SEARCH: {metric: x, goal: minimize, trials: 7}",
        "a: {loguniform: [1e-05, 0.1]}", "b: {loguniform: [0.135335283237, 1.0]}",
        "c: {randint: [1, 4]}", "d: {uniform: [0, 0.5]}", "e: {normal: [1, 2]}", "h: 0.5",
    ):  # fmt: skip
        assert line in found.experiment
    assert not [line for line in found.lost if line.startswith("metric:")]
    tree = yaml.safe_load(found.experiment)["HPARAMS"]
    assert set(tree["f"]["choice"]) == set(range(0, 65, 8))
    assert tree["g"]["choice"].count("x") == 24


DOUBTFUL = {
    "  a: {value: [1, 2]}\n": "a: value: [1, 2] is one value",
    "  a: {parameters: {b: {values: [1, 2]}}}\n": "a: nested",
    "  a: {min: 0.1, max: 1}\n": "a: uniform in a grid, which W&B refuses",
    "  a: {values: [1]}\nrun_cap: 3\n": "run_cap: 3",
    "  a: {values: 3}\n": "a: values: 3 is no list",
    "  a: {values: [1]}\ncommand: [python, '${progam}', '${args}']\n": "${progam} is unknown",
    "  a: {values: [1]}\ncommand: [python, --a, '${a}', '${args}']\n": "${a}: W&B leaves them out",
    "  a: {values: [1]}\ncommand: [python, x.py, '-a b', '${args}']\n": "'-a b' is one word",
    "  a: {values: [1]}\ncommand: python x.py ${args}\n": "a word for each letter",
}


@pytest.mark.parametrize("parameters", DOUBTFUL)
def test_what_is_doubtful_is_warned_of_and_a_comment(tmp_path, parameters):
    found = imported(tmp_path, "sweep.yaml", grid(parameters))
    [line] = [line for line in found.warnings if DOUBTFUL[parameters] in line]
    assert f"# Look at it: {line}" in found.experiment
    argvs(tmp_path, "sweep.yaml", grid(parameters))


@pytest.mark.parametrize("text", ["a\nb", "a\nb\n", " a\nb", "a \nb", "a\nb\n\n", "\na\nb"])
def test_a_value_of_several_lines_stays_as_it_is(tmp_path, text):
    parameters = f"  a: {{value: {json.dumps(text)}}}\n"
    found = imported(tmp_path, "sweep.yaml", grid(parameters))
    assert yaml.safe_load(found.experiment)["HPARAMS"] == {"a": text}


def test_what_stands_within_another_parameter_is_not_dropped_in_silence(tmp_path):
    text = "  a:\n    values: [1, 2]\n    desc: of a\n    b: {values: [3]}\n"
    found = imported(tmp_path, "sweep.yaml", grid(text))
    assert [line.partition(":")[0] for line in found.lost] == ["a.desc", "a.b"]
    assert found.lost[1].endswith("have no b; indented less, it is a parameter")
    assert yaml.safe_load(found.experiment)["HPARAMS"] == {"a": [1, 2]}


@pytest.mark.parametrize(
    "config",
    [
        *("{distribution: beta}", "{distribution: uniform, min: 1}", "{min: 2, max: 1}"),
        *("{values: }", "{distribution: q_log_uniform, min: 16, max: 1024}"),
    ],
)
def test_what_is_refused_by_wandb_is_not_carried_over(tmp_path, config):
    found = imported(
        tmp_path, "sweep.yaml", HEAD.format(method="random") + f"  a: {config}\n  b: {{value: 1}}\n"
    )
    [line] = found.lost
    assert line.startswith("a: ")
    assert argvs(tmp_path, "sweep.yaml", HEAD.format(method="random") + "  b: {value: 1}\n")


@pytest.mark.parametrize("ends", ["min: 0.001, max: 0.04", "min: 16, max: 256"])
def test_exponents_that_look_like_values_are_warned_of(tmp_path, ends):
    text = HEAD.format(method="random") + f"  a: {{distribution: log_uniform, {ends}}}\n"
    found = imported(tmp_path, "sweep.yaml", text)
    [line] = [each for each in found.warnings if "log_uniform_values may be meant" in each]
    assert line.startswith("a: log_uniform is from e^min to e^max")
    assert "a: {loguniform: [" in found.experiment


def test_the_text_of_an_option_is_no_doubt(tmp_path):
    text = grid("  a: {value: 1}\n") + "command: [python, x.py, --note, 'a b', '${args}']\n"
    assert not imported(tmp_path, "sweep.yaml", text).warnings
    assert argvs(tmp_path, "sweep.yaml", text) == [["python", "x.py", "--note", "a b", "--a=1"]]


def test_a_file_of_no_tool_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="no file that can be imported; it may be of: W&B"):
        imported(tmp_path, "sweep.yaml", "rules: [a]\nbranch: main\n")
    with pytest.raises(SettingsError, match=r"sweep.yaml:1: .*; mend the file first"):
        imported(tmp_path, "sweep.yaml", "a: [")
    with pytest.raises(SettingsError, match=r"an experiment of runx already; runx .* launches it"):
        imported(tmp_path, "sweep.yaml", "CMD: python x.py\nHPARAMS: {}\n")


def test_wandb_itself_gives_the_same_words(tmp_path):
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    command = ["${env}", "${interpreter}", "${program}", "--x", "a b", "${args}"]
    text = grid(SPELLINGS) + yaml.safe_dump({"command": command})
    axes = {
        name: [*range(1, 3)] if "min" in axis else axis.get("values", [axis.get("value")])
        for name, axis in sorted(yaml.safe_load(text)["parameters"].items())
    }
    expected = []
    for values in itertools.product(*axes.values()):
        given = {name: {"value": value} for name, value in zip(axes, values, strict=True)}
        words = utils.create_sweep_command_args({"args": given})
        words |= {"env": [], "interpreter": ["python"], "program": ["train.py"]}
        chunks = utils.create_sweep_command(copy.copy(command))
        expected.append([word for chunk in chunks for word in words.get(chunk[2:-1], [chunk])])
    assert argvs(tmp_path, "sweep.yaml", text) == expected


EARLY = "early_terminate: {type: hyperband, min_iter: 3, eta: 2}\n"


@pytest.mark.parametrize(
    ("method", "rest", "search"),
    [
        ("bayes", EARLY, {"trials": 20, "prune": {"asha": {"first": 3, "factor": 2}}}),
        ("random", EARLY, {"sampler": "random", "prune": {"asha": {"first": 3, "factor": 2}}}),
        ("bayes", "run_cap: 5\n", {"trials": 5}),
    ],
)
def test_a_sweep_that_chooses_or_stops_early_becomes_a_search(tmp_path, method, rest, search):
    text = HEAD.format(method=method) + "  lr: {min: 0.1, max: 0.5}\n" + rest
    text += "metric: {name: val_loss, goal: minimize, target: 0.5}\n"
    found = imported(tmp_path, "sweep.yaml", text)
    settings = yaml.safe_load(found.experiment)
    assert settings["SEARCH"].items() >= search.items() and "SAMPLES" not in settings
    assert settings["SEARCH"]["target"] == 0.5 and not found.lost


def test_a_grid_goes_on_to_its_end_and_says_so(tmp_path):
    text = HEAD.format(method="grid") + "  lr: {values: [0.1, 0.5]}\n" + EARLY
    found = imported(tmp_path, "sweep.yaml", text)
    assert any(line.startswith("early_terminate:") for line in found.lost)
    assert "SEARCH" not in yaml.safe_load(found.experiment)
