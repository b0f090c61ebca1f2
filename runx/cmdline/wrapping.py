"""What stands around a training command in run.sh: set-up, wrappers, torchrun, a way back."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from runx.errors import SettingsError


class Shell(NamedTuple):
    """What the settings put around the command.

    ``wrap`` goes before the command, ``launch`` is ``torchrun`` or empty, ``separate`` gives
    stderr a file of its own.
    """

    setup: str = ""
    teardown: str = ""
    wrap: str = ""
    launch: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    separate: bool = False


PLAIN = Shell()
"""Nothing around the command."""


class Requeue(NamedTuple):
    """What is done about a scheduler's warning: at most ``max`` times a run is handed back.

    ``before`` is how many seconds before the end the warning is due; ``forward`` says what the
    script gets: ``signal`` (USR1), ``term``, or ``note`` (stop_requested alone).
    """

    max: int = 5
    before: int = 120
    forward: str = "term"


class Spread(NamedTuple):
    """How many nodes a run has, and how many processes on each."""

    nodes: int = 1
    processes: int = 1


_PYTHON = re.compile(r"((?:\S*/)?python[\d.]*(?:\s+-[a-zA-Z]+)*?)\s+(?=-m\s|[^-\s])")
_MEETING = """\
  # One torchrun on each node; they meet at this one, the first, by the address that Slurm has for
  # it, on a port that is free here.
  rdzv_host=$(scontrol show -o node "$SLURMD_NODENAME" | grep -o 'NodeAddr=[^ ]*')
  rdzv_host=${rdzv_host#*=}
  rdzv_port=$((15000 + ${SLURM_JOB_ID:-$$} % 16000))
  while (exec 3<>"/dev/tcp/127.0.0.1/$rdzv_port") 2>/dev/null; do rdzv_port=$((rdzv_port + 1)); done
"""
_SRUN = (
    "srun --nodes={nodes} --ntasks={nodes} --ntasks-per-node=1 --kill-on-bad-exit=1"
    " ${{SLURM_CPUS_PER_TASK:+--cpus-per-task=$SLURM_CPUS_PER_TASK}}"
)
_RENDEZVOUS = (
    "--nnodes={nodes} --nproc-per-node={processes}"
    ' --rdzv-id="${{SLURM_JOB_ID:-$$}}.$RUNX_ATTEMPT"'
    ' --rdzv-backend=c10d --rdzv-endpoint="${{rdzv_host:-$HOSTNAME}}:$rdzv_port"'
)


def body(command: str, execable: bool, shell: Shell, spread: Spread) -> str:
    """Write what train() does: the set-up's lines, then the command with all that wraps it.

    >>> print(body("python t.py --lr 1", True, Shell(wrap="nice"), Spread()))
    exec nice python t.py --lr 1
    """
    before = [shell.setup + "\n"] if shell.setup else []
    if shell.launch and spread.nodes > 1:
        before.append(_MEETING)
    if shell.launch:
        command = torchrun(command, execable, spread)
    words = [shell.wrap] if shell.wrap else []
    if shell.wrap and not execable:
        command = f"bash -c {shlex.quote(command)}"
    if shell.launch and spread.nodes > 1:
        words.insert(0, _SRUN.format(nodes=spread.nodes))
    one = execable or bool(words)
    return "".join(before) + " ".join([*(["exec"] if one else []), *words, command])


def torchrun(command: str, execable: bool, spread: Spread) -> str:
    """Start a Python command once for each process of each node, as torchrun does.

    >>> torchrun("python -u train.py --lr 1", True, Spread(1, 8))
    'python -u -m torch.distributed.run --standalone --nproc-per-node=8 train.py --lr 1'
    """
    match = _PYTHON.match(command) if execable else None
    if match is None:
        raise SettingsError(
            "LAUNCH: torchrun starts one Python script: CMD must be as `python train.py ...`;"
            " put what comes before it into SETUP or WRAP"
        )
    how = f"--standalone --nproc-per-node={spread.processes}"
    if spread.nodes > 1:
        how = _RENDEZVOUS.format(nodes=spread.nodes, processes=spread.processes)
    return f"{match[1]} -m torch.distributed.run {how} {command[match.end() :]}"


def exports(shell: Shell) -> str:
    """Write the variables of ENV, LOGDIR in them being the run's directory.

    >>> exports(Shell(environment=(("CACHE", "LOGDIR/c d"),)))
    'export CACHE="$RUNX_LOGDIR"\\'/c d\\'\\n'
    """
    return "".join(f"export {name}={_valued(value)}\n" for name, value in shell.environment)


def _valued(value: str) -> str:
    parts = value.split("LOGDIR")
    return '"$RUNX_LOGDIR"'.join(shlex.quote(part) if part else "" for part in parts)


def on_warning(requeue: Requeue | None) -> str:
    """Write what the warning means to the script besides the note that it leaves."""
    if requeue is None or requeue.forward == "note":
        return ""
    name = "USR1" if requeue.forward == "signal" else "TERM"
    return f'  [ -n "$group" ] && kill -s {name} -- "-$group" 2>/dev/null\n'


_AGAIN = """
# ---- Again: where the script asks for it by exit status 75, or was warned and is not done, the job
# goes back to its scheduler. It is said first, since the scheduler may end whoever asks it.

again=
[ "$code" = 75 ] && again=1
[ -n "$warned" ] && [ "$code" != 0 ] && again=1
[ "$farm" = null ] && again=
for order in orders/*.json; do
  text=
  [ -n "$again" ] && [ -e "$order" ] && IFS= read -rd '' text <"$order"
  [[ $text == *'"cancel"'*"\\"attempt\\": $attempt,"* ]] && again=
done
if [ -n "$again" ]; then
  times=$(cat attempts/*.events.jsonl | grep -c '"event":"preempted"')
  if [ "$times" -lt @MAX@ ]; then
    trap '' TERM INT HUP USR1 USR2
    event preempted
    @HANDBACK@
  else
    echo "run.sh: handed back $times times, as often as REQUEUE allows" >>output.log
  fi
fi
"""


def way_back(requeue: Requeue | None, command: str, status: int) -> str:
    """Write how a run goes back to its scheduler: by a command, by an exit status, or not."""
    if requeue is None:
        return ""
    lines = [f"{command} >>output.log 2>&1 || event refused"] if command else []
    lines += [f"exit {status}"] if status else []
    return _AGAIN.replace("@MAX@", str(requeue.max)).replace("@HANDBACK@", "\n    ".join(lines))


def teardown(shell: Shell) -> str:
    """Write what happens after the command, which changes nothing about how it ended."""
    if not shell.teardown:
        return ""
    errors = "2>>errors.log" if shell.separate else "2>&1"
    return f"(\ncd code || exit\n{shell.teardown}\n) </dev/null >>output.log {errors}\n"
