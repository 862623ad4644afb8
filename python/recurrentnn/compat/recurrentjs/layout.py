"""The matrices of a RecurrentJS model: its name, our name, its shape."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recurrentnn.errors import ArgumentError

# In the order in which initLSTM makes them.
_LSTM_GATES = {"i": "input", "f": "forget", "o": "output", "c": "candidate"}


class Entry(NamedTuple):
    """One matrix: `Wix0` is `layers.0.input.weight_x`, hidden x input."""

    name: str
    parameter: str
    rows: int
    cols: int

    @property
    def is_bias(self) -> bool:
        """Whether it starts at 0."""
        return self.name.startswith("b")


def layout(
    generator: str, input_size: int, hidden_sizes: Sequence[int], output_size: int
) -> list[Entry]:
    """Return the entries of `initLSTM` ("lstm") or `initRNN` ("rnn"), in its order.

    Raises
    ------
    ArgumentError
        If there is no hidden layer: the ancestor then made a decoder of no size.
    """
    if len(hidden_sizes) == 0:
        raise ArgumentError("hidden_sizes: at least one layer is needed, got none")
    entries = []
    below = input_size
    for d, size in enumerate(hidden_sizes):
        for x, h, bias, gate in _gates(generator):
            owner = f"layers.{d}.{gate}"
            entries += [
                Entry(f"{x}{d}", f"{owner}.weight_x", size, below),
                Entry(f"{h}{d}", f"{owner}.weight_h", size, size),
                Entry(f"{bias}{d}", f"{owner}.bias", size, 1),
            ]
        below = size
    entries.append(Entry("Whd", "decoder.weight", output_size, below))
    entries.append(Entry("bd", "decoder.bias", output_size, 1))
    return entries


def _gates(generator: str) -> Iterator[tuple[str, str, str, str]]:
    if generator == "rnn":
        yield "Wxh", "Whh", "bhh", "hidden"
    else:
        for letter, gate in _LSTM_GATES.items():
            yield f"W{letter}x", f"W{letter}h", f"b{letter}", gate
