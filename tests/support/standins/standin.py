"""What the stand-ins of schedulers' commands share: jobs, kept in the folder $STANDIN, run at once.

They are as strict about options as the manuals: a flag that one doesn't know, or a value that it
wouldn't take, is refused with status 2.
"""

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ["STANDIN"])
NAME = r"[A-Za-z][\w.-]{0,229}"
PATH = r"/.+"
CLOCK = r"\d+:\d\d:\d\d"
IDS = r"\d+(\[\])?(\.[\w-]+)?(:\d+(\[\])?(\.[\w-]+)?)*"
PBS = {
    "-N": NAME,
    "-j": "oe",
    "-o": PATH,
    "-S": "/bin/bash",
    "-J": r"\d+-\d+(%\d+)?",
    "-W": rf"depend=(afterok|afterany):{IDS}(,afterany:{IDS})?",
    "-l": rf"select=\d+(:\w+=\w+)*|walltime={CLOCK}|\w+=[^\s,]+",
    "-q": r"[\w.-]+",
    "-A": r"[\w.-]+",
    "-p": r"-?\d{1,3}|-?10([01]\d|2[0-3])",
}
LIMIT = r"(nodes=\d+(:\w+(=\d+)?)*|mem=\d+mb|walltime=[\d:]+|depend=[^\s,]+|\w+=[^\s,]+)"
LSF_TERM = r"""(done|ended)\((\d+(\[\d+\])?|"[A-Za-z][\w.-]*\[\*\]")\)"""
FLAGS = {
    "qsub": PBS,
    "msub": {
        **{flag: PBS[flag] for flag in ("-N", "-j", "-o", "-S", "-q", "-A", "-p")},
        "-t": rf"{NAME}\.\[\d+-\d+\](%\d+)?",
        "-l": rf"{LIMIT}(,{LIMIT})*",
    },
    "bsub": {
        "-J": rf"{NAME}(\[1-\d+\](%\d+)?)?",
        "-o": PATH,
        "-cwd": PATH,
        "-r": None,
        "-Q": r"\d+( \d+)*",
        "-wa": "USR1",
        "-wt": r"\d+",
        "-w": rf"{LSF_TERM}( && {LSF_TERM})*",
        "-ti": None,
        "-n": r"\d+",
        "-R": r"(span|select|rusage)\[.+\]",
        "-gpu": r"num=\d+(:\w+=\w+)*",
        "-M": r"\d+[KMGT]?",
        "-W": r"(\d+:)?\d+",
        "-q": r"\w+",
        "-P": r"\w+",
        "-sp": r"[1-9]\d*",
    },
    "qstat": {"-x": None, "-t": None, "-f": None},
    "showq": {"-c": None, "--xml": None},
    "mjobctl": {"-c": None, "-h": "user", "-u": "user", "-R": None},
}


def refuse(why, status=2):
    sys.stderr.write(f"{Path(sys.argv[1]).name}: {why}\n")
    sys.exit(status)


def parsed(command, words):
    """Return the flags and what follows them; refuse what the manual doesn't have."""
    known, flags, rest = FLAGS.get(command, {}), {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or rest:
            rest.append(word)
        elif word not in known:
            refuse(f"unknown option {word}")
        elif known[word] is None:
            flags[word] = True
        elif not words or not re.fullmatch(known[word], words[0]):
            refuse(f"bad value for {word}: {words[:1]}")
        else:
            flags.setdefault(word, words.pop(0))
    return flags, rest


class Jobs:
    """The jobs of a folder, held by whoever reads them."""

    def __enter__(self):
        HOME.mkdir(exist_ok=True)
        self.lock = open(HOME / "lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        file = HOME / "jobs.json"
        self.all = json.loads(file.read_text()) if file.exists() else {}
        return self

    def __exit__(self, *_):
        (HOME / "jobs.json").write_text(json.dumps(self.all))
        self.lock.close()

    def add(self, name, tasks, array, parallel=None, spooled=None):
        """Start tasks, commands with environments, ``parallel`` at a time; return the job's number.

        What they print is copied, at their end, over the file ``spooled``, as PBS does.
        """
        number = str(len(self.all) + 1)
        self.all[number] = {
            "name": name,
            "array": array,
            "parallel": parallel,
            "spooled": spooled,
            "tasks": {},
        }
        for index, (words, more) in tasks.items():
            self.all[number]["tasks"][str(index)] = {"words": words, "more": more}
        self.advance()
        return number

    def advance(self):
        """Start those that wait, as many as may run at a time."""
        for number, job in self.all.items():
            states = {index: self.state(number, index) for index in job["tasks"]}
            free = (job["parallel"] or len(states)) - list(states.values()).count("running")
            waiting = [index for index, state in states.items() if state == "waiting"]
            for index in waiting[: max(free, 0)]:
                self.start(number, index)

    def start(self, number, index):
        task, spooled = self.all[number]["tasks"][index], self.all[number]["spooled"]
        end = HOME / f"{number}.{index}.status"
        printed = shlex.quote(f"{end}.printed")
        shell = f"{shlex.join(task['words'])} >{printed} 2>&1; status=$?; "
        shell += f"cp {printed} {shlex.quote(spooled)}; " if spooled else ""
        shell += f"echo $status >{shlex.quote(str(end))}"
        process = subprocess.Popen(
            ["bash", "-c", shell],
            env={**os.environ, **task["more"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        task["pid"] = process.pid

    def state(self, number, index):
        """Return waiting, running, cancelled, or the exit status of a task."""
        task = self.all[number]["tasks"][index]
        if task.get("cancelled"):
            return "cancelled"
        if "pid" not in task:
            return "waiting"
        end = HOME / f"{number}.{index}.status"
        text = end.read_text().strip() if end.exists() else ""
        return int(text) if text else "running"

    def cancel(self, number, index):
        if self.state(number, index) != "running":
            return False
        task = self.all[number]["tasks"][index]
        task["cancelled"] = True
        os.killpg(task["pid"], signal.SIGTERM)
        return True

    def listed(self):
        for number, job in self.all.items():
            for index in job["tasks"]:
                yield number, index, job, self.state(number, index)


def span(text):
    first, last = re.search(r"(\d+)-(\d+)", text).groups()
    return range(int(first), int(last) + 1)


def of_id(text, jobs):
    """Return the tasks of an id of any of the schedulers."""
    match = re.match(r"(?:Moab\.)?(\d+)(?:[.\[](\d*)\]?)?", text)
    number, index = match.groups()
    if number not in jobs.all:
        return []
    tasks = jobs.all[number]["tasks"]
    return [(number, index)] if index in tasks else [(number, task) for task in tasks]


def cancel(ids, over):
    """End tasks; what is over makes the command fail as the real one does."""
    with Jobs() as jobs:
        tasks = [task for text in ids for task in of_id(text, jobs)]
        ended = [jobs.cancel(*task) for task in tasks]
    if not all(ended) or not ended:
        sys.stderr.write(over[0] + "\n")
        sys.exit(over[1])
