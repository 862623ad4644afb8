"""A net that has learnt to write: text in, text out."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeAlias, TypedDict, Unpack

from numpy.typing import DTypeLike

from recurrentnn._recurrentnn import Model, Vocabulary, write_file
from recurrentnn.arguments import boolean, integer, real, wrong_type
from recurrentnn.cell import Cell
from recurrentnn.cell_options import builder, options_of
from recurrentnn.data.text import GivenText, fingerprint, read, vocabulary_of
from recurrentnn.errors import (
    ArgumentError,
    ArgumentTypeError,
    FormatError,
    VocabularyError,
)
from recurrentnn.generation import Writer
from recurrentnn.models import read_model, unpack
from recurrentnn.optimizers import RMSProp
from recurrentnn.progress import Progress
from recurrentnn.training import checkpoint, optimizers
from recurrentnn.training.batches import TextBatches
from recurrentnn.training.evaluate import evaluate
from recurrentnn.training.history import History
from recurrentnn.training.records import Evaluation, Record
from recurrentnn.training.run import Place, Run
from recurrentnn.training.tasks import LanguageModel
from recurrentnn.training.tensors import Parts
from recurrentnn.training.trainer import Trainer

Callback: TypeAlias = "Callable[[CharModel, Record], object]"


class Training(TypedDict, total=False):
    """The options of `CharModel.learn` beside the seed, to be passed on."""

    batch_size: int
    seq_length: int | None
    steps: int | None
    epochs: int | None
    minutes: float | None
    learning_rate: float
    clip_value: float | None
    validation_fraction: float
    report_every: int
    progress: bool
    callback: Callback | None
    folder: str | os.PathLike[str] | None


# Sequences longer than this are cut, with their state carried over.
_STREAM_LENGTH, _LINE_LENGTH = 64, 256

_KIND = "char_model"

# A file's entry of a run whose optimizer may be any; `learn` begins its own anew then.
SETTINGS_KEY = "settings"


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
    history : History
        A record of every `report_every` updates; a chart in notebooks.

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
        self._run = Run(
            step=integer("CharModel", "steps", steps, least=0),
            epochs=integer("CharModel", "epochs", epochs, least=0),
        )
        self._optimizer = RMSProp()
        self._learnt = net

    def __repr__(self) -> str:
        mode = "lines" if self.lines else "running text"
        sizes = list(self.net.hidden_sizes)
        return (
            f"CharModel({self.net.cell} {sizes}, {len(self.vocabulary)} symbols, "
            f"{mode}, {self.steps} steps)"
        )

    @property
    def steps(self) -> int:
        """Updates made."""
        return self._run.step

    @property
    def epochs(self) -> int:
        """Whole texts read."""
        return self._run.epochs

    @property
    def history(self) -> History:
        """The records so far."""
        return self._run.history

    @classmethod
    def create(
        cls,
        text: GivenText,
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
            Whose code points become the vocabulary; or the path of a file of UTF-8 with
            it, which may be larger than memory if it is a running text.
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
        build = builder(cell)
        cell_options = options_of(cell, cell_options)
        vocabulary = vocabulary_of(text, boundary=lines)
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
        text: GivenText,
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
        text: GivenText,
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
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        """Learn from a text, going on from what is learnt already.

        Lines: an epoch is every line once, shuffled, in batches of about equal length.
        Running text: an epoch is the whole text once, as `batch_size` parallel streams
        whose state is carried from batch to batch (truncated back-propagation through
        time) and starts afresh with the epoch.

        Parameters
        ----------
        text
            Its code points must be in the vocabulary; or the path of a file with it.
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
        folder
            Where checkpoints and `metrics.csv` go, as a `Trainer` writes them: each is
            a file that `load` reads, to go on from. None: nowhere.

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
        The optimizer's running averages are kept between calls and in files. So is the
        place within the epoch, with the state carried there: the next call goes on
        with the next batch, if text, `batch_size`, `seq_length`, `validation_fraction`
        and `seed` are the same, and else begins the epoch anew. ``steps=2`` twice is
        ``steps=4``, bit for bit, saved and loaded in between or not.
        """
        call = "learn"
        if steps is None and epochs is None and minutes is None:
            epochs = 10
        steps = None if steps is None else integer(call, "steps", steps)
        epochs = None if epochs is None else integer(call, "epochs", epochs)
        minutes = None if minutes is None else real(call, "minutes", minutes)
        if seq_length is None:
            seq_length = self._default_seq_length()
        seq_length = integer(call, "seq_length", seq_length)
        batch_size = integer(call, "batch_size", batch_size)
        report_every = integer(call, "report_every", report_every)
        seed = integer(call, "seed", seed, least=0, most=2**64 - 1)
        learning_rate = real(
            call, "learning_rate", learning_rate, zero=True, below=1e30
        )
        if clip_value is not None:
            clip_value = real(call, "clip_value", clip_value)
        validation_fraction = real(
            call, "validation_fraction", validation_fraction, zero=True, below=1
        )
        boolean(call, "progress", progress)
        if not (callback is None or callable(callback)):
            raise wrong_type(call, "callback", "callable or None", callback)
        source, held_out = read(text, self.vocabulary).split(validation_fraction, seed)
        cut = functools.partial(
            TextBatches, batch_size=batch_size, seq_length=seq_length, seed=seed
        )
        train = cut(source, name=f"{fingerprint(text)} {validation_fraction!r}")
        self._optimizer.learning_rate = learning_rate
        self._optimizer.clip_value = clip_value
        bar = Progress() if progress else None
        calls = [call for call in (bar, callback) if call is not None]
        trainer = Trainer(
            self.net,
            LanguageModel(),
            self._optimizer,
            report_every=report_every,
            restore_best=False,
            folder=folder,
            notes=self.notes,
            callbacks=[lambda _, record: any(call(self, record) for call in calls)],
        )
        if self._learnt is not self.net:
            self._run.place, self._learnt = Place(), self.net
        trainer.run = self._run
        try:
            trainer.learn_more(
                train,
                None if held_out is None else cut(held_out),
                steps=steps,
                epochs=epochs,
                minutes=minutes,
            )
        finally:
            self._run = trainer.run
            if bar is not None:
                bar.close()

    def evaluate(self, text: GivenText, *, batch_size: int | None = None) -> Evaluation:
        """How well a text is predicted: loss, bits per character, perplexity.

        Parameters
        ----------
        text
            Its code points must be in the vocabulary; or the path of a file with it.
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
        source = read(text, self.vocabulary)
        return evaluate(
            self.net,
            LanguageModel(),
            source.in_order(batch_size, self._default_seq_length()),
        )

    def _default_seq_length(self) -> int:
        return _LINE_LENGTH if self.lines else _STREAM_LENGTH

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write net, vocabulary and training to a file: all of it or nothing.

        The file is safetensors with JSON metadata; it is written under a temporary name
        in the same folder and then renamed. A model that is loaded goes on learning as
        this one would, bit for bit.
        """
        write_file(path, self._to_bytes())

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], cells: Iterable[type[Cell] | Cell] = ()
    ) -> Self:
        """Read a file that `save`, a `Trainer` or the command `recurrentnn` wrote.

        No code in a file is ever run. After a run of the command, whose optimizer may
        be any, `learn` begins the memory of its own anew.

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
        file = read_model(path, cells)
        try:
            return cls.of(*file)
        except (
            ArgumentError,
            ArgumentTypeError,
            VocabularyError,
            FormatError,
        ) as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None

    def _to_bytes(self) -> bytes:
        metadata, tensors = checkpoint.describe(
            self._run, optimizers.saved(self._optimizer, self.net), {}
        )
        return self.net.to_bytes({**self.notes(), **metadata}, tensors)

    def notes(self, run: Run | None = None) -> dict[str, str]:
        """Vocabulary and mode, as a file keeps them beside the net.

        Parameters
        ----------
        run
            What a `Trainer` made of the net; None: what `learn` did.
        """
        run = run or self._run
        notes = {
            "vocabulary": "".join(self.vocabulary.symbols),
            "mode": "lines" if self.lines else "running",
            "steps": run.step,
            "epochs": run.epochs,
        }
        return {"kind": _KIND, _KIND: json.dumps(notes)}

    @classmethod
    def of(
        cls, net: Model, metadata: Mapping[str, str], tensors: Mapping[str, Parts]
    ) -> Self:
        """The model of a file; one of version 1 does not say how far it learnt."""
        model = cls(net, **_parse(metadata.get(_KIND)))
        if checkpoint.KEY in metadata:
            run, optimizer, _ = checkpoint.understand(metadata, tensors, net)
            if SETTINGS_KEY not in metadata:
                optimizers.restore(model._optimizer, optimizer, net)
            model._run = run
        return model

    @classmethod
    def _from_bytes(cls, data: bytes, cells: Iterable[type[Cell] | Cell]) -> Self:
        return cls.of(*unpack(data, cells))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles go through the bytes of a file and the reader of files."""
        cell = self.net.config()["cell"]
        cells = [] if isinstance(cell, str) else [cell]
        return type(self)._from_bytes, (self._to_bytes(), cells)


def _parse(notes: str | None) -> dict[str, Any]:
    """What `save` wrote beside the net, as arguments of `CharModel`."""
    if notes is None:
        raise FormatError("a net but no text model; recurrentnn.load reads it")
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
