"""Stand-ins for HTCondor's commands, which answer as those of support/answers/htcondor did.

``condor.py COMMAND WORDS...``. Where $STANDIN holds a file ``full``, no job is started; where it
holds ``down``, no schedd answers.
"""

import json
import re
import sys
from pathlib import Path

import standin

HOME = standin.HOME
SCHEDD = "node1"
EXPLAINED = "Error: Can't find address for schedd node1\n\nExtra Info: You probably saw this\n"
IDLE, RUNNING, REMOVED, COMPLETED, HELD = 1, 2, 3, 4, 5
KNOWN = {
    *("jobbatchname", "executable", "arguments", "initialdir", "output", "error", "log"),
    *("should_transfer_files", "kill_sig", "periodic_remove", "on_exit_remove", "getenv"),
    *("max_materialize", "universe", "requirements", "request_gpus", "request_cpus"),
    *("request_memory", "allowed_job_duration", "accounting_group", "container_image"),
    *("on_exit_hold", "periodic_release"),
}


def closed(job):
    return job.get("paused") or job.get("open") is False


class Schedd(standin.Jobs):
    """Jobs that are made from their factory only when they may start, as max_materialize has it."""

    def advance(self):
        every = self.all
        if not (HOME / "full").exists():
            self.all = {number: job for number, job in every.items() if not closed(job)}
            super().advance()
        self.all = every
        for number, job in every.items():
            limit, tasks = job["parallel"] or len(job["tasks"]), job["tasks"]
            made = [index for index in tasks if "made" in tasks[index]]
            free = limit - sum(
                self.status(number, index) not in (REMOVED, COMPLETED) for index in made
            )
            left = [
                index for index in tasks if "made" not in tasks[index] and not job.get("removed")
            ]
            for index in left[: max(free, 0)]:
                tasks[index]["made"] = True

    def state(self, number, index):
        task = self.all[number]["tasks"][index]
        if task.get("held"):
            return "held"
        if self.all[number].get("removed") and "pid" not in task:
            return "cancelled"
        return super().state(number, index)

    def status(self, number, index):
        words = {"waiting": IDLE, "running": RUNNING, "cancelled": REMOVED, "held": HELD}
        return words.get(self.state(number, index), COMPLETED)

    def ad(self, number, index):
        """Return what the schedd says of a job."""
        job, state = self.all[number], self.state(number, index)
        ad = {
            "ClusterId": int(number),
            "ProcId": int(index),
            "JobStatus": self.status(number, index),
            "JobBatchName": job["name"],
            "ExitBySignal": isinstance(state, int) and state > 128,
            "TotalSubmitProcs": len(job["tasks"]),
        }
        if "open" in job:
            ad["RunxOpen"] = job["open"]
        if isinstance(state, int):
            ad |= {"ExitSignal": state - 128} if state > 128 else {"ExitCode": state}
        if state == "cancelled":
            ad["RemoveReason"] = job.get("why") or "via condor_rm (by user me)"
        if state == "held":
            ad |= {"HoldReason": "via condor_hold (by user me)", "HoldReasonCode": 1}
        return {**ad, **self.factory(number)} if self.factory(number) else ad

    def factory(self, number):
        """Return what the schedd says of a cluster whose jobs are not all made."""
        job = self.all[number]
        left = [int(index) for index, task in job["tasks"].items() if "made" not in task]
        if not left:
            return {}
        return {
            "ClusterId": int(number),
            "JobBatchName": job["name"],
            "JobMaterializeLimit": job["parallel"],
            "JobMaterializeNextProcId": left[0],
            "TotalSubmitProcs": len(job["tasks"]),
            **({"JobMaterializePaused": 1} if job.get("paused") else {}),
            **({"RunxOpen": job["open"]} if "open" in job else {}),
        }

    def jobs(self, over):
        """Return the jobs that have been made, and that are over or not, as (number, index)."""
        return [
            (number, index)
            for number, job in self.all.items()
            for index, task in job["tasks"].items()
            if "made" in task and (self.status(number, index) in (REMOVED, COMPLETED)) is over
        ]


def submit(words):
    if words[:1] != ["-terse"] or len(words) != 2:
        standin.refuse(f"condor_submit {words}", 1)
    text = sys.stdin.read() if words[1] == "-" else Path(words[1]).read_text()
    if "universe = scheduler\n" in text:
        # What it would do, a test does.
        print("1000.0 - 1000.0")
        return
    name, commands, runs = described(text)
    with Schedd() as schedd:
        limit = commands.get("max_materialize")
        number = schedd.add(name, {}, True, int(limit) if limit else None)
        job = schedd.all[number]
        if "My.RunxOpen =?= True" in commands.get("requirements", ""):
            job["open"] = commands["my.runxopen"] == "True"
        for index, (attempt, run) in enumerate(runs):
            line = commands["arguments"].replace("$(Cluster).$(Process)", f"{number}.{index}")
            line = line.replace("$(attempt)", attempt).replace("$(run)", run)
            task = ["/bin/bash", *arguments(line)]
            job["tasks"][str(index)] = {"words": task, "more": {}}
        job["spooled"] = "/dev/null"
        schedd.advance()
    print(f"{number}.0 - {number}.{len(runs) - 1}" if runs else "")


def described(text):
    """Return the name, the commands and the items of a description; refuse what can't be read."""
    head, queue, source = text.partition("queue ")
    if not queue:
        count = len(text.splitlines())
        standin_error(f"\nERROR: on Line {count} of submit file: no queue statement\n")
    pairs = [line.partition("=") for line in head.splitlines() if line.strip()]
    commands = {name.strip().lower(): value.strip() for name, _, value in pairs}
    for name in commands:
        if name not in KNOWN and not name.startswith(("+", "my.")):
            line = f"{name} = {commands[name]}"
            sys.stderr.write(
                f"WARNING: the line '{line}' was unused by condor_submit. Is it a typo?\n"
            )
    for name in ("requirements", "on_exit_remove", "periodic_remove"):
        value = commands.get(name, "")
        if value.count("(") != value.count(")"):
            standin_error(f"ERROR: Parse error in expression: \n\t{name} = {value}\n\t\n")
    program = Path(commands.get("executable", ""))
    if not program.is_absolute() or not program.exists():
        standin_error(f"\nERROR: Executable file {program} does not exist\n")
    if not Path(literal(commands["initialdir"])).is_dir():
        standin_error(f"ERROR: No such directory: {commands['initialdir']}\n")
    items = re.fullmatch(r"attempt, run from (?:\(\n(.*)\)|(/.*))\n", source, re.DOTALL)
    lines = items[1] or Path(literal(items[2])).read_text()
    runs = [line.split(" ", 1) for line in lines.splitlines()]
    return commands["jobbatchname"], commands, runs


def literal(text):
    return text.replace("$(DOLLAR)", "$")


def arguments(line):
    """Return the words of arguments in the new syntax: all in double quotes, some in others."""
    assert re.fullmatch(r'"([^"]|"")*"', line), line
    inner = literal(line[1:-1]).replace('""', '"')
    words = re.findall(r"((?:[^\s']|'(?:[^']|'')*')+)", inner)
    return [
        re.sub(r"'((?:[^']|'')*)'", lambda match: match[1].replace("''", "'"), word)
        for word in words
    ]


def standin_error(text, status=1):
    sys.stderr.write(text)
    sys.exit(status)


def table(command, words):
    """Print the jobs of the queue, of its factories or of the history, as JSON or in total."""
    ids, factories, totals = [], False, False
    if words[:1] == ["-constraint"]:
        listed(*words[1:])
        return
    while words:
        word = words.pop(0)
        if word == "-name":
            if words.pop(0) != SCHEDD:
                standin_error("Error: Collector has no record of schedd/submitter\n\n")
        elif word in ("-attributes", "-limit"):
            words.pop(0)
        elif word == "-factory":
            factories = True
        elif word == "-totals":
            totals = True
        elif re.fullmatch(r"\d+", word):
            ids.append(word)
        elif word not in ("-json", "-allusers"):
            standin.refuse(f"{command} {word}", 1)
    with Schedd() as schedd:
        schedd.advance()
        chosen = ids or list(schedd.all)
        if factories:
            known = [number for number in chosen if number in schedd.all]
            ads = [schedd.factory(one) for one in known if not schedd.all[one].get("removed")]
        else:
            over = command == "condor_history"
            ads = [schedd.ad(*job) for job in schedd.jobs(over) if job[0] in chosen]
    if totals:
        print(f"\n\n-- Schedd: {SCHEDD} : <127.0.0.1:29618?... @ 11/28/26 13:11:49")
        return
    ads = [ad for ad in ads if ad]
    printed = "\n,\n".join(json.dumps(ad, indent=2) for ad in ads)
    if ads or command == "condor_history":
        print(f"[\n{printed}\n]" if ads else "[\n]")


def listed(constraint, *asked):
    """Print the clusters of the jobs of a name."""
    [name] = re.fullmatch(r'JobBatchName == "([^"]+)"', constraint).groups()
    assert asked == ("-af", "ClusterId"), asked
    with Schedd() as schedd:
        for number, _ in schedd.jobs(over=False):
            if schedd.all[number]["name"] == name:
                print(number)


def edit(words):
    """Set RunxOpen of a cluster."""
    number, name, value = words
    assert (name, value) == ("RunxOpen", "True"), words
    with Schedd() as schedd:
        schedd.all[number]["open"] = True
        schedd.advance()
    print(f'Set attribute "RunxOpen" for {len(schedd.all[number]["tasks"])} matching jobs.')


def change(command, words):
    """Remove, hold or release jobs and clusters: what was done on stdout, the others on stderr."""
    options = {}
    while words[:1] and words[0] in ("-name", "-reason"):
        options[words[0]] = words[1]
        words = words[2:]
    verb = {
        "condor_rm": "marked for removal",
        "condor_hold": "held",
        "condor_release": "released",
    }[command]
    done, missing = [], []
    with Schedd() as schedd:
        schedd.advance()
        for word in words:
            number, dot, index = word.partition(".")
            live = [job for job in schedd.jobs(over=False) if job[0] == number]
            live = [job for job in live if job[1] == index] if dot else live
            if not live and (dot or number not in schedd.all):
                why = (
                    f"Job {word} not found"
                    if dot
                    else f"Couldn't find/remove all jobs in cluster {word}"
                )
                missing.append(why)
                continue
            if "-reason" in options:
                schedd.all[number]["why"] = f"{options['-reason']} (by user me)"
            for job in live:
                one(schedd, command, *job)
            if not dot:
                schedd.all[number]["paused"] = command == "condor_hold"
                schedd.all[number]["removed"] = command == "condor_rm"
            been = "have been " if not dot else ""
            done.append(
                f"All jobs in cluster {word} {been}{verb}" if not dot else f"Job {word} {verb}"
            )
        schedd.advance()
    print(*done, sep="\n")
    if missing:
        sys.stderr.write(("" if done else "\n") + "\n".join(missing) + "\n")
    sys.exit(0 if done else 1)


def one(schedd, command, number, index):
    task = schedd.all[number]["tasks"][index]
    if command == "condor_rm":
        task["held"] = False
        if not schedd.cancel(number, index):
            task["cancelled"] = True
    elif command == "condor_hold":
        if schedd.cancel(number, index):
            del task["pid"], task["cancelled"]
        task["held"] = True
    else:
        task["held"] = False


def main(command, words):
    if (HOME / "down").exists() and command != "condor_history":
        standin_error(
            "\nERROR: Can't find address of local schedd\n"
            if command == "condor_submit"
            else EXPLAINED
        )
    if command == "condor_submit":
        submit(words)
    elif command in ("condor_q", "condor_history"):
        table(command, words)
    elif command == "condor_qedit":
        edit(words)
    else:
        change(command, words)


if __name__ == "__main__":
    main(Path(sys.argv[1]).name, sys.argv[2:])
