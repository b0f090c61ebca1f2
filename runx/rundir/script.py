"""run.sh, the script that executes a run, filled in from run.sh.in: it needs bash, not runx.

Around the training command stand set-up, wrappers, torchrun and tear-down; what happens to a run
that has failed is in ``handback`` and ``held``.
"""

from __future__ import annotations

import functools
import math
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.rundir import held
from runx.rundir.argv import exports, is_execable, shell_command
from runx.rundir.handback import Requeue, Retries, finding_causes, handing_back, on_warning
from runx.rundir.logdir import Logdir
from runx.rundir.run import Run
from runx.rundir.shell import PLAIN, Shell
from runx.rundir.styles import DASHES, Style

_HERE = Logdir.as_variable()


class NodeLayout(NamedTuple):
    """The number of nodes of a run, and of processes on each."""

    nodes: int = 1
    processes: int = 1


ONE_PROCESS = NodeLayout()
"""One process on one node."""


class ScriptSettings(NamedTuple):
    """What every run.sh of a launch has in common.

    ``path`` is the launcher's PATH, ``pythonpath`` has LOGDIR in it, ``project`` is the directory
    of the launch. ``handback`` is a command and an exit status by which a run is requeued, and
    lines that keep its job from this machine. After ``max_failures`` in a row for one cause what
    waits isn't started.
    """

    experiment: str
    cmd: str
    pythonpath: str
    path: str
    project: str
    style: Style = DASHES
    shell: Shell = PLAIN
    requeue: Requeue | None = None
    handback: tuple[str, int, str] = ("", 0, "")
    retries: Retries | None = None
    max_failures: int | None = None


_OF_RUN = {
    "WHERE": "export RUNX_LOGDIR=$PWD RUNX_RUN=${PWD##*/}",
    "NO_STEP": " RUNX_STEP RUNX_STEP_DIR",
    "CODE": "./code",
    "MARK": "RUNX_LOGDIR",
    "AFTER": "",
    "AFTER_FIELD": "",
    "OTHERS": "../*/attempts",
    "LAUNCHES": "../.runx/launches",
    "BIND": "",
    "ATTACHED": "",
    "WATCH": "",
    "OUTCOME": "",
    "SETUP_FILE": "${BASH_SOURCE[0]##*/}",
}
"""What run.sh of a run has where that of a step or of a search differs, as their modules say."""

_PYTHON = re.compile(r"((?:\S*/)?python[\d.]*(?:\s+-[a-zA-Z]+)*?)\s+(?=-m\s|[^-\s])")

_RENDEZVOUS_HOST = """\
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
    ' --rdzv-backend=c10d --rdzv-endpoint="${{rdzv_host:-$(uname -n)}}:$rdzv_port"'
)


def script(run: Run, common: ScriptSettings, spread: NodeLayout = ONE_PROCESS) -> str:
    """Return the run.sh of one run; it holds no path of the run, whose directory may be moved."""
    texts = {
        "RUN": run.name,
        **_OF_RUN,
        **_common(common),
    }
    if run.point.trial is None:
        texts["TRAIN"] = train(run, common, spread)
    else:
        from runx.rundir.search_script import search_texts

        texts |= search_texts(run)
    if run.step is not None:
        from runx.rundir.step_script import step_texts

        texts |= step_texts(run)
        texts["TEARDOWN"] = teardown(common.shell, texts["CODE"])
    parts = list(_parts())
    parts[1::2] = [texts[name] for name in parts[1::2]]
    return "".join(parts)


def train(run: Run, common: ScriptSettings, spread: NodeLayout = ONE_PROCESS) -> str:
    """Return the function of run.sh that executes the command of a run, or of a step."""
    cmd, point, style = common.cmd, run.point, common.style
    if run.step is not None:
        from runx.rundir.step_command import of_step

        cmd, point, style = of_step(run, style)
    assigned = exports(point, _HERE, style, cmd) if style.style == "env" else []
    line = shell_command(cmd, point, _HERE, style, exported=True)
    command = body(line, is_execable(cmd, point, style), common.shell, spread)
    return "".join(["train() {\n", *(f"export {each}\n" for each in assigned), command, "\n}"])


@functools.lru_cache(maxsize=32)
def _common(common: ScriptSettings) -> dict[str, str]:
    return {
        "EXPERIMENT": common.experiment.replace("\n", " "),
        "EXPERIMENT_WORD": shlex.quote(common.experiment),
        "PROJECT": shlex.quote(common.project),
        "PYTHONPATH": _HERE.in_word(common.pythonpath),
        "PATH": shlex.quote(common.path),
        "ENV": environment_lines(common.shell),
        "RELAY": "open_relay err errors.log\n" if common.shell.separate else "",
        "ERRORS": '2>&"$err" {err}>&-' if common.shell.separate else "2>&1",
        "CLOSE": " {err}>&-" if common.shell.separate else "",
        "LINGER": str(math.ceil(common.shell.linger)),
        "HELD": held.check_before(common.max_failures),
        "ON_WARNING": on_warning(common.requeue, common.retries),
        "TEARDOWN": teardown(common.shell),
        "FAILED": failing(common),
    }


@functools.lru_cache(maxsize=1)
def _parts() -> tuple[str, ...]:
    template = Path(__file__).with_name("run.sh.in").read_text(encoding="utf-8")
    return tuple(re.split(r"@([A-Z_]+)@", template))


def body(command: str, execable: bool, shell: Shell, spread: NodeLayout) -> str:
    """Return the body of train(): the set-up's lines, then the command with what wraps it.

    >>> print(body("python t.py --lr 1", True, Shell(wrap="nice"), NodeLayout()))
    exec nice python t.py --lr 1
    """
    lines = [setup(shell)] if shell.setup else []
    if shell.launch and spread.nodes > 1:
        lines.append(_RENDEZVOUS_HOST)
    if shell.launch:
        command = torchrun(command, execable, spread)
    wrappers = [shell.wrap] if shell.wrap else []
    if shell.wrap and not execable:
        command = f"bash -c {shlex.quote(command)}"
    if shell.launch and spread.nodes > 1:
        wrappers.insert(0, _SRUN.format(nodes=spread.nodes))
    if execable or wrappers:
        wrappers.insert(0, "exec")
    return "".join(lines) + " ".join([*wrappers, command])


def setup(shell: Shell) -> str:
    """Return the lines of SETUP; the first of its commands that fails ends the run.

    What fails inside of a function or of a file that is sourced counts only by their own status.
    """
    if shell.setup_may_fail:
        return shell.setup + "\n"
    trap = """trap 'setup_failed "$?" "${#FUNCNAME[@]}" "$LINENO"' ERR"""
    return f"setup_depth=${{#FUNCNAME[@]}}\n{trap}\n{shell.setup}\ntrap - ERR\n"


def torchrun(command: str, execable: bool, spread: NodeLayout) -> str:
    """Return a Python command as torchrun starts it, for each process of each node.

    >>> torchrun("python -u train.py --lr 1", True, NodeLayout(1, 8))
    'python -u -m torch.distributed.run --standalone --nproc-per-node=8 train.py --lr 1'
    """
    match = _PYTHON.match(command) if execable else None
    if match is None:
        raise SettingsError(
            "LAUNCH: torchrun starts one Python script: CMD must be as `python train.py ...`;"
            " put what comes before it into SETUP or WRAP"
        )
    options = f"--standalone --nproc-per-node={spread.processes}"
    if spread.nodes > 1:
        options = _RENDEZVOUS.format(nodes=spread.nodes, processes=spread.processes)
    return f"{match[1]} -m torch.distributed.run {options} {command[match.end() :]}"


def environment_lines(shell: Shell) -> str:
    """Return the assignments of ENV, with the run's directory for LOGDIR.

    >>> environment_lines(Shell(environment=(("CACHE", "LOGDIR/c d"),)))
    'export CACHE="$RUNX_LOGDIR"\\'/c d\\'\\n'
    """
    variables = shell.environment
    return "".join(f"export {name}={_HERE.in_word(value)}\n" for name, value in variables)


def failing(common: ScriptSettings) -> str:
    """Return the lines that come after the end of a run: what happens if it has failed."""
    handback = handing_back(common.requeue, common.retries, *common.handback)
    return (
        finding_causes(bool((handback and common.retries) or common.max_failures))
        + handback
        + held.count_after(common.max_failures)
    )


def teardown(shell: Shell, code: str = "./code") -> str:
    """Return the lines of TEARDOWN, which don't change the exit status; they start in ``code``."""
    if not shell.teardown:
        return ""
    errors = "2>>errors.log" if shell.separate else "2>&1"
    return f"(\ncd {code} || exit\n{shell.teardown}\n) </dev/null >>output.log {errors}\n"
