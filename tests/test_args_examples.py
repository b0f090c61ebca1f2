"""examples/args: real scripts, told every kind of value in their own way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from runx.command import shell_command
from runx.configfile import CONFIG, config_text, environment
from runx.grid import Beside
from runx.styles import DASHES, style_of
from runx.sweep import points
from runx.types import Point
from runx.yamltext import plain, read

ARGS = Path(__file__).parent.parent / "examples" / "args"
NEEDED = {"absl": "absl", "click": "click", "hydra": "hydra", "tyro": "tyro"}
NEEDED["jsonargparse"] = "jsonargparse"


def told(example: Path, point: Point, logdir: Path) -> dict[str, object]:
    """Give what an example's script was told."""
    document = read(example)
    args = document.tree.get("ARGS")
    style = style_of(args, partial(document.at, "ARGS")) if isinstance(args, dict) else DASHES
    (logdir / CONFIG).write_text(config_text(point, str(logdir)), encoding="utf-8")
    # Hydra leaves its outputs where it runs.
    shutil.copy(ARGS / f"with_{example.stem}.py", logdir)
    variables = environment(point, style) if style.style == "env" else {}
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", shell_command(plain(document.tree["CMD"]), point, str(logdir), style)],
        cwd=logdir,
        env={**os.environ, "PATH": bin_first, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def flat(tree: dict[str, object]) -> dict[str, object]:
    """Bring what different libraries make of the same values to one shape."""
    told: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            told.update(flat(value))
            continue
        name = key.removeprefix("HP_").removeprefix("OPTIMIZER_").lower()
        told[name] = json.loads(str(value)) if key.startswith("HP_") and name != "name" else value
    return told


@pytest.mark.parametrize("example", sorted(ARGS.glob("*.yml")), ids=lambda path: path.stem)
def test_each_example_is_told_every_value_exactly(example, tmp_path):
    pytest.importorskip(NEEDED.get(example.stem, "yaml"))
    document = read(example)
    found = list(points(document.tree["HPARAMS"], document.at, "", Beside()))
    assert len(found) == 12
    for point in (found[0], found[3], found[10]):
        values = {hparam.name.split(".")[-1]: hparam.value for hparam in point.hparams}
        expected = {**values, "sizes": list(values["sizes"])}  # type: ignore[call-overload]
        assert flat(told(example, point, tmp_path)) == expected
