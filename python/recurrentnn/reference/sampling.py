"""How the next symbol is chosen, by the steps that stand in `choose`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .ieee import total
from .shape import expect


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The options of `choose`, in the order in which they are applied."""

    repetition_penalty: float = 1.0
    repetition_window: int | None = None
    allowed: Sequence[int] | None = None
    banned: Sequence[int] = ()
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        """Refuse what is outside its domain."""

        def check(name: str, rule: str, holds: bool) -> None:
            given = getattr(self, name)
            expect(holds, f"sample: {name} must be {rule} but is {given}")

        r, window = self.repetition_penalty, self.repetition_window
        check("repetition_penalty", "finite and above 0", 0.0 < r < math.inf)
        check("repetition_window", "at least 1", window is None or window >= 1)
        t, k = self.temperature, self.top_k
        check("temperature", "finite and above 0", 0.0 < t < math.inf)
        check("top_k", "at least 1", k is None or k >= 1)
        p, m = self.top_p, self.min_p
        check("top_p", "above 0 and at most 1", p is None or 0.0 < p <= 1.0)
        check("min_p", "from 0 to 1", m is None or 0.0 <= m <= 1.0)


def choose(
    logits: Sequence[float], options: Sampling, before: Sequence[int], u: float
) -> int:
    """Return the symbol that u in [0, 1) picks.

    Parameters
    ----------
    logits
        x, one per symbol.
    options
        1. x/r, or x r unless x > 0, of the symbols before (Keskar et al. 2019).
        2. Only symbols that are allowed and not banned. Greedy: the largest x, the
           first of equals; nothing below happens.
        3. p = softmax(x / temperature).
        4. The `top_k` with the largest x, the first of equals.
        5. Of these the fewest, the largest first, whose p sum to at least `top_p` of
           what is left.
        6. Of these those whose p is at least `min_p` times the largest.
        7. The first, by number, whose cumulative p exceeds u.
    before
        The prime and the symbols chosen.
    u
        The draw.

    Raises
    ------
    ValueError
        If no symbol is left to be chosen.
    ArithmeticError
        If a logit is not finite.
    """
    expect_finite(logits)
    if options.repetition_window is not None:
        before = before[-options.repetition_window :]
    x = list(logits)
    if options.repetition_penalty != 1.0:
        for k in set(before):
            x[k] = penalised(x[k], options.repetition_penalty)
    kept = open_symbols(options, len(x))
    ranked = sorted(kept, key=lambda k: (-x[k], k))
    largest = x[ranked[0]]
    if options.greedy:
        return ranked[0]
    # p up to a factor.
    p = [math.exp(min(0.0, xk - largest) / options.temperature) for xk in x]
    if options.top_k is not None:
        kept = sorted(ranked[: options.top_k])
    if options.top_p is not None and options.top_p < 1.0:
        share = options.top_p * total(p[k] for k in kept)
        kept = sorted(fewest([k for k in ranked if k in kept], p, share))
    if options.min_p is not None:
        kept = [k for k in kept if p[k] >= options.min_p]
    return first_beyond(kept, p, u)


def penalised(x: float, r: float) -> float:
    """Return x/r for x > 0, else x r; what overflows is the largest number."""
    largest = math.nextafter(math.inf, 0.0)
    return max(-largest, min(largest, x / r if x > 0.0 else x * r))


def open_symbols(options: Sampling, symbols: int) -> list[int]:
    """Return the symbols that are allowed and not banned, ascending."""
    allowed = range(symbols) if options.allowed is None else options.allowed
    left = sorted(set(allowed) - set(options.banned))
    expect(len(left) > 0, "sample: allowed and banned must leave a symbol")
    return left


def fewest(ranked: Sequence[int], p: Sequence[float], share: float) -> list[int]:
    """Return the first symbols, at least one, whose p sum to at least a share."""
    kept, cumulative = list[int](), 0.0
    for k in ranked:
        kept.append(k)
        cumulative += p[k]
        if cumulative >= share:
            break
    return kept


def first_beyond(kept: Sequence[int], p: Sequence[float], u: float) -> int:
    """Return the first whose cumulative p exceeds u of all; never past the end."""
    whole, cumulative, last = total(p[k] for k in kept), 0.0, 0
    for k in kept:
        cumulative += p[k]
        if cumulative > u * whole:
            return k
        if p[k] > 0.0:
            last = k
    return last


def expect_finite(logits: Sequence[float]) -> None:
    """Refuse logits that are NaN or infinite, and none at all."""
    expect(len(logits) > 0, "sample: logits must not be empty")
    for k, x in enumerate(logits):
        expect(math.isfinite(x), f"sample: logit {k} is {x}", ArithmeticError)
