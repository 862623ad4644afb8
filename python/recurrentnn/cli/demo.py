"""`recurrentnn demo`: the live page."""

from __future__ import annotations

import functools
import importlib
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recurrentnn.builtin_text import Text, default_text
from recurrentnn.cli.command import Command, example, option
from recurrentnn.cli.files import model_file, read_bytes, read_text
from recurrentnn.cli.options import threads_option
from recurrentnn.data.text import clean
from recurrentnn.errors import FormatError

if TYPE_CHECKING:
    from recurrentnn.demo.session import Session

_MODELS = (".safetensors", ".json")


@click.command(cls=Command, epilog=example("recurrentnn demo book.txt"))
@click.argument("source", metavar="[TEXT|MODEL]", required=False)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Where to listen on 127.0.0.1; 0: wherever is free.  [default: 8765, or the "
    "next one that is free]",
)
@option("--no-browser", is_flag=True, help="Print the address and open no browser.")
@threads_option
def demo(
    source: str | None, *, port: int | None, no_browser: bool, threads: int | None
) -> None:
    """See a net learn, in your browser: the text TEXT, or go on with MODEL.

    MODEL is a model file, a run's folder or the .json of RecurrentJS's demo. Without
    either it begins with a text and a net that are there already. The page is for this
    machine alone: nobody else can open it, and nothing leaves it. Ctrl-C ends it.
    """
    del threads
    try:
        importlib.import_module("websockets")  # which uvicorn asks for when it serves
        from recurrentnn.demo.server import listen, server_of
        from recurrentnn.demo.session import Session
    except ImportError as error:
        raise ImportError(
            f"demo needs {error.name}: pip install 'recurrentnn[demo]'"
        ) from None
    session = Session(default_text())
    begin = _beginning(session, source)
    with listen(port) as socket:
        server, address = server_of(session, socket.getsockname()[1])
        session.start()
        try:
            begin()
            click.echo(address)
            if not no_browser:
                # One in a terminal would not return.
                open_it = functools.partial(webbrowser.open, address)
                threading.Thread(target=open_it, daemon=True).start()
            server.run(sockets=[socket])
        finally:
            session.close()


def _beginning(session: Session, source: str | None) -> Callable[[], object]:
    """What the session begins with; the file is read at once."""
    from recurrentnn.demo.files import read_upload
    from recurrentnn.demo.form import effective

    path = None if source in (None, "-") else Path(str(source))
    if source is None:
        return lambda: session.begin().result()
    if path is not None and (path.is_dir() or path.suffix in _MODELS):
        name = str(model_file(str(path)))
        try:
            found = read_upload(read_bytes(name))
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from None
        return lambda: session.load(*found).result()
    session.set_text(Text(clean(read_text(source)), source))
    return lambda: session.learn(effective({"lines": False})).result()
