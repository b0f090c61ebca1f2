"""The Torque commands of Slurm, unpacked by .ci/farms, before a real Slurm of a test's own."""

import os
import shutil
from pathlib import Path

from throwaway_slurm import Slurm
from throwaway_slurm import missing as missing_slurm

UNPACKED = Path(os.environ.get("RUNX_TORQUE", Path(__file__).parents[2] / ".venv-torque"))
BESIDE = ("sbatch", "srun", "scancel", "scontrol", "squeue", "sinfo", "salloc", "sacct")
"""Commands that the wrappers look for in their own folder."""


def missing():
    """Return why this machine can't start one, or an empty string."""
    if not (UNPACKED / "usr/bin/qsub").exists():
        return f"no Torque commands in {UNPACKED}; .ci/farms unpacks slurm-wlm-torque there"
    return missing_slurm()


class Torque(Slurm):
    """A Slurm with Torque's commands on its PATH, which their jobs see too."""

    def __init__(self, largest=11):
        super().__init__(largest)
        commands = self.folder / "torque"
        commands.mkdir()
        for file in (UNPACKED / "usr/bin").iterdir():
            shutil.copy(file, commands)
        for name in BESIDE:
            (commands / name).unlink(missing_ok=True)
            (commands / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
        (self.folder / "plugstack.conf").write_text("optional spank_pbs.so\n")
        libraries = [str(path.parent) for path in UNPACKED.glob("usr/lib/*/libslurm.so.*")]
        perl = [str(path.parent) for path in UNPACKED.rglob("Slurm.pm")]
        self.environment |= {
            "PATH": f"{commands}:{self.environment['PATH']}",
            "PERL5LIB": ":".join([*perl, f"{UNPACKED}/usr/share/perl5"]),
            "LD_LIBRARY_PATH": ":".join(dict.fromkeys(libraries)),
        }
