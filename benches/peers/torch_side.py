"""The work in PyTorch: its own modules, or cells composed from its operations.

Sequences are time-major, which is what its modules compute in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from peers import layout, sides, torch_cells
from peers.work import COMPARED_STEPS, Arrays, Missing, Work

Tensors: TypeAlias = dict[str, Any]
# (tensors, x, state) -> (output of the top layer, state)
Layers: TypeAlias = Callable[[Tensors, Any, Any], tuple[Any, Any]]

# One call for all tensors is the faster form of RMSprop up to about this many elements;
# beyond, its temporaries cost more than the calls.
FOREACH_BELOW = 300_000


class Torch:
    """`torch.nn.LSTM` and its like."""

    def __init__(self, work: Work, parameters: Arrays | None, threads: int) -> None:
        if parameters is None:
            raise ValueError("PyTorch's side takes its parameters from ours")
        torch.set_num_threads(threads)
        self.work = work
        self.plan = layout.plan(work)
        self.parameters = parameters
        stacked = layout.stack(parameters, self.plan)
        self.tensors = {
            name: torch.tensor(value).requires_grad_(work.mode == "train")
            for name, value in stacked.items()
        }
        self.layers, trained = self._layers()
        self.optimizer = torch.optim.RMSprop(
            trained,
            lr=sides.COMPARED_RATE,
            alpha=sides.DECAY_RATE,
            eps=sides.EPS,
            foreach=sum(t.numel() for t in trained) < FOREACH_BELOW,
        )
        x, targets = work.data()
        self.x = torch.tensor(np.ascontiguousarray(x.swapaxes(0, 1)))
        self.targets = torch.tensor(targets.T.copy()).flatten()
        self.state: Any = None
        self.ticks = [self.x[t : t + 1] for t in range(work.time)]
        self.hooks: list[Any] = []
        self.run = self._train if work.mode == "train" else self._infer
        if work.stepwise:
            self.run = self._step

    def _layers(self) -> tuple[Layers, list[Any]]:
        """What runs the layers, and the tensors that the optimizer trains."""
        work = self.work
        kinds = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
        if work.cell not in kinds or len(set(work.hidden)) > 1:
            raise Missing(f"PyTorch has no module for {work.cell} {work.hidden}")
        kind = {"nonlinearity": "relu"} if work.cell == "rnn" else {}
        module = kinds[work.cell](
            work.inputs, work.hidden[0], len(work.hidden), **kind
        ).to(getattr(torch, work.dtype))
        trained = [t for n, t in self.tensors.items() if not n.startswith("layers.")]
        for layer, size in enumerate(work.hidden):
            trained += self._into_module(module, layer, size)
        return lambda _, x, state: module(x, state), trained

    def _into_module(self, module: Any, layer: int, size: int) -> list[Any]:
        """Let the module's parameters have our values and be `self.tensors`."""
        names = {"weight_x": "weight_ih", "weight_h": "weight_hh", "bias": "bias_ih"}
        second = getattr(module, f"bias_hh_l{layer}")
        trained = []
        with torch.no_grad():
            for ours, theirs in names.items():
                tensor = getattr(module, f"{theirs}_l{layer}")
                tensor.copy_(self.tensors[f"layers.{layer}.{ours}"])
                self.tensors[f"layers.{layer}.{ours}"] = tensor
                trained.append(tensor)
            # The second bias is only added to the first, save in the GRU's candidate:
            # we have none, so theirs is 0 and stays so.
            second.zero_()
            if self.work.cell == "gru":
                second[2 * size :] = self.tensors[f"layers.{layer}.bias_h"]
                self.tensors[f"layers.{layer}.bias_h"] = second
                trained.append(second)
        return trained

    def _net(self, x: Any, state: Any) -> tuple[Any, Any]:
        tensors = self.tensors
        if self.work.symbols is not None:
            x = functional.embedding(x, tensors["embedding"])
        x, state = self.layers(tensors, x, state)
        if self.work.outputs is not None:
            x = functional.linear(x, tensors["decoder.weight"], tensors["decoder.bias"])
        return x, state

    def _loss(self) -> Any:
        logits, _ = self._net(self.x, None)
        return functional.cross_entropy(logits.flatten(0, 1), self.targets)

    def _train(self) -> None:
        loss = self._loss()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def _infer(self) -> Any:
        with torch.inference_mode():
            return self._net(self.x, None)[0]

    def _step(self) -> Any:
        with torch.inference_mode():
            y, self.state = self._net(self.ticks[0], self.state)
        return y[0]

    def answer(self) -> Arrays:
        """See `sides.Side`."""
        if self.work.mode == "infer":
            return {"output": self._infer().numpy().swapaxes(0, 1)}
        if self.work.stepwise:
            steps = [self._step().numpy() for _ in range(COMPARED_STEPS)]
            return {"outputs": np.stack(steps)}
        loss = self._loss()
        self.optimizer.zero_grad()
        loss.backward()
        found = {f"gradient of {n}": g for n, g in self._gradients().items()}
        found["loss"] = loss.detach().numpy().copy()
        self.optimizer.step()
        for group in self.optimizer.param_groups:
            group["lr"] = sides.TIMED_RATE
        found["fall by an update"] = found["loss"] - self._loss().detach().numpy()
        return found

    def _gradients(self) -> Arrays:
        """By our names; of the GRU's second bias the part that we have."""
        stacked = {}
        for name, tensor in self.tensors.items():
            if name.endswith("bias_h") and self.work.cell == "gru":
                size = tensor.shape[0] // 3
                stacked[name] = tensor.grad[2 * size :].numpy().copy()
                tensor.grad[: 2 * size] = 0.0
            else:
                stacked[name] = tensor.grad.numpy().copy()
        return layout.unstack(stacked, self.plan, self.parameters)


class Composed(Torch):
    """A cell of one's own, a loop over time in Python, as one writes it in PyTorch."""

    def _layers(self) -> tuple[Layers, list[Any]]:
        layers = torch_cells.layers(self.work)
        return layers, list(self.tensors.values())
