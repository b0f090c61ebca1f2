"""Stand-ins for Torque's commands, as strict as its manual: ``torque.py COMMAND WORDS...``.

They differ from PBS Pro's in their options and in what they print of jobs.
"""

import sys
from pathlib import Path

import standin

JOB = r"\d+(\[\d*\])?\.server"
LIMIT = r"(nodes=\d+(:(ppn|gpus)=\d+|:[a-z]\w*)*|mem=\d+mb|walltime=\d+:\d\d:\d\d|\w+=[^\s,]+)"
DEPEND = rf"(afterok:{JOB}(:{JOB})*|afterany:\d+\.server|afteranyarray:\d+\[\]\.server)"
standin.FLAGS = {
    "qsub": {
        "-N": r"[A-Za-z][\w.-]{0,14}",
        "-j": "oe",
        "-o": standin.PATH,
        "-t": r"\d+-\d+(%[1-9]\d*)?",
        "-W": rf"depend={DEPEND}(,{DEPEND})*",
        "-l": rf"{LIMIT}(,{LIMIT})*",
        "-q": r"[\w.-]+",
        "-A": r"[\w.-]+",
        "-p": standin.PBS["-p"],
    },
    "qstat": {"-f": None, "-t": None},
}


def qsub(words):
    flags, rest = standin.parsed("qsub", words)
    if len(rest) != 1 or not Path(rest[0]).exists():
        standin.refuse(f"script file {rest} is not one that exists", 189)
    indices = standin.span(flags["-t"]) if "-t" in flags else [0]
    name = flags.get("-N") or Path(rest[0]).name
    tasks = {
        index: (["bash", rest[0]], {"PBS_ARRAYID": str(index)} if "-t" in flags else {})
        for index in indices
    }
    with standin.Jobs() as jobs:
        number = jobs.add(name, tasks, "-t" in flags, spooled=flags["-o"])
    print(f"{number}[].server" if "-t" in flags else f"{number}.server")


def qstat(words):
    flags, rest = standin.parsed("qstat", words)
    if set(flags) != {"-f", "-t"}:
        standin.refuse("this one shows jobs by -f -t alone")
    with standin.Jobs() as jobs:
        ids = rest or list(jobs.all)
        unknown = [text for text in ids if not standin.of_id(text, jobs)]
        for text in ids:
            for number, index in standin.of_id(text, jobs):
                show(number, index, jobs.all[number], jobs.state(number, index))
    for text in unknown:
        sys.stderr.write(f"qstat: Unknown Job Id Error {text}\n")
    sys.exit(153 if unknown else 0)


def show(number, index, job, state):
    task = f"[{index}]" if job["array"] else ""
    name = f"{job['name']}-{index}" if job["array"] else job["name"]
    print(f"Job Id: {number}{task}.server\n    Job_Name = {name}")
    if state == "running":
        print("    job_state = R\n")
    else:
        print(f"    job_state = C\n    exit_status = {271 if state == 'cancelled' else state}\n")


def qdel(words):
    if not words or any(word.startswith("-") for word in words):
        standin.refuse(f"qdel {words}")
    standin.cancel(words, ("qdel: Request invalid for state of job", 170))


if __name__ == "__main__":
    {"qsub": qsub, "qstat": qstat, "qdel": qdel}[sys.argv[1]](sys.argv[2:])
