"""A live page's server, with all that a browser does and some that it would not."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

from recurrentnn import grammar
from recurrentnn.builtin_text import Text
from recurrentnn.demo.server import listen, server_of
from recurrentnn.demo.session import Session

TEXT = Text(grammar.text(60), "a grammar")
SMALL = {
    "lines": True,
    "hidden_sizes": "8",
    "embedding_size": 3,
    "batch_size": 4,
}
PATIENCE = 20.0
"""Seconds after which something that is waited for will not come."""


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Live:
    """A session and its server, each in a thread.

    Parameters
    ----------
    settings
        What is learnt from the beginning; None: nothing yet.
    """

    def __init__(
        self, settings: dict[str, Any] | None = None, text: Text = TEXT
    ) -> None:
        self.session = Session(text)
        self._settings = settings
        self._listening = listen(0)
        self.port = int(self._listening.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        self._server, self.address = server_of(self.session, self.port)
        self._thread = threading.Thread(target=self._serve)
        # A connection that is used again may be closed by the server just then.
        once = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=self.base, limits=once)

    def __enter__(self) -> Self:
        self.session.start()
        if self._settings is not None:
            self.session.learn(self._settings).result(PATIENCE)
        self._thread.start()
        assert self.client.get(self.address).status_code == 303
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self.session.close()
        self._listening.close()
        assert not self._thread.is_alive()

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    @property
    def cookie(self) -> str:
        return f"recurrentnn-{self.port}={self.token}"

    def post(self, path: str, content: Any) -> httpx.Response:
        """As the page itself does."""
        return self.client.post(path, content=content, headers={"origin": self.base})

    def tab(self, **options: Any) -> Tab:
        """A page's socket."""
        cookie = options.pop("cookie", self.cookie)
        return Tab(
            connect(
                f"ws://127.0.0.1:{self.port}/socket",
                **{"origin": self.base, "max_size": None, "close_timeout": 0.2}
                | options,
                additional_headers={"Cookie": cookie} if cookie else {},
            )
        )

    def raw(self, request: str) -> bytes:
        """What comes back for some bytes, until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as line:
            line.sendall(request.encode("latin-1"))
            return b"".join(iter(lambda: line.recv(65536), b""))

    def _serve(self) -> None:
        self._server.run(sockets=[self._listening])


class Tab:
    """A socket with messages as objects."""

    def __init__(self, connection: ClientConnection) -> None:
        # websockets warns of connections outside `with`; this one is in one, too.
        self.connection = connection.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def say(self, do: str, **values: Any) -> None:
        self.connection.send(json.dumps({"do": do, **values}))

    def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(PATIENCE))
        return message

    def until(
        self, kind: str, true: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next message of a kind of which something is true."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self.hear()
            if message["type"] == kind and true(message):
                return message
        raise AssertionError(f"no such {kind}")

    def paused(self) -> dict[str, Any]:
        """Pause, and the state then."""
        self.say("pause")
        return self.until("now", lambda m: m["phase"] == "paused")
