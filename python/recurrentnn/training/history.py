"""The records of a run: a list, columns, a plot, a picture in notebooks."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.training.records import Record
from recurrentnn.training.svg import Line, chart

_PLAIN = [name for name in Record._fields if name != "metrics"]
_METRICS = "metrics."


class History(list[Record]):
    """Records in the order of their steps.

    A notebook shows it as a chart (inline SVG, no JavaScript).
    """

    def column(self, name: str) -> NDArray[np.float64]:
        """One field, or metric, of all records; NaN where there is none."""
        if name in _PLAIN:
            values: Iterable[float | None] = (getattr(record, name) for record in self)
        elif name in self.metrics():
            values = (record.metrics.get(name) for record in self)
        else:
            known = ", ".join([*_PLAIN, *self.metrics()])
            raise ArgumentError(f"column: name must be one of {known}, got {name!r}")
        return np.array([math.nan if v is None else v for v in values], dtype=float)

    def metrics(self) -> list[str]:
        """The names of all metrics."""
        return list(dict.fromkeys(name for record in self for name in record.metrics))

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """All of it, as `pandas.DataFrame` takes it; a metric is `metrics.NAME`."""
        plain = {name: self.column(name) for name in _PLAIN}
        return plain | {_METRICS + name: self.column(name) for name in self.metrics()}

    @classmethod
    def from_columns(cls, columns: dict[str, NDArray[Any]]) -> History:
        """What `columns` gave.

        Raises
        ------
        FormatError
            Unless the columns are those of records, and of one length.
        """
        metrics = {
            name.removeprefix(_METRICS): column
            for name, column in columns.items()
            if name.startswith(_METRICS)
        }
        length = len(columns.get("step", ()))
        if set(columns) - {_METRICS + name for name in metrics} != set(_PLAIN) or any(
            column.shape != (length,) for column in columns.values()
        ):
            raise FormatError("history: these are not the columns of records")
        history = cls()
        for row in range(length):
            fields: dict[str, Any] = {n: float(columns[n][row]) for n in _PLAIN}
            fields["step"] = int(fields["step"])
            if math.isnan(fields["validation_loss"]):
                fields["validation_loss"] = None
            known = {name: float(column[row]) for name, column in metrics.items()}
            known = {n: value for n, value in known.items() if not math.isnan(value)}
            history.append(Record(**fields, metrics=known))
        return history

    def to_csv(self) -> str:
        """A header and a row for each record; what is unknown is empty."""
        metrics = self.metrics()
        names = [*_PLAIN, *(_METRICS + name for name in metrics)]
        return "".join([_row(names), *(table_row(record, metrics) for record in self)])

    def plot(self, axes: Any = None) -> Any:  # noqa: ANN401  (matplotlib is optional)
        """Loss and validation loss over steps, on axes of matplotlib, which it gives.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        if axes is None:
            try:
                from matplotlib import pyplot
            except ImportError:
                raise ImportError(
                    "History.plot needs matplotlib: pip install 'recurrentnn[plot]'"
                ) from None
            axes = pyplot.figure().add_subplot()
        for line in self._lines():
            axes.plot(line.x, line.y, label=line.label)
        axes.set_xlabel("step")
        axes.set_ylabel("loss")
        axes.legend()
        return axes

    def _repr_html_(self) -> str:
        return chart(self._lines(), x_label="step", y_label="loss")

    def _lines(self) -> list[Line]:
        step = self.column("step")
        lines = []
        for name, label in (("loss", "training"), ("validation_loss", "validation")):
            y = self.column(name)
            known = np.isfinite(y)
            if known.any():
                lines.append(Line(label, step[known].tolist(), y[known].tolist()))
        return lines


def table_row(record: Record, metrics: Iterable[str]) -> str:
    """One record's row of the table, as `History.to_csv` has it."""
    plain = [getattr(record, name) for name in _PLAIN]
    return _row([*plain, *(record.metrics.get(n) for n in metrics)])


def _row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        "" if value is None or value != value else value for value in values
    )
    return text.getvalue()
