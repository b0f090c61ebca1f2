"""The lines of job scripts that speak to a scheduler, as RESOURCES and DIRECTIVES of a .runx."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MARKS = {
    "#SBATCH": "slurm",
    "#PBS": "pbs",
    "#$ ": "sge",
    "#BSUB": "lsf",
    "#OAR": "oar",
    "#MSUB": "moab",
}
"""What begins the lines of each scheduler."""

TASKS = {
    "slurm": "SLURM_ARRAY_TASK_ID",
    "pbs": "PBS_ARRAY_INDEX",
    "sge": "SGE_TASK_ID",
    "lsf": "LSB_JOBINDEX",
    "oar": "OAR_ARRAY_INDEX",
    "moab": "MOAB_JOBARRAYINDEX",
}
"""The variable that numbers the tasks of an array; Torque's is PBS_ARRAYID."""

_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)(?:=|\s+|\Z)(.*)\Z", re.DOTALL)


class Header(NamedTuple):
    """What the lines of a scheduler ask for. ``tasks`` are the numbers of an array."""

    farm: str = ""
    resources: Mapping[str, Any] = {}
    directives: tuple[str, ...] = ()
    tasks: tuple[int, ...] = ()
    most: int | None = None
    lost: tuple[str, ...] = ()


def header_of(lines: list[str]) -> Header:
    """Return what the lines of a script's head ask for.

    >>> header = header_of(["#SBATCH --gres=gpu:2", "#SBATCH -t 1:00:00", "#SBATCH --array=0-3%2"])
    >>> header.resources, header.tasks, header.most
    ({'gpus': 2, 'time': '1:00:00'}, (0, 1, 2, 3), 2)
    """
    found: dict[str, Any] = {"farm": "", "resources": {}, "directives": [], "lost": []}
    for line in lines:
        mark = next((mark for mark in MARKS if line.startswith(mark)), None)
        if mark is None:
            continue
        found["farm"] = found["farm"] or MARKS[mark]
        text = line[len(mark) :].split(" #")[0].strip()
        for option, value in _options(text):
            _take(MARKS[mark], line.rstrip(), option, value, found)
    return Header(
        found["farm"],
        found["resources"],
        tuple(dict.fromkeys(found["directives"])),
        found.get("tasks", ()),
        found.get("most"),
        tuple(found["lost"]),
    )


def _options(text: str) -> list[tuple[str, str]]:
    """Return the options of a line with their values.

    >>> _options("-N 2 -c 4"), _options("-R rusage[mem=4] -W 1:00")
    ([('-N', '2'), ('-c', '4')], [('-R', 'rusage[mem=4]'), ('-W', '1:00')])
    """
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    options: list[tuple[str, str]] = []
    for word in words:
        match = _OPTION.match(word)
        short = re.match(r"(-[a-zA-Z])(\d.*)\Z", word)
        if short:
            options.append((short[1], short[2]))
        elif match and word.startswith("-"):
            options.append((match[1], match[2]))
        elif options:
            name, value = options[-1]
            options[-1] = (name, f"{value} {word}".strip())
    return options


def _take(farm: str, line: str, option: str, value: str, found: dict[str, Any]) -> None:
    """Add what an option says to what was found."""
    if option in _IGNORED[farm]:
        found["lost"].append(f"{line}: {_IGNORED[farm][option]}")
    elif option in _ARRAYS[farm]:
        _take_array(line, value, found)
    elif not _READERS[farm](option, value, found["resources"]):
        found["directives"].append(line)


def _take_array(line: str, value: str, found: dict[str, Any]) -> None:
    spec = re.search(r"\[(.*?)\]", value)
    text, _, most = (spec[1] + value[spec.end() :] if spec else value).partition("%")
    tasks: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?(?::(\d+))?", part.strip())
        if match is None:
            if spec or not value.replace("-", "").isalnum():
                found["lost"].append(f"{line}: an array that can't be read")
            return
        first, last = int(match[1]), int(match[2] or match[1])
        tasks += range(first, last + 1, int(match[3] or 1))
    found["tasks"] = tuple(tasks)
    if most.strip().isdigit():
        found["most"] = int(most)


def _gpus(text: str) -> Any:
    """Return gpus of ``gpu:2`` or ``gpu:a100:2``."""
    *kind, count = text.removeprefix("gpu").strip(":").split(":")
    if not count.isdigit():
        return f"{count}:1" if count else 1
    return f"{kind[-1]}:{count}" if kind else int(count)


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _memory(text: str) -> str:
    """Return a size with its unit; Slurm's bare numbers are MB."""
    return f"{text}M" if text.isdigit() and text != "0" else re.sub(r"(?i)b\Z", "", text)


def _time(text: str) -> str:
    """Return a time with a unit; bare numbers and ``a:b`` are minutes to Slurm.

    >>> _time("90"), _time("30:00"), _time("1-12"), _time("0-02:00"), _time("4:00:00")
    ('90m', '0:30:00', '1-12', '0-02:00', '4:00:00')
    """
    if text.isdigit():
        return f"{text}m"
    return f"0:{text}" if re.fullmatch(r"\d+:\d\d", text) else text


_SLURM: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "--gres": ("gpus", _gpus),
    "--gpus": ("gpus", _gpus),
    "-G": ("gpus", _gpus),
    "--gpus-per-node": ("gpus", _gpus),
    "--cpus-per-task": ("cpus", _number),
    "-c": ("cpus", _number),
    "--mem": ("mem", _memory),
    "--time": ("time", _time),
    "-t": ("time", _time),
    "--nodes": ("nodes", _number),
    "-N": ("nodes", _number),
    "--partition": ("partition", str),
    "-p": ("partition", str),
    "--account": ("account", str),
    "-A": ("account", str),
    "--qos": ("qos", str),
    "-q": ("qos", str),
    "--constraint": ("constraint", str),
    "-C": ("constraint", str),
}


def slurm_resource(option: str, value: str, resources: dict[str, Any]) -> bool:
    """Add what an option of sbatch asks for; return whether RESOURCES has a word for it."""
    if option not in _SLURM or not value:
        return False
    if option == "--gres" and not re.fullmatch(r"gpu(:[\w.-]+){0,2}", value):
        return False
    if option in ("--nodes", "-N") and not value.isdigit():
        return False
    name, read = _SLURM[option]
    resources[name] = read(value)
    return True


_LISTED = {
    "walltime": "time",
    "h_rt": "time",
    "mem": "mem",
    "h_vmem": "mem",
    "ncpus": "cpus",
    "ppn": "cpus",
    "ngpus": "gpus",
    "gpus": "gpus",
    "gpu": "gpus",
    "nodes": "nodes",
    "select": "nodes",
    "host": "nodes",
}
"""Words of ``-l`` of PBS, Grid Engine, Moab and OAR."""


def _listed(option: str, value: str, resources: dict[str, Any]) -> bool:
    """Add what ``-l`` and the options of a queue and an account ask for."""
    simple = {"-q": "partition", "-A": "account", "-P": "account"}
    if option in simple:
        resources[simple[option]] = value
        return True
    if option == "-pe":
        resources["cpus"] = _number(value.split()[-1])
        return True
    if option != "-l":
        return False
    parts = [part.partition("=") for part in re.split(r"[,:/](?!\d)", value)]
    pairs = [(name.strip(), text.strip()) for name, _, text in parts]
    if not all(name in _LISTED and text for name, text in pairs):
        return False
    for name, text in pairs:
        key = _LISTED[name]
        is_seconds = key == "time" and text.isdigit()
        resources[key] = f"{text}s" if is_seconds else _size(key, text)
    return True


def _size(key: str, text: str) -> Any:
    return _memory(text) if key == "mem" else _number(text)


def _lsf(option: str, value: str, resources: dict[str, Any]) -> bool:
    """Add what an option of bsub asks for."""
    gpus = re.search(r"num=(\d+)", value) if option == "-gpu" else None
    if gpus:
        resources["gpus"] = int(gpus[1])
    elif option == "-W":
        resources["time"] = f"{value}m" if value.isdigit() else f"{value}:00"
    elif option in ("-q", "-n", "-P"):
        key = {"-q": "partition", "-n": "cpus", "-P": "account"}[option]
        resources[key] = _number(value) if key == "cpus" else value
    else:
        return False
    return True


_READERS: Mapping[str, Callable[[str, str, dict[str, Any]], bool]] = {
    "slurm": slurm_resource,
    "pbs": _listed,
    "sge": _listed,
    "moab": _listed,
    "oar": lambda option, value, resources: False,
    "lsf": _lsf,
}
_LOG = "output is in the run's output.log"
_NAME = "jobs are named after experiment and run"
_CODE = "jobs start in the run's own copy of the code"
_QSUB = {
    **dict.fromkeys(("-o", "-e", "-j"), _LOG),
    **dict.fromkeys(("-cwd", "-wd", "-d"), _CODE),
    "-N": _NAME,
    "-V": "jobs have the environment of the launch",
    "-S": "run.sh is bash",
}
_IGNORED: Mapping[str, Mapping[str, str]] = {
    "slurm": {
        **dict.fromkeys(("--output", "-o", "--error", "-e", "--open-mode"), _LOG),
        **dict.fromkeys(("--job-name", "-J"), _NAME),
        **dict.fromkeys(("--chdir", "-D", "--workdir"), _CODE),
    },
    "pbs": _QSUB,
    "sge": _QSUB,
    "moab": _QSUB,
    "lsf": {
        **dict.fromkeys(("-o", "-e", "-oo", "-eo"), _LOG),
        **dict.fromkeys(("-cwd",), _CODE),
    },
    "oar": {**dict.fromkeys(("-O", "-E"), _LOG), "-n": _NAME, "-d": _CODE},
}
"""What runx does itself, with the reason."""

_ARRAYS: Mapping[str, tuple[str, ...]] = {
    "slurm": ("--array", "-a"),
    "pbs": ("-J", "-t"),
    "sge": ("-t",),
    "moab": ("-t",),
    "lsf": ("-J",),
    "oar": ("--array",),
}
