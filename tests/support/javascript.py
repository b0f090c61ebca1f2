"""The page's modules in node, which .ci/run installs where it is missing."""

import json
import shutil
import subprocess

import pytest

from runx.report.page import bundled

NODE = shutil.which("node")


def node(names, harness, given):
    """Return the ``answers`` of a harness to its ``input``; it has these modules of the page."""
    if not NODE:
        pytest.skip("node is not installed")
    program = (
        f'"use strict";\nconst input = JSON.parse(require("fs").readFileSync(0, "utf-8"));\n'
        f"{bundled(names)}{harness}\nconsole.log(JSON.stringify(answers));\n"
    )
    done = subprocess.run(
        [NODE, "-e", program], input=json.dumps(given), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
