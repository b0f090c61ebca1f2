"""CONFIG from the command line to the libraries that read it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

SHOW = "import sys; print(open(sys.argv[-1]).read())"


def hparams(run: Path) -> dict[str, object]:
    return json.loads((run / "hparams.json").read_text())


def test_a_leaf_that_nobody_sweeps_stands_as_in_the_file(project):
    text = """\
# a comment
augment: no
seed: 010
names: {0: a}
extra: {}
when: 2026-02-06
prompt: "{{ name }} $HOME ${x}"
callbacks:
- class_path: Stop   # first
  patience: 3
opt:
  lr: 0.1
  name: sgd
"""
    project.write("config.yaml", text)
    project.write(
        "sweep.yml",
        "CMD: cat {config}\nCONFIG: config.yaml\nARGS: {style: file}\n"
        "HPARAMS:\n- opt.lr: [0.5]\n- callbacks.0.patience: [9]\n"
        "- RUNX.CASES: [{opt.name: adam}, {augment: yes}]\n",
    )
    done = project.runx("sweep.yml", "-i")
    assert "$HOME" not in done.stderr
    written = {(run / "config.yaml").read_text(): hparams(run) for run in project.runs()}
    half = text.replace("lr: 0.1", "lr: 0.5")
    assert set(written) == {
        half,
        half.replace("patience: 3", "patience: 9"),
        half.replace("name: sgd", 'name: "adam"'),
        half.replace("augment: no", 'augment: "yes"'),
    }
    assert written[half] == {
        "augment": "no", "seed": 10, "names.0": "a", "when": "2026-02-06",
        "prompt": "{{ name }} $HOME ${x}", "callbacks.0.class_path": "Stop",
        "callbacks.0.patience": 3, "opt.lr": 0.5, "opt.name": "sgd",
    }  # fmt: skip
    assert all(len(values) == 9 for values in written.values())


def test_the_script_gets_the_format_that_it_reads(project):
    pytest.importorskip("tomlkit")
    project.write("a.json", '{"lr": 0.1, "n": {}}')
    project.write("a.toml", "lr = 0.1 # rate\n")
    for name, expected in (("json", '{"lr": 0.5, "n": {}}'), ("toml", "lr = 0.5 # rate\n")):
        project.write(
            "sweep.yml",
            f"CMD: cat\nCONFIG: a.{name}\nARGS: {{style: file, prefix: ''}}\n"
            f"EXP_NAME: {name}\nCMD: cat {{config}}\nHPARAMS: {{lr: [0.5]}}\n".replace(
                "CMD: cat\n", ""
            ),
        )
        project.runx("sweep.yml", "-i")
        (run,) = project.runs(f"runs/{name}")
        assert (run / f"config.{name}").read_text() == expected
        assert (run / "output.log").read_text() == expected


def test_a_format_without_a_config_is_written_anew(project):
    project.write("sweep.yml", "CMD: cat {config}\nHPARAMS: {a.lr: [1e-3]}\n")
    done = project.runx("sweep.yml", "-i", "ARGS.style=file", "ARGS.format=json")
    assert '"lr": 0.001' in done.stdout
    project.write("c.json", "{}")
    words = ("CONFIG=c.json", "ARGS.style=file", "ARGS.format=toml", "HPARAMS={+lr: 1}")
    assert "CONFIG is json" in project.runx("sweep.yml", "-n", *words, status=2).stderr


@pytest.mark.parametrize(
    ("style", "config", "message"),
    [
        ("file", "defaults: [model: small, _self_]\n", "use `ARGS: {style: hydra}`"),
        ("equals", "c: [{a: 1}]\n", "c is a list of mappings, which no argument can hold; use"),
        ("file", "lr: 1\nlr: 2\n", "config.yaml:2: lr was given on line 1 already; keep one"),
    ],
)
def test_what_cannot_be_given_is_refused_when_planned(project, style, config, message):
    project.write("config.yaml", config)
    project.write(
        "sweep.yml",
        f"CMD: x\nCONFIG: config.yaml\nARGS: {{style: {style}}}\nHPARAMS: {{}}\n",
    )
    assert message in project.runx("check", "sweep.yml", status=2).stderr


HYDRA = """\
import hydra
from omegaconf import OmegaConf

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    print(OmegaConf.to_container(cfg, resolve=True))

main()
"""


def test_hydra_composes_its_own_file_and_is_given_what_is_swept(project):
    pytest.importorskip("hydra")
    project.write("train.py", HYDRA)
    project.write(
        "conf/config.yaml",
        "defaults: [{model: small}, _self_]\nlr: 0.1\nnote: ${lr}\nkeep: no\n"
        "drop: 0.5\ncallbacks: [{a: 1, b: no}]\nempty: {}\n",
    )
    for name, dim in (("small", 1), ("large", 9)):
        project.write(f"conf/model/{name}.yaml", f"name: {name}\ndim: {dim}\n")
    project.write(
        "sweep.yml",
        f"CMD: {sys.executable} train.py hydra.run.dir=LOGDIR/hydra hydra.output_subdir=null\n"
        "CONFIG: conf/config.yaml\nARGS: {style: hydra}\n"
        "HPARAMS: {model: [small, large], drop: [null], callbacks.0.a: 5, model.dim: 7}\n",
    )
    planned = project.runx("sweep.yml", "-n", "-i").stdout.splitlines()
    assert planned[1].endswith("model=large model.dim=7 drop=null callbacks.0.a=5")
    project.runx("sweep.yml", "-i")
    outputs = sorted((run / "output.log").read_text() for run in project.runs())
    assert len(outputs) == 2
    assert "'model': {'name': 'large', 'dim': 7}" in outputs[0]
    for output in outputs:
        assert "'lr': 0.1, 'note': 0.1, 'keep': False, 'drop': None" in output
        assert "'callbacks': [{'a': 5, 'b': False}], 'empty': {}" in output
    assert {hparams(run)["lr"] for run in project.runs()} == {0.1}
    message = project.runx("sweep.yml", "-n", "HPARAMS={lrr: 1}", status=2).stderr
    assert "lrr is not in CONFIG: did you mean lr?" in message


LIGHTNING = """\
import sys
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.demos.boring_classes import BoringDataModule, DemoModel

cli = LightningCLI(DemoModel, BoringDataModule, run=False, args=sys.argv[1:])
stop = cli.trainer.early_stopping_callback
print("read", cli.model.learning_rate, stop.patience, stop.monitor, cli.trainer.max_epochs)
"""


def test_lightning_reads_its_callbacks_from_the_file(project):
    for module in ("lightning", "docstring_parser", "typeshed_client"):
        pytest.importorskip(module)
    project.write("train.py", LIGHTNING)
    project.write(
        "config.yaml",
        "trainer:\n  logger: false\n  accelerator: cpu\n  max_epochs: 3\n  callbacks:\n"
        "  - class_path: lightning.pytorch.callbacks.EarlyStopping\n"
        "    init_args: {monitor: val_loss, patience: 3}\nmodel:\n  learning_rate: 1e-3\n",
    )
    project.write(
        "sweep.yml",
        f"CMD: {sys.executable} train.py\nCONFIG: config.yaml\nARGS: {{style: file}}\n"
        "HPARAMS: {trainer.callbacks.0.init_args.patience: [8], model.learning_rate: 1e-05}\n",
    )
    assert "read 1e-05 8 val_loss 3" in project.runx("sweep.yml", "-i").stdout
