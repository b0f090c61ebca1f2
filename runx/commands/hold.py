"""``runx hold``: Keep waiting runs of EXPERIMENT, or those named, from starting."""

from __future__ import annotations

from runx.commands.waiting import farms_command
from runx.launching.control import hold

TEXT = """Keep waiting runs of EXPERIMENT, or those named, from starting.

\b
runx hold sweep
runx hold sweep wallaby
"""
command = farms_command("hold", hold, "held", TEXT)
