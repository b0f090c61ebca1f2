"""docs/python.ipynb, made of docs/python.md: `python tests/support/notebooks.py` writes it anew.

Prose becomes cells of Markdown, and a file becomes a cell that writes it. A Python file that the
next console block runs becomes a cell of that code; what else a person types, a cell of commands.
"""

import json
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from documents import FENCE, ROOT

PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = PAGE.with_suffix(".ipynb")


def cells(document: str) -> list[tuple[str, str]]:
    """Return the kind and the text of each cell."""
    found, end = [], 0
    matches = list(FENCE.finditer(document))
    typed = [match["text"] if match["language"] == "console" else "" for match in matches]
    for place, match in enumerate(matches):
        found.append(("markdown", document[end : match.start()].strip()))
        end = match.end()
        first, _, rest = match["text"].partition("\n")
        name = first.removeprefix("# ")
        runs = typed[place + 1] if place + 1 < len(matches) else ""
        if match["language"] == "console":
            commands = re.findall(r"^\$ (?!python \w+\.py)(.+)", match["text"], re.MULTILINE)
            found += [("code", "\n".join(f"!{command}" for command in commands))]
        elif re.search(rf"^\$ python {re.escape(name)}\b", runs, re.MULTILINE):
            found.append(("code", rest.strip()))
        else:
            found.append(("code", f"%%writefile {name}\n{rest.rstrip()}"))
    found.append(("markdown", document[end:].strip()))
    return [(kind, text) for kind, text in found if text]


def notebook(document: str) -> str:
    """Return a notebook, as nbformat 4.5 has it, without outputs."""
    content = {
        "cells": [
            {
                "cell_type": kind,
                "id": f"cell-{number}",
                "metadata": {},
                "source": text.splitlines(keepends=True),
                **({"execution_count": None, "outputs": []} if kind == "code" else {}),
            }
            for number, (kind, text) in enumerate(cells(document))
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(notebook(PAGE.read_text()))
