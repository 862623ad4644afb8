"""Our parameters, one matrix a gate, and the stacked ones that peers have."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from peers.work import Arrays, Work

# A peer's tensor: ours, one below the other.
Plan: TypeAlias = dict[str, list[str]]

# In the order of PyTorch, which JAX's side follows too.
ORDER = {
    "rnn": ("hidden",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
    "mgu": ("forget", "candidate"),
}
ORDER["own-lstm"] = ORDER["ln-lstm"] = ORDER["lstm"]

ONNX_ORDER = {
    "rnn": ("hidden",),
    "lstm": ("input", "output", "forget", "candidate"),
    "gru": ("update", "reset", "candidate"),
}


def plan(work: Work, order: dict[str, tuple[str, ...]] = ORDER) -> Plan:
    """Tensors of a peer, by names that all peers share."""
    found: Plan = {}
    if work.symbols is not None:
        found["embedding"] = ["embedding.weight"]
    for layer in range(len(work.hidden)):
        prefix = f"layers.{layer}"
        if work.cell == "gflstm":
            found |= _feedback(prefix, len(work.hidden))
            continue
        gates = order[work.cell]
        for name in ("weight_x", "weight_h", "bias"):
            found[f"{prefix}.{name}"] = [f"{prefix}.{gate}.{name}" for gate in gates]
        if work.cell == "gru":
            found[f"{prefix}.bias_h"] = [f"{prefix}.candidate.bias_h"]
        if work.cell == "ln-lstm":
            found[f"{prefix}.gain"] = [f"{prefix}.{gate}.gain" for gate in gates]
    if work.outputs is not None:
        found["decoder.weight"] = ["decoder.weight"]
        found["decoder.bias"] = ["decoder.bias"]
    return found


def _feedback(prefix: str, layers: int) -> Plan:
    units = [f"{prefix}.{gate}" for gate in ("input", "forget", "output")]
    sources = [f"{prefix}.feedback.{source}" for source in range(layers)]
    gates = [f"{source}.gate" for source in sources]
    on_input = [*units, f"{prefix}.candidate", *gates]
    return {
        f"{prefix}.weight_x": [f"{gate}.weight_x" for gate in on_input],
        f"{prefix}.bias": [f"{gate}.bias" for gate in on_input],
        f"{prefix}.weight_h": [f"{gate}.weight_h" for gate in units],
        f"{prefix}.gates_h": [f"{gate}.weight_h" for gate in gates],
        **{f"{source}.weight_h": [f"{source}.weight_h"] for source in sources},
    }


def stack(parameters: Arrays, plan: Plan) -> Arrays:
    """The peer's tensors out of ours; columns become vectors."""
    found: Arrays = {}
    for tensor, names in plan.items():
        whole = np.concatenate([parameters[name] for name in names])
        whole = whole[:, 0] if _is_vector(tensor) else whole
        found[tensor] = np.ascontiguousarray(whole)
    return found


def unstack(tensors: Arrays, plan: Plan, parameters: Arrays) -> Arrays:
    """Take the peer's tensors apart again, in the shapes of `parameters`."""
    found: Arrays = {}
    for tensor, names in plan.items():
        start = 0
        for name in names:
            rows, cols = parameters[name].shape
            part = tensors[tensor][start : start + rows]
            found[name] = part.reshape(rows, cols)
            start += rows
    return found


def _is_vector(tensor: str) -> bool:
    return tensor.rpartition(".")[2] in ("bias", "bias_h", "gain")
