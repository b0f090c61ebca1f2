"""Experiments of SEML: what its blocks and parameters become."""

import yaml

from tests.support.importing import argvs, imported

TEXT = """
seml: {executable: run.py, name: exp, conda_environment: x, output_dir: logs, project_root_dir: .}
slurm:
  experiments_per_job: 1
  max_simultaneous_jobs: 10
  sbatch_options: {gres: gpu:1, mem: 16G, cpus-per-task: 2, time: 0-08:00, exclude: '', nice: 5}
fixed: {epochs: 5, reg.scale: 1e-4, flag: true, sizes: [1, 2]}
grid:
  lr: {type: loguniform, min: 1e-5, max: 1e-1, num: 5}
"""


def test_a_grid_is_given_to_sacred(tmp_path):
    found = imported(tmp_path, "exp.yaml", TEXT)
    section = yaml.safe_load(found.runx_file)["slurm"]
    assert section["RESOURCES"] == {
        "gpus": 1, "mem": "16G", "cpus": 2, "time": "0-08:00", "nice": 5,
    }  # fmt: skip
    assert (section["MAX_PARALLEL"], section["SETUP"]) == (10, "conda activate x")
    runs = argvs(tmp_path, "exp.yaml", TEXT)
    assert len(runs) == 5
    assert runs[0] == [
        *("python", "run.py", "with", "epochs=5", "reg.scale=1e-4", "flag=True", "sizes=[1, 2]"),
        "lr=1e-5",
    ]
    assert any(line.startswith("seml.output_dir") for line in found.lost)


def test_blocks_are_entries_of_a_list_with_what_is_above_them(tmp_path):
    text = (
        TEXT
        + """
small:
  grid: {data: {type: choice, options: [a, b]}, hidden: {type: choice, options: [[16], [32, 16]]}}
big:
  fixed: {data: c}
  deeper: {grid: {depth: {type: range, min: 1, max: 4}}}
"""
    )
    runs = argvs(tmp_path, "exp.yaml", text)
    assert len(runs) == 5 * (2 * 2 + 3)
    assert sum("data=c" in words for words in runs) == 15
    assert {w for words in runs for w in words if w.startswith("hidden=")} == {
        "hidden=[16]", "hidden=[32, 16]",
    }  # fmt: skip


def test_random_parameters_and_zips(tmp_path):
    text = """
seml: {executable: run.py}
grid:
  a: {type: choice, options: [1, 2], zip_id: z}
  b: {type: choice, options: [3, 4], zip_id: z}
  c: {type: parameter_collection, params: {d: {type: uniform, min: 0, max: 1, num: 3}}}
  e: {type: other}
random:
  samples: 4
  seed: 7
  n: {type: randint, min: 1, max: 3}
"""
    found = imported(tmp_path, "exp.yaml", text)
    assert any(line.startswith("e: ") and "unknown" in line for line in found.lost)
    runs = argvs(tmp_path, "exp.yaml", text)
    assert len(runs) == 2 * 3 * 4
    assert "n=3" not in {word for words in runs for word in words}
    joined = {" ".join(words) for words in runs}
    assert not any("a=1" in line and "b=4" in line for line in joined)
