"""What a model is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from .cells import CELLS
from .shape import expect


@dataclass(frozen=True)
class Config:
    """The arguments of `Model`, checked.

    Attributes
    ----------
    cell
        One of `CELLS`.
    input_size
        Features of an input, or number of symbols.
    hidden_sizes
        Units of each layer, the lowest first.
    output_size
        Rows of the output; None: no decoder.
    embedding_size
        Each symbol is a trained vector of this size; None: one-hot, or features.
    seed
        Of the first values.
    init
        "glorot": inputs Glorot, recurrent weights orthogonal; "normal": N(0, std^2);
        "uniform": +-std.
    std
        Of the latter two.
    forget_bias
        First value of the forget gates' biases; all others begin at 0.
    activation
        "tanh" or "relu", of RNN and GFRNN.
    slope_at_zero
        The derivative of relu at 0.
    reset
        Where a GRU resets: "after" the product with U_n (PyTorch), or "before".
    gate
        Of gated feedback: one number per pair of layers and sample, "scalar" (Chung et
        al. 2015), or one per unit, "vector" (RecurrentNN.jl).
    input_to_all
        The input goes into every layer, below the vector from the layer below.
    all_to_output
        The decoder reads the hidden vectors of all layers.
    all_to_gates
        Of gated feedback: the unit gates read the hidden vectors of all layers.
    bidirectional
        Every layer also goes backward in time.
    merge
        What becomes of the h of both directions: "concat", "sum", "mean", or "none",
        which is "concat" but for the output, a pair.
    learned_state
        The state that a row begins with is a parameter.
    """

    cell: str
    input_size: int
    hidden_sizes: tuple[int, ...]
    output_size: int | None
    embedding_size: int | None = None
    seed: int = 0
    init: str = "glorot"
    std: float = 0.08
    forget_bias: float = 1.0
    activation: str = "tanh"
    slope_at_zero: float = 0.0
    reset: str = "after"
    gate: str = "scalar"
    input_to_all: bool = False
    all_to_output: bool = False
    all_to_gates: bool = False
    bidirectional: bool = False
    merge: str = "concat"
    learned_state: bool = False

    def __post_init__(self) -> None:
        """Refuse what is out of its domain, and what the cell would ignore."""
        _expect_one_of("cell", self.cell, tuple(CELLS))
        _expect_one_of("init", self.init, ("glorot", "normal", "uniform"))
        _expect_one_of("activation", self.activation, ("tanh", "relu"))
        _expect_one_of("reset", self.reset, ("after", "before"))
        _expect_one_of("gate", self.gate, ("scalar", "vector"))
        _expect_one_of("merge", self.merge, ("concat", "sum", "mean", "none"))
        expect(
            self.bidirectional or self.merge == "concat",
            "Model: merge means nothing unless bidirectional",
        )
        expect(
            self.merge != "none" or self.output_size is None,
            "Model: merge must not be 'none' where a decoder reads both directions",
        )
        expect(len(self.hidden_sizes) > 0, "Model: hidden_sizes must name a layer")
        sizes = (self.input_size, self.output_size, self.embedding_size)
        for size in (*sizes, *self.hidden_sizes):
            expect(
                size is None or size > 0, f"Model: a size must be >= 1 but is {size}"
            )
        simple = self.cell in ("rnn", "gfrnn")
        relu = simple and self.activation == "relu"
        self._only_for("activation", simple or self.activation == "tanh")
        self._only_for("slope_at_zero", relu or self.slope_at_zero == 0.0)
        self._only_for("reset", self.cell == "gru" or self.reset == "after")
        self._only_for("gate", self.has_feedback or self.gate == "scalar")
        self._only_for("bidirectional", not (self.has_feedback and self.bidirectional))
        self._only_for("all_to_gates", self.has_feedback or not self.all_to_gates)

    def _only_for(self, option: str, heard: bool) -> None:
        expect(heard, f"Model: {option} means nothing to cell {self.cell!r}")

    @property
    def has_feedback(self) -> bool:
        """Whether every layer feeds every layer."""
        return self.cell.startswith("gf")

    @property
    def features(self) -> int:
        """Rows of what the lowest layer reads."""
        return self.embedding_size or self.input_size

    def width(self, layer: int) -> int:
        """Rows of what a layer puts out."""
        both = self.bidirectional and self.merge in ("concat", "none")
        return self.hidden_sizes[layer] * (2 if both else 1)

    @property
    def top_size(self) -> int:
        """Rows of what the decoder reads."""
        layers = range(len(self.hidden_sizes))
        return sum(map(self.width, layers if self.all_to_output else layers[-1:]))

    def inputs(self, layer: int) -> int:
        """Rows of what a layer reads."""
        if layer == 0:
            return self.features
        below = self.width(layer - 1)
        return below + self.features if self.input_to_all else below


def _expect_one_of(name: str, value: str, known: Sequence[str]) -> None:
    expect(value in known, f"Model: {name} must be one of {known} but is {value!r}")
