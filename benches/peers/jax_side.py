"""The work in JAX: `lax.scan` under `jit`, the input's products before the loop."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from peers import layout, sides
from peers.work import COMPARED_STEPS, Arrays, Missing, Work


def _lstm(p: Any, on_input: Any, state: Any) -> Any:
    h, c = state
    i, f, n, o = jnp.split(on_input + h @ p["weight_h"].T, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(n)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _gru(p: Any, on_input: Any, state: Any) -> Any:
    (h,) = state
    on_h = jnp.split(h @ p["weight_h"].T, 3, axis=1)
    r, z, n = jnp.split(on_input, 3, axis=1)
    r, z = jax.nn.sigmoid(r + on_h[0]), jax.nn.sigmoid(z + on_h[1])
    n = jnp.tanh(n + r * (on_h[2] + p["bias_h"]))
    return ((1 - z) * n + z * h,)


def _rnn(p: Any, on_input: Any, state: Any) -> Any:
    return (jax.nn.relu(on_input + state[0] @ p["weight_h"].T),)


STEPS = {"lstm": (_lstm, 2), "gru": (_gru, 1), "rnn": (_rnn, 1)}


def _net(work: Work, tensors: Any, x: Any, state: Any) -> tuple[Any, Any]:
    """Time-major; `state` is a list of tuples, one a layer."""
    if work.symbols is not None:
        x = tensors["embedding"][x]
    step = STEPS[work.cell][0]
    ends = []
    for layer, start in enumerate(state):
        prefix = f"layers.{layer}."
        names = ("weight_x", "weight_h", "bias", "bias_h")
        p = {n: tensors[prefix + n] for n in names if prefix + n in tensors}
        on_input = x @ p["weight_x"].T + p["bias"]

        def tick(now: Any, part: Any, p: Any = p) -> tuple[Any, Any]:
            now = step(p, part, now)
            return now, now[0]

        end, x = jax.lax.scan(tick, start, on_input)
        ends.append(end)
    if work.outputs is not None:
        x = x @ tensors["decoder.weight"].T + tensors["decoder.bias"]
    return x, ends


class Jax:
    """JAX, on the CPU."""

    def __init__(self, work: Work, parameters: Arrays | None, threads: int) -> None:
        # XLA's threads are those that the worker's affinity and flags allow.
        del threads
        if parameters is None:
            raise ValueError("JAX's side takes its parameters from ours")
        if work.cell not in STEPS or work.dtype != "float32":
            raise Missing(f"no JAX side for {work.cell} {work.dtype}")
        jax.clear_caches()
        self.work, self.parameters = work, parameters
        self.plan = layout.plan(work)
        stacked = layout.stack(parameters, self.plan)
        self.tensors: Any = {name: jnp.asarray(v) for name, v in stacked.items()}
        self.squares: Any = jax.tree.map(jnp.zeros_like, self.tensors)
        x, targets = work.data()
        self.x, self.targets = jnp.asarray(x.swapaxes(0, 1)), jnp.asarray(targets.T)
        vectors = STEPS[work.cell][1]
        self.zeros: Any = [
            tuple(jnp.zeros((work.batch, size)) for _ in range(vectors))
            for size in work.hidden
        ]
        self.state = self.zeros
        self.tick = self.x[:1]
        self._forward = jax.jit(lambda *args: _net(work, *args))
        self._gradient = jax.jit(jax.value_and_grad(self._loss))
        self._update = jax.jit(self._updated, donate_argnums=(0, 1))
        self.run = self._train if work.mode == "train" else self._infer
        if work.stepwise:
            self.run = self._step

    def _loss(self, tensors: Any) -> Any:
        logits, _ = _net(self.work, tensors, self.x, self.zeros)
        chances = jax.nn.log_softmax(logits)
        return -jnp.take_along_axis(chances, self.targets[..., None], 2).mean()

    def _updated(self, tensors: Any, squares: Any, rate: float) -> Any:
        loss, gradient = jax.value_and_grad(self._loss)(tensors)
        keep = sides.DECAY_RATE
        squares = jax.tree.map(
            lambda s, g: keep * s + (1 - keep) * g * g, squares, gradient
        )
        tensors = jax.tree.map(
            lambda w, g, s: w - rate * g / (jnp.sqrt(s) + sides.EPS),
            tensors,
            gradient,
            squares,
        )
        return tensors, squares, loss

    def _train(self, rate: float = sides.TIMED_RATE) -> Any:
        self.tensors, self.squares, loss = jax.block_until_ready(
            self._update(self.tensors, self.squares, rate)
        )
        return loss

    def _infer(self) -> Any:
        return self._forward(self.tensors, self.x, self.zeros)[0].block_until_ready()

    def _step(self) -> Any:
        y, self.state = self._forward(self.tensors, self.tick, self.state)
        return y.block_until_ready()[0]

    def answer(self) -> Arrays:
        """See `sides.Side`."""
        if self.work.mode == "infer":
            return {"output": np.asarray(self._infer()).swapaxes(0, 1)}
        if self.work.stepwise:
            steps = [np.asarray(self._step()) for _ in range(COMPARED_STEPS)]
            return {"outputs": np.stack(steps)}
        loss, gradient = self._gradient(self.tensors)
        stacked = {name: np.array(value) for name, value in gradient.items()}
        ours = layout.unstack(stacked, self.plan, self.parameters)
        found = {f"gradient of {name}": value for name, value in ours.items()}
        found["loss"] = np.array(loss)
        self._train(sides.COMPARED_RATE)
        found["fall by an update"] = found["loss"] - np.array(self._train())
        return found
