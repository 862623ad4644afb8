"""Generation by the compiled core: a part of its stub, no module."""

from collections.abc import Sequence
from typing import Any, Self, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.sampling import Sampling
from recurrentnn.state import State

_Symbols: TypeAlias = Sequence[int] | NDArray[np.integer[Any]]
# Symbols and sequences of symbols, any of which ends a generation.
_Stop: TypeAlias = int | Sequence[int | Sequence[int]] | None

# Samples that go on from symbols, each the same whatever stands beside it.
@final
class Generator:
    """Samples side by side: `new = generator.advance(length)`."""

    def __new__(
        cls,
        model: Model,
        prime: _Symbols | Sequence[_Symbols],
        *,
        count: int = 1,
        sampling: Sampling | None = None,
        stop: _Stop = None,
        seed: int = 0,
        sample: int = 0,
        position: int = 0,
        history: _Symbols | Sequence[_Symbols] | None = None,
        state: State | None = None,
    ) -> Self: ...
    # What is new of each sample and cannot be part of a stop.
    def advance(self, length: int) -> list[list[int]]: ...
    # What was held back.
    def rest(self) -> list[list[int]]: ...
    def end(self, sample: int) -> None: ...
    @property
    def ended(self) -> list[bool]: ...
    @property
    def positions(self) -> list[int]: ...  # of the next draws
    @property
    def last(self) -> list[int]: ...  # what the state has not read
    @property
    def state(self) -> State: ...

# (symbols, ln P, score = ln P / length^length_penalty, ended), the best first.
def beam_search(
    model: Model,
    prime: _Symbols,
    length: int,
    *,
    width: int = 4,
    length_penalty: float = 1.0,
    stop: int | Sequence[int] | None = None,
    allowed: _Symbols | None = None,
    banned: _Symbols | None = None,
    state: State | None = None,
) -> list[tuple[list[int], float, float, bool]]: ...
