"""The three gated-feedback nets (Chung, Gulcehre, Cho & Bengio 2015).

Every layer reads the hidden vectors of *all* layers at the tick before, of those above
it too, each through a gate of its own. For target layer j and source layer i::

    hstar = h_0 below h_1 below ... of the tick before        (S, batch)
    g_i   = sigmoid(V_i x + Y_i hstar + a_i)                  (G, batch)
    F     = sum over i of g_i * (U_i h_i)                     (H_j, batch)

`layers.j.feedback.i.weight_h` is U_i, (H_j, H_i); V_i, Y_i, a_i are
`layers.j.feedback.i.gate.weight_x`, `.weight_h` and `.bias` with G = 1 row for
gate="scalar" (the paper) or H_j rows for gate="vector" (RecurrentNN.jl). The paper's
gate has no bias; ours starts at 0. Layer sizes may differ. The gate that F enters
(`hidden` of GFRNN, else `candidate`) has W and b but no U of its own.

The options are told at the top of `recurrentnn.models` and `recurrentnn.options`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, Unpack

from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model
from recurrentnn.options import Activation, GatedOptions, MemoryOptions, Options

if TYPE_CHECKING:
    from recurrentnn.models import FeedbackGate, Init


class GFRNN(Model):
    """Gated-feedback RNN: ``h' = act(W x + F + b)``, gate ``hidden``.

    See `recurrentnn.feedback_models` for F, `RNN` for `activation` and `slope_at_zero`.
    There are no unit gates, so `paper=True` means `input_to_all` and `all_to_output`.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        activation: Activation = "tanh",
        slope_at_zero: float = 0.0,
        gate: FeedbackGate = "scalar",
        input_to_all: bool = False,
        all_to_output: bool = False,
        learned_state: bool = False,
        paper: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[Options],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "gfrnn",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            activation=activation,
            slope_at_zero=slope_at_zero,
            gate=gate,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            learned_state=learned_state,
            paper=paper,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )


class GFGRU(Model):
    """Gated-feedback GRU.

    ::

        r = sigmoid(W_reset x + U_reset h + b_reset)
        z = sigmoid(W_update x + U_update h + b_update)
        n = tanh(W_candidate x + b_candidate + r * F)
        h' = (1 - z) * n + z * h

    See `recurrentnn.feedback_models` for F. The reset gate acts after the gated sum, as
    in the paper; the update gate keeps the old state, as in `GRU`. With `all_to_gates`,
    U_reset and U_update are (H, S) and act on hstar.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        gate: FeedbackGate = "scalar",
        input_to_all: bool = False,
        all_to_output: bool = False,
        learned_state: bool = False,
        all_to_gates: bool = False,
        paper: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[GatedOptions],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "gfgru",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            gate=gate,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            learned_state=learned_state,
            all_to_gates=all_to_gates,
            paper=paper,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )


class GFLSTM(Model):
    """Gated-feedback LSTM.

    ::

        i = sigmoid(W_input x + U_input h + b_input)
        f = sigmoid(W_forget x + U_forget h + b_forget)
        o = sigmoid(W_output x + U_output h + b_output)
        n = tanh(W_candidate x + F + b_candidate)
        c' = f * c + i * n
        h' = o * tanh(c')

    See `recurrentnn.feedback_models` for F, `LSTM` for `forget_bias`. With
    `all_to_gates`, U_input, U_forget and U_output are (H, S) and act on hstar.
    """

    def __new__(
        cls,
        input_size: int,
        hidden_sizes: int | Sequence[int],
        output_size: int | None,
        *,
        embedding_size: int | None = None,
        forget_bias: float = 1.0,
        gate: FeedbackGate = "scalar",
        input_to_all: bool = False,
        all_to_output: bool = False,
        learned_state: bool = False,
        all_to_gates: bool = False,
        paper: bool = False,
        init: Init = "glorot",
        std: float = 0.08,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[MemoryOptions],
    ) -> Self:
        """A net with fresh parameters."""
        return super().__new__(
            cls,
            "gflstm",
            input_size,
            hidden_sizes,
            output_size,
            embedding_size=embedding_size,
            forget_bias=forget_bias,
            gate=gate,
            input_to_all=input_to_all,
            all_to_output=all_to_output,
            learned_state=learned_state,
            all_to_gates=all_to_gates,
            paper=paper,
            init=init,
            std=std,
            seed=seed,
            dtype=dtype,
            **options,
        )
