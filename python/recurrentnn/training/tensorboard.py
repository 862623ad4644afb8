"""Events for TensorBoard, by the extra `recurrentnn[tensorboard]`."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from recurrentnn.training.callbacks import Callback
from recurrentnn.training.records import Record

if TYPE_CHECKING:
    from recurrentnn.training.trainer import Trainer


class TensorBoard(Callback):
    """Writes each record as scalars: `loss/train`, `loss/validation`, `metrics/NAME`.

    Raises
    ------
    ImportError
        Without tensorboardX, at once and not when the first record is there.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ImportError(
                "TensorBoard needs tensorboardX: pip install 'recurrentnn[tensorboard]'"
            ) from None
        self._writer: Any = SummaryWriter(os.fspath(folder))

    def on_record(self, trainer: Trainer, record: Record) -> None:
        """Write it."""
        del trainer
        scalars = {
            "loss/train": record.loss,
            "loss/validation": record.validation_loss,
            "optimizer/learning_rate": record.learning_rate,
            "optimizer/grad_norm": record.grad_norm,
            "optimizer/clipped_fraction": record.clipped_fraction,
            "speed/chars_per_second": record.chars_per_second,
            **{f"metrics/{name}": value for name, value in record.metrics.items()},
        }
        for tag, value in scalars.items():
            if value is not None and math.isfinite(value):
                self._writer.add_scalar(tag, value, record.step)
        self._writer.flush()

    def on_end(self, trainer: Trainer) -> None:
        """Let all of it reach the file."""
        del trainer
        self._writer.flush()
