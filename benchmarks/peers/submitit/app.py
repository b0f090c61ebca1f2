"""``python app.py RUNS``: so many runs of ``true``, two at once."""

import subprocess
import sys

import submitit

executor = submitit.LocalExecutor("logs")
pending = []
for _ in range(int(sys.argv[1])):
    pending.append(executor.submit(subprocess.call, ["true"]))
    if len(pending) == 2:
        pending.pop(0).result()
for job in pending:
    job.result()
