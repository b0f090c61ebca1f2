"""A SUBMIT_CMD that is a Jinja template: rendered in a sandbox, values quoted where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runx.errors import ExpressionError, RunxError, SettingsError
from runx.processes import LimitError, limited
from runx.sweeps.shellfill import FIRST_MARK, LAST_MARK, MARK, Filling, fill
from runx.sweeps.values import Hparam

_SECONDS, _MEGABYTES = 2, 256

# Linux takes no longer argument, and bash is given the command as one.
_LONGEST = 128 * 1024 - 1

_NUL = "makes a command with a NUL character, which none can have; remove it"


class Code(str):
    """Text that is a command line, so that another shell may read it."""

    __slots__ = ()


class Given(str):
    """The text of a hyperparameter, unchanged."""

    __slots__ = ()


class _Raw(str):
    """Text that a template's filter ``raw`` keeps from being quoted."""

    __slots__ = ()


def flags(resource: Hparam) -> tuple[str, ...]:
    """Return a resource as flags: true is a bare one, a list repeats it.

    >>> flags(Hparam("gpu", 2, "2")), flags(Hparam("mount", ("/a", "/b"), ("/a", "/b")))
    (('--gpu', '2'), ('--mount', '/a', '--mount', '/b'))
    """
    flag = f"--{resource.name}"
    if resource.value is True:
        return (flag,)
    if resource.value is None or resource.value is False:
        return ()
    if isinstance(resource.text, tuple):
        return tuple(word for text in resource.text for word in (flag, text))
    return (flag, resource.text or "")


def given(value: Any) -> Any:
    """Return a value of hyperparameters whose texts are known to be theirs."""
    if isinstance(value, Mapping):
        return {name: given(item) for name, item in value.items()}
    return Given(value) if isinstance(value, str) else value


def rendered(template: str, names: Mapping[str, Any]) -> str:
    """Return the command that a template makes of values by their names.

    Raises:
        SettingsError: The template is none, fails, takes too long, or a value can't stand there.
    """
    import jinja2.sandbox  # noqa: F401  here, so that importing it counts for no limit

    try:
        command, problem = limited(lambda: _rendered(template, names), _SECONDS, _MEGABYTES)
    except LimitError as error:
        command, problem = "", str(error)
    if problem:
        raise SettingsError(f"SUBMIT_CMD: {problem}")
    return command


def _rendered(template: str, names: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that a template makes, and what is wrong with it."""
    import jinja2

    fillings: dict[str, Filling] = {}
    try:
        _refuse_marks(names)
        command = _filled(_language(fillings).from_string(template).render(names), fillings)
        command.encode("utf-8", "surrogateescape")
    except jinja2.UndefinedError as error:
        return "", f"{error.message}; a template knows {', '.join(names)}"
    except RunxError as error:
        return "", str(error)
    except MemoryError:
        return "", f"takes more than {_MEGABYTES} MB to compute"
    except RecursionError:
        return "", "is nested too deeply; simplify it"
    except Exception as error:  # noqa: BLE001  a template is a program of somebody else's
        return "", _one_line(error)
    return command, ""


def _one_line(error: Exception) -> str:
    """Return what went wrong in a template, on one line."""
    line = getattr(error, "lineno", None)
    text = " ".join(str(error).split()) or type(error).__name__
    where = f"line {line} of the template: " if line else ""
    return f"{where}{text[:300]}; see docs/runx-file.md"


def _language(fillings: dict[str, Filling]) -> Any:
    """Return Jinja's sandbox, which writes marks, and what they stand for into ``fillings``."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    @jinja2.pass_context  # so that nothing is computed before it is rendered
    def marked(_context: Any, value: Any) -> str:
        if isinstance(value, _Raw):
            return str(value)
        mark = chr(FIRST_MARK + len(fillings))
        if len(fillings) >= LAST_MARK - FIRST_MARK:
            raise ExpressionError("fills in too many values; write fewer")
        fillings[mark] = _filling(value, fillings)
        return mark

    language = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, finalize=marked, optimized=False
    )
    language.filters["raw"] = _Raw
    language.filters["flags"] = _flag_words
    return language


def _filling(value: Any, fillings: Mapping[str, Filling]) -> Filling:
    """Return what is to stand for a value; text that a block has captured is made a word."""
    if isinstance(value, (list, tuple)):
        return Filling(tuple(fill(str(item), fillings) for item in value), is_list=True)
    text = "" if value is None else str(value)
    if "\0" in text:
        raise ExpressionError(_NUL)
    is_code = isinstance(value, Code) or bool(MARK.search(text))
    return Filling((fill(text, fillings),), False, is_code, isinstance(value, Given))


def _refuse_marks(value: Any) -> None:
    """Raise if a value has one of the characters that stand for values."""
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_marks(item)
    elif mark := MARK.search(str(value)):
        raise ExpressionError(f"a value has the character {mark[0]!a}; remove it")


def _filled(text: str, fillings: Mapping[str, Filling]) -> str:
    """Return a rendered text with its values filled in."""
    if unknown := [mark for mark in MARK.findall(text) if mark not in fillings]:
        raise ExpressionError(f"has the character {unknown[0]!a}, which means nothing; remove it")
    if len(text) > _LONGEST or len(command := fill(text, fillings)) > _LONGEST:
        raise ExpressionError(f"makes a command of more than {_LONGEST:,} characters; write less")
    if "\0" in command:
        raise ExpressionError(_NUL)
    return command


def _flag_words(resources: Mapping[str, Any]) -> list[str]:
    pairs: Iterable[Hparam] = (
        Hparam(
            name, value, tuple(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        )
        for name, value in resources.items()
    )
    return [word for pair in pairs for word in flags(pair)]
