"""Names in messages: suggestions for those that are unknown, and of many the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST_SHOWN = 20


def suggestion(word: str, known: Iterable[str], unlisted: Iterable[str] = ()) -> str:
    """Return a hint: the known name that is nearest, or all of them but the unlisted ones.

    >>> suggestion("logspce", ["linspace", "logspace"]), suggestion("x", ["lr", "opt"])
    ('did you mean logspace?', 'known are: lr, opt')
    >>> suggestion("FRM", ["lr"], ["FARM"]), suggestion("x", ["lr"], ["FARM"])
    ('did you mean FARM?', 'known are: lr')
    """
    from difflib import get_close_matches

    names = sorted(known)
    folded = {name.lower(): name for name in (*unlisted, *names)}
    close = get_close_matches(word.lower(), folded, n=1)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return f"known are: {first_of(names, _MOST_SHOWN)}" if names else "none is known"


def nearest(word: str, known: Iterable[str], most: int = 5, least: float = 0) -> list[str]:
    """Return the known names that are spelled most like a word, ``least`` of 1 at least.

    >>> nearest("memory", ["RESOURCES", "REQUEUE", "MEMORIES"], most=1)
    ['MEMORIES']
    """
    from difflib import get_close_matches

    folded = {name.lower(): name for name in known}
    return [folded[name] for name in get_close_matches(word.lower(), folded, n=most, cutoff=least)]


def nearest_first(name: str, known: Sequence[str]) -> list[str]:
    """Return known names, the likest to an unknown one first.

    >>> nearest_first("acuracy", ["loss", "accuracy"])
    ['accuracy', 'loss']
    """
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=len(known) or 1, cutoff=0.5)
    return list(dict.fromkeys((*close, *known)))


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names as the end of a sentence that begins with "there".

    >>> listed(["a", "b"])
    'are: a, b'
    """
    verb = "is" if len(names) == 1 else "are"
    return f"{verb}: {first_of(names, most)}"


def first_of(names: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    """Return names in a row, of many the first and the number of the others.

    >>> first_of(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
