"""The live page for as long as you like: whether it grows, and what it costs.

`PYTHONPATH=benches python -m live_page.soak --minutes 60` prints a row of JSON for each
look at it, and a last one with what came of it.

The page's heap is measured after a collection, the server's memory is what is resident.
Both are compared between the middle and the last third of the time: the lists of a page
are full after the first minute. Speed is updates a second with a page open, against the
same without one, in turns, and the median of the pairs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from live_page.server import Server, browsing, serving
from memory import growth

_LOOK_EVERY = 2.0
_WINDOW = 5.0
_SETTLE = 1.5


_COUNT = """() => {
  window.changes = 0;
  const count = () => { window.changes += 1; };
  const what = { childList: true, characterData: true, subtree: true };
  const step = document.getElementById("figure-step");
  new MutationObserver(count).observe(step, what);
}"""


class Look(NamedTuple):
    """Memory at one time, in MB.

    Attributes
    ----------
    seconds
        Since the page was opened.
    heap, resident
        Of the page, of the server.
    step
        That the page shows.
    changes
        How often it has shown another one.
    """

    seconds: float
    heap: float
    resident: float
    step: int
    changes: int


def memory(server: Server, browser: Any, seconds: float) -> Iterator[Look]:
    """What a page and its server take while somebody looks at all of it."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(server.address)
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    page.evaluate(_COUNT)
    began, places = time.monotonic(), ["#learning", "#inside", "#samples"]
    number = 0
    while (now := time.monotonic() - began) < seconds:
        page.locator(places[number % len(places)]).scroll_into_view_if_needed()
        tools.send("HeapProfiler.collectGarbage")
        found = tools.send("Performance.getMetrics")["metrics"]
        heap = {one["name"]: one["value"] for one in found}["JSHeapUsedSize"] / 2**20
        step = int(page.inner_text("#figure-step").replace(",", ""))
        changes = page.evaluate("window.changes")
        yield Look(now, heap, server.resident(), step, changes)
        time.sleep(_LOOK_EVERY)
        number += 1
    page.context.close()


def speed(server: Server, browser: Any, pairs: int) -> list[float]:
    """Updates a second with the page open, as shares of those without."""

    def updates() -> float:
        time.sleep(_SETTLE)
        began, first = time.monotonic(), server.now()["step"]
        time.sleep(_WINDOW)
        return float(server.now()["step"] - first) / (time.monotonic() - began)

    shares = []
    for _ in range(pairs):
        alone = updates()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(server.address)
        watched = updates()
        page.context.close()
        shares.append(watched / alone)
    return shares


def run(
    browser: Any, seconds: float, pairs: int, *, show: bool = False
) -> dict[str, Any]:
    """A whole run: what `main` prints in the end."""
    with serving("--threads", "1") as server:
        server.now("resume")
        shares = speed(server, browser, pairs)
        looks = []
        for look in memory(server, browser, seconds):
            looks.append(look)
            if show:
                print(json.dumps(look._asdict()), flush=True)
        first, last = looks[0], looks[-1]
        changes = last.changes - first.changes
        return {
            "looks": len(looks),
            "changes_a_second": changes / (last.seconds - first.seconds),
            "updates": last.step,
            "heap": last.heap,
            "heap_growth": growth([look.heap for look in looks]),
            "resident": last.resident,
            "resident_growth": growth([look.resident for look in looks]),
            "steps_seen": len({look.step for look in looks}),
            "speed": statistics.median(shares),
            "speeds": shares,
        }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pairs", type=int, default=15)
    given = parser.parse_args()
    with browsing() as browser:
        found = run(browser, given.minutes * 60, given.pairs, show=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
