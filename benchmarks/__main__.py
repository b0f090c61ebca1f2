"""``python -m benchmarks``: measure, print the tables, and with --write put them into a file."""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.commands import ROOT, Failed
from benchmarks.jobs import JOBS
from benchmarks.tables import put, table
from benchmarks.turns import measure


def main() -> int:
    """Measure the jobs that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"some of {', '.join(JOBS)}")
    parser.add_argument("--full", action="store_true", help="all sizes, many rounds")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into FILE")
    # On a disk: /tmp is often memory, where every file costs next to nothing.
    parser.add_argument("--scratch", default="/var/tmp", help="where to work")
    arguments = parser.parse_args()
    if unknown := set(arguments.jobs) - JOBS.keys():
        parser.error(f"no job {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    compileall.compile_dir(ROOT / "runx", quiet=1)
    for name in arguments.jobs or JOBS:
        text = _measure(name, arguments.full, arguments.scratch)
        if arguments.write:
            document = arguments.write.read_text() if arguments.write.exists() else ""
            arguments.write.write_text(put(document, name, text))
    return 0


def _measure(name: str, full: bool, scratch: str) -> str:
    tables = [machine(scratch)]
    for job in JOBS[name](full):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="runx-bench-", dir=scratch) as folder:
            try:
                tables.append(table(job, measure(job, Path(folder))))
            except Failed as error:
                sys.exit(f"benchmarks: {job.title}: {error}")
        print(tables[-1], f"\n({time.perf_counter() - began:.0f} s)\n", flush=True)
    return "\n\n".join(tables)


def machine(folder: str) -> str:
    """Return one line about this machine.

    >>> machine("/").endswith(".")
    True
    """
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(place, kind) for place, kind in mounts if Path(folder).is_relative_to(place)]
    kind = max(inside, key=lambda mount: len(mount[0]))[1]
    return (
        f"Measured {time.strftime('%Y-%m-%d')} with Python {platform.python_version()} on"
        f" {os.cpu_count()} cores, {kind}, load {os.getloadavg()[0]:.1f} at the beginning."
    )


if __name__ == "__main__":
    sys.exit(main())
