"""The work through the public API of recurrentnn."""

from __future__ import annotations

from typing import Any

import numpy as np

import recurrentnn as rnn
from peers import sides
from peers.own_cells import own_cell
from peers.work import COMPARED_STEPS, Arrays, Missing, Work

MODELS: dict[str, Any] = {
    "rnn": rnn.RNN,
    "lstm": rnn.LSTM,
    "gru": rnn.GRU,
    "gflstm": rnn.GFLSTM,
}


def model(work: Work) -> Any:
    """Build the net; its biases are not 0, so that a comparison sees them."""
    sizes = (work.symbols or work.inputs, list(work.hidden), work.outputs)
    options: dict[str, Any] = {"dtype": work.dtype}
    if work.symbols is not None:
        options["embedding_size"] = work.inputs
    if work.cell == "rnn":
        options["activation"] = "relu"
    if work.cell in MODELS:
        net = MODELS[work.cell](*sizes, **options)
    else:
        net = own_cell(work.cell)(*sizes, **options)
    rng = np.random.default_rng(5)
    for name, matrix in net.parameters().items():
        if "bias" in name:
            matrix.value = matrix.value + 0.02 * rng.standard_normal(matrix.shape)
        # Relu bounds nothing: in 200 steps the gradient would grow beyond all numbers.
        elif work.cell == "rnn" and name.endswith("weight_h"):
            matrix.value = 0.7 * matrix.value
    return net


class Ours:
    """Ours."""

    def __init__(self, work: Work, parameters: Arrays | None, threads: int) -> None:
        # Until there is such a call, the worker's environment alone says it.
        limit = getattr(rnn, "set_num_threads", None)
        if limit is not None:
            limit(threads)
        self.work = work
        self.net = model(work)
        self.x, self.targets = work.data()
        self.optimizer = rnn.RMSProp(
            sides.COMPARED_RATE, decay_rate=sides.DECAY_RATE, eps=sides.EPS
        )
        for name, value in (parameters or {}).items():
            self.net[name].value = value
        self.state: Any = None
        self.stream: Any = None
        if work.mode == "stream":
            if not hasattr(self.net, "stream"):
                raise Missing("Model.stream is not there yet")
            self.stream = self.net.stream(batch=work.batch)
        self.ticks = [self.x[:, t] for t in range(work.time)]
        self.run = {
            "train": self._train,
            "infer": self._infer,
            "step": self._step,
            "stream": self._stream,
        }[work.mode]

    def parameters(self) -> Arrays:
        """All parameters by name."""
        return {name: np.array(m.value) for name, m in self.net.parameters().items()}

    def _loss(self) -> tuple[rnn.Graph, rnn.Matrix]:
        with rnn.Graph() as graph:
            logits, _ = self.net(self.x)
            loss = graph.softmax_cross_entropy(logits, self.targets)
        return graph, loss

    def _train(self) -> None:
        graph, loss = self._loss()
        graph.backward(loss)
        self.optimizer.step(self.net)

    def _infer(self) -> Any:
        return self.net(self.x)[0]

    def _step(self) -> Any:
        y, self.state = self.net(self.ticks[0][:, None], self.state)
        return y[:, 0]

    def _stream(self) -> Any:
        return self.stream(self.ticks[0])

    def answer(self) -> Arrays:
        """See `Side`."""
        if self.work.mode == "infer":
            return {"output": np.array(self._infer())}
        if self.work.stepwise:
            steps = [np.array(self.run()) for _ in range(COMPARED_STEPS)]
            shape = (self.work.batch, -1)
            return {"outputs": np.stack([step.reshape(shape) for step in steps])}
        graph, loss = self._loss()
        graph.backward(loss)
        found = {f"gradient of {n}": m.grad for n, m in self.net.parameters().items()}
        found = {name: np.array(value) for name, value in found.items()}
        self.optimizer.step(self.net)
        self.optimizer.learning_rate = sides.TIMED_RATE
        found["loss"] = np.array(loss.item())
        found["fall by an update"] = found["loss"] - self._loss()[1].item()
        return found
