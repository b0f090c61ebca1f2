"""Small file systems that fill: in memory, or ext4 in a file, of few blocks or few inodes."""

import contextlib
import os
import subprocess

import pytest

KINDS = ("tmpfs", "ext4")


@contextlib.contextmanager
def small_disk(path, kind="tmpfs", kilobytes=1024, inodes=500):
    """Mount a small file system at a folder, and unmount it at the end; skip where none may."""
    path.mkdir()
    if kind == "tmpfs":
        options = f"size={kilobytes}k,nr_inodes={inodes}"
        mount = ["mount", "-t", "tmpfs", "-o", options, "runx", path]
    else:
        image = path.with_name(f"{path.name}.img")
        image.write_bytes(b"")
        os.truncate(image, kilobytes * 1024)
        make = ["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", "-N", str(inodes), image]
        subprocess.run(make, check=True, capture_output=True)
        mount = ["mount", "-o", "loop", image, path]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill_blocks(disk):
    """Fill a file system to its last byte, and return the files that do."""
    files = [disk / "fill.large", disk / "fill.small"]
    for file, size in zip(files, (1 << 16, 1), strict=True):
        with contextlib.suppress(OSError), file.open("wb", buffering=0) as written:
            while True:
                written.write(bytes(size))
    return files


def fill_inodes(disk):
    """Make files until a file system takes no more, and return them."""
    files = []
    with contextlib.suppress(OSError):
        while True:
            files.append(disk / f"fill.{len(files)}")
            files[-1].touch()
    return files[:-1]


FILL = {"blocks": fill_blocks, "inodes": fill_inodes}
