"""Cells as a user writes them: what one's own costs beside what is built in."""

from __future__ import annotations

from functools import partial
from typing import Any

import recurrentnn as rnn
from peers.work import Missing


def own_cell(name: str) -> Any:
    """Return what builds a net of the cell of this name, as a model's class would."""
    if not hasattr(rnn, "Cell"):
        raise Missing("rnn.Cell is not there yet")
    return partial(rnn.Model, _cells()[name])


def _cells() -> dict[str, Any]:
    base: Any = rnn.Cell

    class OwnLSTM(base):  # type: ignore[misc]
        """An LSTM by a user who did not know that there is one."""

        state = ("hidden", "cell")

        def build(self, p: Any, inputs: int, size: int) -> None:
            for gate in ("input", "forget", "candidate", "output"):
                p.gate(gate, inputs, size)

        def step(self, p: Any, x: Any, s: Any) -> Any:
            def total(gate: Any) -> Any:
                return gate.weight_x @ x + gate.weight_h @ s.hidden + gate.bias

            i, f = total(p.input).sigmoid(), total(p.forget).sigmoid()
            n, o = total(p.candidate).tanh(), total(p.output).sigmoid()
            c = f * s.cell + i * n
            return s.replace(hidden=o * c.tanh(), cell=c)

    class MGU(base):  # type: ignore[misc]
        """Minimal gated unit (Zhou et al. 2016)."""

        state = ("hidden",)

        def build(self, p: Any, inputs: int, size: int) -> None:
            p.gate("forget", inputs, size)
            p.gate("candidate", inputs, size)

        def step(self, p: Any, x: Any, s: Any) -> Any:
            h, g = s.hidden, p.candidate
            f = p.forget.weight_x @ x + p.forget.weight_h @ h + p.forget.bias
            f = f.sigmoid()
            n = (g.weight_x @ x + g.weight_h @ (f * h) + g.bias).tanh()
            return s.replace(hidden=(1 - f) * h + f * n)

    class LayerNormLSTM(base):  # type: ignore[misc]
        """An LSTM whose gates are normalised (Ba et al. 2016)."""

        state = ("hidden", "cell")

        def build(self, p: Any, inputs: int, size: int) -> None:
            for gate in ("input", "forget", "candidate", "output"):
                p.gate(gate, inputs, size).add("gain", size, 1, init="ones")

        def step(self, p: Any, x: Any, s: Any) -> Any:
            def total(gate: Any) -> Any:
                a = gate.weight_x @ x + gate.weight_h @ s.hidden
                return a.layer_norm(gate.gain, gate.bias)

            i, f = total(p.input).sigmoid(), total(p.forget).sigmoid()
            n, o = total(p.candidate).tanh(), total(p.output).sigmoid()
            c = f * s.cell + i * n
            return s.replace(hidden=o * c.tanh(), cell=c)

    return {"own-lstm": OwnLSTM, "mgu": MGU, "ln-lstm": LayerNormLSTM}
