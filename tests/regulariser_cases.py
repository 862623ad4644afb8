"""Nets that drop in training, beside those of `cases.py`: their ticks are calls."""

from typing import Any

from cases import CLASSES, ModelCase

ALONE: tuple[dict[str, Any], ...] = (
    {"dropout": 0.5},
    {"dropout": 0.5, "variational": True},
    {"recurrent_dropout": 0.4},
    {"recurrent_dropout": 0.4, "variational": True},
    {"zoneout_hidden": 0.3},
    {"weight_drop": 0.4},
    {"embedding_dropout": 0.5, "embedding_size": 3},
)
TOGETHER: dict[str, Any] = {
    "dropout": 0.3,
    "recurrent_dropout": 0.2,
    "zoneout_hidden": 0.2,
    "weight_drop": 0.2,
    "embedding_dropout": 0.3,
    "embedding_size": 3,
}


def regularised() -> list[ModelCase]:
    found = []
    for cell in CLASSES:
        options = [*ALONE, TOGETHER]
        if cell.endswith("lstm"):
            options += [{"zoneout_cell": 0.4}, TOGETHER | {"zoneout_cell": 0.2}]
        found += [ModelCase(cell, str(each), (4, 3), each) for each in options]
    tied = {"embedding_dropout": 0.4, "embedding_size": 3, "tied_embedding": True}
    projected = {"projection_size": 2, "dropout": 0.3, "recurrent_dropout": 0.3}
    residual = {"residual": True, "dropout": 0.3, "hidden_clip": 0.3}
    return [
        *found,
        ModelCase("lstm", "tied", (4, 3), tied, output_size=4),
        ModelCase("lstm", "projected", (4, 3), projected | {"zoneout_hidden": 0.2}),
        ModelCase("gru", "residual", (4, 4, 4), residual),
    ]


CASES = regularised()
