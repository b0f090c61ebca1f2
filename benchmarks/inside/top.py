"""Run a command in a terminal of 80 x 24 until its screen holds a text, and print what it cost.

Arguments: the text, seconds, and the command. Printed is the time until then; or with seconds, the
CPU time that it takes in a minute after that, as measured over so many.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
SETTLE = 10.0
"""Seconds after which what is read once has been read."""


def read(terminal, wanted, seconds):
    """Read from a terminal until a text is there, or for some seconds; return whether it was."""
    screen, end = b"", time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        if select.select([terminal], [], [], left)[0]:
            screen = (screen + os.read(terminal, 1 << 16))[-(1 << 20) :]
            if wanted and wanted in ESCAPES.sub(b"", screen):
                return True
    return False


def cpu(pid):
    """Return the CPU seconds of a process (proc(5): fields 14 and 15)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


text, seconds, *command = sys.argv[1:]
began = time.perf_counter()
pid, terminal = pty.fork()
if not pid:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.environ.update(TERM="xterm-256color")
    os.execvp(command[0], command)
if not read(terminal, text.encode(), 60):
    sys.exit(f"{' '.join(command)}: its screen never held {text}")
cost = {"seconds": time.perf_counter() - began, "cpu": cpu(pid)}
if float(seconds):
    read(terminal, b"", SETTLE)
    before = cpu(pid)
    read(terminal, b"", float(seconds))
    cost = {"seconds": (cpu(pid) - before) * 60 / float(seconds)}
os.write(terminal, b"q")
read(terminal, b"", 0.5)
os.kill(pid, 9)
print(json.dumps(cost))
