"""A record as pictures."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, TypeAlias

from peers import curves
from peers.record import Record
from peers.report import best_peer

Line: TypeAlias = dict[str, Any]
WIDTH = 11.0


def draw(record: Record, stem: Path) -> list[Path]:
    """Write `STEM-rows.png` and so on, those for which there are lines.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    written = []
    for kind, picture in (("row", _rows), ("sweep", _sweep), ("curve", _curves)):
        lines = record.of(kind)
        if lines:
            path = stem.with_name(f"{stem.name}-{kind}s.png")
            figure = picture(lines)
            figure.tight_layout()
            figure.savefig(path, dpi=110)
            written.append(path)
    return written


def _figure(rows: int, columns: int, height: float) -> tuple[Any, Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        rows, columns, figsize=(WIDTH, height), squeeze=False
    )
    return figure, axes


def _rows(lines: list[Line]) -> Any:
    """Each side's time over the first one's."""
    bars = [
        (f"{line['name']} ({entry['threads']}): {entry['label']}", line, entry["label"])
        for line in lines
        for entry in line["entries"][1:]
        if entry["label"] in line["ratios"]
    ]
    figure, ((axes,),) = _figure(1, 1, 1 + 0.25 * len(bars))
    for place, (_, line, label) in enumerate(bars):
        middle, least, most = line["ratios"][label]
        errors = [[middle - least], [most - middle]]
        axes.barh(place, middle, xerr=errors, color="tab:blue", alpha=0.8)
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black")
    axes.set_xlabel("time over that of the row's first side")
    return figure


def _sweep(lines: list[Line]) -> Any:
    """The fastest peer's time over ours, against the work of a run."""
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line["sizes"]["mode"], line["sizes"]["cell"]].append(line)
    modes = sorted({mode for mode, _ in groups})
    cells = sorted({cell for _, cell in groups})
    figure, grid = _figure(len(modes), len(cells), 3.6 * len(modes))
    for row, mode in enumerate(modes):
        for column, cell in enumerate(cells):
            axes = grid[row][column]
            _scatter(axes, groups[mode, cell])
            axes.set_title(f"{cell.upper()}, {mode}")
    grid[0][0].legend(fontsize=6)
    return figure


def _scatter(axes: Any, lines: list[Line]) -> None:
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        peer = best_peer(line)
        if peer is None:
            continue
        sizes, entry = line["sizes"], line["entries"][0]
        name = f"H={sizes['hidden'][0]}, {sizes['dtype']}, {entry['threads']} thread(s)"
        series[name].append((entry["nominal"], peer[1]))
    for name, points in series.items():
        marker = "o" if "float32" in name else "x"
        axes.plot(*zip(*points, strict=True), marker, markersize=3, label=name)
    axes.axhline(1, color="black")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("FLOPs of a run")
    axes.set_ylabel("fastest peer / ours")


def _curves(lines: list[Line]) -> Any:
    """Microseconds a tick against one size at a time."""
    figure, grid = _figure(2, 2, 8.0)
    for axes, axis in zip(grid.flat, curves.CURVES, strict=True):
        series: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for line in lines:
            if line["name"] != f"curve of {axis}":
                continue
            place = curves.position(axis, line["sizes"])
            for entry in line["entries"]:
                if entry["label"] in line["times"]:
                    name = f"{entry['label']}, {entry['threads']} thread(s)"
                    seconds = line["times"][entry["label"]] / entry["ticks"]
                    series[name].append((place, seconds * 1e6))
        for name, points in series.items():
            axes.plot(*zip(*sorted(points), strict=True), "o-", ms=3, label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(axis)
        axes.set_ylabel("us a step and sample")
        if series:
            axes.legend(fontsize=7)
    figure.suptitle(f"training, {curves.BASE.key}, one size changed at a time")
    return figure
