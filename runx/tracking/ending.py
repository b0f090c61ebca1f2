"""How a script ends, for a job that is the bare command: no run.sh is there to tell it.

Python tells nobody the status that it leaves with. Here it is put together from what is left at
exit: whether the main module came to its end, the exception that ended it, the argument of
sys.exit(). Not seen are os._exit(), SIGKILL and a crash of the interpreter. Nothing is imported at
exit: eval() of a text, as in the imports of many modules, has Python forget a Ctrl-C.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from opcode import opname
from pathlib import Path
from types import FrameType
from typing import Any

from runx.rundir.events import parse_events
from runx.rundir.files import append_line
from runx.rundir.machines import is_process_alive, this_machine, whoami
from runx.rundir.paths import RunDir
from runx.tracking.plain import LONGEST, shown

BY_SYSTEM_EXIT = "it left by SystemExit, whose status only sys.exit() tells"


def watch(run: RunDir, attempt: int) -> Ending | None:
    """Return the record of how this script ends, begun; None where run.sh or a person will know.

    It is for processes that no run.sh has started.
    """
    is_interactive = hasattr(sys, "ps1") or bool(sys.flags.interactive)
    if is_interactive or run.events(attempt).exists():
        return None
    return None if _is_watched(run.script_events(attempt)) else Ending(run, attempt)


def _is_watched(path: Path) -> bool:
    """Return whether a script that has begun still lives: it started this one, to evaluate, say."""
    try:
        events = list(parse_events(path.read_bytes(), "", lambda _: None))
    except OSError:
        return False
    if not events or events[-1].name != "started":
        return False
    began = events[-1].details  # by this process itself where it has executed the script anew
    return began.get("pid") != os.getpid() and bool(is_process_alive(began, this_machine()))


class Ending:
    """Appends to attempts/N.logx.jsonl that a script began, and at exit how it ended."""

    def __init__(self, run: RunDir, attempt: int) -> None:
        self._path = run.script_events(attempt)
        self._process = os.getpid()
        self._main = _outermost_frame()
        self._left_with: tuple[int, str] | None = None
        self._masks = threading.local()
        self._append("started", **whoami())
        sys.exit = self._noted(sys.exit)
        for name in ("exit", "quit"):  # site's, which don't call sys.exit()
            if leave := getattr(builtins, name, None):
                setattr(builtins, name, self._noted(leave))
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_term)
            os.register_at_fork(
                before=self._hold, after_in_parent=self._release, after_in_child=self._forked
            )
        atexit.register(self.finish)

    def finish(self) -> None:
        """Append how the script ended; in a forked process, nothing."""
        if os.getpid() == self._process:
            code, reason = self._outcome()
            self._append("ended", code=code, **({"reason": reason} if reason else {}))

    # A worker that is ended just after its fork must get the signal, and as it would without us:
    # Python forgets in the child what came before its hooks.

    def _hold(self) -> None:
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _forked(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self._on_term:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._release()

    def _outcome(self) -> tuple[int | None, str]:
        """Return the status that the script leaves with, None where it can't be known; and why."""
        if _has_returned(self._main):
            return 0, ""
        error = getattr(sys, "last_value", None)
        trace = getattr(error, "__traceback__", None)
        # Another exception may have been printed before, by whoever imitates the interpreter.
        if error is not None and trace is not None and trace.tb_frame is self._main:
            return (130, "") if isinstance(error, KeyboardInterrupt) else (1, line_of(error))
        return self._left_with or (None, BY_SYSTEM_EXIT)

    def _noted(self, leave: Any) -> Callable[..., Any]:
        """Return sys.exit(), or one like it, that notes its argument."""

        @functools.wraps(leave)
        def noted(*status: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                self._left_with = status_of(*status)
            return leave(*status)

        return noted

    def _on_term(self, number: int, _frame: FrameType | None) -> None:
        """Append that the script is ended by a signal, and have the signal end it."""
        if os.getpid() == self._process:
            self._append("ended", code=128 + number)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    def _append(self, event: str, **details: Any) -> None:
        try:
            append_line(
                self._path,
                json.dumps({"event": event, "time": time.time(), **details, "by": "logx"}),
            )
        except OSError:
            pass  # Nobody waits for it: without it, the state is told by the metrics, as before.


def status_of(status: Any = None) -> tuple[int, str]:
    """Return the exit status that an argument of sys.exit() stands for, and its line if it is one.

    >>> status_of(), status_of(-1), status_of("no data")
    ((0, ''), (255, ''), (1, 'no data'))
    """
    if status is None:
        return 0, ""
    if isinstance(status, int):
        return status & 0xFF, ""
    return 1, _first_line(shown(status))


def line_of(error: BaseException) -> str:
    """Return an exception as the last line of its traceback has it; of a group the first one.

    >>> line_of(ValueError("no such data"))
    'ValueError: no such data'
    """
    groups = getattr(builtins, "BaseExceptionGroup", ())  # of Python 3.11
    while isinstance(error, groups):
        error = error.exceptions[0]
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    text = _first_line(shown(error))
    return f"{module}{kind.__qualname__}" + (f": {text}" if text else "")


def _first_line(text: str) -> str:
    return next((line.strip()[:LONGEST] for line in text.splitlines() if line.strip()), "")


def _outermost_frame() -> FrameType | None:
    """Return the frame of the main thread that all others were called from."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _has_returned(frame: FrameType | None) -> bool:
    """Return whether a frame came to its end, and was not left by an exception."""
    if frame is None or frame.f_lasti < 0:
        return True
    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")
