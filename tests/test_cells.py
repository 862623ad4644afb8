"""Every net of the table against the reference and central differences, by ticks."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nets
import oracle
import recurrentnn as rnn
from cases import MODELS, ModelCase, spread
from differences import DIFFERENCE_BOUND, richardson
from recurrentnn import reference as ref
from support import assert_close, tolerance

Array = NDArray[np.float64]

EVERY_NET = pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)


def weight_of_tick(case: ModelCase, tick: int) -> Array:
    """How much each output of a tick counts in the loss; no two count the same."""
    return spread(nets.output_size(case), nets.BATCH, 0.5, 1.5, shift=60 + tick)


def run(
    graph: Any, net: Any, inputs: list[Any], state: Any, weights: list[Any]
) -> tuple[list[Any], Any]:
    """Go through the ticks; return every step and the loss.

    loss = sum over ticks of sum(weight * output^2) + sum(final state^2)
    """
    steps, terms = [], []
    for x, weight in zip(inputs, weights, strict=True):
        state = net.forward(graph, x, state)
        steps.append(state)
        terms.append(graph.sum(graph.mul(weight, graph.square(state.output))))
    terms += [graph.sum(graph.square(m)) for m in (*state.hidden, *state.cell)]
    return steps, graph.add(*terms)


@EVERY_NET
def test_a_net_equals_the_reference_over_ticks_in_values_and_all_gradients(
    case: ModelCase, dtype: str
) -> None:
    ours, theirs = nets.stirred(case, dtype)
    hidden, cell = (
        [np.asarray(a.astype(dtype), dtype=np.float64) for a in vectors]
        for vectors in nets.start(case)
    )
    weights = [weight_of_tick(case, tick) for tick in range(nets.TICKS)]
    weights = [w.astype(dtype).astype(np.float64) for w in weights]
    ticks = [x.astype(dtype).astype(np.float64) for x in nets.features(case)]

    if case.takes_symbols:
        our_inputs: list[Any] = list(nets.symbols(case).T)
        their_inputs: list[Any] = nets.symbols(case).T.tolist()
    else:
        our_inputs = [rnn.Matrix(x, dtype=dtype) for x in ticks]
        their_inputs = [oracle.to_reference(x) for x in ticks]
    our_hidden = tuple(rnn.Matrix(h, dtype=dtype) for h in hidden)
    our_cell = tuple(rnn.Matrix(c, dtype=dtype) for c in cell)
    their_hidden = tuple(oracle.to_reference(h) for h in hidden)
    their_cell = tuple(oracle.to_reference(c) for c in cell)

    g = rnn.Graph()
    begin = rnn.Step(our_hidden, our_cell, our_hidden[-1])
    steps, loss = run(g, ours, our_inputs, begin, weights)
    g.backward(loss)
    r = ref.Graph()
    twin = ref.Step(their_hidden, their_cell, their_hidden[-1])
    their_weights = [oracle.to_reference(w) for w in weights]
    their_steps, their_loss = run(r, theirs, their_inputs, twin, their_weights)
    r.backward(their_loss)

    bound = tolerance(dtype)
    assert_close(loss.value, oracle.value(their_loss), bound, "loss")
    for tick, (step, their_step) in enumerate(zip(steps, their_steps, strict=True)):
        for kind in ("hidden", "cell"):
            pairs = zip(getattr(step, kind), getattr(their_step, kind), strict=True)
            for layer, (m, their_m) in enumerate(pairs):
                name = f"tick {tick}: {kind} {layer}"
                assert_close(m.value, oracle.value(their_m), bound, name)
        expected = oracle.value(their_step.output)
        assert_close(step.output.value, expected, bound, f"tick {tick}: output")

    bound = tolerance(dtype, "gradient")
    for name, matrix in ours.parameters().items():
        expected = oracle.gradient(theirs.parameters()[name])
        assert_close(matrix.grad, expected, bound, name)
        assert expected.any(), f"{name} takes no part in the loss"
    for m, their_m in zip(
        (*our_hidden, *our_cell), (*their_hidden, *their_cell), strict=True
    ):
        assert_close(m.grad, oracle.gradient(their_m), bound, "initial state")
    if not case.takes_symbols:
        for m, their_m in zip(our_inputs, their_inputs, strict=True):
            assert_close(m.grad, oracle.gradient(their_m), bound, "input")


def inputs_of(case: ModelCase) -> list[Any]:
    if case.takes_symbols:
        return list(nets.symbols(case).T)
    return [rnn.Matrix(x, dtype="float64") for x in nets.features(case)]


@EVERY_NET
def test_the_gradients_of_a_net_equal_central_differences(case: ModelCase) -> None:
    net, _ = nets.stirred(case)
    weights = [weight_of_tick(case, tick) for tick in range(nets.TICKS)]

    def loss_of(matrix: rnn.Matrix, values: Array) -> float:
        kept = matrix.value.copy()
        matrix.value = values
        off = rnn.Graph(recording=False)
        _, loss = run(off, net, inputs_of(case), None, weights)
        matrix.value = kept
        return float(loss)

    g = rnn.Graph()
    _, loss = run(g, net, inputs_of(case), None, weights)
    g.backward(loss)
    for name, matrix in net.parameters().items():
        slope = richardson(partial(loss_of, matrix), matrix.value.copy())
        assert_close(matrix.grad, slope, DIFFERENCE_BOUND, name)


@EVERY_NET
def test_a_tick_without_a_state_starts_from_zeros(case: ModelCase) -> None:
    net, _ = nets.stirred(case)
    x = inputs_of(case)[0]
    zeros = tuple(
        rnn.Matrix.zeros(n, nets.BATCH, dtype="float64") for n in nets.hidden_rows(case)
    )
    g = rnn.Graph(recording=False)
    fresh = net.forward(g, x)
    cells = tuple(
        rnn.Matrix.zeros(n, nets.BATCH, dtype="float64") for n in case.hidden_sizes
    )
    begin = rnn.Step(zeros, cells if nets.has_cell(case) else (), zeros[-1])
    zeroed = net.forward(g, x, begin)
    np.testing.assert_array_equal(fresh.output.value, zeroed.output.value)
    assert len(fresh.hidden) == len(case.hidden_sizes)
    assert len(fresh.cell) == (len(case.hidden_sizes) if nets.has_cell(case) else 0)
    assert fresh[-1] is fresh.output


@EVERY_NET
def test_a_sample_alone_equals_the_sample_in_its_batch(case: ModelCase) -> None:
    net, _ = nets.stirred(case)
    batched = alone = None
    g = rnn.Graph(recording=False)
    for x in inputs_of(case):
        batched = net.forward(g, x, batched)
        one = x[1:2] if case.takes_symbols else x.slice_columns(1, 2)
        alone = net.forward(g, one, alone)
        np.testing.assert_array_equal(batched.output.value[:, 1:2], alone.output.value)
