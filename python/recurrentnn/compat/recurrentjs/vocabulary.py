"""The vocabulary of a RecurrentJS file: up to three tables that say the same."""

from collections.abc import Mapping
from typing import Any

from recurrentnn._recurrentnn import Vocabulary
from recurrentnn.compat.recurrentjs import json_text
from recurrentnn.compat.recurrentjs.json_text import fail


def read_vocabulary(fields: Mapping[str, Any], symbols: int) -> Vocabulary | None:
    """Return letters 1 to `symbols` - 1 in the file's order, 0 being the boundary.

    They stand in `vocab`, a list, in `letterToIndex` and in `indexToLetter`. Any of
    the three may be absent; without all of them the result is None.
    """
    tables = _tables(fields)
    if not tables:
        return None
    for name, table in tables.items():
        if set(table) != set(range(1, symbols)):
            expected = f"must number the {symbols - 1} letters from 1"
            fail(name, f"{expected}, as model.Wil has {symbols} rows")
    first, *others = tables
    for other in others:
        if tables[other] != tables[first]:
            fail(other, f"disagrees with {first}")
    letters = [_letter(tables[first][i], i, first) for i in range(1, symbols)]
    if len(set(letters)) < len(letters):
        fail(first, "names a letter twice")
    return Vocabulary(letters, boundary=True)


def _tables(fields: Mapping[str, Any]) -> dict[str, dict[int, object]]:
    """Return each table that is there as a map from index to letter."""
    tables: dict[str, dict[int, object]] = {}
    vocab = fields.get("vocab")
    if vocab is not None:
        if not isinstance(vocab, list | tuple):
            fail("vocab", f"must be a list, got {type(vocab).__name__}")
        tables["vocab"] = dict(enumerate(vocab, 1))
    if fields.get("letterToIndex") is not None:
        indices = json_text.mapping(fields["letterToIndex"], "letterToIndex")
        tables["letterToIndex"] = {
            json_text.size(index, f"letterToIndex[{letter!r}]"): letter
            for letter, index in indices.items()
        }
    if fields.get("indexToLetter") is not None:
        letters = json_text.mapping(fields["indexToLetter"], "indexToLetter")
        tables["indexToLetter"] = {
            _index(key): letter for key, letter in letters.items()
        }
    return tables


def _index(key: object) -> int:
    # A JSON object's keys are text.
    text = str(key)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        fail("indexToLetter", f"{key!r} is no index")
    return int(text)


def _letter(letter: object, index: int, where: str) -> str:
    if not isinstance(letter, str) or len(letter) != 1:
        fail(where, f"letter {index} must be one character, got {letter!r}")
    if "\ud800" <= letter <= "\udfff":
        # JavaScript split every character beyond U+FFFF into two such halves.
        advice = "without its vocabulary the document can be read"
        fail(where, f"letter {index} is half a character, {letter!r}; {advice}")
    return letter
