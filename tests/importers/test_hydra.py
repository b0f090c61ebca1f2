"""Sweeps of Hydra: the overrides that its own grammar and sweeper give to each job."""

import pytest
import yaml

from runx.errors import SettingsError
from tests.support.importing import argvs, imported

GRAMMAR = pytest.importorskip("hydra.core.override_parser.overrides_parser")
SWEEPER = pytest.importorskip("hydra._internal.core_plugins.basic_sweeper").BasicSweeper

HEAD = "hydra:\n  sweeper:\n    params:\n"

TEXTS = [
    "",
    "0.1, 0.01,1e-3", "1,2,3", "0.50", "1.", "true,false", "True", "null,1", "adam, sgd",
    "choice(a,b)", "choice(1)", "range(5)", "range(1,6,2)", "range(0.5, 0.9, 0.1)", "range(5,0,-2)",
    "range(start=0,stop=3)", "[1,2],[3, 4]", "[a,b]", "[1,2]", "[]", "[[1,2],[3]]", "{a:1,b:2}",
    "'a b','c'", '"x y"', "a b,c", "${x},${y}", "res-net/50,vit_b@16", "sort(3,1,2)", "/a/b.pt",
    "sort(choice(b,a))", "int(3.7)", "float(2)", "1_000", "foo:bar", "''", "inf,nan", "-1,-1e-5",
    "sort(3,1,2,reverse=true)", "tag(x,choice(1,2))", "path/${now:%Y-%m},b", "1e3,1E-4", "007",
    "*.txt", "None", "no,yes", "on", "2026-01-02", "4:00",
]  # fmt: skip


def overridden(words):
    overrides = GRAMMAR.OverridesParser.create().parse_overrides(words)
    return SWEEPER.split_arguments(overrides, None)[0]


@pytest.mark.parametrize("text", TEXTS)
def test_values_are_those_of_hydras_grammar(tmp_path, text):
    params = {"lr": text, "+seed": "0,1", "model/opt@x": "a", "experiment": "base"}
    file = HEAD + "".join(
        f"      {k}: {yaml.safe_dump(v).split(chr(10))[0]}\n" for k, v in params.items()
    )
    expected = overridden([f"{name}={value}" for name, value in params.items()])
    assert argvs(tmp_path, "configs/config.yaml", file) == [
        ["python", "train.py", *words] for words in expected
    ]


def test_scalars_of_yaml_are_taken_as_hydra_takes_them(tmp_path):
    text = (
        HEAD
        + "      a: 64\n      b: true\n      c: null\n"
        + "      d: [1, x]\n      e: 0.10\n      f: 1,2\n"
    )
    expected = overridden(["a=64", "b=True", "c=None", "d=[1, 'x']", "e=0.1", "f=1,2"])
    assert argvs(tmp_path, "config.yaml", text) == [
        ["python", "train.py", *words] for words in expected
    ]


MULTIRUN = """
hydra:
  sweeper: {_target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper, params: {+a: "1,2"}}
  launcher:
    _target_: hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher
    partition: gpu
    timeout_min: 90
    mem_gb: 16
    gpus_per_node: 1
    array_parallelism: 8
    setup: [module load cuda]
    stderr_to_stdout: true
  overrides:
    hydra: [hydra.mode=MULTIRUN]
    task: ["lr=0.1,0.2", ~callbacks, "lr=0.3,0.4", "x='a b'", model=small]
  job: {name: run, config_name: config}
lr: 0.1
"""


def test_a_multirun_is_done_again_with_its_launcher(tmp_path):
    words = ["+a=1,2", "lr=0.1,0.2", "lr=0.3,0.4", "x='a b'", "model=small"]
    found = imported(tmp_path, "multirun.yaml", MULTIRUN)
    assert argvs(tmp_path, "multirun.yaml", MULTIRUN) == [
        ["python", "run.py", "~callbacks", *each] for each in overridden(words)
    ]
    section = yaml.safe_load(found.runx_file)["slurm"]
    assert section["RESOURCES"] == {"gpus": 1, "partition": "gpu", "mem": "16G", "time": "90m"}
    assert (section["MAX_PARALLEL"], section["SETUP"]) == (8, "module load cuda")
    assert any("stderr_to_stdout" in line for line in found.lost)


OPTUNA = """
# @package _global_
defaults: [{override /hydra/sweeper: optuna}]
hydra:
  mode: MULTIRUN
  sweeper:
    _target_: hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper
    direction: maximize
    n_trials: 6
    sampler: {_target_: optuna.samplers.TPESampler}
    params:
      model.lr: tag(log, interval(0.0001, 0.1))
      model.drop: interval(0, 0.5)
      model.depth: int(interval(1, 8))
      data.batch: choice(32, 64)
      seed: 1
"""


def test_a_search_of_optuna_is_one_here(tmp_path):
    found = imported(tmp_path, "configs/hparams_search/mnist.yaml", OPTUNA)
    for line in (
        "CMD: python train.py +hparams_search=mnist hydra.mode=RUN", "seed: 1",
        "SEARCH: {metric: loss, goal: maximize, trials: 6, sampler: tpe}",
        "model.lr: {loguniform: [0.0001, 0.1]}", "model.drop: {uniform: [0, 0.5]}",
        "model.depth: {randint: [1, 8]}", "data.batch: {choice: [32, 64]}",
    ):  # fmt: skip
        assert line in found.experiment
    assert not any("direction" in line for line in found.lost)


SPACE = """
hydra:
  job: {env_set: {MEM: .95}}
  sweeper:
    optuna_config: {n_trials: 5}
    search_space:
      a: {type: float, low: 0.001, high: 0.003, step: 0.001}
      b: {type: categorical, choices: [1, 2]}
      c: {type: int, low: 1, high: 8}
      d: {type: float, low: 0.01, high: 1.0, log: true}
      e: {type: other}
"""


def test_a_search_space_of_older_sweepers_is_drawn_from(tmp_path):
    found = imported(tmp_path, "conf/config.yaml", SPACE)
    settings = yaml.safe_load(found.experiment)
    assert (settings["SEARCH"]["trials"], settings["ENV"]) == (5, {"MEM": "0.95"})
    assert settings["HPARAMS"] == {
        "a": {"choice": [0.001, 0.002, 0.003]},
        "b": {"choice": [1, 2]},
        "c": {"randint": [1, 8]},
        "d": {"loguniform": [0.01, 1.0]},
    }
    [line] = [line for line in found.lost if line.startswith("e: ")]
    assert line.endswith("its types are float, int and categorical")
    assert len(argvs(tmp_path, "conf/config.yaml", SPACE)) == 5


NUMBERS = """
defaults: [_self_, {override hydra/sweeper: optuna}]
hydra:
  sweeper:
    storage: mysql://me:secret@db:3306/optuna
    search_space:
      a: {type: float, low: 1e-7, high: 1.0e3, log: True}
      b: {type: categorical, choices: [1.0, 1e-1, 1e-5]}
      c: {type: categorical, choices: [False, True]}
      d: {type: categorical, choices: ["2 epochs", null]}
      e: {type: float, low: 0, high: 1, step: 1}
      f: {type: int, low: 1, high: 8, step: 2}
      g: {type: int, low: 1, high: 64, log: true}
"""


def test_a_search_space_has_the_numbers_that_hydra_reads(tmp_path):
    found = imported(tmp_path, "conf/config.yaml", NUMBERS)
    hparams = yaml.safe_load(found.experiment)["HPARAMS"]
    assert "a: {loguniform: [1e-07, 1000.0]}" in found.experiment
    assert (hparams["e"], hparams["f"]) == ({"choice": [0, 1]}, {"choice": [1, 3, 5, 7]})
    assert {type(each) for each in hparams["g"]["choice"]} == {int}
    assert "secret" not in found.experiment
    assert any("SEARCH.metric is a guess" in line for line in found.warnings)
    choices = {name: hparams[name]["choice"] for name in "bcd"}
    choices["b"] = [*map(float, choices["b"])]  # PyYAML takes 1e-05 for a text
    assert choices == {"b": [1.0, 0.1, 1e-5], "c": [False, True], "d": ["2 epochs", None]}


def test_a_list_is_one_value_with_hydras_numbers(tmp_path):
    text = HEAD + "      a: [1e-4, 1e3]\n      b: 1e-4\n"
    expected = overridden(["a=[0.0001, 1000.0]", "b=0.0001"])
    assert argvs(tmp_path, "config.yaml", text) == [["python", "train.py", *expected[0]]]
    warnings = imported(tmp_path, "config.yaml", text).warnings
    assert next(line for line in warnings if "a list is one value" in line).startswith("a: ")


CHOSEN = """
defaults:
  - override hydra/sweeper: {sweeper}
hydra:
  sweeper:
    sampler: {{_target_: optuna.samplers.{sampler}}}
    n_trials: 40
    params:
      n: range(1, 3)
      x: range(0.5, 0.9, step=0.1)
      y: range(0, 5, 2)
      sizes: choice([64, 64], [8])
"""


def test_a_search_draws_the_end_of_a_range_too(tmp_path):
    found = imported(tmp_path, "config.yaml", CHOSEN.format(sweeper="optuna", sampler="TPESampler"))
    for line in (
        "{choice: [1, 2, 3]}", "x: {choice: [0.5, 0.6, 0.7, 0.8, 0.9]}", "{choice: [0, 2, 4]}",
        "sizes: {choice: [[64,64], [8]]}", "trials: 40",
    ):  # fmt: skip
        assert line in found.experiment
    assert not any("SAMPLES: 20" in line for line in found.warnings)


def test_a_sampler_of_a_grid_is_a_grid(tmp_path):
    text = CHOSEN.format(sweeper="optuna", sampler="GridSampler").replace("0.9", "0.8")
    found = imported(tmp_path, "config.yaml", text)
    assert any("--limit 40" in line for line in found.warnings)
    words = ["n=range(1,3)", "x=range(0.5,0.8,step=0.1)", "y=range(0,5,2)", "sizes=[64,64],[8]"]
    assert argvs(tmp_path, "config.yaml", text) == [
        ["python", "train.py", *each] for each in overridden(words)
    ]


@pytest.mark.parametrize("sweeper", ["optuna", "ax"])
def test_a_search_is_known_by_the_defaults(tmp_path, sweeper):
    text = f"defaults: [{{override /hydra/sweeper: {sweeper}}}]\n{HEAD}      a: 1,2\n"
    assert "a: {choice: [1, 2]}" in imported(tmp_path, "config.yaml", text).experiment
    assert "a: [1, 2]" in imported(tmp_path, "c.yaml", text.replace(sweeper, "manual")).experiment


NOTHING = {
    "hydra: {run: {dir: x}}\n": "sweeps over nothing",
    "hydra: {sweeper: {params: null}, overrides: {task: []}}\n": "sweeps over nothing",
    "# @package hydra.sweeper\nn_trials: 5\n": "sweeps over nothing",
    "defaults: [{model: small}]\nlr: 0.1\n": "sweeps over nothing",
    "hydra: {sweeper: {ax_config: {params: {}}}}\n": "hydra.sweeper.ax_config isn't read here",
}


@pytest.mark.parametrize("text", NOTHING)
def test_a_configuration_without_a_sweep_says_so(tmp_path, text):
    with pytest.raises(SettingsError) as error:
        imported(tmp_path, "config.yaml", text)
    assert f"config.yaml: is of Hydra, but {NOTHING[text]}" in str(error.value)
    assert "write CMD, ARGS: {style: hydra} and HPARAMS" in str(error.value)


PLACES = {
    "conf/hydra/sweeper/params/small.yaml": "lr: 0.1,0.2\n",
    "conf/hydra/sweeper/small.yaml": "params:\n  lr: 0.1,0.2\n",
    "conf/x.yaml": "# @package hydra.sweeper.params\nlr: 0.1,0.2\n",
    "conf/y.yaml": "# @package hydra.sweeper\nparams: {lr: '0.1,0.2'}\n",
    "conf/z.yaml": "hydra:\n  sweeper:\n    params:\n      lr: 0.1,0.2\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_sweeper_is_found_wherever_it_stands(tmp_path, place):
    runs = argvs(tmp_path, place, PLACES[place])
    assert [words[-1] for words in runs] == ["lr=0.1", "lr=0.2"]


def test_a_glob_is_the_files_of_its_group(tmp_path):
    for name in ("a", "b", "other"):
        (tmp_path / "conf/model").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"conf/model/{name}.yaml").write_text("")
    runs = argvs(
        tmp_path, "conf/config.yaml", HEAD + "      model: glob([ab])\n      +x: glob(*)\n"
    )
    assert [words[-1] for words in runs] == ["model=a", "model=b"]
    assert (
        "no folder x"
        in imported(tmp_path, "conf/config.yaml", HEAD + "      +x: glob(*)\n").lost[0]
    )


@pytest.mark.parametrize("text", ["foo(1,2)", "choice(1,2", "range(a)", "[1,2", "'x", "a=b,c"])
def test_what_hydra_refuses_is_not_carried_over(tmp_path, text):
    file = HEAD + f"      lr: {yaml.safe_dump(text)}".rstrip(".\n") + "\n      seed: 1\n"
    found = imported(tmp_path, "config.yaml", file)
    assert found.lost[0].startswith("lr=")
    assert argvs(tmp_path, "config.yaml", file) == [["python", "train.py", "seed=1"]]


def test_a_search_space_in_params_is_refused_as_by_hydra(tmp_path):
    text = HEAD + "      lr: {type: float, low: 0, high: 1}\n      seed: 1\n"
    [line] = imported(tmp_path, "config.yaml", text).lost
    assert line.startswith("lr: {'type': 'float', 'low': 0, 'high': 1}: Hydra refuses it")
    assert argvs(tmp_path, "config.yaml", text) == [["python", "train.py", "seed=1"]]
