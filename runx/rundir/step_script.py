"""What the run.sh of a step has besides that of a run: where it lies, and what it is after."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from runx.rundir.prune_script import PASS_OVER
from runx.rundir.run import Run

BLOCKED = 77
"""The exit status of a run.sh that has run nothing, since what it is after isn't done."""

_AFTER = """
# ---- This step starts when what it is after is done, or has ended, whatever its scheduler thinks.
# The sum of the numbers of their last attempts goes into its start: where one runs again later,
# this step is stale.

# Set `last` to the number of the last attempt in a directory that has begun, 0 where none has, and
# `text` to its events.
find_last() {
  local number=1 events=
  last=0
  while [ -e "$1/attempts/$number.claim" ]; do
    content "$1/attempts/$number.events.jsonl"
    [ -n "$text" ] && last=$number events=$text
    number=$((number + 1))
  done
  text=${events//: /:}
}
is_done() {
  find_last "$1"
  [[ $text == *'"event":"ended"'*'"code":0'[,}]* ]]
}
# Return whether a step has ended, or will never begin, since one of those that it is after, which
# are the further arguments, has ended badly. Here its launcher has seen to that.
is_over() {
  local before text
  find_last "$1"
  # One that was handed back to its scheduler goes on.
  [[ $text == *'"event":"preempted"'* && $text != *'"event":"refused"'* ]] && return 1
  [[ $text == *'"event":"ended"'* ]] && return
  [ -e "$1/attempts/lock" ] && type -P flock >/dev/null &&
    ! flock -n "$1/attempts/lock" true && return 1
  [ "$farm" = null ] && return
  [ "$last" != 0 ] && [ -z "$(find "$1/attempts" -name "$last.beat" -mmin -3)" ] && return
  [ "$last" = 0 ] && for before in "$1"/orders/*.json; do [ -e "$before" ] && return; done
  local own=$last
  for before in "${@:2}"; do
    find_last "$before"
    [[ $text == *'"event":"ended"'* && $text != *'"event":"ended"'*'"code":0'[,}]* ]] && break
    before=
  done
  last=$own
  [ -n "$before" ]
}
after=0
wait_for() {
  "$1" "${@:3}" || {
    echo "run.sh: $2 isn't done, so nothing was executed" >>output.log
    end "\\"code\\":@BLOCKED@,\\"blocked\\":\\"$2\\""
    exit @BLOCKED@
  }
  after=$((after + last))
}
"""


def step_texts(run: Run) -> dict[str, str]:
    """Return what replaces the texts of a run in the run.sh of one of its steps."""
    assert run.step is not None
    name = run.step.name
    is_own = run.step.per.is_run
    logdir = "${PWD%/steps/*}" if is_own else "$PWD"
    experiment = "../../.." if is_own else "../.."
    passing = PASS_OVER if run.point.trial is not None else ""
    where = f"export RUNX_STEP={name} RUNX_STEP_DIR=$PWD RUNX_LOGDIR={logdir}"
    return {
        "WHERE": f"{where}\nexport RUNX_RUN=${{RUNX_LOGDIR##*/}}",
        "NO_STEP": "",
        "CODE": code_of(run),
        "MARK": "RUNX_STEP_DIR",
        "AFTER": "".join([_AFTER.replace("@BLOCKED@", str(BLOCKED)), passing, *_waits(run)])
        if run.after
        else "after=0\n",
        "AFTER_FIELD": ',\\"after\\":$after',
        "OTHERS": f"{experiment}/*/steps/*/attempts {experiment}/steps/*/attempts",
        "LAUNCHES": f"{experiment}/.runx/launches",
    }


def code_of(run: Run) -> str:
    """Return the code of a step, from its directory."""
    return "../../code" if run.step is not None and run.step.per.is_run else "./code"


def _waits(run: Run) -> Iterator[str]:
    for before in run.after:
        check = "is_done" if before.when == "done" else "is_over"
        names = [before.dir, *before.upstream]
        paths = [shlex.quote(os.path.relpath(each, run.dir)) for each in names]
        name = step_name(before.dir.path.name)
        yield f"wait_for {check} {name} {' '.join(paths)}\n"
        if run.point.trial is not None and before.when == "done":
            yield f"pass_over {name}\n"


def step_name(name: str) -> str:
    """Return the name of a step, given that of its directory.

    >>> step_name("eval"), step_name("tokens-3f9a2c1b")
    ('eval', 'tokens')
    """
    return name.partition("-")[0]
