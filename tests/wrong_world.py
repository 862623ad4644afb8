"""What the wrong calls are made on, and a fingerprint of all of it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import recurrentnn as rnn
from cases import signed
from recurrentnn.compat import Solver


class World:
    """Objects in every state that a call can find them in; their names are the calls'.

    `g`, `other`: recording, with nodes. `done`: differentiated. `retained`: too, but
    kept. `off`: without recording. `c`: a leaf of the two that are open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.a = rnn.Matrix(signed(2, 3), dtype="float64")
        self.b = rnn.Matrix(signed(3, 2), dtype="float64")
        self.c = rnn.Matrix(signed(2, 3, shift=1), dtype="float64")
        self.single = rnn.Matrix(signed(2, 3))
        self.single_x = rnn.Matrix(signed(3, 2))
        self.scalar = rnn.Matrix([[2.0]], dtype="float64")
        self.empty = rnn.Matrix.zeros(0, 3, dtype="float64")
        self.chance = rnn.Matrix([[0.5, 1.5, 0.5]] * 2, dtype="float64")
        self.bad = rnn.Matrix(signed(2, 3), dtype="float64")
        self.bad.grad[1, 2] = math.nan
        self._graphs()
        self._models()
        self._files()

    def _graphs(self) -> None:
        self.off = rnn.Graph(recording=False)
        self.g = rnn.Graph()
        self.node = self.g.tanh(self.c)
        self.loss = self.g.sum(self.node)
        self.other = rnn.Graph()
        self.foreign = self.other.exp(self.c)
        self.foreign_x = self.other.transpose(self.foreign)
        self.done = rnn.Graph()
        self.done.backward(self.done.sum(self.a))
        self.retained = rnn.Graph()
        self.retained.scale(self.a, 2.0).grad[...] = 1.0
        self.retained.backward(retain=True)

    def _models(self) -> None:
        self.lstm = rnn.LSTM(3, [4, 2], 5, dtype="float64")
        self.gru = rnn.GRU(5, [4], 5, embedding_size=3, dtype="float64")
        self.feedback = rnn.GFRNN(3, [4, 2], None, dtype="float64")
        self.x = signed(3, 2)
        self.sequences = signed(8, 3).reshape(2, 4, 3)
        _, self.state = self.lstm(self.sequences)
        self.tick = self.lstm.forward(self.off, self.x)
        self.open_tick = self.lstm.forward(self.other, self.x)
        self.feedback_tick = self.feedback.forward(self.off, self.x)
        small = rnn.LSTM(3, [4], 5, dtype="float64")
        self.small_tick = small.forward(self.off, self.x)
        self.rmsprop = rnn.RMSProp(0.1)
        self.solver = Solver()
        self.vocabulary = rnn.Vocabulary("abc", boundary=True)
        self.lm = rnn.CharModel.create("abc\ncab", lines=True, hidden_sizes=[3])

    def _files(self) -> None:
        net = self.folder / "net.safetensors"
        self.lstm.save(net)
        whole = net.read_bytes()
        (self.folder / "cut.safetensors").write_bytes(whole[:-9])
        (self.folder / "empty.safetensors").write_bytes(b"")
        (self.folder / "junk.safetensors").write_bytes(b"\xff" * 64)

    def done_forward(self) -> rnn.Step:
        """Go a tick in a graph that its backward has consumed."""
        return self.lstm.forward(self.done, self.x)

    def names(self) -> dict[str, Any]:
        """Return what the expressions of the tables can speak of."""
        public = {name: getattr(rnn, name) for name in rnn.__all__}
        own: dict[str, Callable[..., Any]] = {"done_forward": self.done_forward}
        numbers = {"NAN": math.nan, "INF": math.inf}
        arrays = {"np": np, "ones": np.ones, "Solver": Solver}
        arrays["Average"] = rnn.ExponentialMovingAverage
        return {**public, **own, **numbers, **arrays, **vars(self)}

    def fingerprint(self) -> list[Any]:
        """Return all that a call could have changed."""
        nets = (self.lstm, self.gru, self.feedback, self.lm.net)
        matrices = [
            *(thing for thing in vars(self).values() if isinstance(thing, rnn.Matrix)),
            *(m for net in nets for m in net.parameters().values()),
            *self.tick.hidden,
            *self.open_tick.hidden,
        ]
        arrays = [array for m in matrices for array in (m.value, m.grad)]
        arrays += [np.asarray(v) for v in (*self.state.hidden, *self.state.cell)]
        arrays += [self.x, self.sequences]
        graphs = (self.off, self.g, self.other, self.done, self.retained)
        rule = self.rmsprop
        return [
            [array.tobytes() for array in arrays],
            [len(graph) for graph in graphs],
            (rule.config(), rule.rate_factor),
            (self.lm.steps, self.lm.epochs, len(self.lm.history)),
            sorted((p.name, p.stat().st_size) for p in self.folder.iterdir()),
        ]
