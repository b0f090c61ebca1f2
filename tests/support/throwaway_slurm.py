"""A real Slurm of three nodes with stand-in GPUs, on loopback, in a folder of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
NODES = 3
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
CONFIG = """\
ClusterName=t
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0,bf_interval=1
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=300
MaxArraySize={largest}
MaxJobCount=20000
{nodes}
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
PartitionName=main Nodes=n[1-{count}] Default=YES PriorityTier=5 PreemptMode=OFF
PartitionName=spare Nodes=n[1-{count}] PriorityTier=1 PreemptMode=REQUEUE
PartitionName=polite Nodes=n[1-{count}] PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=scavenge Nodes=n[1-{count}] PriorityTier=1 PreemptMode=CANCEL
PartitionName=urgent Nodes=n[1-{count}] PriorityTier=9 PreemptMode=OFF
"""


def missing():
    """Return why this machine can't start one, or an empty string."""
    gone = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return f"no {gone[0]} here; apt-get install slurm-wlm" if gone else ""


def free_ports(count):
    """Return the first of ``count`` ports in a row that nobody listens on."""
    for base in range(21000 + os.getpid() % 4000, 32000, count):
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise AssertionError("no free ports")


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def environment_of(pid):
    try:
        return set(Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0"))
    except OSError:
        return set()


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_of(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()


class Slurm:
    """A cluster that runs from start() to stop(); ``edits`` replace lines of its configuration."""

    def __init__(self, largest=11, edits=None):
        self.folder = Path(tempfile.mkdtemp(prefix="slurm"))
        # Others than who started it may be its users.
        self.folder.chmod(0o755)
        # One for the controller, one for each node, one for what keeps accounts.
        self.port = free_ports(NODES + 2)
        self.largest = largest
        self.edits = edits or {}
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.environment = {
            **os.environ,
            "PATH": PATH,
            "SLURM_CONF": f"{self.folder}/slurm.conf",
        }

    def call(self, *words, check=True):
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def start(self):
        for name in ("state", "log", "run", *(f"spool/n{n + 1}" for n in range(NODES))):
            (self.folder / name).mkdir(parents=True)
        self._configure()
        self.start_accounts()
        self.call("slurmctld", "-c")
        for number in range(1, NODES + 1):
            self.start_node(number)
        deadline = time.monotonic() + 60
        while self.call("sinfo", "-h", "-t", "idle", "-o", "%D", check=False).strip() != str(NODES):
            assert time.monotonic() < deadline, self.call("sinfo", "-R", check=False)
            time.sleep(0.1)
        return self

    def start_accounts(self):
        """Start what keeps accounts: nothing."""

    def end_accounts(self):
        """End what keeps accounts: nothing."""

    def _configure(self):
        nodes = "\n".join(
            f"NodeName=n{n} NodeHostname=localhost NodeAddr=127.0.0.1 Port={self.port + n}"
            " CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN"
            for n in range(1, NODES + 1)
        )
        text = CONFIG.format(
            user=self.user,
            port=self.port,
            folder=self.folder,
            nodes=nodes,
            count=NODES,
            largest=self.largest,
        )
        for old, new in self.edits.items():
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(
            f"NodeName=n[1-{NODES}] Name=gpu File=/dev/tty[0-1] Flags=nvidia_gpu_env\n"
        )

    def restart(self):
        """End the controller, which saves what it knows, and start it again."""
        pid = int((self.folder / "run/slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        self.until(lambda: not Path(f"/proc/{pid}").exists(), "")
        self.call("slurmctld")
        self.until(lambda: self.call("squeue", check=False), "")

    def start_node(self, number):
        self.call("slurmd", "-N", f"n{number}")

    def power_cut(self, number):
        """Kill a node's slurmd and all that runs there, so that nothing reports an end."""
        marks = {f"SLURM_CONF={self.folder}/slurm.conf", f"SLURMD_NODENAME=n{number}"}
        running = [pid for pid in processes() if marks <= environment_of(pid)]
        above = {parent_of(pid) for pid in running}
        steps = [pid for pid in above if command_of(pid) == "slurmstepd"]
        slurmd = int((self.folder / f"run/slurmd.n{number}.pid").read_text())
        # Parents first, so that none reports the end of its children.
        for pid in (slurmd, *steps, *running):
            os.kill(pid, signal.SIGKILL)

    def at_once(self, job, *more):
        """Start a requeued job without the two minutes that Slurm waits.

        slurmd tells a job's second start from its first by whole seconds: one in the second of the
        requeue is refused ("Job credential revoked"), and Slurm takes the job for failed.
        """
        self.until(lambda: "PENDING" in self.state(job), job)
        time.sleep(2)
        # Repeated: Slurm may set the two minutes after the job is seen to wait.
        update = ("scontrol", "update", f"jobid={job}", "StartTime=now", *more)
        self.until(lambda: "PENDING" not in self.state(job) or self.call(*update, check=False), job)

    def until(self, condition, job):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.call("scontrol", "show", "job", job)
            time.sleep(1)

    def state(self, job):
        return self.call("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%T")

    def end_jobs(self):
        for state in ("PENDING", "RUNNING"):
            self.call("scancel", f"--state={state}", check=False)
        deadline = time.monotonic() + 20
        while self.call("squeue", "-h", check=False).strip() and time.monotonic() < deadline:
            time.sleep(0.2)

    def end_daemons(self):
        for file in (self.folder / "run").glob("*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def stop(self):
        self.end_jobs()
        self.end_daemons()
        self.end_accounts()
        shutil.rmtree(self.folder, ignore_errors=True)
