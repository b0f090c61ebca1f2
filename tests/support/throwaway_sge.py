"""A real Grid Engine of one machine, with a cell, ports and files of its own."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from offspring import below, end
from throwaway_slurm import free_ports

PACKAGED = Path("/var/lib/gridengine")
PROGRAMS = Path("/usr/lib/gridengine")
SHARED = Path("/usr/share/gridengine")
LARGEST = 10
"""Tasks that an array may have here."""
SETTINGS = {
    "min_uid": "0",
    "min_gid": "0",
    "load_report_time": "00:00:01",
    "max_unheard": "00:00:05",
    "reschedule_unknown": "00:00:05",
    "max_aj_tasks": str(LARGEST),
    "reporting_params": "accounting=true reporting=false flush_time=00:00:01",
}
SCHEDULING = {
    "schedule_interval": "0:0:1",
    "flush_submit_sec": "1",
    "flush_finish_sec": "1",
}
QUEUE = {
    "hostlist": "@allhosts",
    "load_thresholds": "NONE",
    "slots": "4",
    "shell": "/bin/bash",
    "shell_start_mode": "unix_behavior",
    "rerun": "TRUE",
    "notify": "00:00:05",
    "pe_list": "smp",
}
SLOTS = """\
pe_name smp
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""


def missing():
    """Return why this machine can't start one, or an empty string."""
    if not (PROGRAMS / "sge_qmaster").exists() or not (PROGRAMS / "sge_execd").exists():
        return f"no {PROGRAMS}/sge_qmaster here; .ci/farms installs Grid Engine"
    return "" if os.getuid() == 0 else "Grid Engine is started by root"


def changed(text, settings):
    """Return lines of ``name value`` with other values."""
    for name, value in settings.items():
        text = re.sub(rf"^{name}(\s+).*$", rf"{name}\g<1>{value}", text, flags=re.MULTILINE)
    return text


class GridEngine:
    """A cluster that runs from start() to stop()."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sge"))
        self.folder.chmod(0o755)
        self.port = free_ports(2)
        self.environment = {
            **os.environ,
            "SGE_ROOT": str(self.folder),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(self.port),
            "SGE_EXECD_PORT": str(self.port + 1),
            "SGE_CLUSTER_NAME": f"t{self.port}",
        }

    def start(self):
        self._make_cell()
        self.call(PROGRAMS / "sge_qmaster")
        self._until("qconf", "-sh")
        self.call("qconf", "-ah", "localhost", check=False)
        self.call("qconf", "-as", "localhost")
        self._change("-Msconf", changed(self.call("qconf", "-ssconf"), SCHEDULING))
        self._change("-Ap", SLOTS)
        self.start_node()
        self._change("-Ahgrp", "group_name @allhosts\nhostlist localhost\n")
        # qconf shows the queue that there isn't only to an editor.
        shown = self.call("qconf", "-aq", "main.q", check=False, EDITOR="cat")
        self._change("-Aq", changed(shown[shown.index("qname") :].partition("\n\n")[0], QUEUE))
        return self

    def _make_cell(self):
        """Make what the package makes when it is installed, elsewhere."""
        for name in ("bin", "lib", "util", "utilbin"):
            (self.folder / name).symlink_to(PACKAGED / name)
        common = self.folder / "default" / "common"
        common.mkdir(parents=True)
        for name in ("qmaster/job_scripts", "spooldb", "execd"):
            (self.folder / name).mkdir(parents=True)
        places = {
            "admin_user": "root",
            "spooling_params": f"{self.folder}/spooldb",
            "qmaster_spool_dir": f"{self.folder}/qmaster",
        }
        bootstrap = (SHARED / "default-bootstrap").read_text()
        (common / "bootstrap").write_text(changed(bootstrap, places))
        (common / "act_qmaster").write_text("localhost\n")
        names = {"localhost", socket.gethostname(), socket.getfqdn()} - {""}
        (common / "host_aliases").write_text(f"{' '.join(sorted(names, key='localhost'.__ne__))}\n")
        script = (SHARED / "scripts" / "init_cluster").read_text()
        wanted = {**SETTINGS, "execd_spool_dir": f"{self.folder}/execd"}
        text = changed((SHARED / "default-configuration").read_text(), wanted)
        (self.folder / "configuration").write_text(text)
        make = self.folder / "init_cluster"
        make.write_text(
            script.replace(f"{SHARED}/default-configuration", f"{self.folder}/configuration")
        )
        self.call("sh", make, self.folder, "default", self.folder / "spooldb", "root")

    def _change(self, flag, text):
        file = self.folder / "change"
        file.write_text(text + "\n")
        self.call("qconf", flag, file)

    def start_node(self):
        self.call(PROGRAMS / "sge_execd")
        self._until("qconf", "-se", "localhost")

    def end_node(self):
        """End all that runs on the node."""
        for file in self.folder.glob("execd/*/execd.pid"):
            for pid in below([int(file.read_text())]):
                end(pid)
            file.unlink()

    def _until(self, *words):
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.call(*words)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def call(self, *words, check=True, **more):
        done = subprocess.run(
            [str(word) for word in words],
            env={**self.environment, **more},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def stop(self):
        self.end_node()
        for file in self.folder.glob("qmaster/qmaster.pid"):
            end(int(file.read_text()))
        shutil.rmtree(self.folder, ignore_errors=True)
