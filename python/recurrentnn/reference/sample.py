"""Going on from symbols, and how probable those of a text are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .graph import Graph
from .ieee import total
from .random import SAMPLE, uniform
from .sampling import Sampling, choose, expect_finite, open_symbols
from .shape import expect
from .state import State, Step

if TYPE_CHECKING:
    from .model import Model


def greedy(logits: Sequence[float]) -> int:
    """Return the most probable symbol; the first of equals."""
    return choose(logits, Sampling(greedy=True), (), 0.0)


def draw(logits: Sequence[float], temperature: float, u: float) -> int:
    """Return the symbol that u in [0, 1) picks from p = softmax(logits / temperature).

    The first k with p_0 + ... + p_k > u; for u = 1, were it drawn, the last with
    p_k > 0: never past the end.
    """
    return choose(logits, Sampling(temperature=temperature), (), u)


def generate(
    model: Model,
    prime: Sequence[int],
    length: int,
    *,
    temperature: float = 1.0,
    greedy: bool = False,
    seed: int = 0,
    stop: int | Sequence[Sequence[int]] = (),
    state: State | None = None,
    sampling: Sampling | None = None,
    sample: int = 0,
    position: int = 0,
    history: Sequence[int] = (),
) -> tuple[list[int], State]:
    """Feed `prime`, then choose symbol after symbol.

    Parameters
    ----------
    prime
        At least one symbol.
    length
        How many to choose at most.
    temperature, greedy
        Short for a `sampling` with these.
    seed, sample, position
        Draw number position + k of stream number `sample` of the seed picks the k-th
        symbol.
    stop
        The symbol that ends it, or sequences any of which does; not among the returned.
    state
        Where to go on from; None: zeros.
    history
        Symbols that the state has read and a repetition penalty knows of.

    Returns
    -------
    symbols, state
        What was chosen, without the prime; the state after reading all but the last
        symbol, with which another call would go on.
    """
    expect(len(prime) > 0, "generate: prime must hold at least one symbol")
    options = sampling or Sampling(temperature=temperature, greedy=greedy)
    stops = [[stop]] if isinstance(stop, int) else stop
    graph = Graph(recording=False)
    prev: Step | State | None = state
    for symbol in prime[:-1]:
        prev = model.forward(graph, symbol, prev)
    symbol, chosen = prime[-1], list[int]()
    for k in range(length):
        prev = model.forward(graph, symbol, prev)
        u = uniform(seed, SAMPLE, sample, position + k)
        before = [*history, *prime, *chosen]
        symbol = choose(prev.output.value, options, before, u)
        chosen.append(symbol)
        reached = [len(s) for s in stops if chosen[-len(s) :] == list(s)]
        if reached:
            del chosen[-max(reached) :]
            break
    if prev is None:
        prev = model.initial_state(1)
    return chosen, State(prev.hidden, prev.cell)


def score(model: Model, symbols: Sequence[int]) -> list[float]:
    """Return ln P of every symbol but the first, given those before."""
    graph, prev, result = Graph(recording=False), None, list[float]()
    for symbol, following in pairwise(symbols):
        prev = model.forward(graph, symbol, prev)
        result.append(log_softmax(prev.output.value)[following])
    return result


class Hypothesis(NamedTuple):
    """A continuation, its ln P with the stop, and what it is ranked by."""

    symbols: list[int]
    log_probability: float
    score: float
    ended: bool


def beam_search(
    model: Model,
    prime: Sequence[int],
    length: int,
    *,
    width: int = 4,
    length_penalty: float = 1.0,
    stop: Sequence[int] = (),
    allowed: Sequence[int] | None = None,
    banned: Sequence[int] = (),
) -> list[Hypothesis]:
    """Return the best continuations found, the best first.

    A continuation y is ranked by ln P(y) / |y|^length_penalty; a stop counts in both.
    In each step all continuations by one symbol are ranked by ln P. The best `width`
    that no stop ends go on; those of the best `width` that one ends are kept, the best
    `width` by their rank, as are those that reach the length.
    """
    graph, state = Graph(recording=False), None
    for symbol in prime[:-1]:
        state = model.forward(graph, symbol, state)
    options = open_symbols(Sampling(allowed=allowed, banned=banned), model.input_size)
    going = [(list[int](), 0.0, state)]
    ended = list[Hypothesis]()

    def kept(found: list[Hypothesis]) -> list[Hypothesis]:
        return sorted(found, key=lambda h: -h.score)[:width]

    def hypothesis(y: list[int], log_p: float, n: int, end: bool) -> Hypothesis:
        return Hypothesis(y, log_p, log_p / max(n, 1) ** length_penalty, end)

    for n in range(1, length + 1):
        steps = [model.forward(graph, (y or prime)[-1], s) for y, _, s in going]
        logs = [log_softmax(step.output.value) for step in steps]
        ranked = sorted(
            (-(going[b][1] + logs[b][k]), b, k)
            for b in range(len(going))
            for k in options
        )
        best = [(going[b][0], -cost, k) for cost, b, k in ranked[:width] if k in stop]
        ended = kept(ended + [hypothesis(y, log_p, n, True) for y, log_p, _ in best])
        rest = [(cost, b, k) for cost, b, k in ranked if k not in stop][:width]
        going = [([*going[b][0], k], -cost, steps[b]) for cost, b, k in rest]
    return kept(ended + [hypothesis(y, log_p, length, False) for y, log_p, _ in going])


def log_softmax(x: Sequence[float]) -> list[float]:
    """Return x - ln(sum of exp(x))."""
    expect_finite(x)
    largest = max(x)
    norm = largest + math.log(total(math.exp(xk - largest) for xk in x))
    return [xk - norm for xk in x]
