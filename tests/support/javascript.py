"""The page's modules in node, which .ci/run installs where it is missing."""

import json
import shutil
import subprocess

import pytest

from runx.report.page import bundled

NODE = shutil.which("node")


def node(names, harness, content):
    """Run a script over modules of the page in node; return its ``answers`` to its ``input``."""
    if not NODE:
        pytest.skip("node is not installed")
    program = (
        f'"use strict";\nconst input = JSON.parse(require("fs").readFileSync(0, "utf-8"));\n'
        f"{bundled(names)}{harness}\nconsole.log(JSON.stringify(answers));\n"
    )
    done = subprocess.run(
        [NODE, "-e", program], input=json.dumps(content), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
