"""The inside of a net as one file: the modules of the page and what they show."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrentnn._recurrentnn import write_file
from recurrentnn.demo import look
from recurrentnn.text_model import TextLanguage

PAGE = Path(__file__).parent / "page"

_STYLES = ("style.css", "inside.css")
_FIRST = "standalone.js"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:class|const|function) (\w+))", re.MULTILINE)

_DOCUMENT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header class="top">
<div class="brand"><h1>recurrentnn</h1><p>{title}</p></div>
<button id="theme" class="quiet round" type="button"></button>
</header>
<main>
<section class="card inside" id="inside" aria-labelledby="inside-title"></section>
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""

_FRAME = (
    '<iframe sandbox="allow-scripts" title="{title}" width="100%" height="900" '
    'frameborder="0" srcdoc="{document}"></iframe>'
)


class Inspection:
    """What goes on in a net while it reads a text; a notebook shows it.

    All states and gates over the text, the strongest units, what may come next, the
    weights, and of gated feedback which layer listens to which.

    Parameters
    ----------
    language
        A `CharModel` or a `TextModel`, as it is now: later learning changes nothing.
    text
        What it reads, at most 1000 symbols; unknown ones are replaced.

    Attributes
    ----------
    activations : dict of str to numpy.ndarray
        By name, (symbols, units).

    Raises
    ------
    ArgumentError
        The text is empty or too long.
    NonFiniteError
        The net has numbers that are none.
    """

    def __init__(self, language: TextLanguage, text: str) -> None:
        net = language.net
        self._title = repr(language)
        signals = look.signals(net)
        seen = look.look(language, text, 0, signals[0][0]["name"])
        _, self.activations = look.activations(language, text)
        self._facts = {
            "signals": signals,
            "parameters": look.parameters(net),
            "text": seen["text"],
            "next": seen["next"],
            "gates": seen["gates"],
            "weights": {name: look.weigh(net, name) for name in net.parameters()},
        }

    def __repr__(self) -> str:
        return f"Inspection({self._title}, {len(self._facts['text'])} symbols)"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, whose script can reach nothing else."""
        document = html.escape(self.to_html())
        return _FRAME.format(title=html.escape(self._title), document=document)

    def to_html(self) -> str:
        """One file that needs no other, and no network."""
        return self._html

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write that file: all of it or nothing."""
        write_file(path, self._html.encode())

    @cached_property
    def _html(self) -> str:
        values = {
            name.removeprefix("layers."): _packed(array)
            for name, array in self.activations.items()
            if name.startswith("layers.")
        }
        style = "\n".join((PAGE / name).read_text("utf-8") for name in _STYLES)
        script = bundled(_FIRST)
        return _DOCUMENT.format(
            policy=f"default-src 'none'; script-src {_hash(script)}; "
            f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
            title=html.escape(self._title),
            style=style,
            data=embedded(self._facts | {"values": values}),
            script=script,
        )


def embedded(data: object) -> str:
    """JSON that can stand in a `<script>`: nothing in it begins or ends an element."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")


def bundled(first: str) -> str:
    """A module of the page and all that it imports, as one script.

    Each becomes a block of its own that leaves its exports in `modules`.
    """
    blocks = [_block(name) for name in _in_order(first, set())]
    return "const modules = {};\n" + "".join(blocks)


def _in_order(name: str, seen: set[str]) -> Iterator[str]:
    """What a module imports, each once, then the module."""
    seen.add(name)
    for _, other in _IMPORT.findall((PAGE / name).read_text("utf-8")):
        if other not in seen:
            yield from _in_order(other, seen)
    yield name


def _block(name: str) -> str:
    source = (PAGE / name).read_text("utf-8")
    exports = ", ".join(_EXPORT.findall(source))
    source = _IMPORT.sub(r'const {\1} = modules["\2"];\n', source)
    return f'{{\n{_EXPORT.sub("", source)}modules["{name}"] = {{ {exports} }};\n}}\n'


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _packed(values: NDArray[Any]) -> dict[str, Any]:
    """Numbers in 16 bits: within 2**-16 of the largest."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    scale = largest / 32767
    whole = np.rint(values.astype(np.float64) / scale).astype("<i2")
    return {"scale": scale, "data": base64.b64encode(whole.tobytes()).decode()}
