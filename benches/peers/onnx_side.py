"""Inference in onnxruntime, with its own RNN, LSTM and GRU operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime

from peers.onnx_model import build
from peers.work import COMPARED_STEPS, Arrays, Missing, Work


class Onnx:
    """ONNX Runtime, on the CPU."""

    def __init__(self, work: Work, parameters: Arrays | None, threads: int) -> None:
        if parameters is None:
            raise ValueError("onnxruntime's side takes its parameters from ours")
        if work.mode == "train" or work.dtype != "float32":
            raise Missing("onnxruntime infers, in float32")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            build(work, parameters), options, providers=["CPUExecutionProvider"]
        )
        self.work = work
        x, _ = work.data()
        x = np.ascontiguousarray(x.swapaxes(0, 1))
        self.feed: dict[str, Any] = {"x": x[:1] if work.stepwise else x}
        self.run = self._infer
        if work.stepwise:
            self.run = self._step
            for entry in self.session.get_inputs()[1:]:
                self.feed[entry.name] = np.zeros(entry.shape, np.float32)

    def _infer(self) -> Any:
        return self.session.run(None, self.feed)[0]

    def _step(self) -> Any:
        y, *state = self.session.run(None, self.feed)
        # The states come out in the order in which they go in.
        self.feed = dict(zip(self.feed, (self.feed["x"], *state), strict=True))
        return y[0]

    def answer(self) -> Arrays:
        """See `sides.Side`."""
        if self.work.stepwise:
            return {"outputs": np.stack([self._step() for _ in range(COMPARED_STEPS)])}
        return {"output": self._infer().swapaxes(0, 1)}
