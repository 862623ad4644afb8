"""Runs Keras on JAX and writes weights, inputs and outputs to keras.npz.

    python tests/golden/make_keras.py

Keras 3.15 wrote the file that is here; on JAX it computes in float32 alone. Every case
is a model: `NAME.x`, `NAME.y`, and `NAME.w0`, `NAME.w1`, .. as `get_weights` lists
them; the name tells the options.
"""

import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import layers

BATCH, TIME, FEATURES, SYMBOLS = 3, 6, 4, 7
UNITS = (5, 3)


def cases() -> dict[str, tuple[Any, dict[str, Any], bool, bool]]:
    """Name -> layer, its options, whether both ways, whether with symbols and Dense."""
    found: dict[str, tuple[Any, dict[str, Any], bool, bool]] = {}
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "rnn-tanh": (layers.SimpleRNN, {"activation": "tanh"}),
        "rnn-relu": (layers.SimpleRNN, {"activation": "relu"}),
        "lstm": (layers.LSTM, {}),
        "gru-after": (layers.GRU, {"reset_after": True}),
        "gru-before": (layers.GRU, {"reset_after": False}),
    }
    for name, (layer, options) in kinds.items():
        for bias in (True, False):
            suffix = "" if bias else "-nobias"
            used = {**options, "use_bias": bias}
            found[f"{name}{suffix}"] = (layer, used, False, False)
        found[f"{name}-both"] = (layer, options, True, False)
        found[f"{name}-text"] = (layer, options, False, True)
    return found


def main() -> None:
    """Write the file."""
    rng = np.random.default_rng(1)
    written: dict[str, Any] = {}
    for name, (layer, options, both, text) in cases().items():
        stack: list[Any] = [layers.Embedding(SYMBOLS, 2)] if text else []
        for units in UNITS:
            one = layer(units, return_sequences=True, **options)
            stack.append(layers.Bidirectional(one) if both else one)
        if text:
            stack.append(layers.Dense(SYMBOLS))
        x: Any = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
        if text:
            x = rng.integers(0, SYMBOLS, (BATCH, TIME))
        model = keras.Sequential(stack)
        model(x)
        # Biases begin at 0, which would hide where they go.
        weights = [
            rng.normal(0.0, 0.5, w.shape).astype("float32") for w in model.get_weights()
        ]
        model.set_weights(weights)
        written[f"{name}.x"] = x
        written[f"{name}.y"] = np.asarray(model(x))
        written |= {f"{name}.w{i}": w for i, w in enumerate(weights)}
    np.savez_compressed(Path(__file__).with_name("keras.npz"), **written)


if __name__ == "__main__":
    main()
