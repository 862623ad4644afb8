"""Teaching a forecaster's net: epochs until validation becomes no better."""

from __future__ import annotations

import math
from collections.abc import Callable

from recurrentnn._recurrentnn import Graph, Matrix, Model
from recurrentnn.data.forecasts import Blocks
from recurrentnn.optimizers import RMSProp


def fit(
    net: Model,
    optimizer: RMSProp,
    blocks: Blocks,
    validate: Callable[[], float],
    epochs: int,
    patience: int,
) -> list[tuple[float, float]]:
    """Learn until validation becomes no better, and keep the best weights."""
    history: list[tuple[float, float]] = []
    best, since, kept = math.inf, 0, {}
    for epoch in range(epochs):
        squares = 0.0
        for batch in blocks.epoch(epoch):
            with Graph() as graph:
                out, _ = net(batch.x)
                wanted = batch.targets.reshape(-1, batch.targets.shape[-1]).T
                loss = graph.squared_error(out, Matrix(wanted, dtype=net.dtype))
            graph.backward(loss)
            optimizer.step(net)
            squares += loss.item() * batch.symbols
        error = validate()
        history.append((squares / blocks.symbols, error))
        if math.isnan(error):
            continue
        if error < best:
            best, since = error, 0
            kept = {name: p.value.copy() for name, p in net.parameters().items()}
        else:
            since += 1
            if since == patience:
                break
    for name, value in kept.items():
        net.parameters()[name].value[...] = value
    return history
