"""What a model is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .cells import CELLS
from .shape import expect

ACTIVATIONS = (
    "tanh",
    "relu",
    "sigmoid",
    "hard_sigmoid",
    "softplus",
    "elu",
    "leaky_relu",
    "gelu",
    "linear",
)

# Options that are probabilities to drop.
RATES = (
    "dropout",
    "recurrent_dropout",
    "zoneout_hidden",
    "zoneout_cell",
    "weight_drop",
    "embedding_dropout",
)


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
        Of RNN and GFRNN, one of `ACTIVATIONS`.
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
    activations
        Nonlinearities by gate, in place of the usual ones; "cell" squashes c'.
    layer_norm, peepholes, coupled_gates, projection_size, cell_clip
        See `cells.Gate`, `cells.LSTM` and `cells.Memory`.
    hidden_clip
        New hidden vectors are clipped to this magnitude.
    residual
        A layer hands up its hidden vector plus what the layer below handed up.
    tied_embedding
        The decoder's weight is the embedding.
    dropout, variational, recurrent_dropout, zoneout_hidden, zoneout_cell, weight_drop,
    embedding_dropout
        See `masks`.
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
    activations: dict[str, str] = field(default_factory=dict)
    layer_norm: bool = False
    peepholes: bool = False
    coupled_gates: bool = False
    projection_size: int | None = None
    cell_clip: float | None = None
    hidden_clip: float | None = None
    residual: bool = False
    tied_embedding: bool = False
    dropout: float = 0.0
    variational: bool = False
    recurrent_dropout: float = 0.0
    zoneout_hidden: float = 0.0
    zoneout_cell: float = 0.0
    weight_drop: float = 0.0
    embedding_dropout: float = 0.0
    bidirectional: bool = False
    merge: str = "concat"
    learned_state: bool = False

    def __post_init__(self) -> None:
        """Refuse what is out of its domain, and what the cell would ignore."""
        _expect_one_of("cell", self.cell, tuple(CELLS))
        _expect_one_of("init", self.init, ("glorot", "normal", "uniform"))
        _expect_one_of("activation", self.activation, ACTIVATIONS)
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
        self._check_cell()
        self._check_wiring()
        self._check_rates()

    def _check_cell(self) -> None:
        lstm, memory = self.cell == "lstm", self.cell in ("lstm", "gflstm")
        self._only_for("layer_norm", not self.has_feedback or not self.layer_norm)
        self._only_for("peepholes", lstm or not self.peepholes)
        self._only_for("coupled_gates", lstm or not self.coupled_gates)
        self._only_for("projection_size", lstm or self.projection_size is None)
        self._only_for("cell_clip", memory or self.cell_clip is None)
        for gate, kind in self.activations.items():
            _expect_one_of("activations", gate, self.gates)
            _expect_one_of(f"activations[{gate!r}]", kind, ACTIVATIONS)

    def _check_wiring(self) -> None:
        sizes = self.hidden_sizes
        equal = len(sizes) > 1 and len(set(sizes)) == 1
        expect(equal or not self.residual, "Model: residual needs layers of one size")
        fits = (self.output_size, self.embedding_size) == (
            self.input_size,
            self.top_size,
        )
        expect(fits or not self.tied_embedding, "Model: tied_embedding does not fit")
        rows = self.projection_size
        expect(rows is None or 0 < rows < min(sizes), "Model: projection_size is large")
        for limit in (self.cell_clip, self.hidden_clip):
            expect(limit is None or limit > 0.0, "Model: a clip must be above 0")

    def _check_rates(self) -> None:
        for name in RATES:
            rate = getattr(self, name)
            expect(0.0 <= rate < 1.0, f"Model: {name} must be in [0, 1) but is {rate}")
        deep, embedded = len(self.hidden_sizes) > 1, self.embedding_size is not None
        memory = self.cell in ("lstm", "gflstm")
        self._only_for("dropout", deep or self.dropout == 0.0)
        self._only_for("zoneout_cell", memory or self.zoneout_cell == 0.0)
        self._only_for("embedding_dropout", embedded or self.embedding_dropout == 0.0)
        drops = self.dropout > 0.0 or self.recurrent_dropout > 0.0
        self._only_for("variational", drops or not self.variational)

    def _only_for(self, option: str, heard: bool) -> None:
        expect(heard, f"Model: {option} means nothing to cell {self.cell!r}")

    @property
    def gates(self) -> tuple[str, ...]:
        """What `activations` may name."""
        if self.cell in ("gru", "gfgru"):
            return ("reset", "update", "candidate")
        if self.cell in ("lstm", "gflstm"):
            forget = () if self.coupled_gates else ("forget",)
            return ("input", *forget, "candidate", "output", "cell")
        return ()

    @property
    def drops(self) -> bool:
        """Whether anything is dropped in training."""
        return any(getattr(self, name) > 0.0 for name in RATES)

    @property
    def hidden_rows(self) -> tuple[int, ...]:
        """Rows of each layer's hidden vector."""
        rows = self.projection_size
        return tuple(size if rows is None else rows for size in self.hidden_sizes)

    @property
    def has_feedback(self) -> bool:
        """Whether every layer feeds every layer."""
        return self.cell.startswith("gf")

    @property
    def features(self) -> int:
        """Rows of what the lowest layer reads."""
        return self.embedding_size or self.input_size

    def width(self, layer: int) -> int:
        """Rows of what a layer hands up."""
        both = self.bidirectional and self.merge in ("concat", "none")
        return self.hidden_rows[layer] * (2 if both else 1)

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
