"""The one table of cases: ops, models and optimizers.

Each family is listed once here and every test that walks a family walks this
table, so that a new member needs a row and no new test. The tables are held
against `recurrentnn._recurrentnn.OPS`, `CELLS` and `OPTIMIZERS` by
`test_completeness.py`.

Operands are float64 arrays made without randomness: a golden-ratio sequence,
well spread and free of ties. `signed` stays 0.3 away from zero, where abs, relu and
their kin have their kink.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn import models

Array = NDArray[np.float64]

GOLDEN = (5.0**0.5 - 1.0) / 2.0


def spread(
    rows: int, cols: int, low: float = -1.5, high: float = 1.5, shift: int = 0
) -> Array:
    """Distinct values that fill [low, high): low + (high-low) * frac(k*golden)."""
    k = np.arange(1, rows * cols + 1, dtype=np.float64) + 1000.0 * shift
    return (low + (high - low) * np.mod(k * GOLDEN, 1.0)).reshape(rows, cols)


def signed(rows: int, cols: int, shift: int = 0) -> Array:
    """Values of both signs, of magnitude 0.3 to 1.9."""
    sign = np.where(spread(rows, cols, 0.0, 1.0, shift + 7) < 0.5, -1.0, 1.0)
    return sign * spread(rows, cols, 0.3, 1.9, shift)


def positive(rows: int, cols: int, shift: int = 0) -> Array:
    """Values in [0.3, 2.5): inside the domain of log, sqrt and every power."""
    return spread(rows, cols, 0.3, 2.5, shift)


@dataclass(frozen=True, eq=False)
class OpCase:
    """One call of one op.

    The same array object twice among `operands` means the same matrix twice.
    `fixed` lists operands that get no gradient. A case that is not `smooth` sits
    at a kink, a tie or a domain edge, where central differences mean nothing.
    """

    op: str
    about: str
    operands: tuple[Array, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    fixed: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.op}: {self.about}"

    @property
    def is_empty(self) -> bool:
        return any(operand.size == 0 for operand in self.operands)

    @property
    def is_aliased(self) -> bool:
        return len({id(operand) for operand in self.operands}) < len(self.operands)


# --- elementwise ------------------------------------------------------------

# The last shape is longer than any vector register and no multiple of one.
SHAPES = ((3, 4), (1, 1), (5, 1), (1, 6), (0, 3), (3, 0), (0, 0), (37, 5))

Maker = Callable[[int, int], Array]

ELEMENTWISE: tuple[tuple[str, str, Maker, dict[str, Any]], ...] = (
    ("tanh", "", signed, {}),
    ("sigmoid", "", signed, {}),
    ("relu", "", signed, {}),
    ("relu", "slope_at_zero=1", signed, {"slope_at_zero": 1.0}),
    ("neg", "", signed, {}),
    ("exp", "", signed, {}),
    ("log", "", positive, {}),
    ("sqrt", "", positive, {}),
    ("square", "", signed, {}),
    ("abs", "", signed, {}),
    ("softplus", "", signed, {}),
    ("gelu", "", signed, {}),
    ("hard_sigmoid", "inside", signed, {}),
    ("hard_sigmoid", "outside", lambda r, c: 4.0 * np.sign(signed(r, c)), {}),
    ("scale", "-2.5", signed, {"factor": -2.5}),
    ("scale", "0", signed, {"factor": 0.0}),
    ("shift", "0.75", signed, {"amount": 0.75}),
    ("pow", "2.5", positive, {"exponent": 2.5}),
    ("pow", "-1", signed, {"exponent": -1.0}),
    ("pow", "3 of negatives", signed, {"exponent": 3.0}),
    ("pow", "0", signed, {"exponent": 0.0}),
    ("clip", "", signed, {"low": -1.0, "high": 0.2}),
    ("elu", "", signed, {}),
    ("elu", "alpha=0.5", signed, {"alpha": 0.5}),
    ("leaky_relu", "", signed, {}),
    ("leaky_relu", "slope=0.3", signed, {"slope": 0.3}),
    ("dropout", "rate 0.5", signed, {"rate": 0.5, "seed": 3}),
    ("dropout", "rate 0.1 step 9", signed, {"rate": 0.1, "seed": 3, "step": 9}),
    ("dropout", "rate 0", signed, {"rate": 0.0, "seed": 1}),
)

# What is defined at a kink, a domain edge or far out: op, values, attributes.
EDGES: tuple[tuple[str, list[float], dict[str, Any]], ...] = (
    ("relu", [-1.0, 0.0, 2.0], {}),
    ("relu", [-1.0, 0.0, 2.0], {"slope_at_zero": 1.0}),
    ("relu", [-1.0, 0.0, 2.0], {"slope_at_zero": 0.5}),
    ("abs", [-1.0, 0.0, 2.0], {}),
    ("clip", [-2.0, -1.0, 0.0, 0.5, 3.0], {"low": -1.0, "high": 0.5}),
    ("clip", [-2.0, 0.25, 3.0], {"low": 0.25, "high": 0.25}),
    ("elu", [-1.0, 0.0, 2.0, -800.0, 800.0], {"alpha": 1.5}),
    ("leaky_relu", [-1.0, 0.0, 2.0], {"slope": 0.2}),
    ("hard_sigmoid", [-4.0, -3.0, 0.0, 3.0, 4.0], {}),
    ("sqrt", [0.0, 4.0], {}),
    ("tanh", [-800.0, -20.0, 0.0, 1e-8, 20.0, 800.0], {}),
    ("sigmoid", [-800.0, -40.0, 0.0, 40.0, 800.0], {}),
    ("softplus", [-800.0, -40.0, 0.0, 40.0, 800.0], {}),
    ("gelu", [-40.0, -6.0, 0.0, 6.0, 40.0], {}),
    ("exp", [-800.0, 0.0, 5.0], {}),
    ("log", [1e-30, 1.0, 1e30], {}),
    ("square", [0.0, -3.0], {}),
    ("pow", [0.0, 2.0], {"exponent": 2.0}),
)

NOT_A_NUMBER = tuple(
    dict.fromkeys(
        (op, tuple(attributes.items())) for op, _, _, attributes in ELEMENTWISE
    )
)


def elementwise_cases() -> Iterator[OpCase]:
    for op, about, make, attributes in ELEMENTWISE:
        for rows, cols in SHAPES:
            label = f"{about} {rows}x{cols}".strip()
            yield OpCase(op, label, (make(rows, cols),), attributes)
    for op, values, attributes in EDGES:
        label = f"at {values} {attributes or ''}".strip()
        yield OpCase(op, label, (np.array([values]),), attributes, smooth=False)


# --- broadcasting and pairs -------------------------------------------------

BROADCASTS = (
    ((3, 4), (3, 4)),
    ((3, 4), (3, 1)),
    ((3, 1), (3, 4)),
    ((3, 4), (1, 4)),
    ((1, 4), (3, 4)),
    ((3, 4), (1, 1)),
    ((1, 1), (3, 4)),
    ((3, 1), (1, 4)),
    ((1, 4), (3, 1)),
    ((1, 1), (1, 1)),
    ((37, 5), (37, 1)),
    ((37, 5), (1, 5)),
    ((0, 4), (0, 4)),
    ((0, 4), (1, 4)),
    ((3, 0), (3, 1)),
    ((1, 1), (0, 0)),
)

TIED = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
CONDITION = np.array([[1.0, 0.0, -2.0, 0.0], [0.0, 0.5, 1.0, 1.0]])


def pair_cases() -> Iterator[OpCase]:
    x = signed(3, 4)
    for op in ("add", "sub", "mul", "div"):
        for left, right in BROADCASTS:
            label = f"{left[0]}x{left[1]} and {right[0]}x{right[1]}"
            yield OpCase(op, label, (signed(*left), signed(*right, shift=1)))
        yield OpCase(op, "a matrix with itself", (x, x))
    yield OpCase("add", "one operand", (x,))
    yield OpCase("add", "a matrix three times", (x, x, x))
    yield OpCase(
        "add",
        "full, column, row and 1x1",
        tuple(signed(*s) for s in ((3, 4), (3, 1), (1, 4), (1, 1))),
    )
    yield OpCase(
        "add", "column, row, column", (signed(3, 1), signed(1, 4), signed(3, 1))
    )
    for op in ("maximum", "minimum"):
        for rows, cols in SHAPES:
            pair = (spread(rows, cols), spread(rows, cols, shift=1))
            yield OpCase(op, f"{rows}x{cols}", pair)
        yield OpCase(op, "ties", (TIED, TIED * [1.0, 0.5, 1.0]), smooth=False)
        # The two halves of a tie add up: with itself the op is smooth again.
        yield OpCase(op, "a matrix with itself", (x, x))
    a, b = signed(2, 4), signed(2, 4, shift=1)
    yield OpCase("where", "2x4", (CONDITION, a, b), fixed=(0,))
    yield OpCase("where", "both branches one matrix", (CONDITION, a, a), fixed=(0,))
    yield OpCase("where", "0x3", tuple(signed(0, 3, s) for s in range(3)), fixed=(0,))
    yield OpCase(
        "where", "1x1", (np.zeros((1, 1)), signed(1, 1), -signed(1, 1)), fixed=(0,)
    )


# --- products and shapes ----------------------------------------------------

PRODUCTS = (
    (3, 4, 5),
    (1, 1, 1),
    (4, 1, 3),
    (1, 5, 1),
    (5, 3, 1),
    (33, 17, 9),
    (65, 40, 70),
    (3, 0, 4),
    (0, 3, 2),
    (3, 2, 0),
    (0, 0, 0),
)


def shape_cases() -> Iterator[OpCase]:
    for m, k, n in PRODUCTS:
        pair = (spread(m, k), spread(k, n, shift=1))
        # The differences of every element of the largest would take too long.
        few = m * k * n < 10_000
        yield OpCase("matmul", f"{m}x{k} by {k}x{n}", pair, smooth=few)
    x = signed(3, 3)
    yield OpCase("matmul", "a matrix with itself", (x, x))
    for op, last in (("concat", (0, 3)), ("concat_columns", (3, 0))):
        one, three = signed(3, 3), signed(3, 3, shift=2)
        yield OpCase(op, "one", (one,))
        yield OpCase(op, "two", (one, three))
        yield OpCase(op, "a matrix with itself and another", (one, three, one))
        yield OpCase(op, "the last is empty", (one, signed(*last)))
    yield OpCase("concat", "unequal rows", (signed(1, 4), signed(5, 4), signed(2, 4)))
    yield OpCase("concat_columns", "unequal columns", (signed(4, 1), signed(4, 5)))
    x = signed(5, 6)
    for op in ("slice_rows", "slice_columns"):
        for start, stop in ((0, 5), (1, 3), (4, 5), (2, 2), (0, 1)):
            attributes = {"start": start, "stop": stop}
            yield OpCase(op, f"{start} to {stop}", (x,), attributes)
        yield OpCase(op, "of nothing", (signed(0, 0),), {"start": 0, "stop": 0})
    for op in ("select_rows", "select_columns"):
        for indices in ([2], [0, 3, 1], [4, 4, 0, 4], [], list(range(5)) * 4):
            yield OpCase(op, f"{len(indices)}: {indices}", (x,), {"indices": indices})
        yield OpCase(op, "none of nothing", (signed(0, 0),), {"indices": []})
    for rows, cols in ((6, 5), (1, 30), (30, 1), (2, 15), (5, 6)):
        yield OpCase("reshape", f"to {rows}x{cols}", (x,), {"rows": rows, "cols": cols})
    yield OpCase("reshape", "0x3 to 4x0", (signed(0, 3),), {"rows": 4, "cols": 0})
    for rows, cols in SHAPES:
        yield OpCase("transpose", f"{rows}x{cols}", (signed(rows, cols),))


# --- reductions and columns -------------------------------------------------


def reduction_cases() -> Iterator[OpCase]:
    for rows, cols in ((3, 4), (1, 1), (5, 1), (1, 6), (37, 5)):
        x = spread(rows, cols)
        size = f"{rows}x{cols}"
        for axis in (None, 0, 1):
            yield OpCase("sum", f"{size} axis={axis}", (x,), {"axis": axis})
            yield OpCase("mean", f"{size} axis={axis}", (x,), {"axis": axis})
        for axis in (0, 1):
            yield OpCase("max", f"{size} axis={axis}", (x,), {"axis": axis})
        for op in ("softmax", "log_softmax", "logsumexp"):
            yield OpCase(op, size, (x,))
    x = spread(3, 4)
    yield OpCase("sum", "axis left out", (x,))
    yield OpCase("mean", "axis left out", (x,))
    for rows, cols in ((0, 3), (3, 0), (0, 0)):
        for axis in (None, 0, 1):
            label = f"{rows}x{cols} axis={axis}"
            yield OpCase("sum", label, (spread(rows, cols),), {"axis": axis})
    yield OpCase("mean", "3x0 axis=0", (spread(3, 0),), {"axis": 0})
    yield OpCase("mean", "0x3 axis=1", (spread(0, 3),), {"axis": 1})
    yield OpCase("max", "3x0 axis=0", (spread(3, 0),), {"axis": 0})
    yield OpCase("max", "0x3 axis=1", (spread(0, 3),), {"axis": 1})
    tied = np.array([[2.0, 1.0, 2.0], [2.0, 5.0, 5.0]])
    yield OpCase("max", "ties axis=0", (tied,), {"axis": 0}, smooth=False)
    yield OpCase("max", "ties axis=1", (tied,), {"axis": 1}, smooth=False)
    far = np.array([[1e6, -1e6, 0.0], [-1e6, -1e6, 1e6], [1e6, 3.0, 2.0]])
    for op in ("softmax", "log_softmax", "logsumexp"):
        yield OpCase(op, "3x0", (spread(3, 0),))
        yield OpCase(op, "values of +-1e6", (far,), smooth=False)
    for rows, cols in ((3, 4), (5, 1), (37, 5), (3, 0)):
        gain, bias = positive(rows, 1), signed(rows, 1)
        operands = (spread(rows, cols), gain, bias)
        yield OpCase("layer_norm", f"{rows}x{cols}", operands)
        yield OpCase("layer_norm", f"{rows}x{cols} eps=0.5", operands, {"eps": 0.5})
    column = signed(4, 1)
    yield OpCase("layer_norm", "gain and bias one matrix", (x.T.copy(), column, column))
    yield OpCase("layer_norm", "all three one matrix", (column, column, column))


# --- losses -----------------------------------------------------------------


def loss_cases() -> Iterator[OpCase]:
    op = "softmax_cross_entropy"
    logits = spread(5, 4, -3.0, 3.0)
    targets = {"targets": np.array([0, 4, 2, 2])}
    some = targets | {"mask": np.array([True, False, True, True])}
    ones = targets | {"mask": np.array([0, 0, 1, 0])}
    yield OpCase(op, "5x4", (logits,), targets)
    yield OpCase(op, "5x4 masked", (logits,), some)
    yield OpCase(op, "one column unmasked, mask of integers", (logits,), ones)
    yield OpCase(op, "targets as a list", (logits,), {"targets": [1, 1, 3, 0]})
    yield OpCase(op, "one symbol", (spread(1, 3),), {"targets": [0, 0, 0]})
    yield OpCase(op, "37x5", (spread(37, 5),), {"targets": [0, 36, 8, 15, 16]})
    far = np.array([[1e6, -1e6], [-1e6, 1e6], [0.0, 0.0]])
    yield OpCase(
        op, "logits of +-1e6, right", (far,), {"targets": [0, 1]}, smooth=False
    )
    yield OpCase(
        op, "logits of +-1e6, wrong", (far,), {"targets": [1, 0]}, smooth=False
    )
    for op in ("squared_error", "absolute_error", "huber"):
        for rows, cols in ((3, 4), (1, 1), (37, 5)):
            # 0.4 apart at least: away from |0| and from the huber's corner at 1.
            prediction = signed(rows, cols)
            target = prediction + np.where(signed(rows, cols, 3) < 0.0, -0.4, 2.2)
            yield OpCase(op, f"{rows}x{cols}", (prediction, target))
        near = (TIED, TIED * [1.0, 0.75, 1.0])
        yield OpCase(
            op, "some differences are zero", near, smooth=op != "absolute_error"
        )
        yield OpCase(op, "a matrix with itself", (TIED, TIED))
    pair = (signed(3, 4), -signed(3, 4))
    yield OpCase("huber", "delta=0.5", pair, {"delta": 0.5})
    corner = (np.array([[1.0, -1.0, 0.5]]), np.zeros((1, 3)))
    yield OpCase("huber", "at the corner", corner, smooth=False)
    op = "binary_cross_entropy"
    chance = spread(3, 4, 0.1, 0.9)
    yield OpCase(op, "3x4", (signed(3, 4), chance))
    yield OpCase(op, "37x5", (signed(37, 5), spread(37, 5, 0.1, 0.9)))
    hard = np.array([[1e6, -1e6, 1e6, -1e6]])
    yield OpCase(op, "+-1e6", (hard, np.array([[1.0, 0.0, 0.0, 1.0]])), smooth=False)
    yield OpCase(op, "a matrix with itself", (chance, chance))


OPS: tuple[OpCase, ...] = (
    *elementwise_cases(),
    *pair_cases(),
    *shape_cases(),
    *reduction_cases(),
    *loss_cases(),
)

# Ops that no empty matrix has a value for: a mean over nothing is a ShapeError.
NEVER_EMPTY = {
    "softmax_cross_entropy",
    "squared_error",
    "absolute_error",
    "huber",
    "binary_cross_entropy",
}


# --- models -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ModelCase:
    """One net: its cell, its sizes and its options.

    `embedding_size` among the options, or `symbols`, makes its input symbols.
    """

    cell: str
    about: str
    hidden_sizes: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    input_size: int = 4
    output_size: int | None = 3
    symbols: bool = False

    @property
    def name(self) -> str:
        return f"{self.cell}: {self.about}"

    @property
    def takes_symbols(self) -> bool:
        return self.symbols or "embedding_size" in self.options


# The options that every cell has.
FOR_EVERY_CELL: tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...] = (
    ("one layer", (5,), {}),
    ("two layers growing", (3, 5), {}),
    ("three layers of unequal sizes", (5, 2, 4), {}),
    ("layers of one unit", (1, 1), {}),
    ("embedding", (4, 3), {"embedding_size": 3}),
    ("input to all", (4, 2, 3), {"input_to_all": True}),
    ("all to output", (4, 2, 3), {"all_to_output": True}),
    (
        "embedding, input to all and all to output",
        (3, 4),
        {"embedding_size": 2, "input_to_all": True, "all_to_output": True},
    ),
    ("residual", (4, 4, 4), {"residual": True}),
    ("hidden clip", (4, 3), {"hidden_clip": 0.3}),
    ("init normal", (4, 3), {"init": "normal", "std": 0.3}),
    ("init uniform", (4, 3), {"init": "uniform", "std": 0.2}),
)

# Options whose nets do not all go tick by tick: `test_bidirectional.py` tries these.
FOR_SEQUENCES: dict[str, tuple[Any, ...]] = {
    "bidirectional": (True,),
    "merge": ("concat", "sum", "mean", "none"),
    "learned_state": (False, True),
}

FOR_ONE_CELL: dict[str, tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...]] = {
    "rnn": (
        ("relu", (5, 4), {"activation": "relu"}),
        ("relu, slope at zero 1", (4,), {"activation": "relu", "slope_at_zero": 1.0}),
        ("softplus", (4,), {"activation": "softplus"}),
        ("layer norm", (7, 6), {"layer_norm": True}),
    ),
    "lstm": (
        ("forget bias 0", (4, 3), {"forget_bias": 0.0}),
        ("peepholes", (4, 3), {"peepholes": True}),
        ("peepholes, init normal", (4, 3), {"peepholes": True, "init": "normal"}),
        ("coupled gates", (4, 3), {"coupled_gates": True}),
        ("cell clip", (4, 3), {"cell_clip": 0.3}),
        ("layer norm", (7, 6), {"layer_norm": True}),
        (
            "activations",
            (4, 3),
            {"activations": {"candidate": "elu", "output": "hard_sigmoid"}},
        ),
        ("linear squash", (4, 3), {"activations": {"cell": "linear"}}),
        ("projection", (4, 3), {"projection_size": 2}),
        ("projection to all", (4, 3), {"projection_size": 2, "all_to_output": True}),
        (
            "several at once",
            (9, 9),
            {
                "projection_size": 6,
                "peepholes": True,
                "coupled_gates": True,
                "layer_norm": True,
                "cell_clip": 0.6,
                "residual": True,
            },
        ),
    ),
    "gru": (
        ("reset before", (4, 3), {"reset": "before"}),
        ("layer norm", (7, 6), {"layer_norm": True}),
        ("layer norm, reset before", (5,), {"layer_norm": True, "reset": "before"}),
        ("activations", (4, 3), {"activations": {"update": "hard_sigmoid"}}),
    ),
    "gfrnn": (("relu", (5, 4), {"activation": "relu"}),),
    "gflstm": (
        ("forget bias 2.5", (4, 3), {"forget_bias": 2.5}),
        ("activations", (4, 3), {"activations": {"candidate": "softplus"}}),
        ("cell clip", (4, 3), {"cell_clip": 0.3}),
        ("all to gates", (3, 4), {"all_to_gates": True}),
    ),
    "gfgru": (("all to gates", (3, 4), {"all_to_gates": True}),),
}

FOR_GATED_FEEDBACK: tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...] = (
    ("vector gates", (5, 2, 4), {"gate": "vector"}),
    ("as published", (4, 2, 3), {"paper": True}),
    ("as published, vector gates", (3, 4), {"paper": True, "gate": "vector"}),
)


def model_cases(cells: Iterable[str]) -> Iterator[ModelCase]:
    for cell in cells:
        rows = FOR_EVERY_CELL + FOR_ONE_CELL[cell]
        if cell.startswith("gf"):
            rows += FOR_GATED_FEEDBACK
        for about, sizes, options in rows:
            yield ModelCase(cell, about, sizes, options)
        yield ModelCase(cell, "no decoder", (4, 3), output_size=None)
        tied = {"embedding_size": 3, "tied_embedding": True}
        yield ModelCase(cell, "tied embedding", (5, 3), tied, output_size=4)
        yield ModelCase(cell, "symbols without embedding", (4, 3), symbols=True)


MODELS: tuple[ModelCase, ...] = tuple(model_cases(FOR_ONE_CELL))

# The public class of each cell, in recurrentnn and in recurrentnn.reference.
CLASSES = {cell: public.__name__ for cell, public in models.MODELS.items()}
