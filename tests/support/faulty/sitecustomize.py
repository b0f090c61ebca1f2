"""Ends runx by SIGKILL at the step of its work that FAULT_AT names, or counts its steps.

A step is whatever Python itself tells an audit hook of, once runx has begun to write. CLOCK_BACK
makes every look at the clock find it so many seconds earlier.
"""

import os
import signal
import sys

STEPS = (
    "open",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.scandir",
    "os.listdir",
    "os.chmod",
    "fcntl.flock",
    "subprocess.Popen",
    "_posixsubprocess.fork_exec",
    "shutil.rmtree",
)


def watch() -> None:
    fault, root = int(os.environ["FAULT_AT"]), os.environ["FAULT_ROOT"]
    steps = 0

    def step(event: str, arguments: tuple) -> None:
        nonlocal steps
        where = str(arguments[0]) if arguments else ""
        if event not in STEPS or (event == "open" and root not in where):
            return
        if steps or root in where:
            steps += 1
        if steps == fault and fault:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(step)
    if fault == 0:
        import atexit

        atexit.register(lambda: print(f"steps: {steps}", file=sys.stderr))


def turn_back() -> None:
    import itertools
    import time

    real, calls = time.time, itertools.count()
    time.time = lambda: real() - next(calls) * float(os.environ["CLOCK_BACK"])


if "CLOCK_BACK" in os.environ and "runx.runx" in sys.orig_argv:
    turn_back()
if "FAULT_AT" in os.environ and "runx.runx" in sys.orig_argv:
    watch()
