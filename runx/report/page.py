"""The page as one HTML file that holds everything: its program, style sheets and data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from runx.analysis.question import Question
from runx.analysis.table import sort_keys
from runx.errors import RunxError
from runx.report.data import model
from runx.rundir.files import write_whole
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

MODULES = (
    "dom",
    "colours",
    "numbers",
    "model",
    "store",
    "tokens",
    "arithmetic",
    "steps",
    "nearest",
    "expressions",
    "statistics",
    "selection",
    "pen",
    "picture",
    "axes",
    "plot",
    "states",
    "grouping",
    "table",
    "lines",
    "curves",
    "parallel",
    "scatter",
    "importance",
    "heatmap",
    "ablation",
    "stepgraph",
    "dots",
    "searches",
    "catalogue",
    "compare",
    "panel",
    "toolbar",
    "live",
    "app",
)
"""The JavaScript modules of the page, each after those that it imports."""

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)

_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="{icon}">
<style>{style}</style>
</head>
<body>
<noscript>This page draws itself with JavaScript, which is switched off here.</noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="4" fill="#2f6fde"/>'
    '<path d="M3 12l3-5 3 2 4-6" fill="none" stroke="#fff" stroke-width="1.8"/></svg>'
)


def write_report(
    file: Path,
    experiments: Sequence[ExperimentDir],
    records: Sequence[RunRecord],
    question: Question,
    now: float,
    warn: Callable[[str], None],
) -> None:
    """Write the report of some runs as one file.

    Raises: RunxError: no run has the metric to sort by, or the file can't be written.
    """
    # Refuses a metric that no run has; on the live page it may come later.
    sort_keys(records, question)
    text = page(model(experiments, records, question, now, warn))
    try:
        write_whole(file, text)
    except OSError as error:
        raise RunxError(f"--html {file}: can't be written: {error.strerror}") from error


def page(model: Mapping[str, Any]) -> str:
    """Return the page of a model as HTML.

    Its content security policy lets the browser execute this program alone, whatever the data
    holds, and connect to nothing; the live page connects to its own server.
    """
    script, style = program(), style_sheet()
    icon = "data:image/svg+xml;base64," + base64.b64encode(ICON.encode()).decode()
    return PAGE.format(
        policy=_policy(script, style, bool(model.get("live"))),
        title=html.escape(f"{model['experiment']} · runx"),
        icon=icon,
        style=style,
        data=embedded(model),
        script=script,
    )


def _policy(script: str, style: str, is_live: bool) -> str:
    connect = "'self'" if is_live else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data: blob:",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def embedded(model: Mapping[str, Any]) -> str:
    r"""Return JSON in which no sign is markup in HTML.

    >>> embedded({"tag": "</script>&"})
    '{"tag":"\\u003c/script\\u003e\\u0026"}'
    """
    text = json.dumps(model, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def program() -> str:
    """Return the plotting library and our modules as one script."""
    library = _text("vendor", "uplot", "uPlot.iife.min.js")
    return f'{library}(() => {{\n"use strict";\n{bundled(MODULES)}}})();\n'


def bundled(names: Iterable[str]) -> str:
    """Return modules, each after those that it imports, as one script that keeps them apart."""
    modules = (enclosed(name, _text("assets", f"{name}.js")) for name in names)
    return "const modules = {};\n" + "".join(modules)


def enclosed(name: str, module: str) -> str:
    r"""Return a module as a statement of a script, in a scope of its own.

    >>> print(enclosed("b", 'import { a } from "./a.js";\nexport const b = a;\n'))
    // b.js
    modules.b = (() => {
    const { a } = modules.a;
    const b = a;
    return { b };
    })();
    <BLANKLINE>
    """
    exported = ", ".join(match[2] for match in _EXPORT.finditer(module))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = modules.\2;", module))
    return f"// {name}.js\nmodules.{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


@cache
def style_sheet() -> str:
    """Return the style sheets of the plotting library and of the page."""
    return _text("vendor", "uplot", "uPlot.min.css") + "\n" + _text("assets", "page.css")


def _text(*names: str) -> str:
    return files("runx.report").joinpath(*names).read_text(encoding="utf-8")
