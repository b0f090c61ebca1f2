"""A real OAR of one machine, its database in a folder of its own, and a user who may submit."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from offspring import below, end, processes
from throwaway_slurm import free_ports

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path("/etc/oar/oar.conf")
SERVER = Path("/run/oar-server.pid")
PROGRAMS = ("oarsub", "oar-server", "oar-database", "sshd", "setpriv", "useradd")
USER = "runx-oar"
"""OAR takes no jobs of root's."""
CORES = 4
PACKAGES = ("click", "coolname", "jinja2", "markupsafe", "tabulate", "yaml", "_yaml")
"""What runx needs of others; the user may not see where it is installed."""


def missing():
    """Return why this machine can't start one, or an empty string."""
    gone = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    if gone:
        return f"no {gone[0]} here; .ci/farms installs OAR"
    if not _postgres():
        return "no PostgreSQL here; .ci/farms installs it"
    if SERVER.exists() and Path(f"/proc/{SERVER.read_text().strip()}").exists():
        return "an OAR runs on this machine, which is left alone"
    return "" if os.getuid() == 0 else "OAR's server is started by root"


def _path():
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _postgres():
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


class Oar:
    """A cluster that runs from start() to stop()."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="oar"))
        self.folder.chmod(0o755)
        self.port = free_ports(3)
        self.before = CONFIG.read_bytes()
        self.environment = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": f"{self.folder}/home",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }

    def start(self):
        self._add_user()
        self._start_database()
        self._configure()
        self.call("oar-database", "--create", "--db-admin-user=postgres", "--db-admin-pass=x")
        Path("/run/sshd").mkdir(exist_ok=True)
        self.start_node("127.0.0.1")
        SERVER.unlink(missing_ok=True)
        self.call("oar-server")
        self.call("oarproperty", "-a", "core")
        for core in range(1, CORES + 1):
            self.add_core(core, "127.0.0.1")
        return self

    def add_core(self, number, address):
        self.call("oarnodesetting", "-a", "-h", address, "-p", f"core={number}")

    def start_node(self, address):
        """Start what a node runs: an ssh server for the user oar."""
        program = shutil.which("sshd", path=_path())
        options = (f"ListenAddress={address}", f"PidFile={self.folder}/{address}.pid")
        words = [word for option in options for word in ("-o", option)]
        self.call(program, "-f", "/etc/oar/sshd_config", "-p", self.port + 2, *words)

    def _add_user(self):
        self._remove_user()
        self.call(
            "useradd",
            "--no-create-home",
            "--home-dir",
            self.folder / "home",
            "-s",
            "/bin/bash",
            USER,
        )
        (self.folder / "home").mkdir()
        (self.folder / "home/.bashrc").touch()
        shutil.chown(self.folder / "home", USER)
        python = self._python()
        (self.folder / "bin").mkdir()
        for name, words in {"python": "", "runx": "-m runx.runx", "sumx": "-m runx.sumx"}.items():
            command = self.folder / "bin" / name
            command.write_text(
                "#!/bin/sh\n"
                '[ "$(id -u)" != 0 ] || '
                f'exec setpriv --reuid={USER} --regid={USER} --init-groups "$0" "$@"\n'
                f'PYTHONPATH={self.folder}/site:$PYTHONPATH exec {python} {words} "$@"\n'
            )
            command.chmod(0o755)
        self._copy_packages()

    def _python(self):
        """Return a Python that the user may start."""
        check = "import sys; sys.exit(sys.version_info < (3, 10))"
        # setpriv itself may still open what the user may not; what a shell starts may not.
        shell = ("sh", "-c", 'exec "$0" -c "$1"')
        as_user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *shell)
        for python in (sys.executable, "/usr/bin/python3"):
            tried = subprocess.run([*as_user, python, check], cwd="/", stderr=subprocess.DEVNULL)
            if tried.returncode == 0:
                return python
        raise AssertionError("no Python 3.10 that an ordinary user may start")

    def _copy_packages(self):
        site = self.folder / "site"
        shutil.copytree(ROOT / "runx", site / "runx", ignore=shutil.ignore_patterns("__pycache__"))
        for name in PACKAGES:
            spec = importlib.util.find_spec(name)
            if spec is None:
                continue
            if spec.submodule_search_locations:
                shutil.copytree(spec.submodule_search_locations[0], site / name)
            else:
                shutil.copy(spec.origin, site)

    def _start_database(self):
        data = self.folder / "database"
        data.mkdir()
        shutil.chown(data, "postgres")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += f" -c unix_socket_directories={data}"
        made = f"initdb -D {data}/db -U postgres --auth=trust --no-sync --no-locale"
        started = f"pg_ctl -D {data}/db -l {data}/log -o '{options}' -w start"
        for words in (made, started):
            command = f"cd / && {_postgres()}/{words}"
            self.call("su", "postgres", "-s", "/bin/bash", "-c", command)

    def _configure(self):
        settings = {
            "DB_HOSTNAME": "127.0.0.1",
            "DB_PORT": str(self.port),
            "DB_BASE_PASSWD": "oar",
            "DB_BASE_PASSWD_RO": "oar_ro",
            "SERVER_HOSTNAME": "localhost",
            "SERVER_PORT": str(self.port + 1),
            "OPENSSH_CMD": f"/usr/bin/ssh -p {self.port + 2} -e none",
            "LOG_FILE": f"{self.folder}/oar.log",
            "SCHEDULER_MIN_TIME_BETWEEN_2_CALLS": "1",
            "SCHEDULER_JOB_SECURITY_TIME": "1",
            # What can't be reached is given up after ten seconds instead of five minutes.
            "JOBDEL_SOFTWALLTIME": "5",
            "JOBDEL_WALLTIME": "10",
            "MAX_CONCURRENT_JOBS_STARTING_OR_TERMINATING": "50",
        }
        (self.folder / "oar.log").touch()
        shutil.chown(self.folder / "oar.log", "oar")
        # No cpusets: they are the machine's.
        named = "|".join((*settings, "JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD"))
        others = re.sub(rf"^({named})=", r"#\1=", self.before.decode(), flags=re.MULTILINE)
        CONFIG.write_text(others + "".join(f'{name}="{text}"\n' for name, text in settings.items()))

    def call(self, *words, check=True):
        done = subprocess.run(
            [str(word) for word in words],
            env={**os.environ, "PATH": _path()},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def end_node(self, address):
        """End all that runs on a node, and report it dead to OAR, as its monitoring does."""
        for pid in below([int((self.folder / f"{address}.pid").read_text())]):
            end(pid)
        for pid in below([pid for pid, _, words in processes() if "OAREXEC" in words]):
            end(pid)
        self.call("oarnodesetting", "-s", "Dead", "-h", address, check=False)

    def stop(self):
        """End what was started, by the process ids that it left, and put back the settings."""
        for file in (SERVER, *self.folder.glob("127.*.pid")):
            if file.exists():
                for pid in below([int(file.read_text())]):
                    end(pid)
        for user in (USER, "oar"):
            self._end_all_of(user)
        postmaster = self.folder / "database/db/postmaster.pid"
        if postmaster.exists():
            end(int(postmaster.read_text().split()[0]), signal.SIGQUIT)
        CONFIG.write_bytes(self.before)
        SERVER.unlink(missing_ok=True)
        self._remove_user()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _end_all_of(user):
        number = pwd.getpwnam(user).pw_uid
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if folder.stat().st_uid == number:
                    end(int(folder.name))
            except OSError:
                continue

    def _remove_user(self):
        self.call("userdel", USER, check=False)
