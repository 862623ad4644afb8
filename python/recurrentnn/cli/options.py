"""The options that commands share, each defined once."""

from __future__ import annotations

import click

from recurrentnn._recurrentnn import get_num_threads, set_num_threads
from recurrentnn.cli.command import option, section
from recurrentnn.cli.files import read_text
from recurrentnn.cli.settings import read_settings
from recurrentnn.data.text import clean
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS

POSITIVE = click.FloatRange(min=0, min_open=True)
SHARE = click.FloatRange(min=0, max=1, max_open=True)
COUNT = click.IntRange(min=1)


def _sizes(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, ...]:
    """Read `128,64` as (128, 64)."""
    try:
        return tuple(int(size) for size in value.split(","))
    except ValueError:
        message = f"{value!r} is not a list of sizes like 128,64"
        raise click.BadParameter(message) from None


def _threads(
    ctx: click.Context, _param: click.Parameter, count: int | None
) -> int | None:
    """Let calls of this command use so many threads."""
    if count is not None:
        before = get_num_threads()
        set_num_threads(count)
        ctx.call_on_close(lambda: set_num_threads(before))
    return count


def given_text(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> str | None:
    """A text, that of stdin for `-`, or that of a file for `@FILE`."""
    if value == "-":
        return clean(read_text("-"))
    if value is not None and value.startswith("@") and len(value) > 1:
        return clean(read_text(value[1:]))
    return value


json_option = option(
    "--json", "as_json", is_flag=True, help="One JSON object per line on stdout."
)
threads_option = option(
    "--threads",
    type=COUNT,
    callback=_threads,
    help="Most threads of a call; the results are the same.  [default: all cores]",
)
seed_option = option(
    "--seed",
    type=click.IntRange(min=0, max=2**64 - 1),
    default=0,
    help="The same seed gives the same bits.",
)

SETTINGS = section(
    "Settings",
    option(
        "--config",
        "settings",
        also=["settings"],
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=read_settings,
        help="Take options from a TOML file, see `recurrentnn config --default`. Flags "
        "go before variables, RECURRENTNN_COMMAND_OPTION, and these before the file.",
    ),
    option(
        "--set",
        "overrides",
        multiple=True,
        metavar="TABLE.KEY=VALUE",
        help="An option of the model's, the optimizer's or the schedule's class: "
        "model.forget_bias=0, optimizer.beta2=0.99, schedule.end=0.1.",
    ),
)

TEXT = section(
    "The text",
    option(
        "--built-in",
        type=click.Choice(["help", "grammar"]),
        default="help",
        help="What to learn without TEXT: sentences out of Python's help, or of a "
        "small grammar, the same everywhere, whose entropy is known and shown.",
    ),
    option(
        "--lines/--running",
        default=None,
        show_default=False,
        help="Learn lines with a START and an END, or one running text with its "
        "newlines.  [default: --running; --lines without TEXT]",
    ),
    option(
        "--unit",
        type=click.Choice(["bytes", "chars", "words"]),
        default="chars",
        help="What a symbol is.",
    ),
    option(
        "--max-symbols",
        type=click.IntRange(min=2),
        help="Keep the most frequent symbols; the others become one, the unknown.",
    ),
    option(
        "--val-frac",
        "--validation-fraction",
        "validation_fraction",
        type=SHARE,
        default=0.05,
        help="Share of the text to hold out; by default nothing of one that is too "
        "short.",
    ),
)

MODEL = section(
    "The net",
    option(
        "--cell",
        also=["model", "model-type"],
        type=click.Choice(list(MODELS)),
        default="lstm",
        help="Of every layer; gf... are the gated-feedback nets.",
    ),
    option(
        "--hidden-sizes",
        also=["rnn-size", "hidden"],
        callback=_sizes,
        metavar="N[,N...]",
        default="128",
        help="Units per layer, from the bottom up.",
    ),
    option(
        "--layers",
        also=["num-layers"],
        type=COUNT,
        help="So many layers of the one hidden size.",
    ),
    option(
        "--embedding-size",
        also=["embed", "wordvec-size"],
        type=COUNT,
        help="Size of a trained symbol embedding.  [default: none, symbols are "
        "one-hot]",
    ),
    option(
        "--dropout",
        type=SHARE,
        help="Between layers: shorthand of --set model.dropout=P.  [default: none]",
    ),
    option(
        "--dtype",
        type=click.Choice(["float32", "float64"]),
        default="float32",
        help="Of weights and arithmetic.",
    ),
    option("--init-from", metavar="MODEL", help="Begin with the net of a model."),
)

UPDATES = section(
    "Updates",
    option(
        "--batch-size",
        also=["batch"],
        type=COUNT,
        default=16,
        help="Lines or parallel streams per update.",
    ),
    option(
        "--seq-length",
        also=["seq"],
        type=COUNT,
        help="Symbols that gradients flow back through.  [default: 64 running, 256 in "
        "lines]",
    ),
    option(
        "--optimizer",
        type=click.Choice(list(OPTIMIZERS)),
        default="rmsprop",
        help="The rule of an update.",
    ),
    option(
        "--learning-rate",
        also=["lr"],
        type=POSITIVE,
        help="Of the optimizer.  [default: 0.005 of rmsprop, else the rule's own]",
    ),
    option(
        "--clip-value",
        type=click.FloatRange(min=0),
        show_default=False,
        help="Clip each element of the gradient of the mean loss; 0: do not.  "
        "[default: 0.1; none with --clip-norm]",
    ),
    option(
        "--clip-norm",
        type=POSITIVE,
        help="Clip the norm of all gradients of the mean loss.  [default: none]",
    ),
    # Theirs is of a loss summed over time.
    option("--grad-clip", type=click.FloatRange(min=0), hidden=True),
    seed_option,
)

FOREIGN = {
    **dict.fromkeys(
        ["gpuid", "gpu", "gpu-backend", "opencl", "accurate-gpu-timing"],
        "there is no GPU to choose, leave it out",
    ),
    **dict.fromkeys(
        ["data-dir", "input-h5", "input-json"],
        "the text is named by itself: recurrentnn train input.txt",
    ),
    **dict.fromkeys(
        ["checkpoint-dir", "checkpoint-name", "savefile"],
        "--output names where the run goes",
    ),
    **dict.fromkeys(
        [
            "learning-rate-decay",
            "learning-rate-decay-after",
            "lr-decay-every",
            "lr-decay-factor",
        ],
        "use --schedule step --set schedule.every=UPDATES --set schedule.factor=F",
    ),
    "decay-rate": "use --set optimizer.decay_rate=D",
    "train-frac": "what --val-frac leaves is learnt; keep a test text in its own file",
    "batchnorm": "there is no batch normalisation",
    "reset-iterations": "--resume goes on counting, --init-from begins anew",
    "checkpoint": "the model is named by itself: recurrentnn sample MODEL",
    "verbose": "progress is shown unless --quiet is given",
}
