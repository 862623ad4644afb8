"""The command: what to measure, how long, and where the record goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from peers import curves, fresh, plots, rows, sweep
from peers.contest import Contest, Disagreement, Entry, Workers, hold
from peers.peak import default_program, peak
from peers.record import FOLDER, Record
from peers.report import markdown
from peers.work import Missing
from peers.worker import WorkerError

# Kind of line: its contests for a number of threads.
CONTESTS: dict[str, Callable[[int], list[Contest]]] = {
    "row": rows.rows,
    "sweep": sweep.contests,
    "curve": curves.contests,
}
WHAT = ("rows", "threads", "fresh", "sweep", "curves", "report")
DEFAULT_WHEELS = FOLDER.parents[2] / "shared" / "wheels"


@click.command()
@click.argument("name")
@click.option("--what", type=click.Choice(WHAT), multiple=True, help="Default: all.")
@click.option("--only", default="", help="Regular expression that keys must match.")
@click.option("--threads", type=int, multiple=True, default=(1,), show_default=True)
@click.option("--budget", default=0.6, show_default=True, help="Seconds a contest.")
@click.option("--peak", "program", type=Path, help="The built example fma_peak.")
@click.option("--wheels", type=Path, default=DEFAULT_WHEELS, help="PyTorch's folder.")
@click.option("--folder", type=Path, default=FOLDER, help="Where records go.")
@click.option("--list", "listing", is_flag=True, help="Only say what would be run.")
def main(
    name: str,
    what: tuple[str, ...],
    only: str,
    threads: tuple[int, ...],
    budget: float,
    program: Path | None,
    wheels: Path,
    folder: Path,
    listing: bool,
) -> None:
    """Measure ours beside its peers into the record NAME.

    A record that is there already is gone on with. Beside NAME.jsonl it becomes NAME.md
    and pictures.
    """
    what = what or WHAT
    chosen = [
        (kind, each)
        for kind, each in _contests(what, threads)
        if re.search(only, each.key)
    ]
    if listing:
        for kind, each in chosen:
            click.echo(f"{kind}: {each.key}")
        click.echo(f"{len(chosen)} contests")
        return
    record = Record(folder / f"{name}.jsonl")
    program = program or default_program()
    if not program.exists():
        click.echo(f"no {program}: no share of the peak (make bench-peers builds it)")
    failed = _hold_all(record, chosen, budget, program)
    if "fresh" in what:
        _fresh(record, threads, wheels)
    _write(record, folder / name)
    if failed:
        raise SystemExit(f"{failed} contests failed: see above")


def _contests(
    what: tuple[str, ...], threads: tuple[int, ...]
) -> Iterator[tuple[str, Contest]]:
    for kind, contests in CONTESTS.items():
        if kind in what or f"{kind}s" in what:
            for number in threads:
                yield from ((kind, each) for each in contests(number))
    if "threads" in what:
        yield from (("row", each) for each in rows.two_threads())


def _hold_all(
    record: Record, chosen: list[tuple[str, Contest]], budget: float, program: Path
) -> int:
    """Hold what is not recorded yet; return how many failed."""
    workers = Workers()
    failed = 0
    try:
        for number, (kind, each) in enumerate(chosen, 1):
            if each.key in record:
                continue
            where = f"[{number}/{len(chosen)}] {each.key}"
            try:
                line = _line(kind, each, workers, budget, program)
            except Missing as reason:
                click.echo(f"{where}: skipped: {reason}")
            except (Disagreement, WorkerError) as error:
                failed += 1
                click.secho(f"{where}: FAILED: {error}", fg="red", err=True)
                workers.close()  # a worker that died must not fail the next one
            else:
                record.add(line)
                click.echo(f"{where}: {_said(line)}")
    finally:
        workers.close()
    return failed


def _line(
    kind: str, each: Contest, workers: Workers, budget: float, program: Path
) -> dict[str, Any]:
    # Measured right before what is compared with it.
    wanted = {(entry.threads, entry.work.dtype) for entry in each.entries}
    peaks = {kind: peak(program, *kind) for kind in wanted}
    entries = [
        _entry(entry, peaks[entry.threads, entry.work.dtype]) for entry in each.entries
    ]
    found = hold(each, workers, budget)
    return {
        "kind": kind,
        "key": each.key,
        "name": each.name,
        "goal": each.goal,
        "sizes": asdict(each.entries[0].work),
        "entries": entries,
        **found,
    }


def _entry(entry: Entry, measured: float | None) -> dict[str, Any]:
    work = entry.work
    return {
        "label": entry.label,
        "side": entry.side,
        "threads": entry.threads,
        "work": work.key,
        "ticks": work.ticks,
        "nominal": work.nominal_flops(),
        "executed": work.executed_flops(),
        "peak": measured,
    }


def _said(line: dict[str, Any]) -> str:
    times, ratios = line["times"], line["ratios"]
    said = [f"{label} {times[label] * 1e6:.4g} us" for label in list(times)[:1]]
    said += [f"{label} {ratios[label][0]:.2f}x" for label in list(times)[1:]]
    said += [f"{label} left out ({why})" for label, why in line["left_out"].items()]
    return ", ".join(said)


def _fresh(record: Record, threads: tuple[int, ...], wheels: Path) -> None:
    for number in threads:
        key = f"first call@{number}"
        if key not in record:
            work = rows.CHAR_RNN
            sides = ("ours", "torch", "jax")
            entries = tuple(Entry(side, side, work, number) for side in sides)
            calls = fresh.first_calls(entries)
            line = {"kind": "first call", "key": key, "name": work.key, "calls": calls}
            record.add(line)
            click.echo(f"{key}: {calls}")
    if "import" not in record:
        packages = fresh.imports((wheels,))
        record.add({"kind": "import", "key": "import", "packages": packages})
        click.echo(f"import: {packages}")


def _write(record: Record, stem: Path) -> None:
    report = stem.with_name(f"{stem.name}.md")
    report.write_text(markdown(record), encoding="utf-8")
    click.echo(f"wrote {report}")
    try:
        for picture in plots.draw(record, stem):
            click.echo(f"wrote {picture}")
    except ModuleNotFoundError as error:
        click.echo(f"no pictures: {error.name} is not installed")
