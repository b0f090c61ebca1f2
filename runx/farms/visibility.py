"""Whether the nodes of a farm can see LOGROOT: what is clearly a disk of this machine alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runx.farms.base import Farm
from runx.farms.registry import farm_type_of

_MEMORY = ("tmpfs", "ramfs", "devtmpfs", "overlay")
"""Types of file systems that each machine, or container, has for itself; see mount(8)."""
_SHARED = re.compile(
    r"nfs|lustre|gpfs|mmfs|beegfs|ceph|weka|gluster|fuse|9p|cifs|smb|afs|pvfs|panfs|orange|virtiofs"
    r"|ocfs|gfs|quobyte|daos|dvs|vast",
    re.IGNORECASE,
)
_OWN = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev")
"""Folders that each machine has for itself, unless a shared file system is mounted there."""


def unseen_warning(logroot: Path, farm: Farm, mounts: str | None = None) -> str:
    """Return a warning where the nodes of a farm can hardly see LOGROOT, "" where they may.

    ``mounts`` is the content of /proc/self/mountinfo. NGC and Kubernetes mount it from elsewhere.
    """
    farm_type = farm_type_of(farm.type)
    if not farm_type.manages_jobs or farm_type.workspace or "VOLUME" in farm.options:
        return ""
    path = os.path.realpath(logroot)
    place, type = _mount_of(path, _mountinfo() if mounts is None else mounts)
    own = next((folder for folder in _OWN if _is_within(path, folder)), "")
    if type in _MEMORY and not (own and _is_within(own, place)):
        own = f"{place} ({type})"
    if not own or _SHARED.search(type):
        return ""
    return (
        f"LOGROOT {logroot} is on this machine alone, as {own} is: jobs on other nodes of"
        f" {farm.name} can't see it, and end before they begin; set LOGROOT to a disk of them all"
    )


def _mount_of(path: str, mounts: str) -> tuple[str, str]:
    """Return where the file system of a path is mounted, and its type (proc(5), mountinfo).

    >>> _mount_of("/tmp/x", "1 0 0:1 / / rw - ext4 /dev/vda rw\\n2 1 0:2 / /tmp rw - tmpfs t rw")
    ('/tmp', 'tmpfs')
    """
    found = ("/", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5:
            continue
        place = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields[4])
        # Of several that are mounted at one place, the last covers the others.
        if _is_within(path, place) and len(place) >= len(found[0]):
            found = (place, after.partition(" ")[0])
    return found


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _mountinfo() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(errors="replace")
    except OSError:
        return ""
