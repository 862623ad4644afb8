"""A net of a cell that is given by its name, and the options it then has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from recurrentnn._recurrentnn import Model
from recurrentnn.arguments import wrong_type
from recurrentnn.cell import Cell
from recurrentnn.errors import ArgumentError
from recurrentnn.models import MODELS

# Options of every net that `create` has by themselves, not among `cell_options`.
_OWN_OPTIONS = ("embedding_size", "seed", "dtype")
# Options of every other net, that of a user's own cell too.
_ANY_OPTIONS = ("input_to_all", "all_to_output", "init", "std")


def builder(cell: str | type[Cell] | Cell) -> Callable[..., Model]:
    """What makes a net of a cell, from sizes and options."""
    if isinstance(cell, Cell) or (isinstance(cell, type) and issubclass(cell, Cell)):
        return functools.partial(Model, cell)
    if not isinstance(cell, str):
        raise wrong_type("CharModel", "cell", "a string or a Cell", cell)
    if cell not in MODELS:
        names = ", ".join(MODELS)
        raise ArgumentError(f"CharModel: cell must be one of {names}, got {cell!r}")
    return MODELS[cell]


def options_of(
    cell: str | type[Cell] | Cell, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The options of a cell's class, without those that `create` has itself."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise wrong_type("CharModel", "cell_options", "a mapping", given)
    if isinstance(cell, str):
        parameters = inspect.signature(MODELS[cell].__new__).parameters.values()
        known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        known = [name for name in known if name not in _OWN_OPTIONS]
    else:
        known = [*_ANY_OPTIONS]
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"CharModel: cell_options of {cell} must be among {', '.join(known)}, "
                f"got {name!r}"
            )
    return dict(given)
