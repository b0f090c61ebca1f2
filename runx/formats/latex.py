r"""A LaTeX tabular, for a paper; it needs \usepackage{booktabs}."""

from __future__ import annotations

from collections.abc import Sequence

from runx.formats.body import body, head, right
from runx.tables.summary import Summary

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"\textquotedbl{}",
    # A row that begins so would be taken for an optional argument of the line before it.
    "[": "{[}",
    "]": "{]}",
}


def render(summary: Summary, digits: int) -> str:
    """Write a tabular with rules."""
    places = "".join("r" if number else "l" for number in right(summary))
    lines = [r"\begin{tabular}{" + places + "}", r"\toprule"]
    lines += [_row(head(summary)), r"\midrule"]
    lines += [_row(cells) for cells in body(summary, digits)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def escaped(text: str) -> str:
    r"""Write text so that LaTeX prints it.

    >>> print(escaped("top_1 % {x}"))
    top\_1 \% \{x\}
    """
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
