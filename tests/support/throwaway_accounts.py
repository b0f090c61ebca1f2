"""Slurm's accounts of its own: slurmdbd over MariaDB on a socket, in a folder of their own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from throwaway_slurm import NODES, PATH, Slurm

PROGRAMS = {
    "slurmdbd": "slurmdbd",
    "sacctmgr": "slurm-client",
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",
}
CONFIG = """\
AuthType=auth/none
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
"""
ACCOUNTED = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
"""


def missing():
    """Return why this machine can't keep accounts, or an empty string."""
    gone = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return f"no {gone[0]} here; apt-get install {PROGRAMS[gone[0]]}" if gone else ""


class AccountedSlurm(Slurm):
    """A cluster whose controller soon forgets what has ended, and whose accounts do not."""

    def __init__(self):
        super().__init__()
        self.dbd_port = self.port + NODES + 1
        self.edits = {
            "AccountingStorageType=accounting_storage/none\n": ACCOUNTED.format(port=self.dbd_port),
            "MinJobAge=300": "MinJobAge=2",
        }
        self.data = self.folder / "maria"
        self.environment["MYSQL_UNIX_PORT"] = f"{self.data}/socket"
        self.mariadb = None

    def start_accounts(self):
        self._start_mariadb()
        config = self.folder / "slurmdbd.conf"
        config.write_text(CONFIG.format(port=self.dbd_port, user=self.user, folder=self.folder))
        config.chmod(0o600)
        self.call("slurmdbd")
        deadline = time.monotonic() + 60
        while "t|" not in self.call("sacctmgr", "-n", "-P", "show", "cluster", check=False):
            assert time.monotonic() < deadline, (self.folder / "log/slurmdbd.log").read_text()
            self.call("sacctmgr", "-i", "add", "cluster", "t", check=False)
            time.sleep(0.2)

    def _start_mariadb(self):
        self.data.mkdir()
        common = ("--no-defaults", f"--datadir={self.data}")
        common += (f"--user={self.user}",) if os.getuid() == 0 else ()
        self.call(
            "mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--force"
        )
        sizes = ("--innodb-buffer-pool-size=32M", "--innodb-lock-wait-timeout=900")
        with open(self.folder / "log" / "mariadb.log", "wb") as log:
            self.mariadb = subprocess.Popen(
                ["mariadbd", *common, "--skip-networking", f"--socket={self.data}/socket", *sizes],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while not (self.data / "socket").exists():
            assert time.monotonic() < deadline, Path(log.name).read_text()
            time.sleep(0.1)

    def end_accounts(self):
        if self.mariadb:
            self.mariadb.terminate()
            self.mariadb.wait(60)


class OtherCluster(Slurm):
    """A cluster named u beside an accounted one, whose commands reach it with ``-M u``."""

    def __init__(self, first):
        super().__init__()
        self.first = first
        self.edits = {
            "ClusterName=t": "ClusterName=u",
            "AccountingStorageType=accounting_storage/none\n": ACCOUNTED.format(
                port=first.dbd_port
            ),
        }

    def start_accounts(self):
        self.first.call("sacctmgr", "-i", "add", "cluster", "u")
