"""Choosing the next symbol, and going on from one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .graph import Graph
from .ieee import total
from .random import SAMPLE, uniform
from .shape import expect
from .state import State, Step

if TYPE_CHECKING:
    from .model import Model


def greedy(logits: Sequence[float]) -> int:
    """Return the most probable symbol; the first of equals."""
    _expect_finite(logits)
    return list(logits).index(max(logits))


def draw(logits: Sequence[float], temperature: float, u: float) -> int:
    """Return the symbol that u in [0, 1) picks from p = softmax(logits / temperature).

    The first k with p_0 + ... + p_k > u; for u = 1, were it drawn, the last with
    p_k > 0: never past the end.

    Raises
    ------
    ValueError
        Unless 0 < temperature < inf.
    ArithmeticError
        If a logit is not finite.
    """
    expect(
        0.0 < temperature < math.inf,
        f"sample: temperature must be finite and above 0 but is {temperature}",
    )
    _expect_finite(logits)
    largest = max(logits)
    # p up to a factor: weights / total
    weights = [math.exp((x - largest) / temperature) for x in logits]
    whole, cumulative, last = total(weights), 0.0, 0
    for k, weight in enumerate(weights):
        cumulative += weight
        if cumulative > u * whole:
            return k
        if weight > 0.0:
            last = k
    return last


def generate(
    model: Model,
    prime: Sequence[int],
    length: int,
    *,
    temperature: float = 1.0,
    greedy: bool = False,
    seed: int = 0,
    stop: int | None = None,
    state: State | None = None,
) -> tuple[list[int], State]:
    """Feed `prime`, then choose symbol after symbol.

    Parameters
    ----------
    prime
        At least one symbol.
    length
        How many to choose at most.
    temperature, greedy
        Draw number k of the seed's stream picks the k-th symbol, unless greedy.
    stop
        The symbol that ends it; not among the returned.
    state
        Where to go on from; None: zeros.

    Returns
    -------
    symbols, state
        What was chosen, without the prime; the state after reading all but the last
        symbol, with which another call would go on.
    """
    expect(len(prime) > 0, "generate: prime must hold at least one symbol")
    graph = Graph(recording=False)
    prev: Step | State | None = state
    for symbol in prime[:-1]:
        prev = model.forward(graph, symbol, prev)
    symbol, chosen = prime[-1], list[int]()
    for k in range(length):
        prev = model.forward(graph, symbol, prev)
        symbol = choose(prev.output.value, temperature, greedy, seed, k)
        if symbol == stop:
            break
        chosen.append(symbol)
    if prev is None:
        prev = model.initial_state(1)
    return chosen, State(prev.hidden, prev.cell)


def choose(
    logits: Sequence[float], temperature: float, most_probable: bool, seed: int, k: int
) -> int:
    """Return the k-th symbol of a seed's stream, or the most probable one."""
    if most_probable:
        return greedy(logits)
    return draw(logits, temperature, uniform(seed, SAMPLE, 0, k))


def _expect_finite(logits: Sequence[float]) -> None:
    expect(len(logits) > 0, "sample: logits must not be empty")
    for k, x in enumerate(logits):
        expect(math.isfinite(x), f"sample: logit {k} is {x}", ArithmeticError)
