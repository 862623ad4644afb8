"""A text to learn from that is there already: sentences out of CPython's own help.

`pydoc_data.topics` holds the language reference that `help("assert")` shows: prose,
grammar rules, tables and code. The prose is re-flowed into plain sentences, about
a hundred thousand characters, one sentence a line; all else is dropped. The result
depends on the version of Python, so exact figures are measured on
`recurrentnn.grammar` instead, which also stands in where the module is missing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from recurrentnn import grammar

# Below this many sentences it is not the text that we know.
_FEWEST = 500

_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-"})  # noqa: RUF001
_EMPHASIS = re.compile(r"\*+([^*\s][^*]*)\*+")
_UNDERLINE = re.compile(r"[*=\-^~\"]{3,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(])")
# Words and their punctuation; brackets, operators and underscores belong to code.
_SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,;:'\"()/.-]{18,138}[.?!]")
_LIST_MARK = re.compile(r"^(\*|\d+\.|[a-z]\))\s+")
_CODE = re.compile(r"::=|>>>|^ *(#|def |class \w+[(:]|import |return )", re.MULTILINE)
_VERSION_NOTE = re.compile(r"(New|Changed|Added|Removed|Deprecated|Availability)\b")


class Text(NamedTuple):
    """A text and where it comes from.

    Attributes
    ----------
    text
        Sentences, one a line.
    source
        One phrase for the user, with the known entropy where there is one.
    """

    text: str
    source: str


def default_text() -> Text:
    """The sentences of CPython's help, or of the grammar where it is missing."""
    sentences = help_sentences()
    if sentences is None:
        return grammar_text()
    return Text("\n".join(sentences), "sentences from Python's own help")


def grammar_text() -> Text:
    """Sentences of `recurrentnn.grammar`, the same everywhere, of known entropy."""
    return Text(grammar.text(5000, seed=0), grammar.description())


def help_sentences() -> list[str] | None:
    """The sentences of CPython's help; None where its text is missing or unknown."""
    try:
        from pydoc_data.topics import topics  # 0.7 MB: only when asked for
    except ImportError:
        return None
    sentences = prose_sentences(topics)
    return sentences if len(sentences) >= _FEWEST else None


def prose_sentences(topics: Mapping[str, str]) -> list[str]:
    """The sentences in the paragraphs of some topics, each once, in the topics' order.

    A sentence has 20 to 140 characters of ASCII, begins with a capital, ends with a
    full stop, question or exclamation mark, and has its quotes and parentheses closed.
    """
    found: dict[str, None] = {}
    for name in sorted(topics):
        for paragraph in _paragraphs(topics[name]):
            for sentence in _SENTENCE_END.split(paragraph):
                if _SENTENCE.fullmatch(sentence) and _closed(sentence):
                    found[sentence] = None
    return list(found)


def _paragraphs(topic: str) -> Iterator[str]:
    """Blocks between blank lines, each re-flowed to one line, that may be prose."""
    for block in topic.split("\n\n"):
        lines = [line.strip() for line in block.strip("\n").split("\n")]
        lines[0] = _LIST_MARK.sub("", lines[0])
        heading = any(_UNDERLINE.fullmatch(line) for line in lines)
        table = any(line.startswith(("|", "+-")) for line in lines)
        code = _CODE.search(block)
        if not (heading or table or code or _VERSION_NOTE.match(lines[0])):
            yield _reflow(lines)


def _reflow(lines: list[str]) -> str:
    # A word broken at its hyphen goes on in the next line.
    text = re.sub(r"(?<=\w-)\n", "", "\n".join(lines)).replace("\n", " ")
    return " ".join(_EMPHASIS.sub(r"\1", text.translate(_PLAIN)).split())


def _closed(sentence: str) -> bool:
    """Whether quotes and parentheses come in pairs."""
    return sentence.count('"') % 2 == 0 and sentence.count("(") == sentence.count(")")
