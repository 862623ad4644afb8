"""`recurrentnn demo` as a process: what it prints, where it listens, how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import recurrentnn as rnn
from live import PATIENCE, TEXT
from recurrentnn.cli import main
from recurrentnn.demo.server import listen


class Process:
    """The command, running."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recurrentnn", "demo", "--no-browser", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=\S+\n", self.line)
        assert found, self.line
        self.port = int(found[1])

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; exit code and stderr."""
        self.process.send_signal(number)
        _, error = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, error

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text(TEXT.text, encoding="utf-8")
    return str(path)


@pytest.fixture
def demo(tmp_path: Path, text: str) -> Iterator[Process]:
    process = Process(tmp_path, text, "--port", "0", "--threads", "1")
    yield process
    process.close()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "\nrecurrentnn: interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_it_serves_learns_and_ends_cleanly(
    demo: Process, number: int, code: int, said: str
) -> None:
    with httpx.Client() as client:
        answer = client.get(demo.line.strip(), follow_redirects=True)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert client.get(f"http://127.0.0.1:{demo.port}/text").text == TEXT.text
        assert demo.end(number) == (code, said)
    with pytest.raises(OSError):  # noqa: PT011  (refused, by whatever name)
        socket.create_connection(("127.0.0.1", demo.port)).close()


def test_it_listens_on_the_loopback_alone(demo: Process) -> None:
    """All sockets that listen, by the kernel's own list, and every other address."""
    port = f"{demo.port:04X}"
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    rows = [
        line.split()
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    addresses = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(port)}
    if rows:
        assert addresses == {f"0100007F:{port}"}
    with pytest.raises(OSError):  # noqa: PT011  (refused, by whatever name)
        socket.create_connection(("127.0.0.2", demo.port), 1).close()


def test_a_model_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = rnn.CharModel.train(TEXT.text, lines=True, hidden_sizes=8, steps=3)
    model.save(path)
    process = Process(tmp_path, str(path), "--port", "0")
    try:
        with httpx.Client() as client:
            client.get(process.line.strip())
            base = f"http://127.0.0.1:{process.port}"
            data = client.get(f"{base}/model.safetensors").content
            (tmp_path / "again.safetensors").write_bytes(data)
        again = rnn.CharModel.load(tmp_path / "again.safetensors")
        assert again.greedy(length=50) == model.greedy(length=50)
        assert again.steps == 3
        assert process.end(signal.SIGINT)[0] == 130
    finally:
        process.close()


def test_a_port_that_is_taken() -> None:
    """The usual one gives way to the next; one that was asked for is an error."""
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            listen(port)
    with listen(None) as one, listen(None) as two:
        assert one.getsockname()[1] < two.getsockname()[1]
        assert one.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 3, "No such file"),
        (b"\xff\xfe\x00", 3, "not UTF-8"),
        (b"", 1, "must not be empty"),
    ],
)
def test_a_file_that_cannot_be_used(
    content: bytes | None,
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", str(path), "--no-browser", "--port", "0"]) == code
    out, error = capsys.readouterr()
    assert words in error
    assert out == ""


def test_a_damaged_model_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"x" * 100)
    assert main(["demo", str(path), "--no-browser", "--port", "0"]) == 3
    assert f"{path}: safetensors" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["starlette", "uvicorn", "websockets"])
def test_without_the_extra_the_command_says_what_to_install(name: str) -> None:
    """And neither the package nor the other commands load any of it."""
    program = (
        "import sys\n"
        "import recurrentnn.cli.app\n"
        "assert not {'starlette', 'uvicorn', 'websockets'} & sys.modules.keys()\n"
        f"sys.modules[{name!r}] = None\n"
        "from recurrentnn.cli import main\n"
        "sys.exit(main(['demo', '--no-browser', '--port', '0']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "pip install 'recurrentnn[demo]'" in done.stderr
