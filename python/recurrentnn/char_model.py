"""A net that has learnt to write: text in, text out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, Unpack

from numpy.typing import DTypeLike

from recurrentnn import corpus, training
from recurrentnn._recurrentnn import Model, RMSProp, Vocabulary
from recurrentnn.corpus import Batch
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    VocabularyError,
)
from recurrentnn.models import MODELS, load_with_metadata
from recurrentnn.training import Callback, Evaluation, Limits, Record, Training

# Sequences longer than this are cut, with their state carried over.
_STREAM_LENGTH, _LINE_LENGTH = 64, 256

_KIND = "char_model"


class CharModel:
    """A character model: predicts a text's next symbol, one per code point.

    It reads either *lines*, each between a START and an END (symbol 0), so that it
    learns to begin and to end them; or *one running text*, where a newline is a symbol
    like any other and the state is carried along.

    Attributes
    ----------
    net : Model
        The net that maps symbols to logits.
    vocabulary : Vocabulary
        With a boundary for lines, without for running text.
    steps, epochs : int
        Updates made and whole texts read, over all calls of `learn`.
    history : list of Record
        A record of every `report_every` updates.

    Examples
    --------
    >>> text = "to be, or not to be: that is the question" * 9
    >>> lm = CharModel.train(text, hidden_sizes=[64], steps=150, learning_rate=1e-2)
    >>> lm.greedy("to be, ", length=12)
    'to be, or not to be'
    >>> lm.save("model.safetensors")
    >>> CharModel.load("model.safetensors").steps
    150
    """

    def __init__(
        self, net: Model, vocabulary: Vocabulary, *, steps: int = 0, epochs: int = 0
    ) -> None:
        size = len(vocabulary)
        if (net.input_size, net.output_size) != (size, size):
            raise ArgumentError(
                f"CharModel: net must map {size} symbols to {size} logits, "
                f"maps {net.input_size} to {net.output_size}"
            )
        self.net = net
        self.vocabulary = vocabulary
        self.steps = steps
        self.epochs = epochs
        self.history: list[Record] = []
        self._optimizer = RMSProp()

    @property
    def lines(self) -> bool:
        """Whether it reads lines, or else one running text."""
        return self.vocabulary.boundary

    @classmethod
    def create(
        cls,
        text: str,
        *,
        lines: bool = False,
        cell: str = "lstm",
        hidden_sizes: int | Sequence[int] = (128,),
        embedding_size: int | None = None,
        cell_options: Mapping[str, Any] | None = None,
        seed: int = 0,
        dtype: DTypeLike = "float32",
    ) -> Self:
        """A model with the symbols of a text that has learnt nothing yet.

        Parameters
        ----------
        text
            Whose code points become the vocabulary.
        lines
            Whether the text is lines of their own, or else one running text.
        cell
            "rnn", "lstm", "gru", "gfrnn", "gflstm" or "gfgru".
        hidden_sizes
            Units per layer, from the bottom up.
        embedding_size
            Size of a trained embedding; None: symbols are one-hot.
        cell_options
            Further options of the cell's class, as ``{"gate": "vector"}``.
        seed
            Of the first weights.
        dtype
            "float32" or "float64".

        Raises
        ------
        ArgumentError
            An unknown cell or a bad option.
        """
        if cell not in MODELS:
            names = ", ".join(MODELS)
            raise ArgumentError(f"CharModel: cell must be one of {names}, got {cell!r}")
        text = corpus.clean(text)
        if not text:
            raise ArgumentError("CharModel: text must not be empty")
        vocabulary = Vocabulary.from_text(text, boundary=lines)
        size = len(vocabulary)
        build: Callable[..., Model] = MODELS[cell]
        net = build(
            size,
            hidden_sizes,
            size,
            embedding_size=embedding_size,
            seed=seed,
            dtype=dtype,
            **(cell_options or {}),
        )
        return cls(net, vocabulary)

    @classmethod
    def train(
        cls,
        text: str,
        *,
        lines: bool = False,
        cell: str = "lstm",
        hidden_sizes: int | Sequence[int] = (128,),
        embedding_size: int | None = None,
        cell_options: Mapping[str, Any] | None = None,
        seed: int = 0,
        dtype: DTypeLike = "float32",
        **options: Unpack[Training],
    ) -> Self:
        """A model that has learnt a text: `create`, then `learn`, with their options.

        An exception while it learns, Ctrl-C among them, loses the model here; call
        the two by themselves to keep it.
        """
        model = cls.create(
            text,
            lines=lines,
            cell=cell,
            hidden_sizes=hidden_sizes,
            embedding_size=embedding_size,
            cell_options=cell_options,
            seed=seed,
            dtype=dtype,
        )
        model.learn(text, seed=seed, **options)
        return model

    def learn(
        self,
        text: str,
        *,
        batch_size: int = 16,
        seq_length: int | None = None,
        steps: int | None = None,
        epochs: int | None = None,
        minutes: float | None = None,
        learning_rate: float = 5e-3,
        clip_value: float | None = 0.1,
        validation_fraction: float = 0.0,
        seed: int = 0,
        report_every: int = 50,
        progress: bool = False,
        callback: Callback | None = None,
    ) -> None:
        """Learn from a text, going on from what is learnt already.

        Lines: an epoch is every line once, shuffled, in batches of about equal length.
        Running text: an epoch is the whole text once, as `batch_size` parallel streams
        whose state is carried from batch to batch (truncated back-propagation through
        time) and starts afresh with the epoch.

        Parameters
        ----------
        text
            Its code points must be in the vocabulary.
        batch_size
            Lines, or parallel streams, per update. A short text makes fewer streams.
        seq_length
            Symbols that gradients flow back through; None: 64 for running text, 256 for
            lines.
        steps, epochs, minutes
            Limits of this call; the first one reached ends it. None at all: 10 epochs.
        learning_rate
            Of RMSProp with decay_rate 0.95.
        clip_value
            Clips each element of the gradient of the *mean* loss; char-rnn's 5 on a sum
            over 50 steps is 0.1 here. None: no clipping.
        validation_fraction
            Of the text, held out: random lines, or the tail of a running text.
        seed
            Of the order of lines.
        report_every
            Updates per record in `history`; the first is of the first update alone.
        progress
            Whether to show progress on stderr: a bar on a terminal, else plain lines.
        callback
            Called as ``callback(model, record)`` with each record; a true result ends
            learning.

        Raises
        ------
        VocabularyError
            A code point that is not in the vocabulary.
        ArgumentError
            A text without symbols to predict, or an option out of range.
        NonFiniteError
            A gradient overflowed; the weights are those before that update.

        Notes
        -----
        The optimizer's running averages are kept between calls, but not in files.
        """
        if steps is None and epochs is None and minutes is None:
            epochs = 10
        limits = Limits(steps, epochs, minutes)
        seq_length = self._seq_length(seq_length)
        _check("batch_size", batch_size)
        _check("report_every", report_every)
        if not 0.0 <= validation_fraction < 1.0:
            raise ArgumentError(
                "learn: validation_fraction must be in [0, 1), "
                f"got {validation_fraction}"
            )
        source, held_out = corpus.read(text, self.vocabulary).split(
            validation_fraction, seed
        )
        self._optimizer.learning_rate = learning_rate
        self._optimizer.clip_value = clip_value

        def epoch_batches(number: int) -> Iterator[Batch]:
            return source.epoch(number, batch_size, seq_length, seed)

        def validate() -> float:
            batches = (held_out or source).in_order(batch_size, seq_length)
            return training.evaluate(self.net, batches).loss

        callbacks: list[Callback] = [callback] if callback else []
        if progress:
            from recurrentnn.progress import Progress

            callbacks.insert(0, Progress())
        for record in training.run(
            self,
            self._optimizer,
            epoch_batches,
            source.symbols,
            validate if held_out else None,
            limits,
            report_every,
        ):
            self.history.append(record)
            if any(call(self, record) for call in callbacks):
                break

    def evaluate(self, text: str, *, batch_size: int | None = None) -> Evaluation:
        """How well a text is predicted: loss, bits per character, perplexity.

        Parameters
        ----------
        text
            Its code points must be in the vocabulary.
        batch_size
            Lines read at once, which changes nothing but the time; None: 32. Of a
            running text, parallel streams: all but the first begin without context,
            which raises the loss a little; None: 1.

        Notes
        -----
        The first code point of a running text is given, not predicted.
        """
        if batch_size is None:
            batch_size = 32 if self.lines else 1
        _check("batch_size", batch_size)
        source = corpus.read(text, self.vocabulary)
        return training.evaluate(
            self.net, source.in_order(batch_size, self._seq_length(None))
        )

    def sample(
        self,
        prompt: str = "",
        length: int = 200,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The prompt and what the model writes after it.

        Parameters
        ----------
        prompt
            Text to go on from; its code points must be in the vocabulary.
        length
            Most code points to add; a line may end earlier.
        temperature
            Divides the logits: below 1 bolder is rarer, above 1 it is commoner.
        seed
            The same seed gives the same text.

        Raises
        ------
        VocabularyError
            A code point of the prompt that the model has never seen.
        """
        return self._write(prompt, length, temperature=temperature, seed=seed)

    def greedy(self, prompt: str = "", length: int = 200) -> str:
        """The prompt and, symbol by symbol, the most probable that follows."""
        return self._write(prompt, length, greedy=True)

    def _write(
        self,
        prompt: str,
        length: int,
        *,
        temperature: float = 1.0,
        seed: int = 0,
        greedy: bool = False,
    ) -> str:
        prompt = corpus.clean(prompt)
        symbols = self.vocabulary.encode(prompt).tolist()
        if self.lines:
            prime, stop = [Vocabulary.BOUNDARY, *symbols], Vocabulary.BOUNDARY
        else:
            prime, stop = symbols or [self._opening()], None
        written, _ = self.net.generate(
            prime,
            length,
            temperature=temperature,
            seed=seed,
            greedy=greedy,
            stop=stop,
        )
        return prompt + self.vocabulary.decode(written)

    def _opening(self) -> int:
        """What an unprompted running text is taken to follow: a newline, if known."""
        known = (char for char in "\n " if char in self.vocabulary)
        first = next(known, self.vocabulary.symbols[0])
        return int(self.vocabulary.encode(first)[0])

    def _seq_length(self, given: int | None) -> int:
        if given is None:
            return _LINE_LENGTH if self.lines else _STREAM_LENGTH
        _check("seq_length", given)
        return given

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write net, vocabulary and mode to a file: all of it or nothing.

        The file is safetensors with JSON metadata; it is written under a temporary name
        in the same folder and then renamed.
        """
        notes = {
            "vocabulary": "".join(self.vocabulary.symbols),
            "mode": "lines" if self.lines else "running",
            "steps": self.steps,
            "epochs": self.epochs,
        }
        self.net.save(path, {"kind": _KIND, _KIND: json.dumps(notes)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` wrote. No code in a file is ever run.

        Raises
        ------
        FormatError
            The contents are not those of a character model.
        OSError
            The file cannot be read.
        """
        net, metadata = load_with_metadata(path)
        try:
            return cls(net, **_parse(metadata.get(_KIND)))
        except (ArgumentError, VocabularyError, FormatError) as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None


def _parse(notes: str | None) -> dict[str, Any]:
    """What `save` wrote beside the net, as arguments of `CharModel`."""
    if notes is None:
        raise FormatError("a net but no character model, use recurrentnn.load")
    try:
        match json.loads(notes):
            case {
                "vocabulary": str(symbols),
                "mode": ("lines" | "running") as mode,
                "steps": int(steps),
                "epochs": int(epochs),
            } if steps >= 0 and epochs >= 0:
                vocabulary = Vocabulary(symbols, boundary=mode == "lines")
                return {"vocabulary": vocabulary, "steps": steps, "epochs": epochs}
    except (ValueError, RecursionError):
        # Not JSON, JSON nested beyond reason, or symbols that cannot be any.
        pass
    raise FormatError("the description of vocabulary and mode is damaged")


def _check(name: str, size: object) -> None:
    if not isinstance(size, int):
        raise ArgumentTypeError(f"{name}: must be an integer, got {size!r}")
    if size < 1:
        raise ArgumentError(f"{name}: must be at least 1, got {size}")
