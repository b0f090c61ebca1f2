"""Stand-ins for LSF's commands, as strict as its manual: ``lsf.py COMMAND WORDS...``.

Of a script on stdin, bsub heeds the #BSUB lines, and options of the command line before them; of a
command among its words, it heeds nothing. $STANDIN/submitted.json has the options of each job.
"""

import json
import re
import shlex
import sys
from pathlib import Path

import standin

HOME = standin.HOME
KNOWN = standin.FLAGS["bsub"]
KNOWN["-M"] = r"\d+([KMGT]B?)?"
standin.FLAGS["bjobs"] = {
    **dict.fromkeys(("-a", "-noheader")),
    "-u": "all",
    "-o": r"[\w ]+ delimiter='\|'",
}
STATES = {"waiting": "PEND", "running": "RUN", 0: "DONE"}
FIELDS = {"jobid", "jobindex", "stat", "exit_code", "exit_reason", "job_name", "pend_reason"}


class Cluster(standin.Jobs):
    """Jobs that wait for others, and are ended where what they wait for can't be any more."""

    def __enter__(self):
        super().__enter__()
        self.advance()
        return self

    def advance(self):
        for number, job in self.all.items():
            for index in job["tasks"]:
                if self.state(number, index) == "waiting" and self.may_start(job, index):
                    self.start(number, index)

    def may_start(self, job, index):
        """Return whether a task may start; of an orphan it is written that it is one."""
        for when, what in job.get("waits", []):
            states = self.states(what, index)
            if when == "done" and set(states) - {0, "running", "waiting"}:
                job["tasks"][index] |= {"cancelled": True, "orphan": job["orphans"]}
                return False
            if {"running", "waiting"} & set(states):
                return False
        return True

    def states(self, what, index):
        if what.startswith('"'):  # By its name, each for the one of the same index.
            [number] = [n for n, job in self.all.items() if job["name"] == what[1:-4]]
            return [self.state(number, index)]
        return [self.state(*task) for task in standin.of_id(what, self)]


def options(words):
    """Return options with all their values, and what follows them."""
    found, words = {}, list(words)
    while words and words[0].startswith("-"):
        name = words.pop(0)
        if name not in KNOWN:
            standin.refuse(f"Illegal option -- {name}", 255)
        value = True if KNOWN[name] is None else words.pop(0)
        if value is not True and not re.fullmatch(KNOWN[name], value):
            standin.refuse(f"bad value for {name}: {value}", 255)
        found.setdefault(name, []).append(value)
    return found, words


def bsub(words):
    given, command = options(words)
    script = "" if command else sys.stdin.read()
    if not command and not script.strip():
        standin.refuse("No command is specified. Job not submitted.", 255)
    lines = [line[5:] for line in script.splitlines() if line.startswith("#BSUB")]
    embedded, _ = options(word for line in lines for word in shlex.split(line, comments=True))
    flags = {**embedded, **given}
    requirement = " ".join(flags.get("-R", []))
    for once in ("span", "mem="):
        if requirement.count(once) > 1:
            standin.refuse(f"Bad resource requirement syntax: {requirement}", 255)
    name, _, span = flags["-J"][0].partition("[")
    indices = standin.span(span) if span else [0]
    HOME.mkdir(exist_ok=True)
    with Cluster() as jobs:
        spooled = HOME / f"spooled.{len(jobs.all) + 1}.sh"
        spooled.write_text(script or f"exec {shlex.join(command)}\n")
        tasks = {at: (["bash", str(spooled)], {"LSB_JOBINDEX": str(at)}) for at in indices}
        waits = re.findall(r"(done|ended)\(([^)]*)\)", " ".join(flags.get("-w", [])))
        for _, what in waits:
            if not what.startswith('"') and not standin.of_id(what, jobs):
                standin.refuse(f"Job <{what}>: Dependency condition invalid", 255)
        number = jobs.add(name, {}, bool(span))
        jobs.all[number] |= {"waits": waits, "orphans": "-ti" in flags}
        jobs.all[number]["tasks"] = {
            str(at): {"words": each, "more": more} for at, (each, more) in tasks.items()
        }
        jobs.advance()
    file = HOME / "submitted.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**before, number: flags}))
    print(f"Job <{number}> is submitted to default queue <normal>.")


def bjobs(words):
    flags, rest = standin.parsed("bjobs", words)
    fields = flags["-o"].partition(" delimiter")[0].split()
    if "pend_reason" in fields and (HOME / "old").exists():
        standin.refuse("pend_reason: Illegal field name", 255)
    if not set(fields) <= FIELDS:
        standin.refuse(f"illegal fields {fields}", 255)
    with Cluster() as jobs:
        missing = [text for text in rest if not standin.of_id(text, jobs)]
        tasks = [task for text in rest or jobs.all for task in standin.of_id(text, jobs)]
        for number, index in tasks:
            print("|".join(row(jobs, number, index, fields)))
    for text in missing:
        sys.stderr.write(f"Job <{text}> is not found\n")
    sys.exit(255 if missing else 0)


def row(jobs, number, index, fields):
    job, state = jobs.all[number], jobs.state(number, index)
    code = state if isinstance(state, int) else 130 if state == "cancelled" else "-"
    values = {
        "jobid": number,
        "jobindex": index,
        "stat": STATES.get(state, "EXIT"),
        "exit_code": str(code),
        "exit_reason": reason(job["tasks"][index]) if state == "cancelled" else "-",
        "job_name": f"{job['name']}[{index}]" if job["array"] else job["name"],
        "pend_reason": "Job slot limit reached" if state == "waiting" else "-",
    }
    return [values[field] for field in fields]


def reason(task):
    if task.get("orphan"):
        return "TERM_ORPHAN_SYSTEM: orphaned job terminated automatically by LSF"
    return "TERM_OWNER: job killed by owner"


def bkill(words):
    if not words or any(word.startswith("-") for word in words):
        standin.refuse(f"bkill {words}")
    failed = False
    with Cluster() as jobs:
        for text in words:
            tasks = standin.of_id(text, jobs)
            ended = [jobs.cancel(*task) for task in tasks]
            failed |= not any(ended)
            message = "is being terminated" if any(ended) else "Job has already finished"
            message = message if tasks else "No matching job found"
            sys.stderr.write(f"Job <{text}>{' ' if any(ended) else ': '}{message}\n")
    sys.exit(255 if failed else 0)


if __name__ == "__main__":
    command = Path(sys.argv[1]).name
    {"bsub": bsub, "bjobs": bjobs, "bkill": bkill}[command](sys.argv[2:])
