"""What a command line asks for, as values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import click

from recurrentnn.cli.settings import Tables, tables_of

MODEL_SETTINGS = (
    "lines",
    "unit",
    "max_symbols",
    "cell",
    "hidden_sizes",
    "layers",
    "embedding_size",
    "dropout",
    "dtype",
)
"""What a net that is there has already."""


@dataclass(frozen=True, kw_only=True)
class Learning:
    """What is learnt, by which net and which updates: `train` and `find-lr`."""

    text: str | None
    built_in: str
    lines: bool | None
    unit: str
    max_symbols: int | None
    validation_fraction: float
    cell: str
    hidden_sizes: tuple[int, ...]
    layers: int | None
    embedding_size: int | None
    dropout: float | None
    dtype: str
    init_from: str | None
    batch_size: int
    seq_length: int | None
    optimizer: str
    learning_rate: float | None
    clip_value: float | None
    clip_norm: float | None
    grad_clip: float | None
    seed: int
    tables: Tables

    @classmethod
    def of(cls, ctx: click.Context) -> Self:
        """The plan of a command line, whose options are the fields."""
        values: dict[str, Any] = dict(ctx.params)
        tables = tables_of(ctx, values.pop("overrides", ()))
        known = {field.name for field in fields(cls)}
        plan = cls(
            tables=tables, **{name: v for name, v in values.items() if name in known}
        )
        plan.check()
        return plan

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer."""
        return self.hidden_sizes * (self.layers or 1)

    def check(self) -> None:
        """Refuse what does not go together."""
        if self.layers is not None and len(self.hidden_sizes) > 1:
            raise click.UsageError("--layers repeats one hidden size, got several")
        if self.lines and self.unit != "chars":
            raise click.UsageError(f"--lines are of chars, not of {self.unit}")
        if self.lines and self.max_symbols is not None:
            raise click.UsageError("--max-symbols is for running text, not --lines")


@dataclass(frozen=True, kw_only=True)
class Training(Learning):
    """And until when, with what to tell and to keep."""

    output: str
    steps: int | None
    epochs: int | None
    minutes: float | None
    schedule: str | None
    warm_up: int
    patience: int | None
    validate_every: int | None
    report_every: int
    sample_every: int
    save_every: int | None
    keep: int
    log: tuple[str, ...]
    resume: bool
    override: bool
    quiet: bool
    as_json: bool
