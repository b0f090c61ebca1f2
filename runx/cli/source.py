"""Where an experiment comes from: a file, standard input (``-``), or a command after ``--``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from runx.cli.console import Documented, say, warn
from runx.errors import RunxError, SettingsError
from runx.rundir.record import is_read
from runx.sweeps.overrides import is_override

if TYPE_CHECKING:
    from runx.config.experiment import Experiment

_COMMAND = "runx.command"
_STDIN = Path("stdin")
"""What an experiment is called that is read from there, unless it says how."""
_MOST = 64 << 20  # bytes of an experiment


class Source(NamedTuple):
    """An experiment's file, or the text that stands for one of that name, and its overrides."""

    file: Path
    overrides: tuple[str, ...] = ()
    text: str | None = None


class FileOrCommand(Documented):
    """A command that takes FILE, or none where a command follows ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words before ``--``; keep those after it."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = ["command", *args[:at]]
        return super().parse_args(ctx, args)


def source_of(file: Path, overrides: Sequence[str], save: Path | None = None) -> Source:
    """Return where the experiment of a command line comes from; ``save`` is a file to write it to.

    Raises:
        RunxError: There is no command, what is read is no text, or ``save`` is there already.
    """
    command = click.get_current_context().meta.get(_COMMAND)
    if command is not None and overrides and not is_override(overrides[0]):
        if command and not is_override(command[0]):
            raise click.UsageError(f"name a FILE, {overrides[0]}, or a command after --, not both")
        file, overrides, command = Path(overrides[0]), [*overrides[1:], *command], None
    if command is not None:
        from runx.importers.commandline import command_sweep

        sweep = command_sweep(command)
        for line in sweep.doubtful:
            warn(line)
        source = Source(Path(sweep.name), tuple(overrides), sweep.text)
    elif str(file) == "-":
        source = Source(_STDIN, tuple(overrides), _read())
    else:
        source = Source(file, tuple(overrides))
    if save is None:
        return source
    if source.text is None:
        raise click.UsageError(f"--save writes what has no file yet; {file} is one")
    _write(save, source.text)
    return Source(save, source.overrides)


def text_of(file: Path) -> Source:
    """Return where the experiment of a FILE comes from, which may be ``-``."""
    return Source(_STDIN, (), _read()) if str(file) == "-" else Source(file)


def _read() -> str:
    """Return the text on standard input."""
    if sys.stdin.isatty():
        say("reading an experiment from the terminal; Ctrl-D ends it")
    raw = sys.stdin.buffer.read(_MOST + 1)
    if len(raw) > _MOST:
        raise SettingsError(f"{_STDIN}: more than {_MOST >> 20} MB is no experiment")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{_STDIN}:{line}: not UTF-8; pass UTF-8") from None


def _write(file: Path, text: str) -> None:
    """Write an experiment to a new file; one with the same text may be there."""
    if file.suffix not in (".yml", ".yaml"):
        raise click.UsageError(f"--save {file}: name a file that ends with .yml")
    try:
        with file.open("x", encoding="utf-8", errors="surrogateescape") as new:
            new.write(text)
    except FileExistsError:
        if not file.is_file() or file.read_bytes() != text.encode("utf-8", "surrogateescape"):
            raise RunxError(
                f"--save {file}: is there already, with something else; name another file"
            ) from None
    except OSError as error:
        raise RunxError(f"--save {file}: can't be written: {error.strerror}") from error
    say(f"{file}: written")


def typed_words(save: Path | None) -> list[str]:
    """Return the words of this command line; what was saved is named instead of its source."""
    words = sys.argv[1:]
    if save is None:
        return words
    at = words.index("--") if "--" in words else len(words)
    kept, skips = [], False
    for word in words[:at]:
        if not (skips or word == "-" or word == "--save" or word.startswith("--save=")):
            kept.append(word)
        skips = word == "--save"
    first = kept.pop(0) if kept[:1] == ["launch"] else None
    return [*([first] if first else []), str(save), *kept]


def go_on_command(settings: Experiment, words: Sequence[str]) -> str:
    """Return the command that goes on with a launch."""
    from runx.analysis.commands import resume_command
    from runx.rundir.paths import EXPERIMENT

    kept = settings.dir.launches / settings.texts["launch"] / EXPERIMENT if is_read(words) else ""
    return resume_command(words, source=str(kept))
