"""Freeze a project that has not changed since, or only stat every file of it."""

import json
import os
import sys
import time
from pathlib import Path

way, project, store = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def floor():
    """Stat every file."""
    for place, _, names in os.walk(project):
        for name in names:
            os.stat(f"{place}/{name}")


def refreeze():
    """Freeze once, and return a call that freezes again, which makes nothing."""
    from runx.staging.freeze import freeze
    from runx.staging.store import FreezeRules

    def frozen():
        return freeze(FreezeRules(root=project, gitignore=False), store)

    frozen()
    # A file changed a moment ago may change again and keep its stamp: it is read once more.
    time.sleep(0.2)
    frozen()

    def call():
        assert frozen().reused

    return call


call = floor if way == "floor" else refreeze()
call()
cpu, began = time.process_time(), time.perf_counter()
call()
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu}))
