"""A real Ray of one or two nodes, on loopback, in a folder of its own."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from offspring import below, end, processes
from throwaway_slurm import free_ports

PROGRAM = Path(os.environ.get("RAY_VENV", Path(__file__).parents[2] / ".venv-ray")) / "bin/ray"
PORTS = 12
# Loopback, by an address of which Ray does not make the machine's own.
HOST = "127.0.0.2"


def missing():
    """Return why this machine can't start one, or an empty string."""
    return "" if PROGRAM.exists() else f"no {PROGRAM}; .ci/farms installs ray[default] there"


class Ray:
    """A cluster that runs from start() to stop()."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ray"))
        self.port = free_ports(PORTS)
        self.address = f"http://127.0.0.1:{self.port + 1}"
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "ray").symlink_to(PROGRAM)
        self.environment = {
            **os.environ,
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "RAY_USAGE_STATS_ENABLED": "0",
            # A node that is gone is missed after some ten seconds; one that was busy for three is
            # not gone.
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "10",
        }

    def start(self):
        self._started(
            "--head",
            f"--node-ip-address={HOST}",
            f"--port={self.port}",
            f"--dashboard-port={self.port + 1}",
            "--dashboard-host=127.0.0.1",
            f"--ray-client-server-port={self.port + 2}",
            f"--dashboard-agent-listen-port={self.port + 3}",
            f"--dashboard-agent-grpc-port={self.port + 4}",
            "--num-cpus=4",
            "--num-gpus=2",
            f"--temp-dir={self.folder}",
        )
        deadline = time.monotonic() + 90
        while self.get("/api/version") is None:
            assert time.monotonic() < deadline, "Ray's dashboard does not answer"
            time.sleep(0.2)
        return self

    def another_node(self, name, cpus=1):
        """Start a second node, which alone has a resource ``name``; return its processes' pids.

        Each needs a name of its own: for some seconds Ray sends jobs to a node that is gone.
        """
        before = set(self.pids())
        self._started(
            f"--address={HOST}:{self.port}",
            f"--node-ip-address={HOST}",
            f"--num-cpus={cpus}",
            "--num-gpus=0",
            f'--resources={{"{name}": 1}}',
            f"--dashboard-agent-listen-port={self.port + 5}",
            f"--dashboard-agent-grpc-port={self.port + 6}",
        )
        return [pid for pid in self.pids() if pid not in before]

    def _started(self, *words):
        common = ("--disable-usage-stats", "--object-store-memory=80000000")
        done = subprocess.run(
            [PROGRAM, "start", *words, *common],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=20) as answer:
                return json.loads(answer.read())
        except OSError:
            return None

    def pids(self):
        """Return the processes of this Ray: those called with its folder, and their children."""
        pids = []
        for pid, parent, line in processes():
            if pid != os.getpid() and (str(self.folder) in line or parent in pids):
                pids.append(pid)
        return pids

    @staticmethod
    def end(pids):
        """End these processes and all that they have started, as the end of their node does."""
        for pid in below(pids):
            end(pid)

    def status(self, job):
        jobs = {each["submission_id"]: each for each in self.get("/api/jobs/")}
        return jobs[job]["status"]

    def stop(self):
        deadline = time.monotonic() + 20
        while (pids := self.pids()) and time.monotonic() < deadline:
            for pid in pids:
                end(pid)
            time.sleep(0.2)
        shutil.rmtree(self.folder, ignore_errors=True)
