"""The form of the page: fields made of what the command line and the classes take."""

from __future__ import annotations

import functools
from typing import Any

from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS


@functools.cache
def fields() -> list[dict[str, Any]]:
    return [
        _field("cell", "choice", "model", default="lstm", choices=list(MODELS)),
        _field("hidden_sizes", "text", "model", default="128"),
        _field(
            "optimizer",
            "choice",
            "optimizer",
            default="rmsprop",
            choices=list(OPTIMIZERS),
        ),
    ]


def _field(name: str, kind: str, group: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.replace("_", " "),
        "help": "",
        "kind": kind,
        "choices": None,
        "minimum": None,
        "maximum": None,
        "default": None,
        "group": group,
        "cells": None,
        "optimizers": None,
        **more,
    }


def defaults(*, lines: bool) -> dict[str, Any]:
    """What a first lesson has."""
    return {
        "lines": lines,
        "cell": "lstm",
        "hidden_sizes": "128",
        "optimizer": "rmsprop",
    }
