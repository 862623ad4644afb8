"""What RecurrentJS's demo saved: read to the number, or refused with the place."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import recurrentnn
from recurrentnn import compat
from recurrentnn.compat.recurrentjs import json_text
from recurrentnn.errors import ArgumentTypeError, FormatError
from support import ROOT, assert_close, tolerance

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "golden" / "recurrentjs.json").read_text(encoding="utf-8")
)["saved"]
KINDS = ["lstm", "rnn"]


def document(kind: str = "lstm") -> dict[str, Any]:
    """Return a saved document of our own to spoil; its weights are objects."""
    return copy.deepcopy(GOLDEN[kind]["document"])


def with_lists(saved: dict[str, Any]) -> dict[str, Any]:
    """Return the document with every `w` as a list."""
    for m in [*saved["model"].values(), *saved["solver"]["step_cache"].values()]:
        m["w"] = list(m["w"].values())
    return saved


def check_model(kind: str, model: recurrentnn.Model) -> None:
    """Check the logits of one sentence against the original's."""
    g, prev = recurrentnn.Graph(recording=False), None
    for symbol, logits in zip(
        GOLDEN[kind]["sentence"], GOLDEN[kind]["logits"], strict=True
    ):
        prev = model.forward(g, symbol, prev)
        assert_close(prev.output.value.ravel(), logits, tolerance("float64"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_gives_a_model_that_computes_the_same(kind: str) -> None:
    """From text, with an embedding, the vocabulary and the solver's numbers."""
    model, vocabulary, solver = compat.from_recurrentjs(json.dumps(document(kind)))
    assert isinstance(model, recurrentnn.LSTM if kind == "lstm" else recurrentnn.RNN)
    check_model(kind, model)
    assert vocabulary is not None
    assert vocabulary.boundary
    # The file's own order, which is not sorted.
    assert list(vocabulary.symbols)[-4:] == ["b", "a", " ", "é"]
    assert vocabulary.encode("abé").tolist() == [2, 1, 4]
    assert solver is not None
    assert (solver.decay_rate, solver.smooth_eps) == (0.999, 1e-8)
    assert set(solver.step_cache) == set(model.parameters())
    stored = document(kind)["solver"]["step_cache"]["Wil"]["w"]
    cache = solver.step_cache["embedding.weight"]
    assert cache.ravel().tolist() == list(stored.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_imported_solver_goes_on(kind: str) -> None:
    """The next step divides by the file's means of squares."""
    model, _, solver = compat.from_recurrentjs(json.dumps(document(kind)))
    assert solver is not None
    before = {name: m.value.copy() for name, m in model.parameters().items()}
    for m in model.parameters().values():
        m.grad[...] = 0.5
    solver.start(model).step(model, 0.01, 0.0, 5.0)
    for name, m in model.parameters().items():
        s = solver.step_cache[name] * 0.999 + 0.001 * 0.25
        expected = before[name] - 0.01 * 0.5 / np.sqrt(s + 1e-8)
        assert_close(m.value, expected, tolerance("float64"), name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "form",
    [dict, json.dumps, lambda d: json.dumps(d, ensure_ascii=False).encode()],
    ids=["mapping", "text", "bytes"],
)
@pytest.mark.parametrize("change", [dict, with_lists], ids=["objects", "lists"])
def test_every_form_of_a_document_is_read(
    kind: str, form: Callable[..., Any], change: Callable[..., Any]
) -> None:
    """Weights as objects or lists; a mapping, text or UTF-8."""
    check_model(kind, compat.from_recurrentjs(form(change(document(kind)))).model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_without_solver_or_vocabulary_is_read(kind: str) -> None:
    """As the page's pretrained model was, which the page itself then could not load."""
    saved = document(kind)
    for name in ("solver", "vocab", "letterToIndex", "indexToLetter"):
        del saved[name]
    model, vocabulary, solver = compat.from_recurrentjs(saved)
    check_model(kind, model)
    assert vocabulary is None
    assert solver is None


@pytest.mark.parametrize("kept", ["vocab", "letterToIndex", "indexToLetter"])
def test_one_table_of_letters_is_enough(kept: str) -> None:
    """Each of the three says the same."""
    saved = document()
    for name in {"vocab", "letterToIndex", "indexToLetter"} - {kept}:
        del saved[name]
    vocabulary = compat.from_recurrentjs(saved).vocabulary
    assert vocabulary is not None
    assert vocabulary.encode("ba é").tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_text_that_is_cut_off_is_refused_with_the_position(share: float) -> None:
    """The copy of the pretrained model that is going round breaks off in the middle."""
    text = json.dumps(document())
    end = int(share * len(text))
    with pytest.raises(FormatError, match=r"character \d+ of \d+: .*; the text is cut"):
        compat.from_recurrentjs(text[:end])


def test_no_prefix_of_a_document_is_read_or_ends_otherwise() -> None:
    """Wherever it is cut, the answer is a FormatError."""
    text = json.dumps(document("rnn"))
    for end in range(0, len(text), 37):
        with pytest.raises(FormatError):
            compat.from_recurrentjs(text[:end])


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(saved: dict[str, Any]) -> None:
        *parents, last = path
        for key in parents:
            saved = saved[key]
        saved[last] = to

    return spoil


def _drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(saved: dict[str, Any]) -> None:
        *parents, last = path
        for key in parents:
            saved = saved[key]
        del saved[last]

    return spoil


def _columns(name: str, count: int) -> Callable[[dict[str, Any]], None]:
    def spoil(saved: dict[str, Any]) -> None:
        m = saved["model"][name]
        m["d"] = count
        m["w"] = [0.5] * (m["n"] * count)

    return spoil


WRONG = {
    "no generator": (_drop("generator"), "document: 'generator' is missing"),
    "other generator": (_set("generator", to="gru"), "generator: must be 'lstm' or"),
    "code for sizes": (_set("hidden_sizes", to="alert(1)"), "hidden_sizes: must be a"),
    "no sizes": (_set("hidden_sizes", to=[]), "hidden_sizes: must be a list"),
    "size 0": (_set("hidden_sizes", to=[3, 0]), "hidden_sizes[1]: must be a whole"),
    "size 2.5": (_set("hidden_sizes", to=[2.5, 2]), "hidden_sizes[0]: must be a whole"),
    "huge size": (_set("hidden_sizes", 0, to=10**12), "must be 1000000000000x2"),
    "more layers": (_set("hidden_sizes", to=[3, 2, 2]), "model: 'Wix2' is missing"),
    "fewer layers": (_set("hidden_sizes", to=[3]), "model.Whd: must be 5x3"),
    "letter size": (_set("letter_size", to=3), "letter_size: is 3, but Wil has 2"),
    "no model": (_drop("model"), "document: 'model' is missing"),
    "model a list": (_set("model", to=[]), "model: must be an object, got list"),
    "no embedding": (_drop("model", "Wil"), "model: 'Wil' is missing"),
    "no decoder": (_drop("model", "Whd"), "model: 'Whd' is missing"),
    "missing matrix": (_drop("model", "Woh1"), "model: 'Woh1' is missing"),
    "unknown matrix": (
        _set("model", "Wzz", to={"n": 1, "d": 1, "w": [0]}),
        "model: has matrices that no such model has: Wzz",
    ),
    "matrix a number": (_set("model", "bd", to=3), "model.bd: must be an object"),
    "no rows": (_drop("model", "bd", "n"), "model.bd: 'n' is missing"),
    "no weights": (_drop("model", "bd", "w"), "model.bd: 'w' is missing"),
    "negative rows": (_set("model", "bd", "n", to=-5), "model.bd.n: must be a whole"),
    "true rows": (_set("model", "bd", "n", to=True), "model.bd.n: must be a number"),
    "huge rows": (_set("model", "bd", "n", to=10**15), "model.bd.w: has 5 numbers"),
    "text for w": (_set("model", "bd", "w", to="00000"), "model.bd.w: must be a list"),
    "short w": (_set("model", "bd", "w", to=[0] * 4), "model.bd.w: has 4 numbers"),
    "hole in w": (
        _set("model", "bd", "w", to={"0": 0, "1": 0, "2": 0, "3": 0, "5": 0}),
        "model.bd.w: '4' is missing",
    ),
    "null": (_set("model", "bd", "w", "2", to=None), "model.bd.w[2]: must be a number"),
    "text in w": (_set("model", "bd", "w", "2", to="1"), "model.bd.w[2]: must be a"),
    "NaN": (_set("model", "bd", "w", "2", to=float("nan")), "model.bd.w[2]: must be f"),
    "infinite": (_set("model", "bd", "w", "2", to=float("inf")), "model.bd.w[2]"),
    "beyond float": (_set("model", "bd", "w", "2", to=10**400), "model.bd.w[2]: must"),
    "wrong columns": (_columns("Wfx1", 4), "model.Wfx1: must be 2x3 in this model"),
    "solver a list": (_set("solver", to=[]), "solver: must be an object"),
    "no decay rate": (_drop("solver", "decay_rate"), "solver: 'decay_rate' is missing"),
    "eps a text": (_set("solver", "smooth_eps", to="1"), "solver.smooth_eps: must be"),
    "unknown cache": (
        _set("solver", "step_cache", "x", to={"n": 1, "d": 1, "w": [0]}),
        "solver.step_cache.x: the model has no such matrix",
    ),
    "cache of other size": (
        _set("solver", "step_cache", "bd", to={"n": 1, "d": 1, "w": [0]}),
        "solver.step_cache.bd: must be 5x1",
    ),
    "negative cache": (
        _set("solver", "step_cache", "bd", "w", "0", to=-1),
        "solver.step_cache.bd: a mean of squares is negative",
    ),
    "vocab a text": (_set("vocab", to="ba é"), "vocab: must be a list"),
    "vocab short": (_set("vocab", to=["b"]), "vocab: must number the 4 letters from 1"),
    "vocab differs": (_set("vocab", to=["a", "b", " ", "é"]), "disagrees with vocab"),
    "index twice": (_set("letterToIndex", "a", to=1), "letterToIndex: must number"),
    "index a text": (_set("letterToIndex", "a", to="2"), "letterToIndex['a']: must"),
    "no index": (_set("indexToLetter", "x", to="y"), "indexToLetter: 'x' is no index"),
}


def _only_vocab(*letters: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(saved: dict[str, Any]) -> None:
        del saved["letterToIndex"], saved["indexToLetter"]
        saved["vocab"] = list(letters)

    return spoil


WRONG |= {
    "letter twice": (_only_vocab("b", "b", " ", "é"), "vocab: names a letter twice"),
    "letter of two": (_only_vocab("b", "an", " ", "é"), "letter 2 must be one char"),
    "letter a number": (_only_vocab("b", 7, " ", "é"), "vocab: letter 2 must be one"),
    "half an emoji": (_only_vocab("\ud83d", "a", " ", "é"), "letter 1 is half a char"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("as_text", [False, True], ids=["mapping", "text"])
def test_a_wrong_document_is_refused_with_the_place(case: str, as_text: bool) -> None:
    """As a mapping and, with the same words or the parser's, as text."""
    spoil, words = WRONG[case]
    saved = document()
    spoil(saved)
    if as_text and case in {"NaN", "infinite"}:
        words = "from_recurrentjs: document: "
    with pytest.raises(FormatError, match=re.escape(words)):
        compat.from_recurrentjs(json.dumps(saved) if as_text else saved)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the text is cut off"),
        ("<html>404</html>", "no JSON at line 1, character 0 of 16"),
        ("[1, 2]", "must be an object, got list"),
        (b"\xff\xfe", "no UTF-8 at byte 0 of 2"),
        ("[" * 200_000, "nested too deeply"),
        ('{"generator": ' + "9" * 5000 + "}", "document: "),
    ],
)
def test_a_text_that_is_no_document_is_refused(text: str | bytes, words: str) -> None:
    """With no other exception, whatever the parser meets."""
    with pytest.raises(FormatError, match=re.escape(words)):
        compat.from_recurrentjs(text)


def test_a_text_above_the_limit_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before it is parsed."""
    monkeypatch.setattr(json_text, "MAX_CHARACTERS", 10)
    with pytest.raises(FormatError, match="longer than 10 characters"):
        compat.from_recurrentjs("{" * 11)


@pytest.mark.parametrize("document", [None, 3, ["x"], np.zeros(3)])
def test_a_document_of_another_type_is_refused(document: Any) -> None:
    """A path, say, is to be opened by the caller."""
    with pytest.raises(ArgumentTypeError, match="must be a mapping or JSON text, got"):
        compat.from_recurrentjs(document)
