"""Training: what is learnt, from what, in which loop, and how a run survives a crash.

| module | what it has |
|---|---|
| `tasks`, `losses` | what a net is to learn; its loss |
| `batches` | where batches come from |
| `trainer` | the loop |
| `records`, `history`, `svg` | what is told of it |
| `callbacks`, `tensorboard` | who is told |
| `limits`, `signals`, `nonfinite` | what ends it |
| `run`, `checkpoint`, `files`, `folder` | what it has come to, and on the disk |
| `finder` | which learning rate to begin with |
"""

from recurrentnn.training.batches import Batches, SequenceBatch, Sequences, TextBatches
from recurrentnn.training.callbacks import Callback
from recurrentnn.training.finder import RateSweep
from recurrentnn.training.folder import Folder
from recurrentnn.training.history import History
from recurrentnn.training.limits import Limits, Used
from recurrentnn.training.losses import Loss
from recurrentnn.training.records import Evaluation, Record, Update
from recurrentnn.training.run import Best, Place, Run
from recurrentnn.training.tasks import (
    Classification,
    Forecasting,
    LanguageModel,
    Regression,
    Tagging,
    Task,
)
from recurrentnn.training.tensorboard import TensorBoard
from recurrentnn.training.trainer import Trainer

__all__ = [
    "Batches",
    "Best",
    "Callback",
    "Classification",
    "Evaluation",
    "Folder",
    "Forecasting",
    "History",
    "LanguageModel",
    "Limits",
    "Loss",
    "Place",
    "RateSweep",
    "Record",
    "Regression",
    "Run",
    "SequenceBatch",
    "Sequences",
    "Tagging",
    "Task",
    "TensorBoard",
    "TextBatches",
    "Trainer",
    "Update",
    "Used",
]
