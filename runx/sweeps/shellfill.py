"""Values put into shell text wherever its quotes are, so that no shell reads them as its own.

A text has a character of plane 15 where a value belongs. What ``sh -c`` or ``--wrap`` is given is
shell text itself, so that a value inside of it is quoted once for each shell that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from runx.errors import ExpressionError
from runx.sweeps.shellscan import (
    ARITHMETIC,
    HERE,
    HERE_CODE,
    HERE_QUOTED,
    Char,
    chars_of,
)
from runx.sweeps.shelltext import (
    ANSI,
    BARE,
    COMMENT,
    DOUBLE,
    KEYWORDS,
    LOGDIR_MARK,
    SINGLE,
    in_double_quotes,
    in_single_quotes,
    quote,
    quoted_around,
)
from runx.sweeps.shellwords import Word, word_around

FIRST_MARK, LAST_MARK = 0xF0000, 0xFFFFD
"""The characters that stand for values: those of Unicode's plane 15, which nobody uses in text."""

MARK = re.compile(f"[{chr(FIRST_MARK)}-{chr(LAST_MARK)}]")

_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)

# What means itself in most languages, whether it stands in quotes there or not.
_PLAIN_CODE = re.compile(r"[\w@%+=:,./ -]*", re.ASCII)

_INTEGER = re.compile(r"-?\d+", re.ASCII)

_AROUND_WORDS = tuple(" \t\n;&|()`")

_VARIABLE_BEFORE = re.compile(r"\$\w+\Z", re.ASCII)

_NAMES = {
    HERE: "in a here-document",
    HERE_QUOTED: "in a here-document",
    HERE_CODE: "in a here-document that a shell reads",
    ARITHMETIC: "in arithmetic",
}


class Filling(NamedTuple):
    """A value: its words, and whether it is a list, shell text, or a hyperparameter as it is.

    A list that is ``blended`` is one text with blanks where it is not a word of its own.
    """

    words: tuple[str, ...]
    is_list: bool = False
    is_code: bool = False
    is_given: bool = False
    blended: bool = False

    @property
    def text(self) -> str:
        """The value as one text."""
        return " ".join(map(quote, self.words)) if self.is_list else self.words[0]

    @property
    def is_plain(self) -> bool:
        """Whether the value means the same to every shell, in quotes or not."""
        return not self.is_list and self.has_plain_words

    @property
    def has_plain_words(self) -> bool:
        """Whether each of its words means the same to every shell, in quotes or not."""
        return all(map(_PLAIN.fullmatch, self.words))


Fillings: TypeAlias = Mapping[str, Filling]


class _Site(NamedTuple):
    """Where a mark stands: its step, its word, and what is directly before and after it.

    It ``is_apart`` if there is nothing of a word on either side, whatever the quotes.
    """

    char: Char
    word: Word
    after_dollar: bool
    is_glued: bool
    is_number: bool
    is_apart: bool
    is_cmd: bool

    @property
    def is_alone(self) -> bool:
        """Whether the mark is the whole word."""
        return self.word.body == self.char.text


def fill(text: str, fillings: Fillings, is_cmd: bool = False) -> str:
    """Return shell text with its marks replaced by values, each spelt for where it stands.

    In CMD (``is_cmd``) a here-document that no shell reads is text, and ``-c`` is of shells alone.

    Raises:
        ExpressionError: A value can't stand there.

    >>> fill(f"echo {chr(FIRST_MARK)}", {chr(FIRST_MARK): Filling(("a b",))})
    "echo 'a b'"
    """
    spelt = _spellings(text, fillings, is_cmd, is_nested=False)
    return MARK.sub(lambda match: spelt[match[0]], text)


def nested_marks(text: str) -> set[str]:
    """Return the marks in a CMD that another shell reads, as in ``bash -c "..."``.

    >>> nested_marks(f"bash -c 'x {chr(FIRST_MARK)}'") == {chr(FIRST_MARK)}
    True
    """
    return {site.char.text for site in _sites(text, True) if site.word.is_shell_text}


def _spellings(text: str, fillings: Fillings, is_cmd: bool, is_nested: bool) -> dict[str, str]:
    """Return how each mark's value is spelt in a text, that may be nested in other shell text."""
    sites = _sites(text, is_cmd)
    spelt = {site.char.text: _spelt(site, fillings, is_nested) for site in sites}
    for mark in MARK.findall(text):
        if mark not in spelt:
            raise _refusal(fillings[mark], "after a backslash", "remove it: values are quoted")
    return spelt


@lru_cache(maxsize=64)
def _sites(text: str, is_cmd: bool) -> tuple[_Site, ...]:
    """Return the places of the marks in a text."""
    chars, sites = chars_of(text), []
    for at, char in enumerate(chars):
        if not MARK.fullmatch(char.text):
            continue
        expands = char.quotes not in (SINGLE, ANSI, COMMENT, HERE_QUOTED)
        before = text[max(0, char.offset - 99) : char.offset]
        after = text[char.offset + 1 : char.offset + 2]
        sites.append(
            _Site(
                char,
                word_around(chars, at, is_cmd),
                expands and at > 0 and chars[at - 1].text == "$",
                expands and bool(_VARIABLE_BEFORE.search(before)),
                after in ("<", ">"),
                before[-1:] in ("", *_AROUND_WORDS) and after in ("", *_AROUND_WORDS),
                is_cmd,
            )
        )
    return tuple(sites)


def _spelt(site: _Site, fillings: Fillings, is_nested: bool) -> str:
    """Return how the value of a mark is spelt where it stands."""
    char, word, value = site.char, site.word, fillings[site.char.text]
    if site.after_dollar:
        raise _refusal(value, "after a dollar sign", r"write \$ for a dollar sign")
    is_word = char.quotes == BARE and site.is_alone
    has_plain_words = site.is_apart and value.has_plain_words
    if value.blended and not is_word and not word.is_shell_text:
        value = value._replace(words=(" ".join(value.words),), is_list=False)
    elif value.is_list and site.is_cmd and not site.is_alone and not word.is_shell_text:
        value = value._replace(words=(value.text,), is_list=False)
    _check_place(site, value, has_plain_words)
    if not value.is_plain and (place := word.refused):
        is_text = site.is_cmd and "in code" in place and _PLAIN_CODE.fullmatch(value.text)
        if not is_text:
            raise _refusal(value, place, "write it as an argument of a program")
    if is_nested and value.is_code and is_word and not word.is_shell_text:
        return value.text
    inner = _inner(site, value, fillings)
    if inner is not None and (inner or value.words or char.quotes != BARE):
        value = Filling((inner,), is_code=value.is_code)
    if is_nested and char.quotes in (BARE, ANSI):
        # The shell within may be any, and knows no $'...'.
        return _in_any_shell(value) if char.quotes == BARE else f"'{_in_any_shell(value)}$'"
    # A word of [[ ]] that is not quoted may be one of its operators.
    must_quote = site.is_number or "after [[" in word.refused
    return _outer(char.quotes, value, site.is_glued, must_quote)


def _check_place(site: _Site, value: Filling, has_plain_words: bool) -> None:
    """Raise if a value would mean something else to the shell in its place."""
    char = site.char
    is_document = char.quotes in (HERE, HERE_QUOTED)
    is_text = char.quotes == COMMENT or (is_document and site.is_cmd)
    if is_text and "\n" not in value.text and not char.problem:
        return
    if not (char.problem or is_document or char.quotes == COMMENT):
        return
    if char.problem == ARITHMETIC:
        fits = bool(_INTEGER.fullmatch(value.text))
    elif char.problem in ("", HERE_CODE) and value.is_code:
        fits = "\n" not in value.text
    else:
        fits = value.is_plain or has_plain_words
    if site.is_glued or not fits:
        place = _NAMES.get(char.problem or char.quotes) or char.problem or "in a comment"
        raise _refusal(value, place, "write it where it is a word of a command")


def _inner(site: _Site, value: Filling, fillings: Fillings) -> str | None:
    """Return a value as another shell's text has it, None where no other shell reads it."""
    word, is_alone = site.word, site.is_alone
    if not word.is_shell_text:
        return None
    if is_alone and not word.is_joined:
        if value.is_given and not value.is_plain:
            advice = "write a program before it" if site.is_cmd else "write {{ command }} there"
            raise _refusal(value, "as a whole command", advice)
        return None
    text = word.lead + word.body
    return _spellings(text, fillings, site.is_cmd, is_nested=True)[site.char.text]


def _outer(quotes: str, value: Filling, is_glued: bool, must_quote: bool) -> str:
    """Return a value spelt for the quotes around it."""
    text = value.text
    if quotes == BARE:
        if value.is_list:
            return " ".join(map(_parted, value.words))
        return _word(text, is_glued or must_quote)
    if quotes == DOUBLE:
        return f'"{_word(text, True)}"' if is_glued else in_double_quotes(text)
    if quotes == SINGLE:
        return in_single_quotes(text)
    if quotes == ANSI:
        return f"'{_word(text, True)}$'"
    if quotes == HERE:
        return re.sub(r"([\\$`])", r"\\\1", text)
    return text


def _in_any_shell(value: Filling) -> str:
    """Return a value as words of POSIX's shell."""
    return " ".join([f"'{in_single_quotes(word)}'" for word in value.words])


def _parted(text: str) -> str:
    """Return a text as one word, the mark of LOGDIR outside of quotes: it has its own."""
    return quoted_around(text, LOGDIR_MARK)


def _word(text: str, must_quote: bool) -> str:
    """Return a text as one word, quoted also where it might be taken for more than a word."""
    must_quote = must_quote or "=" in text or text in KEYWORDS
    quoted = quote(text) if must_quote else _parted(text)
    return f"'{text}'" if must_quote and quoted == text else quoted


def _refusal(value: Filling, place: str, advice: str) -> ExpressionError:
    text = value.text if len(value.text) <= 40 else f"{value.text[:40]}..."
    return ExpressionError(f"the value {quote(text)} can't stand {place}; {advice}")
