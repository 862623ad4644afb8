"""Random numbers that are a function of their address.

Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011: "Parallel random numbers: as easy as
1, 2, 3") turns (seed, purpose, step, index) into bits. There is no state: any number
can be drawn first, and the same address gives the same bits on every machine, in every
thread order and after every resume.

The normal draw uses a logarithm and a cosine of our own, in + - * / and sqrt only,
which IEEE 754 rounds the same everywhere; C libraries differ in the last bit.
"""

import math
from collections.abc import MutableSequence
from typing import Any

# Purposes keep the streams of one seed apart.
INIT, DROPOUT, SAMPLE, SHUFFLE, MATRIX, TEXT, MASK = range(7)

Words = tuple[int, int, int, int]

_MASK = 0xFFFF_FFFF


def philox(key: tuple[int, int], counter: Words) -> Words:
    """Run ten rounds over a counter of four 32-bit words, under a key of two."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD251_1F53 * c0, 0xCD9E_8D57 * c2
        c0, c1, c2, c3 = p1 >> 32 ^ c1 ^ k0, p1 & _MASK, p0 >> 32 ^ c3 ^ k1, p0 & _MASK
        k0, k1 = k0 + 0x9E37_79B9 & _MASK, k1 + 0xBB67_AE85 & _MASK
    return c0, c1, c2, c3


def words(seed: int, purpose: int, step: int, block: int) -> Words:
    """Return block number `block` of a stream: four words of 32 bits.

    Raises
    ------
    ValueError
        Unless seed and block are in [0, 2^64) and purpose and step in [0, 2^32).
    """
    _expect_bits("seed", seed, 64)
    _expect_bits("index", block, 64)
    _expect_bits("step", step, 32)
    _expect_bits("purpose", purpose, 32)
    key = seed & _MASK, seed >> 32
    return philox(key, (block & _MASK, block >> 32, step, purpose))


def _expect_bits(name: str, number: int, bits: int) -> None:
    if not 0 <= number < 1 << bits:
        raise ValueError(f"random: {name} must be in [0, 2^{bits}) but is {number}")


def unit(first: int, second: int) -> float:
    """Turn two words into a multiple of 2^-53 in [0, 1)."""
    return ((second << 32 | first) >> 11) * 2.0**-53


def uniform(seed: int, purpose: int, step: int, index: int) -> float:
    """Draw a number uniform in [0, 1); two of them share a block."""
    w0, w1, w2, w3 = words(seed, purpose, step, index // 2)
    return unit(w2, w3) if index % 2 else unit(w0, w1)


def normal(seed: int, purpose: int, step: int, index: int) -> float:
    """Draw a standard normal: z = sqrt(-2 ln(1-u)) cos(2 pi v) (Box and Muller)."""
    w0, w1, w2, w3 = words(seed, purpose, step, index)
    u, v = unit(w0, w1), unit(w2, w3)
    # 1-u is in (0, 1]: the logarithm is finite.
    return math.sqrt(-2.0 * ln(1.0 - u)) * cos2pi(v)


def below(n: int, seed: int, purpose: int, step: int, index: int) -> int:
    """Draw an integer uniform in [0, n)."""
    return math.floor(uniform(seed, purpose, step, index) * n)


def shuffle(items: MutableSequence[Any], seed: int, step: int = 0) -> None:
    """Permute in place, all orders equally likely (Fisher and Yates, from the end)."""
    n = len(items)
    for i in range(n - 1, 0, -1):
        j = below(i + 1, seed, SHUFFLE, step, n - 1 - i)
        items[i], items[j] = items[j], items[i]


def permutation(length: int, *, seed: int = 0, step: int = 0) -> list[int]:
    """Return the integers below `length` in the random order of seed and step."""
    _expect_bits("length", length, 31)
    order = list(range(length))
    shuffle(order, seed, step)
    return order


def ln(x: float) -> float:
    """Return the natural logarithm of a positive number.

    x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s) with s = (m-1)/(m+1),
    |s| < 0.172, by its series s (1 + s^2/3 + s^4/5 + ...).
    """
    m, e = math.frexp(x)
    if m < 0.7071067811865476:
        m, e = m * 2.0, e - 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 1.0 / 23.0
    for k in range(10, -1, -1):
        p = p * q + 1.0 / (2 * k + 1)
    return e * 0.6931471805599453 + 2.0 * s * p


def cos2pi(v: float) -> float:
    """Return cos(2 pi v), v in [0, 1): Taylor's series within a quarter turn."""
    quarter = math.floor(4.0 * v)
    t = (4.0 * v - quarter) * 1.5707963267948966
    q = t * t
    cosine = sine = 1.0
    for n in range(12, 0, -1):
        cosine = 1.0 - cosine * q / ((2 * n - 1) * (2 * n))
        sine = 1.0 - sine * q / ((2 * n) * (2 * n + 1))
    sine *= t
    return (cosine, -sine, -cosine, sine)[quarter]
