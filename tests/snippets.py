"""The code blocks of the documents, for the tests that run them."""

import re
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, *languages: str) -> list[str]:
    """Return the fenced blocks in these languages, in order.

    Each is preceded by as many newlines as lines stand above it, so that the lines
    of a traceback are the document's.
    """
    text = document.read_text(encoding="utf-8")
    return [
        "\n" * text.count("\n", 0, match.start(2)) + match[2]
        for match in _BLOCK.finditer(text)
        if match[1] in languages
    ]


def python(document: Path) -> list[str]:
    """Return the Python programs of a document."""
    return blocks(document, "python")


def commands(document: Path, program: str) -> list[str]:
    """Return the shell lines of a document that call this program."""
    lines = "\n".join(blocks(document, "bash", "sh", "console")).splitlines()
    stripped = (line.strip().removeprefix("$ ") for line in lines)
    return [line for line in stripped if line.split(" ", 1)[0] == program]
