"""What every side does, and where to find it."""

from __future__ import annotations

import importlib
from typing import Protocol

from peers.work import Arrays, Missing, Work

# Name: module, class, and the package that it needs.
SIDES = {
    "ours": ("peers.ours", "Ours", "recurrentnn"),
    "torch": ("peers.torch_side", "Torch", "torch"),
    "composed": ("peers.torch_side", "Composed", "torch"),
    "jax": ("peers.jax_side", "Jax", "jax"),
    "onnxruntime": ("peers.onnx_side", "Onnx", "onnxruntime"),
}

# The learning rate of the one step that is compared; timed steps hardly move.
COMPARED_RATE = 1e-3
TIMED_RATE = 1e-7
DECAY_RATE = 0.95
EPS = 1e-8


class Side(Protocol):
    """One piece of work in one library.

    Built from `Work`, parameters by our names (None: ours makes them) and the number of
    threads; raises `Missing` where the library cannot do it.
    """

    def answer(self) -> Arrays:
        """What must agree.

        In training loss, gradients and the fall of the loss by an update, else outputs.
        """
        ...

    def run(self) -> None:
        """Do the work once: this is what is timed."""
        ...


def build(name: str, work: Work, parameters: Arrays | None, threads: int) -> Side:
    """Build the side of this name."""
    module, kind, needs = SIDES[name]
    try:
        side = getattr(importlib.import_module(module), kind)
    except ModuleNotFoundError as error:
        raise Missing(f"{error.name} is not installed ({name} needs {needs})") from None
    built: Side = side(work, parameters, threads)
    return built
