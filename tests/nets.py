"""Building the nets of the cases, ours and the reference's, and their input."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import oracle
import recurrentnn as rnn
from cases import CLASSES, ModelCase, spread
from recurrentnn import reference as ref

Array = NDArray[np.float64]

BATCH = 3
TICKS = 5


def build(case: ModelCase, dtype: str = "float64", seed: int = 3) -> Any:
    """Build the net of a case.

    It is any type: what a call gives, a matrix or an array, is known at run time.
    """
    return getattr(rnn, CLASSES[case.cell])(
        case.input_size,
        list(case.hidden_sizes),
        case.output_size,
        seed=seed,
        dtype=dtype,
        **case.options,
    )


def build_reference(case: ModelCase, seed: int = 3) -> Any:
    """Build the same net in the reference."""
    return getattr(ref, CLASSES[case.cell])(
        case.input_size,
        list(case.hidden_sizes),
        case.output_size,
        seed=seed,
        **case.options,
    )


def stirred(case: ModelCase, dtype: str = "float64") -> tuple[Any, Any]:
    """Build both nets with equal parameters, no bias of which is 0."""
    ours, theirs = build(case, dtype), build_reference(case)
    # The relu is unbounded: five ticks of large weights leave the range of float32.
    oracle.stir(ours, 0.15 if case.options.get("activation") == "relu" else 0.3)
    oracle.copy_parameters(ours, theirs)
    return ours, theirs


def output_size(case: ModelCase) -> int:
    """Rows of the output; without a decoder, the top layer's."""
    return hidden_rows(case)[-1] if case.output_size is None else case.output_size


def hidden_rows(case: ModelCase) -> list[int]:
    """Rows of each layer's hidden vector."""
    return [case.options.get("projection_size", size) for size in case.hidden_sizes]


def symbols(case: ModelCase) -> NDArray[np.int64]:
    """Symbols, (batch, time)."""
    count = BATCH * TICKS
    return (np.arange(count) * 7 % case.input_size).reshape(BATCH, TICKS)


def features(case: ModelCase) -> list[Array]:
    """Return the input of every tick, (features, batch)."""
    return [spread(case.input_size, BATCH, shift=tick) for tick in range(TICKS)]


def has_cell(case: ModelCase) -> bool:
    """Whether the state has a cell vector beside the hidden one."""
    return ref.Model(case.cell, 1, 1, None).layers[0].has_cell


def start(case: ModelCase) -> tuple[list[Array], list[Array]]:
    """Return an initial state: hidden and cell vectors, (size, batch)."""
    sizes = case.hidden_sizes
    rows = hidden_rows(case)
    hidden = [spread(n, BATCH, -0.9, 0.9, shift=20 + k) for k, n in enumerate(rows)]
    cell = [spread(n, BATCH, -0.9, 0.9, shift=40 + k) for k, n in enumerate(sizes)]
    return hidden, cell if has_cell(case) else []
