"""What the run.sh of a run of a search has besides: it gets the values of its point, then starts.

`bind.sh` chooses them by what is known, with a Python of runx and a time limit. Where that can't be
done, as on a node without that Python, the run takes the point that its launch has left for it.
"""

from __future__ import annotations

import shlex

from runx.rundir.paths import BOUND
from runx.rundir.prune_script import prune_texts
from runx.rundir.run import Run

REACHED, HELD, SPENT = 3, 4, 5
"""What bind.sh exits with where a run needn't start, or isn't to, yet."""

READ = f". ./{BOUND} || exit 2"
"""What stands in the place of `train`, which that file defines."""

_BIND = """
# ---- SEARCH: this run's values. Whoever links its point into points/ first has chosen them; from
# that bound.sh is derived, and a run that has it asks nobody.

RUNX_SEARCH=${RUNX_LOGDIR%/*}/.runx/search/@SEARCH@
export RUNX_SEARCH
skip() {
  end "\\"code\\":0,\\"skipped\\":\\"$1\\""
  exit 0
}
# End without having begun; `--resume` starts this run again.
wait_with() {
  plain "$1"
  end "\\"code\\":143,\\"held\\":true,\\"reason\\":\\"$REPLY\\""
  exit 143
}
take_fallback() {
  local point=$RUNX_SEARCH/points/@POINT@
  echo "run.sh: no point could be chosen here ($1); this run takes the one that its launch left" >&2
  ln "$point.fallback.json" "$point.json" 2>/dev/null
  [ "$point.fallback.json" -ef "$point.json" ] && ln fallback.sh bound.sh 2>/dev/null
}
bind_point() {
  local text code binding
  type -P timeout >/dev/null || { take_fallback "there is no timeout"; return; }
  timeout -k 5 "${RUNX_BIND_TIME:-120}" "$RUNX_SEARCH/bind.sh" "$PWD" </dev/null &
  binding=$!
  # A signal interrupts wait.
  while :; do
    wait "$binding"
    code=$?
    [ -z "$forwarded" ] && kill -0 "$binding" 2>/dev/null || break
  done
  if [ -n "$forwarded" ]; then
    kill "$binding" 2>/dev/null
    end '"code":143'
    exit 143
  fi
  case $code in
    0) ;;
    @REACHED@) skip "target reached" ;;
    @SPENT@) skip "budget spent" ;;
    @HELD@)
      content "${RUNX_SEARCH%/search/*}/held.json"
      text=${text#*'"reason": "'}
      wait_with "${text%%'"'*}"
      ;;
    124 | 137) take_fallback "it took too long" ;;
    *) take_fallback "exit status $code" ;;
  esac
}
[ -s bound.sh ] || bind_point >/dev/null 2>>output.log
[ -s bound.sh ] || wait_with "its point can't be bound here; output.log says why"
"""


def search_texts(run: Run) -> dict[str, str]:
    """Return what the run.sh of a run of a search has where that of others differs."""
    trial = run.point.trial
    assert trial is not None
    texts = {
        "SEARCH": shlex.quote(trial.search),
        "POINT": str(trial.number),
        "REACHED": str(REACHED),
        "SPENT": str(SPENT),
        "HELD": str(HELD),
    }
    bind = _BIND
    for name, text in texts.items():
        bind = bind.replace(f"@{name}@", text)
    stopping = prune_texts(trial.number)
    bind += stopping.pop("PRUNE")
    return {"TRAIN": READ, "BIND": bind, "SETUP_FILE": "${BASH_SOURCE[1]##*/}", **stopping}
