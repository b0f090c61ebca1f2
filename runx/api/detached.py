"""A launcher of runs here in a process and a session of its own, which outlives its caller.

A fresh interpreter, no fork: a notebook's has threads, and holds GPUs and sockets.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.experiment import Experiment, SweepPlan
from runx.api.launched import Caller, Launched
from runx.api.output import Lines
from runx.api.printing import Say, data, remark
from runx.api.start import start
from runx.config.request import Request
from runx.errors import RunxError
from runx.local.options import LocalOptions
from runx.processes import start_command
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from subprocess import Popen

    from runx.launching.context import Ask
    from runx.launching.plan import LaunchPlan

_PROGRAM = """\
import sys
sys.path[:] = {path!r}
from runx.api.detached import main
main({request}, {answer})
"""


class DetachedLaunch(NamedTuple):
    """What a launcher of its own is to do: a launch as ``start`` has it, by values alone.

    ``choice`` are the arguments of ``SweepPlan.options``. ``ending`` prints the report of what was
    launched; it and ``ask`` are functions of modules.
    """

    request: Request
    runs: tuple[Run, ...]
    choice: Mapping[str, Any]
    local: LocalOptions
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"
    ask: Ask | None = None
    ending: Callable[[Launched, str, Say], int] | None = None


class Begun(NamedTuple):
    """A launch that goes on by itself: its name, its runs, and the process of its launcher.

    It has no name where it only goes on with runs whose launcher has died.
    """

    launch: str
    runs: tuple[RunDir, ...]
    launcher: Popen[bytes]


def detach(launch: DetachedLaunch, say: Say) -> Begun | None:
    """Start a launcher; return when its runs are made and it goes on alone.

    Returns:
        None where nothing starts.

    Raises:
        RunxError: As ``start`` does; nothing has started.
    """
    request, to_launcher = os.pipe()
    from_launcher, answer = os.pipe()
    program = _PROGRAM.format(path=sys.path, request=request, answer=answer)
    try:
        words = [sys.executable, "-c", program]
        launcher = start_command(words, pass_fds=(request, answer), new_session=True)
    except BaseException:
        os.close(to_launcher)
        os.close(from_launcher)
        raise
    finally:
        os.close(request)
        os.close(answer)
    with os.fdopen(from_launcher, "rb") as answers:
        try:
            with suppress(BrokenPipeError), os.fdopen(to_launcher, "wb") as file:
                pickle.dump(launch, file)
            return _begun(answers, launcher, say)
        except BaseException:
            launcher.terminate()  # Ctrl-C: the launcher removes what is half done.
            raise


def _begun(answers: Any, launcher: Popen[bytes], say: Say) -> Begun | None:
    """Return what a launcher answers when it goes on alone; say its remarks until then."""
    while True:
        try:
            kind, content = pickle.load(answers)
        except EOFError:
            status = launcher.wait()
            raise RunxError(f"the launcher ended with status {status} before it began") from None
        if kind == "say":
            say(content)
        elif kind == "begun":
            name, runs = content
            return Begun(name, runs, launcher)
        else:
            launcher.wait()
            if kind == "refused":
                error, text = content
                raise error(text)
            return None


def log_of(experiment: ExperimentDir, launch: str) -> Path:
    """Return the file with what a launcher says that goes on alone."""
    return experiment.launches / launch / "launcher.log"


def main(request: int, answer: int) -> None:
    """Launch what a caller sends by a pipe, and answer by another one until that has begun."""
    with os.fdopen(request, "rb") as file:
        launch: DetachedLaunch = pickle.load(file)
    answers = os.fdopen(answer, "wb")

    def tell(kind: str, content: Any) -> None:
        with suppress(OSError, ValueError):  # The caller has died; the launch goes on.
            pickle.dump((kind, content), answers)
            answers.flush()

    def say(line: str) -> None:
        remark(line) if answers.closed else tell("say", line)

    def begun(plan: LaunchPlan) -> None:
        dirs = [*(run.dir for run in plan.runs), *(run.dir for run in plan.adopted)]
        name = plan.context.launch if plan.context else ""
        if plan.context and plan.context.lock is not None:
            os.dup(plan.context.lock)  # Held to the end of this process, and of its report.
        _leave_terminal(log_of(ExperimentDir(dirs[0].path.parent), name) if name else None)
        tell("begun", (name, tuple(dirs)))
        answers.close()

    caller = Caller(say, data, _lines, launch.argv, launch.go_on, launch.ask, begun)
    try:
        launched = _launched(launch, caller)
    except RunxError as error:
        if answers.closed:
            raise
        tell("refused", (type(error), str(error)))
    except BaseException:
        tell("say", traceback.format_exc())
        raise
    else:
        if launched is None:
            tell("nothing", None)
        elif launch.ending:
            launch.ending(launched, launch.go_on, remark)


def _launched(launch: DetachedLaunch, caller: Caller) -> Launched | None:
    settings = Experiment.of(launch.request).settings
    sweep = SweepPlan.of(settings, sys.maxsize)
    options = sweep.options(**launch.choice)
    return start(settings, launch.runs, sweep.new_name, options, launch.local, caller)


def _lines(total: int, _jobs: int, commands: Mapping[RunDir, str], _local: LocalOptions) -> Lines:
    return Lines(total, commands)


def _leave_terminal(log: Path | None) -> None:
    """Read nothing from now on, and write into a log."""
    output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.close(output)
    os.close(nothing)
