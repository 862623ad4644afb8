"""How the next symbol is chosen: the options, and their one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import check_sampling

Symbols: TypeAlias = str | Sequence[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampling:
    """How the next symbol is chosen.

    A choice is a function of the logits x, of the symbols before, and of a draw whose
    address is (seed, number of the sample, position). The steps have one order, that of
    the attributes; `greedy` takes the largest x, the first of equals, after the second.

    Attributes
    ----------
    repetition_penalty, repetition_window
        x / r where x > 0 and else x r, of each symbol that is among the last
        `repetition_window` (None: among all), in the prime too; however often it is.
        The rule is that of Keskar et al. (2019), as in the field's tools. 1: none.
    allowed, banned
        Symbols that may be chosen (None: all), and those that may not. A net takes
        numbers, a text model the characters of a string, too; one that it cannot write
        is refused.
    temperature
        p = softmax(x / temperature): below 1 bolder is rarer, above 1 it is commoner.
    top_k
        Only the k most probable, the first of equals. None: all.
    top_p
        Of these only the most probable that together have at least this share of what
        is left. None or 1: all.
    min_p
        Of these only those with at least this share of the largest p. None or 0: all.
    greedy
        The most probable, without a draw.

    Raises
    ------
    ArgumentError
        An option that is outside its domain.
    ArgumentTypeError
        One of the wrong type.

    Examples
    --------
    >>> Sampling(temperature=0.8, top_p=0.95)
    Sampling(temperature=0.8, top_p=0.95)
    """

    repetition_penalty: float = 1.0
    repetition_window: int | None = None
    allowed: Symbols | None = None
    banned: Symbols = ()
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        """Refuse what no net could use."""
        check_sampling(self)

    def __repr__(self) -> str:
        given = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        changed = (
            f"{name}={value!r}" for name, value, usual in given if value is not usual
        )
        return f"Sampling({', '.join(changed)})"


class Filters(TypedDict, total=False):
    """The options of `Sampling` beside temperature and greedy, to be passed on."""

    repetition_penalty: float
    repetition_window: int | None
    allowed: Symbols | None
    banned: Symbols
    top_k: int | None
    top_p: float | None
    min_p: float | None


class SamplingOptions(Filters, total=False):
    """The options of `Sampling`, to be passed on."""

    temperature: float
    greedy: bool
