"""Words for names that nobody keeps: the same ones each time, and drawn from nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product

_FIRST = """
able amber brave bright brisk calm clever cool coral curious daring eager early fair fast fine fond
free fresh gentle glad golden good happy honest humble jolly keen kind late light little lively
loyal lucky merry mild neat noble odd pale plain polite proud quick quiet rare ready robust royal
shy silver simple smart smooth steady sunny swift tall tidy warm wild wise young
"""
_LAST = """
ant badger bat bear beaver bee bison boar camel cat cobra crab crane crow deer dingo dog dove eagle
eel elk falcon finch fox frog gecko goose hare hawk heron horse ibis jay koala lark lion llama lynx
mole moose moth mouse newt orca otter owl panda puma quail rabbit raven robin seal shark sloth snail
stork swan tapir tiger toad trout turtle viper walrus whale wolf wren yak
"""


def stand_ins() -> Iterator[str]:
    """Give one pair of words after another, then three of them, and so on.

    >>> from itertools import islice
    >>> list(islice(stand_ins(), 2))
    ['able-ant', 'able-badger']
    """
    first, last = _FIRST.split(), _LAST.split()
    for most in count(1):
        yield from map("-".join, product(*[first] * most, last))
