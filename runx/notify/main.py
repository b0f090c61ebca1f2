"""Tells what there is to tell of an experiment; a launcher, or the run.sh of a job, starts it."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runx.analysis.failures import Failure, digest, digest_lines
from runx.analysis.read import Reader, read_experiment
from runx.analysis.step_records import goes_on
from runx.errors import RunxError
from runx.notify.messages import post, send, server_of
from runx.notify.occasions import Best, Occasion, best_of, facts, occasions, question_of
from runx.printable import one_line, printable
from runx.processes import CommandError, run_command, worker_count
from runx.rundir.claims import claim_text, link_claim
from runx.rundir.notify import SETTINGS, Notify, read_notify
from runx.rundir.output import readable
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.states import ENDED_BADLY

_LONGEST = 60  # seconds that all of it may take
_TAIL = 20  # lines of the output of a run that has failed
_MOST = 60_000  # bytes of a digest in the environment, of which a variable takes 128 KiB


def main(folder: str) -> None:
    """Tell what there is to tell of the launch that has this folder; say what goes wrong."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_LONGEST)
    try:
        for problem in tell(Path(folder).resolve()):
            print(f"warning: NOTIFY: {printable(one_line(problem))}", file=sys.stderr)
    except (RunxError, OSError) as error:
        print(f"warning: NOTIFY: {printable(one_line(str(error)))}", file=sys.stderr)
    finally:
        signal.alarm(0)


def tell(folder: Path) -> list[str]:
    """Tell what nobody has told yet; return the problems.

    What the experiment's last launch says of it holds for all that go on: each tells in its name.
    """
    folder = max((file.parent for file in folder.parent.glob(f"*/{SETTINGS}")), default=folder)
    notify, cwd = read_notify(folder)
    experiment = ExperimentDir(folder.parents[2])
    question, problems = question_of(notify), list[str]()
    reader = Reader(question.measures, _ignore, processes=worker_count())
    records = list(read_experiment(experiment, reader))
    try:
        best = best_of(records, question)
    except RunxError as error:
        best = None
        problems.append(f"best: {error}")
    since = float(read_or_empty(folder / "launch.json", _ignore).get("created") or 0.0)
    is_over = not goes_on(experiment, records, _ignore)
    for occasion in occasions(records, notify, best, since, is_over):
        # Claimed first: what is not told for sure is better told never than twice.
        if link_claim(folder / f"notified.{occasion.claim}", claim_text(None, None, folder.name)):
            problems += _tell(occasion, records, best, notify, cwd)
    return problems


def _tell(
    occasion: Occasion,
    records: Sequence[RunRecord],
    best: Best | None,
    notify: Notify,
    cwd: Path,
) -> list[str]:
    """Tell of one occasion; return why that failed, if it did."""
    failed = [occasion.run] if occasion.event == "failure" else []
    if occasion.event == "end":
        failed = [run for run in records if run.state in ENDED_BADLY]
    failures = [Failure.of(run) for run in failed if run]
    others = [run for run in records if run.state not in ENDED_BADLY]
    groups = digest(failures, others)
    cause = "; ".join(f"{len(group.results)} x {group.reason}" for group in groups[:3])
    told = facts(occasion, records, best, one_line(cause))
    lines = [told["title"], *filter(None, [told["text"]]), *digest_lines(groups)]
    lines += readable(failures[0].tail).splitlines()[-_TAIL:] if failures else []
    text = "\n".join(lines) + "\n"
    if not re.match(r"[a-z+]+://", notify.to, re.IGNORECASE):
        return _command(notify.to, text, told, cwd)
    problem = send(post(notify.to, {**told, "digest": text} if notify.digest else told))
    return [f"{server_of(notify.to)}: {problem}"] if problem else []


def _command(command: str, text: str, told: Mapping[str, Any], cwd: Path) -> list[str]:
    """Run a command with the digest on its standard input and in its environment."""
    short = text.encode("utf-8", "surrogateescape")[:_MOST].decode("utf-8", "ignore")
    variables = {
        "RUNX_EVENT": str(told["event"]),
        "RUNX_EXPERIMENT": str(told["experiment"]),
        "RUNX_DIGEST": short.replace("\0", ""),
    }
    try:
        done = run_command(
            ["bash", "-c", command],
            cwd=cwd if cwd.is_dir() else None,
            environment=variables,
            stdin=text,
            timeout=_LONGEST / 2,
        )
    except CommandError as error:
        return [f"its command: {error}"]
    if done.status:
        return [f"its command ended with {done.status}: {done.last_line}"]
    return []


def _ignore(_: str) -> None:
    """Drop a warning: the commands that read runs give it."""
