"""Twelve attacks on a server that runs: each is refused, and the server lives."""

import contextlib
import json
import pickle
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import recurrentnn as rnn
from live import PATIENCE, SMALL, TEXT, Live
from recurrentnn.demo import tabs
from recurrentnn.demo.commands import MOST_BYTES
from recurrentnn.demo.guard import BODIES, HEADERS
from recurrentnn.demo.server import Patient
from recurrentnn.demo.tabs import MOST_TABS


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patient, "seconds", 0.5)
        patch.setattr(tabs, "PAUSE", 0.02)
        with Live(SMALL) as live:
            yield live


@pytest.fixture(autouse=True)
def live(server: Live) -> Iterator[Live]:
    """After each attack the page is served, and the net still learns."""
    yield server
    assert server.client.get("/").status_code == 200
    with server.tab() as tab:
        assert tab.until("hello")["parameters"]
        step = tab.until("now")["step"]
        tab.until("now", lambda m: m["step"] > step and m["phase"] == "learning")


ORIGINS = {
    "foreign": "http://evil.example",
    "null": "null",
    "missing": None,
    "another port": "http://127.0.0.1:1",
    "https": "https://127.0.0.1:PORT",
    "another name of it": "http://localhost:PORT",
    "empty": "",
    "longer": "http://127.0.0.1:PORT.evil.example",
}


@pytest.mark.parametrize("kind", ORIGINS)
def test_1_to_4_no_origin_but_its_own(kind: str, live: Live) -> None:
    """A foreign, a null and a missing one, and one of another port."""
    origin = ORIGINS[kind]
    if origin is not None:
        origin = origin.replace("PORT", str(live.port))
    with pytest.raises(InvalidStatus) as refused:
        live.tab(origin=origin)
    assert refused.value.response.status_code == 403
    headers = {} if origin is None else {"origin": origin}
    before = live.session.text
    answer = live.client.post("/text", content=b"taken over", headers=headers)
    assert answer.status_code == 403
    assert live.session.text is before
    if origin is not None:
        assert live.client.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "localhost", "[::1]", ""]
)
def test_5_no_host_but_its_own(host: str, live: Live) -> None:
    """A name of theirs that leads here would make them the same origin."""
    host = host.replace("PORT", str(live.port))
    headers = {"host": host}
    assert live.client.get(live.address, headers=headers).status_code == 400
    assert live.client.get("/", headers=headers).status_code == 400
    request = (
        f"GET /socket HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        f"Cookie: {live.cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 403 " in live.raw(request).split(b"\r\n")[0]


@pytest.mark.parametrize("name", ["Host", "Origin", "Cookie"])
def test_5_nothing_is_said_twice(name: str, live: Live) -> None:
    """Whichever of two were looked at, the other would be the one that counts."""
    own = {"Host": live.base[7:], "Origin": live.base, "Cookie": live.cookie}
    lines = [f"{header}: {value}\r\n" for header, value in own.items()]
    for twice in (f"{name}: evil.example\r\n", f"{name}: {own[name]}\r\n"):
        request = f"GET / HTTP/1.1\r\n{twice}{''.join(lines)}\r\n"
        assert b" 400 " in live.raw(request).split(b"\r\n")[0]


def test_localhost_is_a_name_of_its_own(live: Live) -> None:
    """What is refused above is refused for its own reason."""
    host = f"localhost:{live.port}"
    headers = {"host": host, "origin": f"http://{host}", "cookie": live.cookie}
    assert live.client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "recurrentnn-PORT=",
        "recurrentnn-PORT=guess",
        "recurrentnn-1=TOKEN",
        "=TOKEN",
    ],
)
def test_6_nothing_without_the_token(cookie: str, live: Live) -> None:
    cookie = cookie.replace("PORT", str(live.port)).replace("TOKEN", live.token)
    live.client.cookies.clear()
    headers = {"cookie": cookie}
    try:
        for path in (
            "/",
            "/text",
            "/model.safetensors",
            "/model.json",
            "/page/main.js",
        ):
            assert live.client.get(path, headers=headers).status_code == 403
        headers["origin"] = live.base
        for path in BODIES:
            answer = live.client.post(path, content=b"text", headers=headers)
            assert answer.status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            live.tab(cookie=cookie)
        assert refused.value.response.status_code == 403
    finally:
        live.client.get(live.address)


@pytest.mark.parametrize("token", ["guess", "", "TOKENx", "TOKEN&token=TOKEN"])
def test_6_no_other_token(token: str, live: Live) -> None:
    token = token.replace("TOKEN", live.token)
    headers = {"cookie": ""}
    live.client.cookies.clear()
    try:
        answer = live.client.get(f"/?token={token}", headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    finally:
        live.client.get(live.address)


def test_6_a_page_elsewhere_cannot_use_the_cookie(live: Live) -> None:
    """Cookies do not know ports: a page of another server here sends ours along."""
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site}
        assert live.client.get("/text", headers=headers).status_code == 403
    set_cookie = live.client.get(live.address).headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=Strict" in set_cookie


@pytest.mark.parametrize("path", ["/model", "/text", "/", "/socket"])
def test_7_a_hundred_megabytes(path: str, live: Live) -> None:
    """They are not read: the answer comes before they could be."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n"
        f"Origin: {live.base}\r\nCookie: {live.cookie}\r\n"
    )
    most = BODIES.get(path, 0)
    for length in (most + 1, 100 * 2**20, "9" * 5000, "-1", "1e9"):
        answer = live.raw(f"{head}Content-Length: {length}\r\n\r\n")
        assert answer.split()[1] in (b"413", b"400")
        assert b"connection: close" in answer.lower()
    with socket.create_connection(("127.0.0.1", live.port), PATIENCE) as line:
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece, sent = b"x" * 2**18, 0
        with contextlib.suppress(OSError):
            while sent < 100 * 2**20:
                line.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
        # What the two ends' buffers hold comes on top.
        assert sent < most + 32 * 2**20


def _look(text: str, layer: int, signal: str) -> str:
    return json.dumps(
        {"do": "look", "id": 1, "text": text, "layer": layer, "signal": signal}
    )


MALFORMED = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "3",
    "no command": "{}",
    "a command that is none": '{"do": "__import__"}',
    "no word": '{"do": 3}',
    "nested": "[" * 30_000,
    "nested objects": '{"do":' * 10_000,
    "a field too many": '{"do": "pause", "now": true}',
    "a field too few": '{"do": "rate"}',
    "NaN": '{"do": "rate", "value": NaN}',
    "infinite": '{"do": "rate", "value": 1e999}',
    "NaN as a setting": '{"do": "learn", "settings": {"learning_rate": NaN}}',
    "infinity as a setting": '{"do": "learn", "settings": {"model.std": 1e999}}',
    "negative": '{"do": "rate", "value": -1}',
    "a flag": '{"do": "rate", "value": true}',
    "a huge number": '{"do": "rate", "value": 1' + "0" * 5000 + "}",
    "a text for ever": '{"do": "continue", "id": 1, "prompt": "a", "length": 1e9}',
    "half a character": '{"do": "continue", "id": 1, "prompt": "\\ud800", "length": 5}',
    "nested settings": '{"do": "learn", "settings": {"cell": {"a": []}}}',
    "a setting that is none": '{"do": "learn", "settings": {"output": "/tmp/x"}}',
    "a file": '{"do": "learn", "settings": {"init_from": "/etc/passwd"}}',
    "an option smuggled": '{"do": "learn", "settings": {"cell": "lstm --output=/x"}}',
    "code": '{"do": "learn", "settings": {"hidden_sizes": "__import__(\'os\')"}}',
    "a giant net": '{"do": "learn", "settings": {"hidden_sizes": "100000,100000"}}',
    "a giant batch": '{"do": "learn", "settings": {"batch_size": 100000000}}',
    "endless layers": json.dumps(
        {"do": "learn", "settings": {"hidden_sizes": ",".join("9" * 5000)}}
    ),
    "a giant projection": '{"do": "learn", "settings": {"model.projection_size": 9e9}}',
    "an unknown layer": _look("a", 9, "cell"),
    "an unknown signal": _look("a", 0, "__class__"),
    "no text": _look("", 0, "cell"),
    "a long text": _look("a " * 1000, 0, "cell"),
    "no such weights": '{"do": "weights", "id": 1, "name": "../../x"}',
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_8_malformed_messages(kind: str, live: Live) -> None:
    """Each is refused, and the page stays connected."""
    with live.tab() as tab:
        before = tab.until("hello")
        tab.connection.send(MALFORMED[kind])
        assert tab.until("refused")["message"]
        tab.say("weights", id=7, name="decoder.bias")
        assert tab.until("weighed")["id"] == 7
    with live.tab() as tab:
        assert tab.until("hello")["settings"] == before["settings"]


def test_8_bytes_are_no_message(live: Live) -> None:
    with live.tab() as tab:
        tab.connection.send(b"\x00\xff")
        assert tab.until("refused")["do"] is None


@pytest.mark.parametrize("pieces", [1, 500])
def test_8_giant_messages(pieces: int, live: Live) -> None:
    """The connection ends, whether it comes at once or in pieces."""
    with live.tab() as tab:
        piece = "x" * (2 * MOST_BYTES // pieces)

        def attack() -> None:
            tab.connection.send(piece if pieces == 1 else iter([piece] * pieces))
            tab.until("nothing")

        with pytest.raises(ConnectionClosed) as closed:
            attack()
        said = closed.value.rcvd
        # The line may break before the reason is read.
        assert said is None or said.code == 1009
    with live.tab() as tab:
        tab.until("hello")


@pytest.mark.parametrize(
    "path",
    [
        "/page/../guard.py",
        "/page/..%2fguard.py",
        "/page/%2e%2e/guard.py",
        "/page/..%5cguard.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/index.html%00.js",
        "/page/.",
        "/page/",
        "/../../../../etc/passwd",
        "//etc/passwd",
        "/guard.py",
    ],
)
def test_9_no_path_leads_out(path: str, live: Live) -> None:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n"
        f"Cookie: {live.cookie}\r\nConnection: close\r\n\r\n"
    )
    answer = live.raw(request)
    assert answer.split(b"\r\n")[0].split()[1] in (b"404", b"307")
    assert b"root:" not in answer
    assert b"hmac" not in answer


def test_10_a_request_that_never_ends(live: Live) -> None:
    """Half a head, and a head again after an answer: the line is cut."""
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nCookie: {live.cookie}\r\n"
    for whole in (False, True):
        with socket.create_connection(("127.0.0.1", live.port), PATIENCE) as line:
            line.sendall(head.encode())
            if whole:
                line.sendall(f"\r\n{head}".encode())
            while line.recv(65536):
                pass


def test_10_a_page_that_does_not_read(live: Live) -> None:
    """It gets what there is when it reads again, not all that there was."""
    with live.tab(max_queue=1) as slow, live.tab() as quick:
        slow.until("now")
        steps = live.session.board.step
        for number in range(40):
            slow.say("look", id=number, text="the " * 100, layer=0, signal="cell")
        seen = [quick.until("now")["step"] for _ in range(10)]
        assert seen == sorted(seen)
        assert seen[-1] > steps


def test_11_two_hundred_sockets(live: Live) -> None:
    """So many pages at once are served, the others not, and none waits."""
    found: list[str] = []
    opened = []
    for _ in range(200):
        try:
            opened.append(live.tab())
            found.append("open")
        except InvalidStatus as error:
            found.append(str(error.response.status_code))
    assert found == ["open"] * MOST_TABS + ["403"] * (200 - MOST_TABS)
    assert opened[0].until("now", lambda m: m["tabs"] == MOST_TABS)
    lines = [socket.create_connection(("127.0.0.1", live.port)) for _ in range(200)]
    assert live.client.get("/").status_code == 200
    for line in lines:
        line.close()
    closing = [threading.Thread(target=tab.connection.close) for tab in opened]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with live.tab() as tab:
                tab.until("now", lambda m: m["tabs"] == 1)
                return
        except InvalidStatus:
            time.sleep(0.1)
    raise AssertionError("they never went")


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit",)


def _container(header: object, body: bytes = b"", claimed: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if claimed is None else claimed) + text + body


def _with_metadata(model: bytes, **changed: str) -> bytes:
    size = struct.unpack("<Q", model[:8])[0]
    header = json.loads(model[8 : 8 + size])
    header["__metadata__"] |= changed
    return _container(header, model[8 + size :])


def _not_numbers(model: bytes) -> bytes:
    """Weights of NaN, the checksum made to fit."""
    size = struct.unpack("<Q", model[:8])[0]
    header = json.loads(model[8 : 8 + size])
    body = np.full((len(model) - 8 - size) // 4, np.nan, np.float32).tobytes()
    header["__metadata__"].pop("sha256")
    return _container(header, body)


def pickled(model: rnn.CharModel) -> bytes:
    """A model's file."""
    data: bytes = model.__reduce__()[1][0]
    return data


def poison() -> dict[str, bytes]:
    model = pickled(rnn.CharModel.create(TEXT.text, lines=True, hidden_sizes=4))
    giant = rnn.CharModel.create(TEXT.text, lines=True, hidden_sizes=4)
    for weight in giant.net.parameters().values():
        weight.value = np.full(weight.shape, 3e38, np.float32)
    flipped = bytearray(model)
    flipped[-5] ^= 1
    return {
        "nothing": b"",
        "a pickle": pickle.dumps(_Evil()),
        "random bytes": np.random.default_rng(0).bytes(10_000),
        "a header of 2^63 bytes": _container({}, claimed=2**63),
        "a header beyond the file": _container({}, claimed=60_000_000),
        "no header": _container([]),
        "a tensor beyond the file": _container(
            {"w": {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**62]}}
        ),
        "a nested header": struct.pack("<Q", 10**6) + b"[" * 10**6,
        "cut off": model[:-100],
        "one bit flipped": bytes(flipped),
        "another vocabulary": _with_metadata(
            model, char_model='{"vocabulary": "ab", "mode": "lines"}'
        ),
        "not numbers": _not_numbers(model),
        "numbers that overflow": pickled(giant),
        "no vocabulary": rnn.LSTM(3, 4, 3).to_bytes({}, {}),
        "no JSON": b"{",
        "nested JSON": b'{"a":' * 100_000,
        "JSON of nothing": b"{}",
        "JSON of giants": json.dumps(
            {
                "hidden_sizes": [10**9],
                "generator": "lstm",
                "letter_size": 10**9,
                "model": {"Wil": {"n": 10**9, "d": 10**9, "w": []}},
            }
        ).encode(),
        "JSON of code": b'{"generator": "__import__(\'os\')", "model": {}}',
    }


POISON = poison()


@pytest.mark.parametrize("kind", POISON)
def test_12_poisoned_model_files(kind: str, live: Live) -> None:
    """The library's reader refuses them; what is learnt goes on."""
    lesson = live.session.board.lesson
    answer = live.post("/model", POISON[kind])
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert live.session.board.lesson == lesson


def test_every_answer_has_the_headers(live: Live) -> None:
    """Those that refuse, too."""
    for answer in (
        live.client.get("/"),
        live.client.get("/text"),
        live.client.get("/nothing"),
        live.client.get(live.address),
        live.client.get("/", headers={"host": "evil.example"}),
        live.client.get("/", headers={"origin": "null"}),
        live.client.put("/", headers={"origin": live.base}),
        live.post("/model", b"x"),
    ):
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value], (answer, name)


def test_text_is_never_a_page(live: Live) -> None:
    """Whoever opens the text itself sees text."""
    for path in ("/text", "/model.json", "/page/nothing.js"):
        kind = live.client.get(path).headers["content-type"]
        assert kind.startswith(("text/plain", "application/json"))
