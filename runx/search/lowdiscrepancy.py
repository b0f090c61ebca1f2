"""Points that fill a space evenly: a Halton sequence whose digits are scrambled."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from runx.search.space import Parts, Space


def halton_parts(space: Space, seed: str, number: int) -> Parts:
    """Return the parts of a point of the sequence, which is the same for the same seed.

    >>> from runx.search.parameters import choice_of
    >>> from runx.search.space import Dimension
    >>> from runx.sweeps.values import Hparam
    >>> bits = choice_of("bit", [Hparam("bit", n, str(n)) for n in (0, 1)])
    >>> space = Space((Dimension(bits),))
    >>> sorted(halton_parts(space, "0", number) for number in range(2))
    [(0.25,), (0.75,)]
    """
    return space.filled(_numbers(seed, number))


def _numbers(seed: str, number: int) -> Iterator[float]:
    for base in primes():
        yield _scrambled(number, base, Random(f"{seed}:{base}"))


def _scrambled(number: int, base: int, source: Random) -> float:
    """Return the number's digits mirrored at the point, each moved as the digits before it say.

    The digits of every place are shifted and multiplied at random (a linear scrambling: Matousek,
    1998), up to the twelfth place and beyond 2 ** -40.
    """
    result, share = 0.0, 1.0
    while share > 2**-40:
        share /= base
        number, digit = divmod(number, base)
        factor, shift = 1 + int(source.random() * (base - 1)), int(source.random() * base)
        result += share * ((digit * factor + shift) % base)
    return result


def primes() -> Iterator[int]:
    """Yield 2, 3, 5 and so on.

    >>> from itertools import islice
    >>> list(islice(primes(), 6))
    [2, 3, 5, 7, 11, 13]
    """
    found: list[int] = []
    number = 2
    while True:
        if all(number % prime for prime in found):
            found.append(number)
            yield number
        number += 1
