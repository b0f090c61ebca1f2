"""A real HTCondor of one machine, from Debian's package unpacked by .ci/farms, on loopback.

Its programs are run by the loader that was unpacked with them, so nothing is installed. Where root
tests, everything runs in a user namespace in which root is an ordinary user, since HTCondor takes
no jobs of root's; there are no mounts, and no user is made.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from offspring import below, end
from throwaway_slurm import free_ports

UNPACKED = Path(os.environ.get("RUNX_CONDOR", Path(__file__).parents[2] / ".venv-condor"))
ORDINARY = "daemon"
"""The user that root is in the namespace."""
CPUS = 4
CONFIG = """\
RELEASE_DIR = {unpacked}/usr
LOCAL_DIR = {folder}/pool
BIN = {folder}/bin
SBIN = {folder}/bin
LIB = $(RELEASE_DIR)/lib/condor
LIBEXEC = {folder}/libexec
MAIL = /bin/true
SHARE = $(RELEASE_DIR)/share/condor
LOG = $(LOCAL_DIR)/log
LOCK = $(LOCAL_DIR)/lock
RUN = $(LOCAL_DIR)/run
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(LOCAL_DIR)/execute
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:{port}
SHARED_PORT_PORT = {port}
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD STARTD
FULL_HOSTNAME = node1
NETWORK_HOSTNAME = node1
SCHEDD_NAME = node1@
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
NO_DNS = True
DEFAULT_DOMAIN_NAME = test
UID_DOMAIN = test
FILESYSTEM_DOMAIN = test
SEC_DEFAULT_AUTHENTICATION = OPTIONAL
SEC_DEFAULT_AUTHENTICATION_METHODS = FS, CLAIMTOBE, ANONYMOUS
SEC_DEFAULT_ENCRYPTION = OPTIONAL
SEC_DEFAULT_INTEGRITY = OPTIONAL
ALLOW_READ = *
ALLOW_WRITE = *
ALLOW_DAEMON = *
ALLOW_ADMINISTRATOR = *
ALLOW_NEGOTIATOR = *
ALLOW_ADVERTISE_STARTD = *
ALLOW_ADVERTISE_SCHEDD = *
ALLOW_ADVERTISE_MASTER = *
NUM_CPUS = {cpus}
MEMORY = 4000
MACHINE_RESOURCE_GPUs = 0, 1
SLOT_TYPE_1 = 100%
SLOT_TYPE_1_PARTITIONABLE = True
NUM_SLOTS_TYPE_1 = 1
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_CYCLE_DELAY = 1
NEGOTIATOR_MIN_INTERVAL = 1
SCHEDD_INTERVAL = 2
PERIODIC_EXPR_INTERVAL = 2
SCHEDD_MIN_INTERVAL = 1
MASTER_BACKOFF_CONSTANT = 1
START = True
SUSPEND = False
PREEMPT = False
KILL = False
WANT_SUSPEND = False
KILLING_TIMEOUT = 5
MachineMaxVacateTime = 5
CGROUP_MEMORY_LIMIT_POLICY = none
BASE_CGROUP =
DISCARD_SESSION_KEYRING_ON_STARTUP = False
USE_PSS = False
"""
BUSY = """\
executable = /bin/sleep
arguments = 1000
initialdir = {folder}
log = {folder}/busy.log
should_transfer_files = NO
request_cpus = 1
request_memory = 100
queue {cpus}
"""


def missing():
    """Return why this machine can't start one, or an empty string."""
    if not (UNPACKED / "usr/sbin/condor_master").exists():
        return f"no HTCondor in {UNPACKED}; .ci/farms unpacks it there"
    if os.getuid() == 0 and subprocess.run([*_as_ordinary(), "true"], check=False).returncode:
        return "only root that may make a user namespace can be an ordinary user in one"
    return ""


def _as_ordinary():
    """Return the words before a command that root runs: in them, root's files are a user's."""
    if os.getuid():
        return []
    user = pwd.getpwnam(ORDINARY)
    return ["unshare", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--"]


class Condor:
    """A pool that runs from start() to stop()."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="condor"))
        self.folder.chmod(0o755)
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("_CONDOR_")},
            "PATH": f"{self.folder}/bin:{os.environ.get('PATH', os.defpath)}",
            "CONDOR_CONFIG": f"{self.folder}/condor_config",
        }
        self.master = None

    def start(self):
        for name in ("log", "lock", "run", "spool", "execute"):
            (self.folder / "pool" / name).mkdir(parents=True)
        self._wrap_programs()
        (self.folder / "condor_config").write_text(
            CONFIG.format(
                unpacked=UNPACKED.resolve(), folder=self.folder, port=free_ports(1), cpus=CPUS
            )
        )
        with open(self.folder / "master.out", "wb") as out:
            self.master = subprocess.Popen(
                ["condor_master", "-f"],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.until(lambda: "node1" in self.call("condor_status", "-af", "Machine", check=False))
        self.until(lambda: not self.call("condor_q", "-af", "ClusterId").strip())
        return self

    def _wrap_programs(self):
        """Put on PATH a script for each program, which has it run by the loader beside it."""
        usr = UNPACKED.resolve() / "usr"
        libraries = f"{usr}/lib/x86_64-linux-gnu:{usr}/lib"
        loader = [f"{usr}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, "--argv0"]
        ordinary = " ".join(_as_ordinary())
        for folder, programs in {"bin": ("bin", "sbin"), "libexec": ("libexec/condor",)}.items():
            (self.folder / folder).mkdir()
            for program in (file for name in programs for file in (usr / name).glob("*")):
                script = self.folder / folder / program.name
                if not program.is_file() or program.read_bytes()[:4] != b"\x7fELF":
                    script.symlink_to(program)
                    continue
                words = " ".join([*loader, '"$0"', str(program), '"$@"'])
                # The daemons are in the namespace already: what they start is not root's.
                script.write_text(
                    f'#!/bin/sh\n[ "$(id -u)" != 0 ] || exec {ordinary} "$0" "$@"\nexec {words}\n'
                )
                script.chmod(0o755)

    def call(self, *words, check=True):
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    @contextlib.contextmanager
    def full(self):
        """Keep all processors busy."""
        file = self.folder / "busy.sub"
        file.write_text(BUSY.format(folder=self.folder, cpus=CPUS))
        cluster = self.call("condor_submit", "-terse", file).partition(".")[0]
        running = ("condor_q", cluster, "-constraint", "JobStatus == 2", "-af", "ProcId")
        self.until(lambda: len(self.call(*running).split()) == CPUS)
        try:
            yield
        finally:
            self.call("condor_rm", cluster)

    def until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.call("condor_q", "-all", check=False)
            time.sleep(0.2)

    def stop(self):
        if self.master:
            pids = below([self.master.pid])
            end(self.master.pid, signal.SIGQUIT)
            for pid in pids:
                end(pid)
            self.master.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
