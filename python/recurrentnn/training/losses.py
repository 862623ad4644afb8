"""Losses made of a few ops: weights of classes, smoothed labels, targets left out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import Graph, Matrix
from recurrentnn.errors import ArgumentError


class Loss(NamedTuple):
    """A 1x1 mean, and over how much weight of targets it is one."""

    mean: Matrix
    weight: float


def cross_entropy(
    graph: Graph,
    logits: Matrix,
    targets: NDArray[np.int64],
    counts: NDArray[np.bool_],
    class_weights: NDArray[np.float64] | None = None,
    smoothing: float = 0.0,
) -> Loss:
    """Cross-entropy of softmax(logits), as `torch.nn.functional.cross_entropy`.

    ::

        q_c = (1 - smoothing) w_y [c = y] + smoothing / classes w_c
        loss = -sum_n sum_c q_c log_softmax(logits)_c / sum_n w_y

    Parameters
    ----------
    graph
        Records it.
    logits
        (classes, columns).
    targets, counts
        The right class y of each column, and whether it counts.
    class_weights
        w, one for each class; None: all 1.
    smoothing
        The share of each label that is spread over all classes alike, in [0, 1).
    """
    classes = logits.rows
    right = np.where(counts, targets, 0)
    if not counts.any():
        raise ArgumentError("cross_entropy: every target is left out, none counts")
    if class_weights is None and not smoothing:
        mean = graph.softmax_cross_entropy(
            logits, right, None if counts.all() else counts
        )
        return Loss(mean, float(counts.sum()))
    weights = np.ones(classes) if class_weights is None else class_weights
    if weights.shape != (classes,):
        raise ArgumentError(
            f"cross_entropy: class_weights must be one for each of {classes} classes, "
            f"got {weights.size}"
        )
    if not (right.min() >= 0 and right.max() < classes):
        # Let the op say it.
        graph.softmax_cross_entropy(logits, right)
    of_targets = weights[right] * counts
    total = float(of_targets.sum())
    if not total > 0:
        raise ArgumentError("cross_entropy: the weights of all targets are 0")
    wanted = np.zeros((classes, right.size))
    wanted[right, np.arange(right.size)] = (1 - smoothing) * of_targets
    wanted += smoothing / classes * weights[:, None] * counts
    log_p = graph.log_softmax(logits)
    sum_ = graph.sum(graph.mul(log_p, Matrix(wanted, dtype=logits.dtype)))
    return Loss(graph.scale(sum_, -1.0 / total), total)


def pointwise(
    graph: Graph,
    kind: str,
    prediction: Matrix,
    target: NDArray[Any],
    delta: float = 1.0,
) -> Loss:
    """The mean of a loss of single numbers over all targets that are not NaN.

    Parameters
    ----------
    graph
        Records it.
    kind
        "squared", "absolute" or "huber".
    prediction, target
        (outputs, columns); a target that is NaN is left out.
    delta
        Of "huber".
    """
    known = ~np.isnan(target)
    count = int(known.sum())
    if not count:
        raise ArgumentError(f"{kind}_error: every target is NaN, none counts")
    wanted = Matrix(np.where(known, target, 0.0), dtype=prediction.dtype)
    if count < target.size:
        # What is left out is predicted rightly.
        mask = Matrix(known.astype(np.float64), dtype=prediction.dtype)
        prediction = graph.where(mask, prediction, wanted)
    if kind == "huber":
        mean = graph.huber(prediction, wanted, delta)
    elif kind == "absolute":
        mean = graph.absolute_error(prediction, wanted)
    else:
        mean = graph.squared_error(prediction, wanted)
    if count < target.size:
        mean = graph.scale(mean, target.size / count)
    return Loss(mean, float(count))
