"""Model files that come from a page, and those it takes away."""

from __future__ import annotations

import json
from typing import TypeAlias

from recurrentnn.char_model import CharModel
from recurrentnn.compat import from_recurrentjs
from recurrentnn.convert import to_recurrentjs
from recurrentnn.data import Alphabet
from recurrentnn.errors import ArgumentError, FormatError
from recurrentnn.text_model import TextLanguage, unpack_language
from recurrentnn.training.tensors import Parts

Found: TypeAlias = tuple[TextLanguage, dict[str, str], dict[str, Parts]]


def read_upload(body: bytes) -> Found:
    """The model in a file of ours or of RecurrentJS's demo, with what else it holds.

    Raises
    ------
    FormatError
        It is neither, is damaged, or has no vocabulary.
    """
    if body.lstrip()[:1] != b"{":
        return unpack_language(body)
    model, vocabulary, _ = from_recurrentjs(body)
    if vocabulary is None:
        raise FormatError("the file has a net but no letters")
    return CharModel(model, vocabulary), {}, {}


def recurrentjs(language: TextLanguage) -> bytes:
    """The JSON that RecurrentJS's demo loads.

    Raises
    ------
    ArgumentError
        Naming what the net has that RecurrentJS has not.
    """
    code = language.vocabulary
    if isinstance(code, Alphabet):
        raise ArgumentError("to_recurrentjs: RecurrentJS knows letters and lines only")
    document = to_recurrentjs(language.net, vocabulary=code)
    return json.dumps(document, allow_nan=False).encode()
