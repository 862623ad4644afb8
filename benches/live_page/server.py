"""The command `recurrentnn demo` in a process of its own, and a browser beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import memory

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server(NamedTuple):
    """A server that runs.

    Attributes
    ----------
    address
        What it printed.
    pid
        Its process.
    """

    address: str
    pid: int

    def resident(self) -> float:
        """Its memory in MB."""
        return memory.resident(self.pid)

    def now(self, do: str | None = None) -> dict[str, Any]:
        """Its state, by a socket that is closed at once; first it is told something."""
        from websockets import Origin
        from websockets.sync.client import connect

        parts = urlsplit(self.address)
        token = parts.query.removeprefix("token=")
        cookie = f"recurrentnn-{parts.port}={token}"
        with connect(
            f"ws://{parts.netloc}/socket",
            origin=Origin(f"http://{parts.netloc}"),
            additional_headers={"Cookie": cookie},
            max_size=None,
        ) as line:
            if do is not None:
                line.send(json.dumps({"do": do}))
            while True:
                message: dict[str, Any] = json.loads(line.recv(20))
                if message["type"] == "now":
                    return message


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    """`recurrentnn demo` with these arguments, ended by Ctrl-C's signal."""
    command = [sys.executable, "-m", "recurrentnn", "demo", "--no-browser"]
    with subprocess.Popen(
        [*command, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


@contextmanager
def browsing() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )
        try:
            yield browser
        finally:
            browser.close()
