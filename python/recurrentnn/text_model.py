"""A net that writes bytes, words, or characters of which rare ones are unknown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Self, TypeAlias

from recurrentnn._recurrentnn import Model, write_file
from recurrentnn.arguments import wrong_type
from recurrentnn.char_model import CharModel
from recurrentnn.data.alphabet import Alphabet
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    VocabularyError,
)
from recurrentnn.generation import Writer
from recurrentnn.models import read_model, unpack
from recurrentnn.training.notes import Notes
from recurrentnn.training.run import Run
from recurrentnn.training.tensors import Parts

_KIND = "text_model"


class TextModel(Writer):
    """A text model over an `Alphabet`: what `CharModel` is over a `Vocabulary`.

    It writes and scores as a `CharModel` of running text does; a `Trainer` teaches
    ``model.net``, with ``notes=model.notes`` so that its checkpoints are files of this.

    Parameters
    ----------
    net
        Maps the alphabet's symbols to as many logits.
    vocabulary
        An `Alphabet`.
    """

    vocabulary: Alphabet  # type: ignore[assignment]  # a `Code`, as writing asks for

    def __init__(self, net: Model, vocabulary: Alphabet) -> None:
        if not isinstance(net, Model):
            raise wrong_type("TextModel", "net", "a Model", net)
        if not isinstance(vocabulary, Alphabet):
            raise wrong_type("TextModel", "vocabulary", "an Alphabet", vocabulary)
        size = len(vocabulary)
        if (net.input_size, net.output_size) != (size, size):
            raise ArgumentError(
                f"TextModel: net must map {size} symbols to {size} logits, "
                f"maps {net.input_size} to {net.output_size}"
            )
        self.net = net
        self.vocabulary = vocabulary

    def __repr__(self) -> str:
        sizes = list(self.net.hidden_sizes)
        unit = self.vocabulary.unit
        return f"TextModel({self.net.cell} {sizes}, {len(self.vocabulary)} {unit})"

    def notes(self, run: Run | None = None) -> dict[str, str]:
        """The alphabet, as a file keeps it beside the net."""
        del run
        config = {"alphabet": self.vocabulary.config()}
        return {"kind": _KIND, _KIND: json.dumps(config)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write net and alphabet to a file: all of it or nothing."""
        write_file(path, self.net.to_bytes(self.notes(), {}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save`, or a `Trainer` with these notes, wrote.

        Raises
        ------
        FormatError
            The contents are not those of a text model.
        OSError
            The file cannot be read.
        """
        net, metadata, _ = read_model(path)
        try:
            return cls.of(net, metadata)
        except (ArgumentError, FormatError) as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None

    @classmethod
    def of(cls, net: Model, metadata: Mapping[str, str]) -> Self:
        """The model of a file's net and text entries."""
        if _KIND not in metadata:
            raise FormatError("a net but no text model; recurrentnn.load reads it")
        notes = Notes.parse(metadata[_KIND], _KIND)
        return cls(net, Alphabet.from_config(notes.value("alphabet")))


TextLanguage: TypeAlias = CharModel | TextModel


def load_language(
    path: str | os.PathLike[str],
) -> tuple[TextLanguage, dict[str, str], dict[str, Parts]]:
    """The text model of either kind in a file, and what else the file holds.

    Raises
    ------
    FormatError
        The contents are those of neither.
    OSError
        The file cannot be read.
    """
    net, metadata, tensors = read_model(path)
    if metadata.get("kind") != _KIND:
        return CharModel.load(path), metadata, tensors
    try:
        return TextModel.of(net, metadata), metadata, tensors
    except (ArgumentError, FormatError) as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None


def unpack_language(
    data: bytes,
) -> tuple[TextLanguage, dict[str, str], dict[str, Parts]]:
    """As `load_language`, from the bytes of a file."""
    net, metadata, tensors = unpack(data)
    try:
        if metadata.get("kind") == _KIND:
            return TextModel.of(net, metadata), metadata, tensors
        return CharModel.of(net, metadata, tensors), metadata, tensors
    except (ArgumentError, ArgumentTypeError, VocabularyError) as error:
        raise FormatError(str(error)) from None
