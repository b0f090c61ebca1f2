"""run.sh: what a run executes, made from one template that needs bash and nothing of runx.

Around the training command stand set-up, wrappers, torchrun, and a way back to the scheduler.
"""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.rundir.argv import exports, is_execable, shell_command
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run
from runx.rundir.styles import DASHES, Style

_HERE = Logdir.as_variable()


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


ALONE = Spread()
"""One process on one node."""


class ScriptSettings(NamedTuple):
    """What every run.sh of a launch has in common.

    ``path`` is the launcher's PATH, ``pythonpath`` has LOGDIR in it, ``project`` is where the
    launch was made. A run goes back to its scheduler by ``handback``, a command and an exit status.
    """

    experiment: str
    cmd: str
    pythonpath: str
    path: str
    project: str
    style: Style = DASHES
    shell: Shell = PLAIN
    requeue: Requeue | None = None
    handback: tuple[str, int] = ("", 0)


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


def script(run: Run, common: ScriptSettings, spread: Spread = ALONE) -> str:
    """Return the run.sh of one run; it holds no path of the run's own, so that it can be moved."""
    style = common.style
    assigned = exports(run.point, _HERE, style) if style.style == "env" else []
    line = shell_command(common.cmd, run.point, _HERE, style, exported=True)
    words = {
        "COMMAND": "".join([f"export {each}\n" for each in assigned])
        + body(line, is_execable(common.cmd), common.shell, spread),
        "RUN": run.name,
        **_common(common),
    }
    parts = list(_parts())
    parts[1::2] = [words[name] for name in parts[1::2]]
    return "".join(parts)


@functools.lru_cache(maxsize=8)
def _common(common: ScriptSettings) -> dict[str, str]:
    return {
        "EXPERIMENT": common.experiment.replace("\n", " "),
        "EXPERIMENT_WORD": shlex.quote(common.experiment),
        "PROJECT": shlex.quote(common.project),
        "PYTHONPATH": _HERE.in_word(common.pythonpath),
        "PATH": shlex.quote(common.path),
        "ENV": _environment(common.shell),
        "ERRORS": "2>>errors.log" if common.shell.separate else "2>&1",
        "ON_WARNING": on_warning(common.requeue),
        "TEARDOWN": teardown(common.shell),
        "AGAIN": way_back(common.requeue, *common.handback),
    }


@functools.lru_cache(maxsize=1)
def _parts() -> tuple[str, ...]:
    template = Path(__file__).with_name("run.sh.in").read_text(encoding="utf-8")
    return tuple(re.split(r"@([A-Z_]+)@", template))


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


def _environment(shell: Shell) -> str:
    """Write the variables of ENV, LOGDIR in them being the run's directory.

    >>> _environment(Shell(environment=(("CACHE", "LOGDIR/c d"),)))
    'export CACHE="$RUNX_LOGDIR"\\'/c d\\'\\n'
    """
    valued = [(name, _HERE.in_word(value)) for name, value in shell.environment]
    return "".join(f"export {name}={word}\n" for name, word in valued)


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
