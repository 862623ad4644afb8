"""What training drops, in both directions and in rows of any length."""

from typing import Any

import numpy as np
import pytest

import nets
import oracle
import recurrentnn as rnn
from cases import ModelCase
from recurrentnn import reference as ref
from regulariser_cases import TOGETHER
from support import assert_close, tolerance

BOTH: dict[str, Any] = TOGETHER | {"bidirectional": True, "learned_state": True}
MEMORY: dict[str, Any] = {"zoneout_cell": 0.3, "cell_clip": 0.6}
DEEP = {"residual": True, "input_to_all": True, "all_to_output": True}
CASES = (
    ModelCase("rnn", "rnn", (4, 3), BOTH),
    ModelCase("rnn", "rnn normalised", (7, 7), BOTH | DEEP | {"layer_norm": True}),
    ModelCase("lstm", "lstm", (4, 3), BOTH | MEMORY | {"peepholes": True}),
    ModelCase("lstm", "projected", (4, 4), BOTH | MEMORY | {"projection_size": 2}),
    ModelCase(
        "lstm",
        "projected, mean",
        (5, 5),
        BOTH | DEEP | {"projection_size": 3, "merge": "mean", "coupled_gates": True},
    ),
    ModelCase(
        "lstm", "apart", (4, 4), BOTH | DEEP | {"merge": "none"}, output_size=None
    ),
    ModelCase("gru", "gru", (4, 3), BOTH | {"variational": True, "merge": "sum"}),
    ModelCase("gru", "gru normalised", (7, 6), BOTH | {"layer_norm": True}),
    ModelCase("lstm", "forward", (4, 4), TOGETHER | MEMORY | {"residual": True}),
    ModelCase("gflstm", "feedback", (4, 3), TOGETHER | MEMORY),
)
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

YES, NO = True, False
RESET = [[NO, NO, YES, NO, NO], [YES, NO, NO, NO, YES], [NO] * 5]
MASK = [[YES, NO, YES, YES, YES], [YES, YES, NO, YES, YES], [NO, NO, YES, NO, NO]]
CUTS: tuple[dict[str, Any], ...] = (
    {},
    {"lengths": [2, 5, 0]},
    {"lengths": [5, 3, 4], "reset": RESET},
    {"mask": MASK, "reset": RESET},
)


def trained(net: Any, x: Any, graph: Any, cuts: dict[str, Any]) -> list[Any]:
    """Return output, states and the gradients of a call in training."""
    net.zero_grad()
    net.dropout_step = 3
    with graph as g:
        y, state = net(x, **cuts)
        ys = list(y) if isinstance(y, tuple) else [y]
        values = [*ys, *state.hidden, *state.cell]
        loss = (values[0] * values[0]).sum()
        for m in values[1:]:
            loss = loss + (m * m).sum()
    g.backward(loss)
    assert net.dropout_step == 4
    grads = [oracle.gradient(m) for m in net.parameters().values()]
    return [oracle.value(m) for m in values] + grads


@EVERY
@pytest.mark.parametrize("cuts", CUTS, ids=lambda cuts: " ".join(cuts) or "dense")
def test_rows_in_training_have_the_numbers_of_the_reference(
    case: ModelCase, cuts: dict[str, Any]
) -> None:
    ours, theirs = nets.stirred(case)
    x = nets.symbols(case)
    found = trained(ours, x, rnn.Graph(), cuts)
    expected = trained(theirs, x.tolist(), ref.Graph(), cuts)
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert_close(a, b, tolerance("float64", "gradient"), str(number))
    value, _ = ours(x, **cuts)
    plain, _ = theirs(x.tolist(), **cuts)
    halves = zip(value, plain, strict=True) if isinstance(value, tuple) else None
    for a, b in halves or [(value, plain)]:
        assert_close(a, b, tolerance("float64"), "outside of a graph")


@EVERY
def test_a_row_has_the_masks_that_it_has_alone(case: ModelCase, dtype: str) -> None:
    """The first row, for a row's number is part of a mask's address."""
    net, _ = nets.stirred(case, dtype)
    x, lengths = nets.symbols(case), [2, 5, 3]

    def first(x: Any, **options: Any) -> list[Any]:
        net.dropout_step = 3
        with rnn.Graph():
            y, state = net(x, **options)
        ys = y if isinstance(y, tuple) else (y,)
        states = (*state.hidden, *state.cell)
        return [*(m.value[:, :2] for m in ys), *(m.value[:, :1] for m in states)]

    together, alone = first(x, lengths=lengths), first(x[:1, :2])
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a, b)
