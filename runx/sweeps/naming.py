"""Names of runs: safe for a directory, and never the same twice."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from itertools import count
from math import gcd

from runx.errors import SettingsError

LONGEST = 100
"""Most bytes of a tag; with a coolname and a date it stays far under a file system's 255."""

_DRAWN = 1000


def safe(text: str, longest: int = LONGEST) -> str:
    """Make a text a name for a directory, and for nothing outside it.

    What is too long is shortened with a hash, so that two never become one by it.

    >>> safe("ocrnet/HRNet"), safe("../x"), safe("größe 1"), safe("lr=0.1,opt=sgd")
    ('ocrnet-HRNet', 'x', 'größe-1', 'lr=0.1,opt=sgd')
    >>> safe("a" * 30, longest=20)
    'aaaaaaaaaaa-3a54fc0c'
    """
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(char if _is_kept(char) else "-" for char in plain)
    name = re.sub(r"-{2,}", "-", kept).lstrip(".-").rstrip("-")
    if not name:
        return f"tag-{_digest(text)}" if text else ""
    return name if len(name.encode()) <= longest else _shortened(name, text, longest)


def new_launch(now: datetime) -> str:
    """Name a launch after its time in UTC, apart from any other of the same second."""
    return f"{now.astimezone(timezone.utc):%Y-%m-%dT%H.%M.%SZ}-{os.urandom(3).hex()}"


def run_names(now: datetime, slugs: Iterator[str] | None = None) -> Callable[[str], str]:
    """Give a function from tags to new names, which never gives the same name twice.

    >>> new_name = run_names(datetime(2026, 2, 6, 14, 19), iter(["wise-owl", "shy-lion"]))
    >>> new_name(""), new_name("my tag")
    ('wise-owl_2026.02.06_14.19', 'my-tag_shy-lion_2026.02.06_14.19')
    """
    slugs = slugs or new_slugs()
    stamp = now.strftime("_%Y.%m.%d_%H.%M")
    prefixes: dict[str, str] = {"": ""}

    def new_name(tag: str) -> str:
        if tag not in prefixes:
            prefixes[tag] = safe(tag) + "_"
        return prefixes[tag] + next(slugs) + stamp

    return new_name


def new_slugs(slug: Callable[[int], str] | None = None) -> Iterator[str]:
    """Give some words, never the same twice.

    ``slug`` makes some words of the number it is given; coolname's by default.
    """
    return _slugs(slug or _coolname())


def preview_slugs() -> Iterator[str]:
    """Yield what stands for the words of names that are shown and not kept.

    >>> from itertools import islice
    >>> list(islice(preview_slugs(), 2))
    ['NAME-1', 'NAME-2']
    """
    return map("NAME-{}".format, count(1))


def tag_names() -> Callable[[str], str]:
    """Give a function from tags to names that are the tag alone, each but once.

    >>> tag_names()("ocrnet/HRNet")
    'ocrnet-HRNet'
    """
    used: dict[str, str] = {}

    def new_name(tag: str) -> str:
        if not tag:
            raise SettingsError(
                "--no_cooldir names runs by their tag alone, and one has none;"
                " give --tag, or RUNX.TAG in HPARAMS"
            )
        name = safe(tag)
        if name in used:
            raise SettingsError(
                f"--no_cooldir: two runs would be called {name} (tags {used[name]!r}, {tag!r});"
                " put what differs into RUNX.TAG, as '{lr}'"
            )
        used[name] = tag
        return name

    return new_name


def _slugs(draw: Callable[[int], str]) -> Iterator[str]:
    """Give some words, never the same twice.

    A thousand are drawn; their words make some two hundred thousand more, without a draw for each.
    """
    used: set[str] = set()
    while len(used) < _DRAWN:
        words = draw(2)
        if words in used:
            words = _unused(draw, used)
        used.add(words)
        yield words
    for words in _combined(list(used)):
        if words not in used:
            used.add(words)
            yield words
    while True:
        words = _unused(draw, used)
        used.add(words)
        yield words


def _combined(drawn: Iterable[str]) -> Iterator[str]:
    """Pair each first word with the rest of each of the others, neighbours in neither.

    >>> sorted(_combined(["wise-owl", "shy-lion-of-joy"]))
    ['shy-lion-of-joy', 'shy-owl', 'wise-lion-of-joy', 'wise-owl']
    """
    pairs = [words.split("-", 1) for words in drawn if "-" in words] or [["run", "run"]]
    firsts, rests = (list(dict.fromkeys(part)) for part in zip(*pairs, strict=True))
    pairings = len(firsts) * len(rests)
    # A stride of the golden section spreads evenly; with no divisor in common it meets each once.
    stride = next(
        size
        for size in range(1 + int(pairings * 0.618), 2 * pairings + 2)
        if gcd(size, pairings) == 1
    )
    for number in range(0, pairings * stride, stride):
        yield f"{firsts[number % len(firsts)]}-{rests[number % pairings // len(firsts)]}"


def _unused(draw: Callable[[int], str], used: set[str]) -> str:
    """Draw three words, or four, until they are new: there are millions, and more, of those."""
    for attempt in range(1000):
        words = draw(3 if attempt < 4 else 4)
        if words not in used:
            return words
    raise AssertionError("no unused name in a thousand draws")


def _coolname() -> Callable[[int], str]:
    from coolname import generate_slug

    draw: Callable[[int], str] = generate_slug
    return draw


def _is_kept(char: str) -> bool:
    """Letters, digits and marks of any script, and what no shell or file system minds."""
    return char in "._-+=,@%" or unicodedata.category(char)[0] in "LNM"


def _shortened(name: str, text: str, longest: int) -> str:
    end = f"-{_digest(text)}"
    return name.encode()[: longest - len(end)].decode(errors="ignore") + end


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
