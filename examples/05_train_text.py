"""A character model learns a language whose entropy is known, and writes a file."""

import tempfile
from pathlib import Path

import recurrentnn as rnn
from recurrentnn import grammar

text = grammar.text(1000)
model = rnn.CharModel.create(text, lines=True, hidden_sizes=[64], seed=0)


def show(model: rnn.CharModel, record: rnn.training.Record) -> None:
    """Print a record and what the model would write now."""
    print(
        f"step {record.step:3}  {record.bits_per_char:.3f} bits/char  "
        f"{record.chars_per_second:,.0f} chars/s  {model.sample(seed=record.step)!r}"
    )


model.learn(text, epochs=8, learning_rate=1e-2, report_every=50, callback=show)

unseen = "\n".join(grammar.english.sentence(k) for k in range(1000, 1200))
reached = model.evaluate(unseen).bits_per_char
print(f"unseen sentences: {reached:.3f} bits/char")
print(f"a perfect model:  {grammar.english.bits_per_char:.3f} bits/char")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.safetensors"
    model.save(path)
    copy = rnn.CharModel.load(path)
    print(f"{path.stat().st_size:,} bytes hold it:", copy.greedy() == model.greedy())
