"""With ``--no-skips``, which .ci/* give, a skipped test has failed, unless nothing could be done.

These are hooks of pytest; tests/conftest.py takes them in.
"""

import os
import re

import pytest

NOT_TO_BE_HAD = (
    r"needs a GPU",
    r"nobody but root can read this checkout, or start this Python",
    r"all tests skipped by \+SKIP option",
)
"""Reasons that no script of .ci/ can remove; and docstrings marked as not run."""

NOT_WITHOUT_ROOT = (
    r"only root ",
    r"\S+ is started by root",
    r"no \S+ here; apt-get install ",
    r"no \S+ here; \.ci/farms installs ",
    r"no (Torque commands|HTCondor) in ",
    r"needs (fish|zsh|node)",
    r"strace (is not installed|may not trace here)",
)
"""Reasons that a script of .ci/ removes when it runs as root."""


def excused(reason: str, root: bool) -> bool:
    """Return whether a test may be skipped for this reason even where no skip is wanted.

    >>> excused("only root may mount", root=False), excused("only root may mount", root=True)
    (True, False)
    """
    patterns = NOT_TO_BE_HAD if root else (*NOT_TO_BE_HAD, *NOT_WITHOUT_ROOT)
    return any(re.match(pattern, reason) for pattern in patterns)


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped has failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    return _without_skips((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _without_skips((yield), collector.config)


def _without_skips(report, config):
    """Return a report in which a skip that is not excused is a failure."""
    if report.skipped and config.getoption("no_skips") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not excused(reason, os.geteuid() == 0):
            report.outcome = "failed"
            report.longrepr = f"skipped, which --no-skips forbids: {reason}"
    return report
