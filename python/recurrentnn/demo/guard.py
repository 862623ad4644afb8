"""Who is let in: this machine's browser, with the token, from the page's own origin.

A page from elsewhere can make a browser send requests here, and by a name of its own
that leads to 127.0.0.1 even read answers. So each request and each socket has to name
this server as its host; has to come from the page itself, or from nowhere if it only
reads; and has to carry the cookie that the address with the token sets.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Of every answer."""

BODIES = {"/text": 5_000_000, "/model": 64_000_000}
"""Most bytes that may be sent to an address; elsewhere none."""

_READS = ("GET", "HEAD")

# Bytes of a body that are read although the request is refused, and how long.
_SHORT, _DRAIN_SECONDS = 65_536, 1.0


class Refused(Exception):
    """A request that is not served."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Guard:
    """Lets through what may come in; an ASGI application before another.

    Parameters
    ----------
    app
        What is guarded.
    port
        Where this server listens, on 127.0.0.1.
    token
        None: a random one.
    """

    def __init__(self, app: App, port: int, token: str | None = None) -> None:
        self._app = app
        self._token = token or secrets.token_urlsafe(24)
        self._cookie = f"recurrentnn-{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.address = f"http://127.0.0.1:{port}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] == "http":
            send = _with_headers(send)
            try:
                headers = self._check(scope)
                if self._begins(scope, headers):
                    await self._admit(send)
                    return
                self._check_cookie(headers)
                receive = _bounded(receive, scope["path"], headers)
            except Refused as refused:
                await _drain(scope, receive)
                await refuse(send, refused)
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            try:
                self._check_cookie(self._check(scope))
            except Refused:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> dict[str, str]:
        """The headers, if host, origin and method are right; none may come twice."""
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name = raw.decode("latin-1").lower()
            if name in headers and name in ("host", "origin", "cookie"):
                raise Refused(400, f"two headers {name}")
            headers[name] = value.decode("latin-1")
        host = headers.get("host", "")
        if host not in self._hosts:
            raise Refused(400, "this server has another name")
        origin = headers.get("origin")
        reads = scope["type"] == "http" and scope["method"] in _READS
        if origin is None and not reads:
            raise Refused(403, "where the request comes from must be said")
        if origin not in (None, f"http://{host}"):
            raise Refused(403, "the request comes from another page")
        return headers

    def _begins(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether it is the address with the token, which sets the cookie."""
        if scope["method"] != "GET" or scope["path"] != "/" or "origin" in headers:
            return False
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if not tokens:
            return False
        if len(tokens) != 1 or not self._is_token(tokens[0]):
            raise Refused(403, "this is not the token that was printed")
        return True

    def _check_cookie(self, headers: dict[str, str]) -> None:
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "the request comes from another page")
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            found = None
        if found is None or not self._is_token(found.value):
            raise Refused(403, "open the address that `recurrentnn demo` has printed")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _admit(self, send: Send) -> None:
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
        start = {"type": "http.response.start", "status": 303, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": b""})


async def _drain(scope: Scope, receive: Receive) -> None:
    """Read a short body: closing on it would reset the line, and the answer be lost."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length":
            if not value.isdigit() or len(value) > 6 or int(value) > _SHORT:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    while (await receive()).get("more_body"):
                        pass
            return


async def refuse(send: Send, refused: Refused) -> None:
    """Answer with the reason, and end the connection: the rest is not read."""
    body = refused.why.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    start = {"type": "http.response.start", "status": refused.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *given]
        await send(message)

    return sent


def _bounded(receive: Receive, path: str, headers: dict[str, str]) -> Receive:
    """What is received, as long as the body is not too large.

    Raises
    ------
    Refused
        It says itself that it is; or, when it is read, it turns out to be.
    """
    most = BODIES.get(path, 0)
    length = headers.get("content-length", "0")
    known = length.isascii() and length.isdigit() and len(length) <= len(str(most))
    chunked = "transfer-encoding" in headers
    if not known or int(length) > most or (chunked and not most):
        raise Refused(413, f"at most {most:,} bytes are read here")
    read = 0

    async def received() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise Refused(413, f"at most {most:,} bytes are read here")
        return message

    return received
