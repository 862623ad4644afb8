"""A browser for the tests of the page, and nothing that it asks for goes unseen."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from live_page.server import FLAGS
from support import require

# What the browser itself says of a lost connection, and of a file that is refused.
EXPECTED = ("WebSocket", "status of 400")
Opened = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium."""
    sync_api = require("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opened]:
    """Opens addresses, as `opened(address, width=..)`.

    In the end none of the pages has asked for anything but what is on its own server,
    and none has met an error, a refused script or a dialog.
    """
    asked: list[tuple[str, str]] = []
    troubles: list[str] = []

    def complain(message: Any) -> None:
        expected = any(words in message.text for words in EXPECTED)
        if message.type == "error" and not expected:
            troubles.append(message.text)

    with ExitStack() as stack:

        def open_page(address: str, **options: Any) -> Any:
            width, height = options.pop("width", 1280), options.pop("height", 900)
            context = chromium.new_context(
                viewport={"width": width, "height": height}, **options
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(20_000)
            own = address.partition("?")[0].partition("://")[2]
            page.on("request", lambda request: asked.append((own, request.url)))
            page.on("websocket", lambda socket: asked.append((own, socket.url)))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("dialog", lambda dialog: troubles.append(dialog.message))
            page.on("console", complain)
            page.goto(address)
            return page

        yield open_page
    foreign = [
        url
        for own, url in asked
        if not url.partition("://")[2].startswith(own)
        and not url.startswith(("data:", "blob:"))
    ]
    assert asked
    assert not foreign
    assert not troubles
