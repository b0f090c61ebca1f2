"""What the run.sh of a run of a search has to stop it early, once that was decided.

A run is stopped by an order `prune`, which its logx has written or `bind.sh --observe`, or since
another seed of its point was. It is asked to end, by `stop_requested`; later come TERM and KILL.
"""

from __future__ import annotations

PASS_OVER = """
# A step after one that was stopped early, or wasn't needed, isn't executed; what waits goes on.
pass_over() {
  local state
  for state in pruned skipped; do
    [[ $text == *'"event":"ended"'*"\\"$state\\":\\""* ]] || continue
    end "\\"code\\":0,\\"$state\\":\\"after $1\\""
    exit 0
  done
}
"""

_BEFORE = """
# ---- Early stopping. Once a person has started it again (--retry pruned), a run is never stopped.

# Set `why` to why this attempt, or its point, is stopped early; return 1 where it isn't. Set
# `own` where it is this attempt.
find_verdict() {
  local order text
  why= own=
  for order in orders/*.json; do
    content "$order"
    [[ $text == *'"prune"'*"\\"attempt\\": $attempt,"*'"why": "'* ]] && break
    text=
  done
  [ -n "$text" ] && own=1 || content "$RUNX_SEARCH/points/@POINT@.pruned"
  [[ $text == *'"why": "'* ]] && why=${text#*'"why": "'} why=${why%%'"'*}
}
prunes=
if grep -qs '^  "prune": {$' "$RUNX_SEARCH/search.json"; then
  if grep -qs '"pruned":"' "$RUNX_LOGDIR"/attempts/*.events.jsonl \\
    "$RUNX_LOGDIR"/steps/*/attempts/*.events.jsonl; then
    unset RUNX_SEARCH
  else
    prunes=1
    if find_verdict; then
      end "\\"code\\":0,\\"pruned\\":\\"$why\\""
      exit 0
    fi
  fi
fi
"""

_ATTACHED = """\
  # Nobody ends a script at a person's terminal; what it was asked to end for settles it.
  if [ -n "$prunes" ] && find_verdict && [ -n "$own" ] && ! is_cancelled "$attempt"; then
    end "\\"code\\":0,\\"pruned\\":\\"$why\\""
    exit 0
  fi
"""

_WATCH = """\
watch=
# Of a script without logx, a Python of runx writes down what it has measured, and judges.
observe() {
  local line=
  [ -e metrics.csv ] && read -r line <metrics.csv
  [[ $line != start,* ]] && type -P timeout &&
    timeout -k 5 60 "$RUNX_SEARCH/bind.sh" --observe "$PWD" "$attempt" "$1" </dev/null
} >/dev/null 2>&1
if [ -n "$prunes" ]; then
  {
    trap - TERM INT HUP USR1 USR2
    exec </dev/null >/dev/null 2>&1
    [ -n "$lock" ] && exec {lock}>&-
    unset RUNX_ATTEMPT
    asked= next=$((SECONDS + ${RUNX_OBSERVE:-30})) ending=TERM
    while read -r stat <"/proc/$$/stat" && [[ ${stat##*) } != Z* ]]; do
      if ! find_verdict; then
        [ "$SECONDS" -lt "$next" ] || { observe judge; next=$((SECONDS + ${RUNX_OBSERVE:-30})); }
      elif [ -z "$asked" ]; then
        printf 'pruned: %s\\n' "$why" >|stop_requested
        asked=$((SECONDS + ${RUNX_PRUNE_GRACE:-30}))
      elif [ "$SECONDS" -ge "$asked" ]; then
        kill -s "$ending" -- "-$group"
        asked=$((SECONDS + 15)) ending=KILL
      fi
      sleep "${RUNX_WATCH:-5}"
    done
  } &
  watch=$!
fi
"""

_OUTCOME = """\
# What has ended since it was asked to, or was made to, is settled whatever its exit status.
if [ -n "$watch" ]; then
  kill -- "-$watch" 2>/dev/null
  content stop_requested
  asked=$text
  if find_verdict && [[ $own || $code != 0 || $asked == "pruned: "* ]] &&
    ! is_cancelled "$attempt"; then
    code=0 lost+=",\\"pruned\\":\\"$why\\""
  elif [ "$code" = 0 ]; then
    observe only
  fi
fi
"""


def prune_texts(point: int) -> dict[str, str]:
    """Return the texts of run.sh that stop a run early, for a point of a search."""
    before = _BEFORE.replace("@POINT@", str(point))
    return {"PRUNE": before, "ATTACHED": _ATTACHED, "WATCH": _WATCH, "OUTCOME": _OUTCOME}
