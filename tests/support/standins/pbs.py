"""Stand-ins for OpenPBS's commands, which answer as those of support/answers/openpbs did.

``pbs.py COMMAND WORDS...``. Where $STANDIN holds a file ``history-off``, the server keeps no
history, as is its default; where it holds ``closed``, nothing is started.
"""

import re
import sys
from pathlib import Path

import standin

HOME = standin.HOME
USAGE = "usage: qsub [-a date_time] [-A account_string] ..."
ARRAY_OR_JOB = r"\d+(\[\])?(\.[\w-]+)?"
DEPEND = rf"(afterok|afterany):{ARRAY_OR_JOB}(:{ARRAY_OR_JOB})*"
standin.FLAGS["qsub"]["-W"] = rf"depend={DEPEND}(,{DEPEND})*"
standin.FLAGS["qsub"]["-J"] = r"\d+-\d+(%[1-9]\d*)?"
UNKNOWN, ENDED, ENDED_SUBJOB, INVALID = 153, 35, 55, 156


class Server(standin.Jobs):
    """Jobs that can be held, that wait for others, and that go through qdel's slow end."""

    def advance(self):
        if (HOME / "closed").exists():
            return
        ready, all_jobs = {}, self.all
        for number, job in all_jobs.items():
            self.depend(number, job)
            if not job.get("held") and not job.get("waits"):
                ready[number] = job
        self.all = ready
        super().advance()
        self.all = all_jobs

    def start(self, number, index):
        job = self.all[number]
        id = f"{number}[{index}].node1" if job["array"] else f"{number}.node1"
        job["tasks"][index]["more"]["PBS_JOBID"] = id
        super().start(number, index)

    def depend(self, number, job):
        """Heed a dependency that is fulfilled, or can't be any more."""
        for kind, first in list(job.get("waits", [])):
            ends = [
                self.state(first, index) for index in self.all.get(first, {"tasks": {}})["tasks"]
            ]
            if {"waiting", "running"} & set(ends):
                continue
            if kind == "afterok" and (not ends or set(ends) != {0}):
                for task in job["tasks"].values():
                    task["cancelled"] = True
                return
            job["waits"].remove([kind, first])

    def state(self, number, index):
        state = super().state(number, index)
        pid = self.all[number]["tasks"][index].get("pid") if number in self.all else None
        # A job that is deleted runs until its processes have ended.
        if state == "cancelled" and pid and not (HOME / f"{number}.{index}.status").exists():
            return "running" if alive(pid) else state
        return state

    def over(self, number):
        return not {"waiting", "running"} & {
            self.state(number, index) for index in self.all[number]["tasks"]
        }

    def knows(self, number):
        return number in self.all and not (self.over(number) and (HOME / "history-off").exists())

    def delete(self, number, index):
        task = self.all[number]["tasks"][index]
        if "pid" in task:
            self.cancel(number, index)
        task["cancelled"] = True


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def fail(command, status, *lines):
    sys.stderr.write("".join(f"{command}: {line}\n" for line in lines))
    sys.exit(status)


def qsub(words):
    if "-W" in words and re.search(r"\[\d+\]", words[words.index("-W") + 1]):
        fail("qsub", 2, "illegal -W value", USAGE)
    flags, rest = standin.parsed("qsub", words)
    if len(rest) != 1 or not Path(rest[0]).exists():
        fail("qsub", 1, "script file:: No such file or directory")
    if any(re.match(r"(frobnicate|nosuch)=", word) for word in words):
        fail("qsub", 187, "Unknown resource Resource_List.frobnicate")
    span = standin.span(flags["-J"]) if "-J" in flags else [0]
    if "-J" in flags and len(span) < 2:
        fail("qsub", 2, "illegal -J value", USAGE)
    is_array = "-J" in flags
    tasks = {
        index: (["bash", rest[0]], {"PBS_ARRAY_INDEX": str(index)} if is_array else {})
        for index in span
    }
    throttle = flags.get("-J", "").partition("%")[2]
    depend = flags.get("-W", "").removeprefix("depend=")
    with Server() as jobs:
        # Nothing is started before it is known what it waits for.
        number = str(len(jobs.all))
        jobs.all[number] = {
            "name": flags.get("-N", Path(rest[0]).name),
            "array": is_array,
            "parallel": int(throttle) if throttle else None,
            "spooled": flags.get("-o"),
            "tasks": {str(at): {"words": each, "more": more} for at, (each, more) in tasks.items()},
            "waits": [
                [kind, first]
                for kind, more in re.findall(r"(after[a-z]+)((?::[^:,]+)+)", depend)
                for first in re.findall(r":(\d+)", more)
            ],
            "depend": depend,
        }
        jobs.advance()
    print(f"{number}[].node1" if is_array else f"{number}.node1")


def qstat(words):
    flags, rest = standin.parsed("qstat", words)
    if not {"-f", "-t"} <= flags.keys():
        standin.refuse("this one shows jobs by -t -f alone")
    if "-x" in flags and (HOME / "history-off").exists():
        lines = [f"PBS is not configured to maintain job history {id}" for id in rest or [""]]
        fail("qstat", 0, *lines)
    unknown, ended = [], []
    with Server() as jobs:
        jobs.advance()
        for id in rest or [f"{number}.node1" for number in jobs.all if jobs.knows(number)]:
            number, index = re.match(r"(\d+)(?:\[(\d*)\])?", id).groups()
            if not jobs.knows(number):
                unknown.append(id)
            elif jobs.over(number) and "-x" not in flags:
                ended.append(id)
            else:
                show(jobs, number, index)
    lines = [f"Unknown Job Id {id}" for id in unknown]
    lines += [f"{id} Job has finished, use -x or -H to obtain ..." for id in ended]
    if lines:
        fail("qstat", UNKNOWN if unknown else ENDED, *lines)


def show(jobs, number, wanted):
    job = jobs.all[number]
    if job["array"] and not wanted:
        letter = "H" if job.get("held") else "F" if jobs.over(number) else "B"
        print(f"Job Id: {number}[].node1\n    Job_Name = {job['name']}\n    job_state = {letter}")
        print("    substate = 70\n    comment = Job Array Began at Sat Nov 28 at 13:12\n")
    for index in job["tasks"] if not wanted else [wanted]:
        id = f"{number}[{index}].node1" if job["array"] else f"{number}.node1"
        print(f"Job Id: {id}\n    Job_Name = {job['name']}\n    Job_Owner = me@node1")
        print("".join(f"    {line}\n" for line in lines(jobs, number, index)))


def lines(jobs, number, index):
    job, state = jobs.all[number], jobs.state(number, index)
    if state == "running":
        return ["job_state = R", "substate = 42", "comment = Job run at Sat Nov 28 on (node1)"]
    if state == "waiting":
        held = [
            f"Hold_Types = {'u' if job.get('held') else 'n'}",
            *(["comment = Job held by me on Sat Nov 28"] if job.get("held") else []),
        ]
        if job["waits"]:
            return ["job_state = H", f"depend = {job['depend']}", "substate = 22", *held]
        is_held = job.get("held") and not job["array"]
        return [f"job_state = {'H' if is_held else 'Q'}", "substate = 10", *held]
    over = "F" if not job["array"] or jobs.over(number) else "X"
    if (HOME / "history-off").exists():
        codes = [jobs.state(number, each) for each in job["tasks"]]
        code = max((each for each in codes if isinstance(each, int)), default=0)
        return [f"job_state = {over}", "substate = 70", f"Exit_status = {min(code, 1)}"]
    if state == "cancelled":
        ran = ["Exit_status = 271"] if "pid" in job["tasks"][index] else []
        depend = [f"depend = {job['depend']}"] if job["waits"] else []
        return [f"job_state = {over}", f"substate = {92 if depend else 91}", *depend, *ran]
    return [f"job_state = {over}", f"substate = {93 if state else 92}", f"Exit_status = {state}"]


def kept(indices):
    """Return which of an array's subjobs qdel deletes by one command: two, and what adjoins them.

    >>> kept(["0", "5", "8"]), kept(["9", "8", "7"]), kept(["0-2", "5-6", "9"])
    ([0, 5], [7, 8, 9], [0, 1, 2, 5, 6])
    """
    taken = []
    for place, each in enumerate(indices):
        numbers = list(standin.span(each)) if "-" in each else [int(each)]
        adjoins = {number + step for number in numbers for step in (-1, 1)} & set(taken)
        is_one_range = taken == list(range(min(taken, default=0), max(taken, default=-1) + 1))
        if place < 2 or (adjoins and is_one_range):
            taken = sorted({*taken, *numbers})
    return taken


def qdel(words):
    folded, problems, status = {}, [], 0
    with Server() as jobs:
        for id in words:
            match = re.fullmatch(r"(\d+)(?:\[(\d+(?:-\d+)?)?\])?(?:\.\w+)?", id)
            if not match:
                fail("qdel", 1, f"illegally formed job identifier: {id}")
            number, index = match.groups()
            if not jobs.knows(number):
                problems, status = [*problems, f"Unknown Job Id {id}"], UNKNOWN
            elif jobs.over(number):
                problems, status = [*problems, f"Job has finished {id}"], ENDED
            else:
                folded.setdefault(number, []).append(index)
        for number, indices in folded.items():
            tasks = jobs.all[number]["tasks"]
            chosen = list(tasks) if None in indices else map(str, kept(indices))
            for index in chosen:
                if index not in tasks:
                    problems, status = [*problems, f"Invalid request {number}[{index}]"], INVALID
                elif jobs.state(number, index) in ("waiting", "running"):
                    jobs.delete(number, index)
                elif len(indices) == 1 and None not in indices and "-" not in indices[0]:
                    problems.append(f"Request invalid for finished array subjob {number}[{index}]")
                    status = ENDED_SUBJOB
        jobs.advance()
    if problems:
        fail("qdel", status, *problems)


def hold(command, words):
    problems, status = [], 0
    with Server() as jobs:
        for id in words:
            number = re.match(r"\d+", id)[0]
            if re.search(r"\[\d", id):
                problems, status = [*problems, f"Invalid request {id}"], INVALID
            elif not jobs.knows(number):
                problems, status = [*problems, f"Unknown Job Id {id}"], UNKNOWN
            else:
                jobs.all[number]["held"] = command == "qhold"
        jobs.advance()
    if problems:
        fail(command, status, *problems)


if __name__ == "__main__":
    COMMANDS = {"qsub": qsub, "qstat": qstat, "qdel": qdel}
    command, words = sys.argv[1], sys.argv[2:]
    if command in COMMANDS:
        COMMANDS[command](words)
    else:
        hold(command, words)
