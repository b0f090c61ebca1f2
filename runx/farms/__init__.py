"""The farms that runx can submit to: one file each, and its entry here."""

from __future__ import annotations

from runx.farms import command
from runx.farms.errand import Errand

FARMS = {"command": command}

__all__ = ["FARMS", "Errand"]
