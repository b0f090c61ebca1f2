"""The walks of docs/architecture.md: their functions exist, and are no more than it says."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAP = (ROOT / "docs" / "architecture.md").read_text()


def test_no_walk_grows(tmp_path):
    most = dict(re.findall(r"^\| ([^|]+) \| (\d+) \|$", MAP, re.M))
    program = ROOT / "tests" / "support" / "walks.py"
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted.keys() == most.keys()
    assert {name: count for name, count in counted.items() if count > int(most[name])} == {}


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`([\w/]+\.py:[\w.]+)`", MAP))))
def test_the_functions_of_the_walks_are_there(place):
    file, _, name = place.partition(":")
    names = set()
    for node in ast.walk(ast.parse((ROOT / "runx" / file).read_text())):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{each.name}" for each in node.body if hasattr(each, "name")}
    assert name in names
