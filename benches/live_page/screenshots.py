"""Pictures of a session: light, dark, narrow, and the one of the README.

`PYTHONPATH=benches python -m live_page.screenshots docs/pictures` lets a gated-feedback
net learn for a while and writes them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from live_page.server import browsing, serving

_WIDE, _NARROW = (1440, 1000), (390, 844)


def learn(page: Any, seconds: float) -> None:
    """Choose a net, learn, pause, and look at a symbol in the middle of the text."""
    page.get_by_label("cell", exact=True).select_option("gflstm")
    page.get_by_label("hidden sizes").fill("64,64,64")
    page.locator("#learn").click()
    page.locator("#what", has_text="GFLSTM").wait_for()
    time.sleep(seconds)
    page.locator("#pause").click()
    page.locator("#phase", has_text="paused").wait_for()
    page.locator("#prompt-text").fill("The method ")
    page.locator("#prompt-length").fill("120")
    page.locator("#prompt-go").click()
    page.locator("#look").click()
    time.sleep(2)
    page.locator("#reading span").nth(62).hover()
    page.locator(".strongest button").first.click()
    page.mouse.move(0, 0)
    time.sleep(0.5)


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)

    def shoot(page: Any, name: str, **options: Any) -> None:
        page.screenshot(path=given.folder / f"live-page{name}.png", **options)

    with serving() as server, browsing() as browser:
        width, height = _WIDE
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(server.address)
        learn(page, given.seconds)
        page.evaluate("scrollTo(0, 0)")
        shoot(page, "")
        shoot(page, "-light", full_page=True)
        page.emulate_media(color_scheme="dark")
        shoot(page, "-dark", full_page=True)
        # The bar that stays in sight would lie across it.
        page.evaluate("document.querySelector('.bar').style.position = 'static'")
        page.locator("#inside").screenshot(path=given.folder / "live-page-inside.png")
        width, height = _NARROW
        page.set_viewport_size({"width": width, "height": height})
        time.sleep(0.5)
        shoot(page, "-narrow", full_page=True)


if __name__ == "__main__":
    main()
