"""How a run starts again by itself: run.sh hands its job back to the scheduler.

REQUEUE does so where the scheduler warns of the job's end, or the script asks for it; RETRIES where
the run has failed for one of some causes. What was handed back is told by the events of the run.
"""

from __future__ import annotations

from typing import NamedTuple

CAUSES = ("failed", "killed", "oom", "timeout", "node")
"""What RETRIES may name: states of failed runs, and ``node`` for one whose machine has died."""
WARNING = 60
"""Seconds before its end at which a job is warned so that RETRIES can start it again."""


class Requeue(NamedTuple):
    """How a run is requeued after its scheduler's warning: ``max`` times at most.

    The warning comes ``before`` seconds before the end. What the script gets of it is ``forward``:
    ``signal`` (USR1), ``term``, or ``note`` (the file stop_requested alone).
    """

    max: int = 5
    before: int = 120
    forward: str = "term"


class Retries(NamedTuple):
    """How often a failed run starts again by itself, and for which of CAUSES.

    What took too long takes too long again, unless it goes on from a checkpoint.
    """

    max: int = 2
    on: tuple[str, ...] = ("failed", "killed", "oom", "node")


NO_RETRIES = Retries(0)
"""Nothing is tried again."""
MEMORY = r"out of memory|MemoryError|OutOfMemory|cannot allocate memory|bad_alloc"
"""What an output says, in letters of any size, where memory was too small: a GPU's, too."""

_CAUSES = """
# ---- Why it has failed, and what its output says of that.

# Return whether the last that this attempt has printed matches; put the last match into REPLY.
last_printed() {
  local line
  line=$({
    tail -c "+$((${from##*:} + 1))" output.log
    [ ! -e errors.log ] || cat errors.log
  } 2>/dev/null | tail -c 65536 | grep -aiE "$1" | tail -n 1)
  line=${line//"$PWD"/LOGDIR}
  plain "${line:0:160}"
  [ -n "$REPLY" ]
}
printf -v now '%(%s)T' -1
causes=failed
if [ "$code" = 0 ]; then
  causes=
elif [ -n "$warned" ] || [[ $forwarded = TERM && now -ge ${RUNX_DEADLINE:-now+1} ]]; then
  causes=timeout
elif [ -n "$forwarded" ] || is_cancelled "$attempt"; then
  causes= # who has ended it knows why
elif [ "$code" = 137 ]; then
  causes="oom killed" # nobody here has sent KILL: as a rule the kernel has, for memory
elif [ "$code" -gt 128 ]; then
  causes=killed
elif last_printed '@MEMORY@'; then
  causes="oom failed"
fi
"""

_HANDBACK = """
# ---- The job goes back to its scheduler. The event is written first: it may be ended at once.

again= retry=
if [ "$code" != 0 ] && [ "$farm" != null ] && ! is_cancelled "$attempt"; then
@RULES@  if [ -n "$again" ]; then
    trap '' TERM INT HUP USR1 USR2
    event preempted "${retry:+"\\"retry\\":\\"$retry\\""}"
    @HANDBACK@
  fi
fi
"""

_ELSEWHERE = """\
# It is tried elsewhere where it has failed at once, and others are done on other machines.
    others=$(grep -lsZ '"event":"ended".*"code":0' ../*/attempts/*.events.jsonl | head -zn 100 |
      xargs -0r grep -L "\"node\":\"$SLURMD_NODENAME\"" | head -n 1)
    if [ -n "$retry" ] && [ $((SECONDS - begin)) -lt 60 ] && [ -n "$others" ]; then
@ELSEWHERE@    fi >>output.log 2>&1"""

_NOT_AGAIN = """\
[ "$code" != @STATUS@ ] || code=1 # or its scheduler would start it again all the same
"""

_OF_REQUEUE = """\
  # Where the script asks for it by exit status 75, or was warned and failed.
  if [ "$code" = 75 ] || [ -n "$warned" ]; then
    times=$(cat attempts/*.events.jsonl | grep '"event":"preempted"' | grep -vc '"retry":')
    if [ "$times" -lt @MAX@ ]; then
      again=1
    else
      echo "run.sh: handed back $times times, as often as REQUEUE allows" >>output.log
    fi
  fi
"""

_OF_RETRIES = """\
  for retry in $causes; do case " @ON@ " in *" $retry "*) break ;; esac; retry=; done
  if [ -z "$again" ] && [ -n "$retry" ]; then
    times=$(cat attempts/*.events.jsonl | grep -c '"retry":')
    if [ "$times" -lt @MAX@ ]; then
      again=1
    else
      echo "run.sh: $retry; tried again $times times, as often as RETRIES allows" >>output.log
    fi
  else
    retry=
  fi
"""


def on_warning(requeue: Requeue | None, retries: Retries | None = None) -> str:
    """Return the line that passes a warning on to the script, beside the note that is left."""
    if requeue is None and retries is not None and "timeout" in retries.on:
        requeue = Requeue()
    if requeue is None or requeue.forward == "note":
        return ""
    name = "USR1" if requeue.forward == "signal" else "TERM"
    return f'  [ -n "$group" ] && kill -s {name} -- "-$group" 2>/dev/null\n'


def finding_causes(is_needed: bool) -> str:
    """Return the lines of run.sh that set ``causes``, words of CAUSES, where they are needed."""
    return _CAUSES.replace("@MEMORY@", MEMORY) if is_needed else ""


def handing_back(
    requeue: Requeue | None,
    retries: Retries | None,
    command: str,
    status: int,
    elsewhere: str = "",
) -> str:
    """Return the lines that hand a run back: by a command, by an exit status, or not at all.

    Those of RETRIES come after ``finding_causes``. ``elsewhere`` are lines that keep the job from
    this machine: executed where a run has failed at once while others are done on another one.
    """
    # A job of several is handed back by its own script, when the last has ended.
    lines = ['[ -z "$together" ] || exit 75'] if command or status else []
    lines += [f"{command} >>output.log 2>&1 || event refused"] if command else []
    lines += [_ELSEWHERE.replace("@ELSEWHERE@", elsewhere)] if elsewhere and retries else []
    lines += [f"exit {status}"] if status else []
    rules = [] if requeue is None else [_OF_REQUEUE.replace("@MAX@", str(requeue.max))]
    if retries is not None:
        rule = _OF_RETRIES.replace("@MAX@", str(retries.max)).replace("@ON@", " ".join(retries.on))
        rules.append(rule)
    if not lines or not rules:
        return ""
    text = _HANDBACK.replace("@RULES@", "".join(rules))
    text += _NOT_AGAIN.replace("@STATUS@", str(status)) if status else ""
    return text.replace("@HANDBACK@", "\n    ".join(lines))
