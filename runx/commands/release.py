"""``runx release``: Let held runs of EXPERIMENT, or those named, start."""

from __future__ import annotations

from runx.commands.waiting import farms_command
from runx.launching.control import release

TEXT = """Let held runs of EXPERIMENT, or those named, start.

\b
runx release sweep
runx release sweep wallaby
"""
command = farms_command("release", release, "released", TEXT)
