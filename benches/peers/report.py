"""A record as Markdown tables."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from peers.record import Record

Line: TypeAlias = dict[str, Any]
NOT_SLOWER = 0.97


def markdown(record: Record) -> str:
    """All tables for which there are lines."""
    parts = [*_about(record.of("about")[0])]
    for section in (_rows, _first_calls, _imports, _sweep):
        parts += section(record)
    return "\n".join(parts) + "\n"


def best_peer(line: Line) -> tuple[str, float] | None:
    """The fastest peer of a contest and its time over ours."""
    ratios = {name: r[0] for name, r in line["ratios"].items() if name != "ours"}
    return min(ratios.items(), key=lambda item: item[1], default=None)


def _about(about: Line) -> Iterator[str]:
    yield "# Peers\n"
    yield f"{about['cpu']}, {about['processors']} processors; Python {about['python']};"
    versions = (f"{name} {version}" for name, version in about["versions"].items())
    yield f"{', '.join(versions)}; commit {about['commit']}."
    yield f"\n    {about['command']}\n"
    yield "Times are medians of interleaved rounds. The ratio is a side's time over the"
    yield "first side's: median over the rounds, in brackets the least and greatest."
    yield "GFLOP/s count 6 (inference: 2) x weights x symbols, without the embedding."
    yield "The share is that of the FMA peak measured just before: of what was executed"
    yield "for ours, of the nominal count for a peer."


def _rows(record: Record) -> Iterator[str]:
    lines = record.of("row")
    if not lines:
        return
    yield "\n## Rows\n"
    yield "| work | goal | side | threads | us/tick | ratio | GFLOP/s | of peak |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in lines:
        title = (f"{line['name']}: `{line['entries'][0]['work']}`", line["goal"])
        for entry in line["entries"]:
            label = entry["label"]
            if label in line["left_out"]:
                result = f"left out: {line['left_out'][label]} | | | "
            else:
                result = _result(line, entry)
            side = f"{label} | {entry['threads']}"
            yield f"| {title[0]} | {title[1]} | {side} | {result} |"
            title = ("", "")


def _result(line: Line, entry: Line) -> str:
    seconds = line["times"][entry["label"]]
    middle, least, most = line["ratios"][entry["label"]]
    ours = entry["label"] != line["entries"][0]["label"]
    ratio = f"{middle:.2f} ({least:.2f}-{most:.2f})" if ours else "1"
    speed = entry["nominal"] / seconds / 1e9
    counted = "executed" if entry["side"] == "ours" else "nominal"
    peak = entry["peak"]
    share = f"{entry[counted] / seconds / 1e7 / peak:.0f} %" if peak else "not measured"
    return f"{seconds / entry['ticks'] * 1e6:.3g} | {ratio} | {speed:.1f} | {share}"


def _first_calls(record: Record) -> Iterator[str]:
    for line in record.of("first call"):
        yield f"\n## First call: {line['name']}\n"
        yield "| side | first, ms | later, ms | first - 1.25 later, ms |"
        yield "|---|---|---|---|"
        for label, found in line["calls"].items():
            if "missing" in found:
                yield f"| {label} | left out: {found['missing']} | | |"
                continue
            first, later = found["first"] * 1e3, found["later"] * 1e3
            over = first - 1.25 * later
            yield f"| {label} | {first:.2f} | {later:.2f} | {over:.2f} |"


def _imports(record: Record) -> Iterator[str]:
    for line in record.of("import"):
        yield "\n## Import and size\n"
        yield "| package | import over NumPy, s | wheel, MiB | installed, MiB |"
        yield "|---|---|---|---|"
        for package, found in line["packages"].items():
            if "missing" in found:
                yield f"| {package} | left out: {found['missing']} | | |"
                continue
            wheel = f"{found['wheel']:.1f}" if found["wheel"] else "not found"
            installed = f"{found['installed']:.1f}"
            yield f"| {package} | {found['import']:.3f} | {wheel} | {installed} |"


def _sweep(record: Record) -> Iterator[str]:
    lines = [line for line in record.of("sweep") if best_peer(line)]
    if not lines:
        return
    yield "\n## Sweep\n"
    yield "The fastest peer's time over ours: below 0.97 is slower than a peer.\n"
    found = {id(line): best_peer(line) or ("", 0.0) for line in lines}
    tightest = sorted(lines, key=lambda line: found[id(line)][1])
    slower = sum(found[id(line)][1] < NOT_SLOWER for line in lines)
    yield f"{len(lines)} cells, {slower} of them slower. The five tightest:\n"
    for line in tightest[:5]:
        peer, ratio = found[id(line)]
        entry = line["entries"][0]
        yield f"- {ratio:.2f} {peer}: `{entry['work']}`, {entry['threads']} thread(s)"
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        sizes = line["sizes"]
        title = f"{sizes['cell'].upper()}, {sizes['mode']}, {sizes['dtype']}"
        groups[f"{title}, {line['entries'][0]['threads']} thread(s)"].append(line)
    for title, group in groups.items():
        yield from _table(title, group)


def _table(title: str, lines: list[Line]) -> Iterator[str]:
    """Ratios by size, with our microseconds a tick."""
    times = sorted({line["sizes"]["time"] for line in lines})
    cells = {}
    for line in lines:
        sizes, entry = line["sizes"], line["entries"][0]
        seconds = line["times"]["ours"] / entry["ticks"]
        peer = best_peer(line)
        ratio = peer[1] if peer else 0.0
        key = (sizes["hidden"][0], sizes["batch"], sizes["time"])
        cells[key] = (ratio, f"{ratio:.2f} ({seconds * 1e6:.3g})")
    middle = statistics.median(ratio for ratio, _ in cells.values())
    yield f"\n### {title}: median {middle:.2f}\n"
    yield "| H | B | " + " | ".join(f"T={t}, ratio (us/tick)" for t in times) + " |"
    yield "|---|---|" + "---|" * len(times)
    for hidden, batch in sorted({key[:2] for key in cells}):
        row = [cells.get((hidden, batch, t), (0, ""))[1] for t in times]
        yield f"| {hidden} | {batch} | " + " | ".join(row) + " |"
