"""Small runs for tests of training, and what of a run must be the same bits."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import recurrentnn as rnn
from recurrentnn import grammar
from recurrentnn.data.text import read
from recurrentnn.training import TextBatches, Trainer

TEXT = grammar.text(40)
VOCABULARY = rnn.Vocabulary.from_text(TEXT, boundary=False)

CELLS: dict[str, Callable[..., rnn.Model]] = {
    "rnn": rnn.RNN,
    "lstm": rnn.LSTM,
    "gru": rnn.GRU,
    "gfrnn": rnn.GFRNN,
    "gflstm": rnn.GFLSTM,
    "gfgru": rnn.GFGRU,
}
# What depends on the clock.
_TIMES = {"seconds", "done", "chars_per_second", "remaining"}


def text_batches(*, lines: bool = False, batch_size: int = 4) -> TextBatches:
    vocabulary = rnn.Vocabulary.from_text(TEXT, boundary=lines)
    source = read(TEXT, vocabulary)
    return TextBatches(source, batch_size=batch_size, seq_length=8, seed=3)


def held_out() -> TextBatches:
    source = read(TEXT[:200], VOCABULARY)
    return TextBatches(source, batch_size=2, seq_length=16)


def net(cell: str = "gru", **options: Any) -> rnn.Model:
    size = len(VOCABULARY)
    return CELLS[cell](size, [6, 5], size, embedding_size=4, seed=1, **options)


def trainer(
    folder: Path | None = None,
    cell: str = "gru",
    optimizer: Any = None,
    **options: Any,
) -> Trainer:
    return Trainer(
        net(cell),
        None,
        optimizer or rnn.RMSProp(1e-2, clip_value=0.1),
        **{"report_every": 3, "folder": folder, "validate_every": 4} | options,
    )


def same_bits(one: Trainer, other: Trainer) -> bool:
    return digest(one) == digest(other)


def digest(trainer: Trainer) -> str:
    """A hash of weights, optimizer, schedule, place, carried state, sums, records."""
    sum_ = hashlib.sha256()
    run = trainer.run
    for name, matrix in trainer.model.parameters().items():
        _add(sum_, name, matrix.value)
    _add_all(sum_, trainer.optimizer.state(trainer.model))
    if trainer.schedule is not None:
        _add_all(sum_, trainer.schedule.state())
    state = run.place.state
    if state is not None:
        for vector in (*state.hidden, *state.cell):
            _add(sum_, "state", vector)
    _add(sum_, "place", run.place._replace(state=None))
    _add(sum_, "run", (run.step, run.epochs, run.totals.sums, run.totals.updates))
    best = run.best
    _add(sum_, "best", (best.loss, best.step, best.waited))
    _add_all(sum_, best.weights)
    columns = run.history.columns()
    _add_all(sum_, {n: c for n, c in columns.items() if n not in _TIMES})
    return sum_.hexdigest()


def _add_all(sum_: Any, values: Mapping[str, Any]) -> None:
    for name in sorted(values):
        _add(sum_, name, values[name])


def _add(sum_: Any, name: str, value: Any) -> None:
    plain = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
    sum_.update(name.encode() + plain)
