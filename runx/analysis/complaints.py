"""Lines of an output that complain: of parsers, shells, schedulers, programs of any language."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runx.analysis.tracebacks import TRACE, whole

REPORTED, FOLLOWED, SAID = 0, 1, 2
"""How much a complaint says: that something else failed, what followed from that, or why."""


class Complaint(NamedTuple):
    """What a line complains of, and how much that says."""

    at: int
    weight: int
    message: str


AFTERMATH = re.compile(
    r"srun: error: \S+: tasks? [\d,-]+: Exited with exit code|srun: (?:Terminating|launch/slurm)"
    r"|make(?:\[\d+\])?: \*\*\*|wandb: |ERROR conda\.cli\.main_run|error Command failed|npm ERR"
    r"|FAILED \(|Execution halted|Node\.js v\d|Pass --help|Set the environment variable HYDRA"
    r"|For (?:detailed|further|full)|Try '.*--help|run\.sh: "
    r"|\[?[WE]\d{4} [\d:.]+ .*torch/distributed|srun: error: \S+$"
    r"|.*resource_tracker|\[(?:rank|default)\d+\]:\s*$|={4,}|-{4,}|[╰└┗][─━]|.*! _ARRAY_API"
)
"""What stands in an output after the reason of a failure."""

FOLLOWS = re.compile(
    r"KeyboardInterrupt|BrokenPipeError|ConnectionResetError|DistBackendError|DistNetworkError"
    r"|[Cc]onnection (?:closed|reset) by|Broken pipe|NCCL|nccl[A-Z]|SIGTERM|c10d|TCPStore"
    r"|[Ww]atchdog caught collective"
)
"""What one process says because another has failed."""

REPORTS = re.compile(
    r"(?:[\w.]*\.)?(?:ChildFailedError|CalledProcessError|ProcessRaisedException|_?RemoteTraceback"
    r"|ProcessExitedException|PapermillExecutionError|CellExecutionError|SubprocessError)\b"
)
"""Exceptions by which a launcher reports that what it started has failed."""

_NO_NUMBER = r"(?! *[-+]?\d*\.?\d)"
_SHELL = (
    r"command not found|not found|No such file or directory|Permission denied|unbound variable"
    r"|[Ss]yntax error|cannot execute|Segmentation fault|Killed|Bus error|Illegal instruction"
    r"|parameter (?:null or )?not set|Floating point exception|can't cd to|Is a directory"
    r"|not a valid identifier|bad substitution|division by 0|Argument list too long|readonly"
)
_DIED = "Segmentation fault|Killed|Bus error|Illegal instruction|Floating point exception"
_OF_TASKS = r"slurmstepd: error: \*\*\* |srun: error: \S+: tasks? [\d,-]+: "
_ERROR = r"(?:[Ee]rror|ERROR|[Ff]atal(?: error)?|FATAL)"
_NAMES = "Error|Exception|Interrupt|Exit|Failure|Fault|NotFound"
_SAYING = (
    r"slurmstepd: error: \*\*\* .* DUE TO|=>> PBS: job killed|TERM_[A-Z]+: job killed",
    r"(?:slurmstepd: error: )?Detected \d+ oom.kill event|Out of memory: Killed process",
    rf"(?!{_OF_TASKS})(?:[^:]{{1,60}}: )?{_ERROR}:{_NO_NUMBER} +\S",
    rf"[A-Za-z_][\w.]*(?:{_NAMES})(?:\(\w+\))?(?:$|:)",
    rf"[A-Za-z_][\w.]*(?:{_NAMES})\(\"",
    rf"(?:Error|Exception|Failure|Fault)(?:$|:{_NO_NUMBER})",
    r"FATAL Flags parsing error|Fatal Python error: (?!Aborted)|Lmod has detected the following",
    r"Error in .+ ?: ?|Can't locate \S+ in @INC|panic: |thread '.*' panicked",
    r"F\d{4} [\d:.]+ +\d+ [^\]]+\] (?P<message>.+)",
    rf"\S+: (?:line )?\d+: (?:.*: )?.*(?:{_SHELL})",
    rf"(?:{_DIED})(?: \(core dumped\))?$",
    r"\S*python[\d.]*: (?:can't open|No module|Error)",
    r"terminate called after throwing|.*: Assertion .* failed\.|signal \(\d+\): ",
    r"double free|free\(\): |malloc\(|realloc\(|corrupted size|munmap_chunk",
    r"Exception in thread \"[^\"]*\" (?P<message>\S.*)",
)
_FOLLOWING = (
    rf"{_OF_TASKS}|Fatal Python error: Aborted",
    r"(?:\S+: line \d+: +\d+ )?(?:Aborted|Terminated)(?: \(core dumped\).*)?",
    r"MPI_ABORT was invoked|mpi(?:run|exec) noticed|=.*BAD TERMINATION",
    r".*(?:[Ww]atchdog caught collective|NCCL (?:error|WARN))",
    rf"\S+: .*(?:{_SHELL})$|.* at \S+ line \d+\.$",
    r".*?\b(?P<message>(?:ERROR|CRITICAL|FATAL)\b.*)",
)
_PATTERNS = [
    *((SAID, re.compile(pattern)) for pattern in _SAYING),
    *((FOLLOWED, re.compile(pattern)) for pattern in _FOLLOWING),
]
_WORDS = (
    *("rror", "ERROR", "atal", "FATAL", "CRITICAL", "xception", "nterrupt", "Exit", "ailure"),
    *("ault", "otFound", "ill", "not found", "No such", "ermission", "nbound", "yntax", "annot"),
    "llegal",
    *("not set", "loating", "can't", "an't loc", "directory", "identifier", "substitution", "bort"),
    *("division", "too long", "readonly", "erminate", "ssert", "panic", "ABORT", "noticed", "NCCL"),
    *("BAD TERM", "atchdog", " line ", "signal (", "ouble free", "free(", "alloc(", "orrupted"),
    *("munmap", "***", "TERM_", ": task", "No module", "oom_kill", "oom-kill", "\nF", "Lmod"),
)
"""Each line that one of the patterns fits has one of these: trying all on each takes long."""
_WIDEST = 2_000  # characters of a line that are looked at
_LABEL = re.compile(r"^(?:\[[^\]]*\](?:<\w+>)?:?\s?)+|^\d+: (?=\S)|^\([\w.]+ pid=[^)]*\) ")
_LEVEL = re.compile(r"ERROR|CRITICAL|FATAL")
_TITLE = re.compile(r"\s*[╭┌┏+][─━-]+ (?P<title>[^─━]+?) [─━-]+[╮┐┓+]\s*$")
_TELLING = re.compile(
    r"(?i)error|required|unrecognized|missing|invalid|parsing|ambiguous|exclusive"
)
_HYDRA = re.compile(
    r"Could not |Cannot find|Error (?:locating|in call|merging|instantiating)|no viable|mismatched"
    r"|extraneous|token recognition|In '|Multiple |Key '|Missing |You must |Ambiguous|.*Error"
)
_RANK = re.compile(r"\[(?:rank|default)\d+\]:")
_ELASTIC = re.compile(r"\[?[WE]\d{4} [\d:.]+ .*torch/distributed/elastic")
_SUMMARY = re.compile(r"(?:FAILED|ERROR) \S+\.py(?:::.*)?$")


def complaints(lines: Sequence[str]) -> Iterator[Complaint]:
    """Return what lines complain of, but for tracebacks."""
    for at in _with_words(lines):
        line = lines[at]
        text = _unlabelled(line[:_WIDEST])
        if text[:1].isspace() or not text or AFTERMATH.match(line) or TRACE in line:
            continue
        for weight, pattern in _PATTERNS:
            if match := pattern.match(text):
                message = match.groupdict().get("message") or whole(
                    [text, *lines[at + 1 : at + 9]], 0
                )
                message += _continued(lines[at + 1 : at + 60])
                yield complaint(at, weight, " ".join(message.split()))
                break
    yield from _boxes(lines)
    yield from _hydra(lines)
    yield from _pytest(lines)
    yield from _torchrun(lines)


def _with_words(lines: Sequence[str]) -> list[int]:
    """Return the numbers of the lines that have one of _WORDS."""
    text = "\n" + "\n".join(lines)
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    found = set[int]()
    for word in _WORDS:
        place = text.find(word)
        while place >= 0:
            number = bisect_right(starts, place) - 1
            found.add(number)
            place = text.find(word, starts[number + 1])
    return sorted(found)


def _unlabelled(line: str) -> str:
    """Return a line without ranks, times and the like at its start, but with a level.

    >>> _unlabelled("[rank0]: x = 1"), _unlabelled("[10:03][train][ERROR] - no data")
    ('x = 1', 'ERROR - no data')
    """
    label = match[0] if (match := _LABEL.match(line)) else ""
    level = _LEVEL.search(label)
    return f"{level[0]} {line[len(label) :]}" if level else line[len(label) :]


def _continued(following: Sequence[str]) -> str:
    """Return what C++ says of an exception on the next line, or where Java's came from."""
    if following and following[0].startswith("  what():"):
        return following[0]
    indented = itertools.takewhile(lambda line: line[:1] in "\tC" and line, following)
    causes = [line for line in indented if line.startswith("Caused by: ")]
    return f" (c{causes[-1][1:].replace(':', '', 1)})" if causes else ""


def complaint(at: int, weight: int, message: str) -> Complaint:
    """Return a complaint, of less weight where it is about what another process did."""
    message = message[max(message.find("Watchdog caught collective"), 0) :]
    if REPORTS.match(message):
        weight = REPORTED
    elif FOLLOWS.search(message):
        weight = min(weight, FOLLOWED)
    return Complaint(at, weight, message)


def _boxes(lines: Sequence[str]) -> Iterator[Complaint]:
    """Return what tyro, typer and click's rich cousins say in boxes."""
    for at, line in enumerate(lines):
        title = _TITLE.match(line)
        if title is None or TRACE in line or not _TELLING.search(title["title"]):
            continue
        words: list[str] = []
        for inner in lines[at + 1 : at + 30]:
            text = inner.strip().strip("│┃|").strip()
            if not text or set(text) <= set("─━-+╰╯└┘┗┛"):
                break
            words.append(text)
        yield Complaint(at, SAID, " ".join(words) or title["title"])


def _hydra(lines: Sequence[str]) -> Iterator[Complaint]:
    """Return what Hydra says before the advice on its last line."""
    for at, line in enumerate(lines):
        if not line.startswith("Set the environment variable HYDRA_FULL_ERROR"):
            continue
        above = range(max(at - 60, 0), at)
        executing = (n for n in reversed(above) if lines[n].startswith("Error executing job"))
        region = range(next(executing, above.start - 1) + 1, at)
        if any(TRACE in lines[number] for number in region):
            continue
        first = next((number for number in region if _HYDRA.match(lines[number])), None)
        if first is None:
            blank = (n for n in reversed(region[:-1]) if not lines[n].strip())
            first = next(blank, region.start - 1) + 1
        yield Complaint(at, SAID, whole(lines, first))


def _pytest(lines: Sequence[str]) -> Iterator[Complaint]:
    """Return the first failure of pytest, with the number of others."""
    summary = [at for at, line in enumerate(lines) if _SUMMARY.match(line)]
    said = [line[1:].strip() for line in lines if line.startswith("E   ")]
    if summary:
        first = lines[summary[0]]
        if (" - " not in first or first.endswith("...")) and said:
            first = f"{first.partition(' - ')[0]} - {said[0]}"
        more = f" (and {len(summary) - 1} more)" if len(summary) > 1 else ""
        yield Complaint(summary[-1], SAID, first + more)


def _torchrun(lines: Sequence[str]) -> Iterator[Complaint]:
    """Return what torchrun reports of the rank that failed first."""
    for at, report in root_causes(lines):
        rank, said = report.get("rank", "?").split()[0], report.get("traceback", "")
        # Where ranks mark their lines, that none is of this one says that it printed no exception.
        is_told = said.startswith("Signal") or any(_RANK.match(line) for line in lines)
        if not said.startswith("Signal"):
            said = f"exit status {report.get('exitcode', '?').split()[0]}{_before_report(lines)}"
        yield Complaint(at, FOLLOWED if is_told else REPORTED, f"rank {rank}: {said}")


def root_causes(lines: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines where torchrun reports the rank that failed first, each with the report."""
    for at, line in enumerate(lines):
        if line.startswith("Root Cause (first observed failure)"):
            yield at, dict(_fields(lines[at + 1 : at + 12]))


def _before_report(lines: Sequence[str]) -> str:
    """Return the last line that the script of a torchrun has printed, after a colon."""
    end = next((at for at, line in enumerate(lines) if _ELASTIC.match(line)), 0)
    own = (line.strip() for line in reversed(lines[:end]) if line.strip() and line[0] != "[")
    last = next(own, "")
    return f": {last}" if last else ""


def _fields(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, text = line.partition(":")
        if colon and line.startswith("  "):
            yield name.strip(), text.strip()
