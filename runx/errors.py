"""The errors that users are shown, each with the exit status of the command."""

from __future__ import annotations


class RunxError(Exception):
    """A mistake of the user, whose message is one line: what, where, and what to do next."""

    status = 2


class SettingsError(RunxError):
    """A .runx or experiment file is missing, malformed or incomplete."""


class SweepError(RunxError):
    """HPARAMS can't be made into runs."""


class ArgumentError(SweepError):
    """A value can't be given to the script in the way that ARGS says."""


class ExpressionError(RunxError):
    """An expression is malformed, has an unknown name, or values that don't fit."""


class StagingError(RunxError):
    """The code can't be frozen, or a run's directory can't be made."""


class StoreError(RunxError):
    """A file in a run's or an experiment's directory can't be read or isn't ours."""


class FarmError(RunxError):
    """A farm refused a submission or can't be reached."""

    status = 3


class LogxError(RunxError):
    """A call to logx has arguments that mean nothing."""

    def __str__(self) -> str:
        """Return the message on one line, whatever of the script's is in it."""
        return " ".join(super().__str__().splitlines())
