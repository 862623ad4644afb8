"""The server: routes, limits, and the loop that serves them until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from recurrentnn.builtin_text import Text
from recurrentnn.data.text import clean
from recurrentnn.demo.commands import MOST_BYTES
from recurrentnn.demo.files import read_upload, recurrentjs
from recurrentnn.demo.guard import Guard, Receive, Refused, Scope, Send, refuse
from recurrentnn.demo.session import Session
from recurrentnn.demo.settings import message_of
from recurrentnn.demo.tabs import Tabs
from recurrentnn.errors import RecurrentNNError

PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HOST, PORT = "127.0.0.1", 8765
# How many ports are tried from the usual one on.
_PORTS = 20
MOST_CONNECTIONS = 400

HEADER_SECONDS, BODY_SECONDS = 10.0, 60.0
"""How long a request may take to come."""


class Routes:
    """What the addresses do."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tabs = Tabs(session)
        self._page = {
            path.name: (path.read_bytes(), KINDS[path.suffix])
            for path in sorted(PAGE.iterdir())
            if path.suffix in KINDS
        }

    def app(self) -> Starlette:
        """The application, without its guard."""
        return Starlette(
            routes=[
                Route("/", self._index, methods=["GET"]),
                Route("/page/{name}", self._file, methods=["GET"]),
                Route("/model.safetensors", self._save, methods=["GET"]),
                Route("/model.json", self._save_json, methods=["GET"]),
                Route("/model", self._load, methods=["POST"]),
                Route("/text", self._text, methods=["GET"]),
                Route("/text", self._set_text, methods=["POST"]),
                WebSocketRoute("/socket", self._tabs.serve),
            ]
        )

    async def _index(self, _request: Request) -> Response:
        return self._page_file("index.html")

    async def _file(self, request: Request) -> Response:
        return self._page_file(request.path_params["name"])

    def _page_file(self, name: str) -> Response:
        if name not in self._page:
            return PlainTextResponse("there is no such file", 404)
        content, kind = self._page[name]
        return Response(content, media_type=kind)

    async def _save(self, _request: Request) -> Response:
        try:
            content = await asyncio.wrap_future(self._session.saved())
        except RecurrentNNError as error:
            return PlainTextResponse(str(error), 409)
        return _download(content, "application/octet-stream", "model.safetensors")

    async def _save_json(self, _request: Request) -> Response:
        try:
            language = await asyncio.wrap_future(self._session.copied())
            content = await asyncio.to_thread(recurrentjs, language)
        except RecurrentNNError as error:
            return PlainTextResponse(str(error), 409)
        return _download(content, "application/json", "model.json")

    async def _load(self, request: Request) -> Response:
        body = await _body(request)
        try:
            found = await asyncio.to_thread(read_upload, body)
            taken = await asyncio.to_thread(self._session.load, *found)
            await asyncio.wrap_future(taken)
        except Exception as error:
            return JSONResponse({"error": message_of(error)}, 400)
        return JSONResponse({})

    async def _text(self, _request: Request) -> Response:
        return PlainTextResponse(self._session.text.text)

    async def _set_text(self, request: Request) -> Response:
        body = await _body(request)
        try:
            text = clean(body.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return JSONResponse({"error": "the text is not UTF-8"}, 400)
        if len(text.strip()) < 2:
            return JSONResponse({"error": "a text has at least 2 characters"}, 400)
        name = request.query_params.get("name", "your text")[:100]
        self._session.set_text(Text(text, name))
        size = self._session.board.text
        return JSONResponse({name: size[name] for name in ("characters", "symbols")})


async def _body(request: Request) -> bytes:
    """The body of a request, which may not take for ever to come."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise Refused(408, "that took too long") from None


def _download(content: bytes, kind: str, name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=disposition)


class Outer:
    """Answers what a route refuses."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        try:
            await self._app(scope, receive, send)
        except Refused as refused:
            await refuse(send, refused)
        except ClientDisconnect:
            return


class Patient(H11Protocol):
    """HTTP with an end to patience: the head of a request has some seconds to come."""

    seconds = HEADER_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def _wait(self) -> None:
        self.loop.call_later(self.seconds, self._look, self.scope)

    def _look(self, before: object) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        answering = not getattr(self.cycle, "response_complete", True)
        if self.scope is before and not answering:
            self.transport.close()
        else:
            self._wait()


def listen(port: int | None) -> socket.socket:
    """A socket on the loopback; None: the usual port, or the next one that is free.

    Raises
    ------
    OSError
        The port is taken.
    """
    tried = range(PORT, PORT + _PORTS) if port is None else [port]
    for number in tried:
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere it would let others listen there, too
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, number))
            found.listen(128)
        except OSError as error:
            found.close()
            if number == tried[-1]:
                raise OSError(error.errno, error.strerror, f"port {number}") from None
            continue
        return found
    raise AssertionError


def server_of(
    session: Session, port: int, token: str | None = None
) -> tuple[uvicorn.Server, str]:
    """The server of a session, and the address to open."""
    guard = Guard(Outer(Routes(session).app()), port, token)
    config = uvicorn.Config(
        guard,
        loop="asyncio",
        http=Patient,
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config), guard.address
