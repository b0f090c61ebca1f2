import pytest
from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.readers.content import object_or_empty
from runx.rundir.paths import ExperimentDir


def test_lightnings_hyperparameters_join_those_of_the_run(tmp_path):
    folder = make_run(tmp_path / "owl", {"model.lr": 0.1}) / "lightning_logs/version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,step,val_acc\n0,9,0.5\n")
    (folder / "hparams.yaml").write_text("lr: 0.5\nmodel:\n  width: 8\n")
    [run] = read_experiment(ExperimentDir(tmp_path), Reader(warn=pytest.fail))
    assert run.hparams == {"model.lr": 0.1, "model.width": 8}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!python/tuple [1, 2]\n", {"a": [1, 2]}),
        ("a: !!python/object/apply:os.system ['touch PWNED']\n", {"a": ["touch PWNED"]}),
        ("a: !!python/object:x.Y {b: 1}\nc: 2\n", {"a": {"b": 1}, "c": 2}),
        ("a: !other b", {"a": "b"}),
        ("", {}),
    ],
)
def test_nothing_of_pythons_own_is_made(tmp_path, text, expected, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hparams.yaml").write_text(text)
    assert object_or_empty("hparams.yaml", pytest.fail) == expected
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "\x00", "[" * 5000])
def test_damage_costs_a_warning_of_one_line(tmp_path, text):
    (tmp_path / "hparams.yaml").write_text(text)
    warnings = []
    assert object_or_empty(str(tmp_path / "hparams.yaml"), warnings.append) == {}
    assert len(warnings) == 1
    assert "\n" not in warnings[0]
