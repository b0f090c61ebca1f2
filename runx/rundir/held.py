"""MAX_FAILURES: so many failures in a row, for one cause, keep what waits from starting.

Each run that has failed since another was done, for the same cause, has a file in .runx/failures
that holds the cause; run.sh writes and removes them. The one that makes them too many writes
.runx/held.json: until a person removes that, by --resume or ``runx release``, jobs that start end
at once, and launchers here start no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runx.rundir.paths import ExperimentDir

HELD = "held: "
"""How the reason begins of a run that didn't start."""
SHARED = "../.runx"
"""Where a run finds what the runs of its experiment share."""

_BEFORE = """\

# ---- MAX_FAILURES: too many have failed in a row, so that this doesn't start.

if [ "$farm" != null ] && [ -e @SHARED@/held.json ]; then
  content @SHARED@/held.json
  text=${text#*'"reason": "'}
  text=${text%%'"'*}
  end "\\"code\\":143,\\"held\\":true,\\"reason\\":\\"$text\\""
  exit 143
fi
"""

_AFTER = """
# ---- MAX_FAILURES: what has failed in a row for one cause is in failures/, a file for each run.

# Set `cause` to why this has failed: by an exception, the last line, or a signal; `kind` is that
# without its numbers.
name_cause() {
  cause=$causes
  if [ "${causes##* }" = failed ]; then
    last_printed '^(\\[rank[0-9]+\\]: *)?[a-z_][a-z0-9_.]*(Error|Exception|Interrupt|Exit)(:|$)' ||
      last_printed '[^[:space:]]'
    cause="exit status $code${REPLY:+: $REPLY}"
  fi
  kind=${cause//[0-9]/#}
  while [[ $kind == *##* ]]; do kind=${kind//##/#}; done
  kind="$code $kind"
}
hold_others() {
  local cause kind file failed mine=@SHARED@/.$RUNX_RUN.$$
  name_cause
  for file in @SHARED@/failures/*; do
    content "$file"
    [ "$text" = "$kind" ] || rm -f -- "$file"
  done
  printf %s "$kind" >"$mine" && mv -f -- "$mine" "@SHARED@/failures/$RUNX_RUN"
  failed=(@SHARED@/failures/*)
  [ "${#failed[@]}" -ge @MOST@ ] && [ ! -e @SHARED@/held.json ] || return
  plain "$RUNX_RUN"
  cause="held: @COUNT@: $cause"
  printf '{"version": 1, "time": %s, "run": "%s", "reason": "%s"}\\n' \\
    "$now" "$REPLY" "$cause" >"$mine"
  ln "$mine" @SHARED@/held.json
  rm -f -- "$mine"
}
if [ "$code" = 0 ]; then
  failed=(@SHARED@/failures/*)
  [ ! -e "${failed[0]}" ] || rm -f -- "${failed[@]}"
elif [ -z "${again:-}" ] && [ -n "$causes" ] && [ -d @SHARED@/failures ]; then
  hold_others 2>/dev/null
fi
"""


def check_before(most: int | None, shared: str = SHARED) -> str:
    """Return the lines of run.sh that end it before its start while others have failed."""
    return _BEFORE.replace("@SHARED@", shared) if most else ""


def count_after(most: int | None, shared: str = SHARED) -> str:
    """Return the lines of run.sh that count its failure; they come after those of ``handback``."""
    if not most:
        return ""
    count = "${#failed[@]} runs in a row failed" if most > 1 else "a run has failed"
    text = _AFTER.replace("@MOST@", str(most)).replace("@COUNT@", count)
    return text.replace("@SHARED@", shared)


def held_since(experiment: ExperimentDir) -> Mapping[str, Any] | None:
    """Return what held.json has of an experiment: its time, reason and run; None without it."""
    from runx.errors import StoreError
    from runx.rundir.files import read_json

    if not experiment.held.exists():
        return None
    try:
        return read_json(experiment.held)
    except StoreError:
        return {"reason": f"held, as {experiment.held} says, which is damaged"}


def held_because(experiment: ExperimentDir) -> str:
    """Return why nothing more of an experiment starts, "" where it does."""
    held = held_since(experiment)
    return str(held.get("reason") or "held") if held is not None else ""


def let_go(experiment: ExperimentDir) -> str:
    """Let what waits start again, and count failures anew; return why it was held, "" if not."""
    reason = held_because(experiment)
    with suppress(FileNotFoundError):
        experiment.held.unlink()
    for file in experiment.failures.glob("*") if experiment.failures.is_dir() else ():
        file.unlink(missing_ok=True)
    return reason
