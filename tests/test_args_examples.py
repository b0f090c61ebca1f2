"""examples/args: real scripts, launched by runx, each given every kind of value in its own way."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ARGS = Path(__file__).parent.parent / "examples" / "args"
NEEDED = {"absl": "absl", "click": "click", "hydra": "hydra", "tyro": "tyro"}
NEEDED["jsonargparse"] = "jsonargparse"
SOME = "amp and lr > 0 or (not amp and lr < 0 and name == 'plain')"
"""Each name, both truth values, both signs: as few runs as have all of them."""


def flat(tree: dict[str, object]) -> dict[str, object]:
    """Return the values that different libraries read in one shape."""
    values: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            values.update(flat(value))
            continue
        name = key.removeprefix("HP_").removeprefix("OPTIMIZER_").lower()
        values[name] = json.loads(str(value)) if key.startswith("HP_") and name != "name" else value
    return values


@pytest.mark.parametrize("example", sorted(ARGS.glob("*.yml")), ids=lambda path: path.stem)
def test_each_example_is_given_every_value_exactly(example, tmp_path, installed):
    pytest.importorskip(NEEDED.get(example.stem, "yaml"))
    project = shutil.copytree(ARGS, tmp_path / "args", ignore=shutil.ignore_patterns("runs"))
    done = subprocess.run(
        ["runx", example.name, "-i", "--where", SOME],
        cwd=project,
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = [run for run in (project / "runs" / example.stem).iterdir() if run.name[0] != "."]
    assert len(runs) == 4
    for run in runs:
        hparams = json.loads((run / "hparams.json").read_text())
        expected = {name.split(".")[-1]: value for name, value in hparams.items()}
        assert flat(json.loads((run / "output.log").read_text())) == expected
