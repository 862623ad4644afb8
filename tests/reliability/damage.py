"""A checkpoint cut at every length and with random bits flipped: refused, or exact."""

import random
from pathlib import Path

import recurrentnn as rnn
import runs
from recurrentnn.training import Trainer
from reliability import Figures

MOST = 64_000


def check(folder: Path, count: int, rng: random.Random) -> Figures:
    """Flip a bit so many times; cut at every length, or a share for few flips."""
    trainer = runs.trainer(folder, report_every=50, validate_every=None)
    trainer.fit(runs.text_batches(), steps=3)
    (path,) = (folder / "ckpt").iterdir()
    data = path.read_bytes()
    expected = runs.digest(trainer)
    figures = {
        "bytes of the checkpoint": len(data),
        "lengths": 0,
        "flips": 0,
        "refused": 0,
        "read, exact": 0,
        "bad: read, other": 0,
        "bad: other exceptions": 0,
    }
    figures["bad: too large to try"] = int(len(data) > MOST)
    stride = 1 if count >= 20_000 else 37
    reader = runs.trainer()
    for length in range(0, len(data), stride):
        path.write_bytes(data[:length])
        figures["lengths"] += 1
        figures[_read(reader, path, expected)] += 1
    for _ in range(count):
        damaged = bytearray(data)
        at = rng.randrange(8 * len(data))
        damaged[at // 8] ^= 1 << at % 8
        path.write_bytes(damaged)
        figures["flips"] += 1
        figures[_read(reader, path, expected)] += 1
    path.write_bytes(data)
    figures["bad: read, other"] += _read(reader, path, expected) != "read, exact"
    return figures


def _read(trainer: Trainer, path: Path, expected: str) -> str:
    try:
        trainer.load(path)
    except rnn.FormatError:
        return "refused"
    except Exception as error:
        print(f"{path.name}: {error!r}")
        return "bad: other exceptions"
    return "read, exact" if runs.digest(trainer) == expected else "bad: read, other"
