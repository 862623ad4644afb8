"""A net that has learnt to write: text in, text out."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, Unpack

from numpy.typing import DTypeLike

from recurrentnn import corpus, training
from recurrentnn._recurrentnn import Model, Vocabulary
from recurrentnn.cell import Cell
from recurrentnn.corpus import Batch
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    VocabularyError,
)
from recurrentnn.generation import Writer
from recurrentnn.models import MODELS, load_with_metadata
from recurrentnn.optimizers import RMSProp
from recurrentnn.progress import Progress
from recurrentnn.training import (
    Callback,
    Evaluation,
    Limits,
    Place,
    Record,
    Training,
    integer,
    real,
    wrong_type,
)

# Sequences longer than this are cut, with their state carried over.
_STREAM_LENGTH, _LINE_LENGTH = 64, 256

_KIND = "char_model"

# Options of every net that `create` has by themselves, not among `cell_options`.
_OWN_OPTIONS = ("embedding_size", "seed", "dtype")
# Options of every other net, that of a user's own cell too.
_ANY_OPTIONS = ("input_to_all", "all_to_output", "init", "std")


class CharModel(Writer):
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
        if not isinstance(net, Model):
            raise wrong_type("CharModel", "net", "a Model", net)
        if not isinstance(vocabulary, Vocabulary):
            raise wrong_type("CharModel", "vocabulary", "a Vocabulary", vocabulary)
        size = len(vocabulary)
        if (net.input_size, net.output_size) != (size, size):
            raise ArgumentError(
                f"CharModel: net must map {size} symbols to {size} logits, "
                f"maps {net.input_size} to {net.output_size}"
            )
        self.net = net
        self.vocabulary = vocabulary
        self.steps = integer("CharModel", "steps", steps, least=0)
        self.epochs = integer("CharModel", "epochs", epochs, least=0)
        self.history: list[Record] = []
        self._optimizer = RMSProp()
        self._place = Place(plan=None, epoch=0)

    def __repr__(self) -> str:
        mode = "lines" if self.lines else "running text"
        sizes = list(self.net.hidden_sizes)
        return (
            f"CharModel({self.net.cell} {sizes}, {len(self.vocabulary)} symbols, "
            f"{mode}, {self.steps} steps)"
        )

    @classmethod
    def create(
        cls,
        text: str,
        *,
        lines: bool = False,
        cell: str | type[Cell] | Cell = "lstm",
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
            "rnn", "lstm", "gru", "gfrnn", "gflstm" or "gfgru"; or a cell of your own.
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
            An unknown cell, or an option that is bad or that the cell does not have.
        """
        if not isinstance(lines, bool):
            raise wrong_type("CharModel", "lines", "a bool", lines)
        build = _builder(cell)
        cell_options = _cell_options(cell, cell_options)
        text = corpus.clean(text)
        if not text:
            raise ArgumentError("CharModel: text must not be empty")
        vocabulary = Vocabulary.from_text(text, boundary=lines)
        size = len(vocabulary)
        net = build(
            size,
            hidden_sizes,
            size,
            embedding_size=embedding_size,
            seed=seed,
            dtype=dtype,
            **cell_options,
        )
        return cls(net, vocabulary)

    @classmethod
    def train(
        cls,
        text: str,
        *,
        lines: bool = False,
        cell: str | type[Cell] | Cell = "lstm",
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
            An epoch's worth may begin and end within epochs.
        learning_rate
            Of RMSProp with decay_rate 0.95.
        clip_value
            Clips each element of the gradient of the *mean* loss; char-rnn's 5 on a sum
            over 50 steps is 0.1 here. None: no clipping.
        validation_fraction
            Of the text, held out: random lines, or the tail of a running text. If above
            0, it must be enough for a line, or for 2 characters.
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
        ArgumentTypeError
            An option of the wrong type.
        NonFiniteError
            A gradient overflowed; the weights are those before that update.

        Notes
        -----
        The optimizer's running averages are kept between calls, but not in files. So is
        the place within the epoch, with the state carried there: the next call goes on
        with the next batch, if text, `batch_size`, `seq_length`, `validation_fraction`
        and `seed` are the same, and else begins the epoch anew. ``steps=2`` twice is
        ``steps=4``, bit for bit.
        """
        if steps is None and epochs is None and minutes is None:
            epochs = 10
        limits = Limits(
            None if steps is None else integer("learn", "steps", steps),
            None if epochs is None else integer("learn", "epochs", epochs),
            None if minutes is None else real("minutes", minutes),
        )
        if seq_length is None:
            seq_length = self._default_seq_length()
        seq_length = integer("learn", "seq_length", seq_length)
        batch_size = integer("learn", "batch_size", batch_size)
        report_every = integer("learn", "report_every", report_every)
        seed = integer("learn", "seed", seed, least=0, most=2**64 - 1)
        learning_rate = real("learning_rate", learning_rate, zero=True, below=1e30)
        if clip_value is not None:
            clip_value = real("clip_value", clip_value)
        validation_fraction = real(
            "validation_fraction", validation_fraction, zero=True, below=1
        )
        if not isinstance(progress, bool):
            raise wrong_type("learn", "progress", "a bool", progress)
        if not (callback is None or callable(callback)):
            raise wrong_type("learn", "callback", "callable or None", callback)
        text = corpus.clean(text)
        source, held_out = corpus.read(text, self.vocabulary).split(
            validation_fraction, seed
        )
        plan = (self.net, hash(text), batch_size, seq_length, validation_fraction, seed)
        self._optimizer.learning_rate = learning_rate
        self._optimizer.clip_value = clip_value

        def epoch_batches(number: int) -> Iterator[Batch]:
            return source.epoch(number, batch_size, seq_length, seed)

        def validate() -> float:
            batches = (held_out or source).in_order(batch_size, seq_length)
            return training.evaluate(self.net, batches).loss

        bar = Progress() if progress else None
        calls = [call for call in (bar, callback) if call is not None]
        try:
            for record in training.run(
                self,
                self._optimizer,
                epoch_batches,
                source.symbols,
                plan,
                validate if held_out else None,
                limits,
                report_every,
            ):
                self.history.append(record)
                if any(call(self, record) for call in calls):
                    break
        finally:
            if bar is not None:
                bar.close()

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
        batch_size = integer("evaluate", "batch_size", batch_size)
        source = corpus.read(text, self.vocabulary)
        return training.evaluate(
            self.net, source.in_order(batch_size, self._default_seq_length())
        )

    def _default_seq_length(self) -> int:
        return _LINE_LENGTH if self.lines else _STREAM_LENGTH

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write net, vocabulary and mode to a file: all of it or nothing.

        The file is safetensors with JSON metadata; it is written under a temporary name
        in the same folder and then renamed. It holds neither the optimizer's averages
        nor the place within an epoch: a model that is loaded begins its epoch anew.
        """
        notes = {
            "vocabulary": "".join(self.vocabulary.symbols),
            "mode": "lines" if self.lines else "running",
            "steps": self.steps,
            "epochs": self.epochs,
        }
        self.net.save(path, {"kind": _KIND, _KIND: json.dumps(notes)})

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
    ) -> Self:
        """Read a file that `save` wrote. No code in a file is ever run.

        Parameters
        ----------
        path
            The file.
        cells
            Cells of your own that the net may be made of, as `recurrentnn.load` takes
            them.

        Raises
        ------
        FormatError
            The contents are not those of a character model.
        OSError
            The file cannot be read.
        """
        net, metadata = load_with_metadata(path, cells)
        try:
            return cls(net, **_parse(metadata.get(_KIND)))
        except (
            ArgumentError,
            ArgumentTypeError,
            VocabularyError,
            FormatError,
        ) as error:
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


def _builder(cell: str | type[Cell] | Cell) -> Callable[..., Model]:
    """What makes a net of a cell, from sizes and options."""
    if isinstance(cell, Cell) or (isinstance(cell, type) and issubclass(cell, Cell)):
        return functools.partial(Model, cell)
    if not isinstance(cell, str):
        raise wrong_type("CharModel", "cell", "a string or a Cell", cell)
    if cell not in MODELS:
        names = ", ".join(MODELS)
        raise ArgumentError(f"CharModel: cell must be one of {names}, got {cell!r}")
    return MODELS[cell]


def _cell_options(
    cell: str | type[Cell] | Cell, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The options of a cell's class, without those that `create` has itself."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise wrong_type("CharModel", "cell_options", "a mapping", given)
    if isinstance(cell, str):
        parameters = inspect.signature(MODELS[cell].__new__).parameters.values()
        known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        known = [name for name in known if name not in _OWN_OPTIONS]
    else:
        known = [*_ANY_OPTIONS]
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"CharModel: cell_options of {cell} must be among {', '.join(known)}, "
                f"got {name!r}"
            )
    return dict(given)
