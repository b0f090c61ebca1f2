"""Stand-ins for Moab's commands, as strict as its manual: ``moab.py COMMAND WORDS...``.

The jobs of an array are given their index where msub was called with -V. $STANDIN/closed keeps jobs
from starting.
"""

import sys
from pathlib import Path

import standin

standin.FLAGS["msub"]["-V"] = None


class Moab(standin.Jobs):
    def advance(self):
        if not (standin.HOME / "closed").exists():
            super().advance()


def msub(words):
    flags, rest = standin.parsed("msub", words)
    if len(rest) != 1 or not Path(rest[0]).exists():
        standin.refuse(f"one script is needed, not {rest}", 1)
    indices = standin.span(flags["-t"].rpartition("[")[2]) if "-t" in flags else [0]
    tasks = {
        index: (["bash", rest[0]], {"MOAB_JOBARRAYINDEX": str(index)} if "-V" in flags else {})
        for index in indices
    }
    with Moab() as jobs:
        number = jobs.add(flags["-N"], tasks, "-t" in flags, spooled=flags["-o"])
    print(f"\nMoab.{number}")


def showq(words):
    flags, _ = standin.parsed("showq", words)
    lines = {"active": [], "eligible": [], "completed": []}
    with Moab() as jobs:
        jobs.advance()
        for number, index, job, state in jobs.listed():
            name = f"Moab.{number}[{index}]" if job["array"] else f"Moab.{number}"
            queue = {"running": "active", "waiting": "eligible"}.get(state, "completed")
            word = {"active": "Running", "eligible": "Idle", "completed": "Completed"}[queue]
            code = 271 if state == "cancelled" else state
            end = f' CompletionCode="{code}"' if queue == "completed" else ""
            line = f'<job JobID="{name}" JobName="{job["name"]}" State="{word}"{end}/>'
            lines[queue].append(line)
    wanted = ("completed",) if "-c" in flags else ("active", "eligible")
    queues = "".join(f'<queue option="{name}">{"".join(lines[name])}</queue>' for name in wanted)
    print(f"<Data>{queues}</Data>")


def mjobctl(words):
    if words[0] != "-c" or len(words) != 2:
        standin.refuse("only -c JOB here")
    with Moab() as jobs:
        tasks = standin.of_id(words[1], jobs)
        for number, index in tasks:
            if not jobs.cancel(number, index) and jobs.state(number, index) == "waiting":
                jobs.all[number]["tasks"][index]["cancelled"] = True
    if not tasks:
        standin.refuse(f"ERROR:    invalid job specified ({words[1]})", 1)
    print(f"\njob '{words[1]}' cancelled")


if __name__ == "__main__":
    {"msub": msub, "showq": showq, "mjobctl": mjobctl}[sys.argv[1]](sys.argv[2:])
