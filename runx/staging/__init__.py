"""Freezing a project's code, and giving each run a working tree of its own made from it."""

from __future__ import annotations

from runx.staging.freezing import freeze
from runx.staging.frozen import Frozen
from runx.staging.installs import editable_installs, source_folders
from runx.staging.laying import stage
from runx.staging.methods import method_for
from runx.staging.opening import open_to
from runx.staging.rules import MODES, WORKTREE, Method, Rules
from runx.staging.telling import cautions, summary

__all__ = [
    "MODES",
    "WORKTREE",
    "Frozen",
    "Method",
    "Rules",
    "cautions",
    "editable_installs",
    "freeze",
    "method_for",
    "open_to",
    "source_folders",
    "stage",
    "summary",
]
