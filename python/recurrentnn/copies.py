"""How classes of the core that hold plain values are copied and pickled.

Each is made again by its own constructor, which checks what it is given: a pickle holds
nothing else. Nets go through the bytes of a file (`Model.__reduce__`).
"""

from __future__ import annotations

import copyreg
from typing import Any

from recurrentnn import optimizers
from recurrentnn._recurrentnn import Optimizer, Vocabulary


def _vocabulary(symbols: str, boundary: bool) -> Vocabulary:
    return Vocabulary(symbols, boundary=boundary)


def _reduce_vocabulary(vocabulary: Vocabulary) -> tuple[Any, ...]:
    return _vocabulary, ("".join(vocabulary.symbols), vocabulary.boundary)


def _optimizer(
    kind: type[Optimizer], config: dict[str, Any], factor: float
) -> Optimizer:
    optimizer = kind(**config)
    optimizer.rate_factor = factor
    return optimizer


def _reduce_optimizer(optimizer: Optimizer) -> tuple[Any, ...]:
    """The settings; what it remembers is of matrices that are not in the pickle."""
    return _optimizer, (type(optimizer), optimizer.config(), optimizer.rate_factor)


def register() -> None:
    """Tell `copy` and `pickle`."""
    copyreg.pickle(Vocabulary, _reduce_vocabulary)
    for kind in optimizers.OPTIMIZERS.values():
        copyreg.pickle(kind, _reduce_optimizer)
