"""Checkpoint files, read for a model that is there."""

from __future__ import annotations

import os
from typing import Any

from numpy.typing import NDArray

from recurrentnn._recurrentnn import Model
from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.models import read_model
from recurrentnn.training.checkpoint import understand
from recurrentnn.training.optimizers import Saved
from recurrentnn.training.run import Run
from recurrentnn.training.snapshot import weights_of


def load_checkpoint(
    path: str | os.PathLike[str], model: Model
) -> tuple[dict[str, NDArray[Any]], Run, Saved, dict[str, Any]]:
    """Weights, run, optimizer and schedule of a checkpoint of just such a model."""
    config = model.config()
    cell = config["cell"]
    cells = [] if isinstance(cell, str) else [cell]
    try:
        saved, metadata, tensors = read_model(path, cells)
        _expect_options(saved, config)
        run, optimizer, schedule = understand(metadata, tensors, saved)
    except ArgumentError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None
    except FormatError as error:
        message = str(error).removeprefix(f"{os.fspath(path)}: ")
        raise FormatError(f"{os.fspath(path)}: {message}") from None
    return weights_of(saved), run, optimizer, schedule


def _expect_options(model: Model, config: dict[str, Any]) -> None:
    found = model.config()
    for name in config:
        # The seed made the first weights, which are gone.
        if name != "seed" and found[name] != config[name]:
            raise FormatError(
                f"the checkpoint is of a model whose {name} is {found[name]!r}, "
                f"not {config[name]!r}"
            )
