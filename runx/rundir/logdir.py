"""The directory of a run, which replaces LOGDIR in CMD, in values and in the environment."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from runx.sweeps import shelltext
from runx.sweeps.shelltext import LOGDIR, quote, quoted_around

VARIABLE = "RUNX_LOGDIR"
"""The shell variable of run.sh that holds its directory."""

_VARIABLE = f'"${VARIABLE}"'


class Logdir(NamedTuple):
    """What LOGDIR is replaced by: a path, or the variable of run.sh that holds its directory.

    In values every LOGDIR is replaced; in CMD only one that is a whole word and follows no ``$``.
    """

    path: str | None

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Logdir:
        """Return the directory as a path.

        >>> Logdir.at("/logs/run").in_value(("LOGDIR/code:LOGDIR", 1))
        ['/logs/run/code:/logs/run', 1]
        """
        return cls(os.fspath(path))

    @classmethod
    def as_variable(cls) -> Logdir:
        """Return the directory as ``$RUNX_LOGDIR``, for text that is read by a shell alone.

        >>> Logdir.as_variable().in_word("LOGDIR/a b")
        '"$RUNX_LOGDIR"\\'/a b\\''
        """
        return cls(None)

    def in_value(self, value: Any) -> Any:
        """Return the value of a hyperparameter with the path for LOGDIR, and tuples as lists."""
        if isinstance(value, str):
            assert self.path is not None
            return value.replace(LOGDIR, self.path)
        if isinstance(value, dict):
            return {key: self.in_value(child) for key, child in value.items()}
        if isinstance(value, (tuple, list)):
            return [self.in_value(item) for item in value]
        return value

    def in_word(self, word: str) -> str:
        """Return a word, quoted for a shell."""
        return self.in_quoted(quoted_around(word, LOGDIR))

    def in_quoted(self, text: str) -> str:
        """Return words that ``quoted_around`` has quoted already, LOGDIR kept."""
        if LOGDIR not in text:
            return text
        return text.replace(LOGDIR, _VARIABLE if self.path is None else quote(self.path))

    def in_command(self, cmd: str) -> str:
        """Return a shell command with the directory spelt as the quotes around it require.

        >>> Logdir.at("/a b").in_command("ls 'LOGDIR' LOGDIR $LOGDIR")
        "ls '/a b' '/a b' $LOGDIR"
        >>> Logdir.as_variable().in_command('ls "LOGDIR" LOGDIR')
        'ls "${RUNX_LOGDIR}" "$RUNX_LOGDIR"'
        """
        return shelltext.with_logdir(cmd, self.spelling) if LOGDIR in cmd else cmd

    @property
    def spelling(self) -> dict[str, str]:
        """How the directory is spelt in each kind of quotes."""
        return shelltext.variable(VARIABLE) if self.path is None else shelltext.place(self.path)
