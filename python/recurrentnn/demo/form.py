"""The form of the page, made of what `recurrentnn train` and its classes take.

A field's help is the command's, or what the documentation of the class says; its limits
are the command's, and where that has none, those of `settings`. Nothing is validated
here: `settings.choose` has the command's own parser do it.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import click

from recurrentnn import models, optimizers, options
from recurrentnn._recurrentnn import Model, Optimizer
from recurrentnn.cli.classes import OWN, SIZES, known_options, optimizer_of
from recurrentnn.cli.train import train
from recurrentnn.demo.settings import MOST, PLAIN, USUAL, USUALLY, choose
from recurrentnn.errors import RecurrentNNError
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS
from recurrentnn.options import Activation

Kind = Literal["choice", "integer", "number", "text", "flag"]
Group = Literal["model", "options", "optimizer"]

_TRAINING = PLAIN[PLAIN.index("optimizer") :]
# What the command decides when it has seen everything.
_DEFAULTS: dict[str, Any] = {"lines": True, "clip_value": 0.1}
_EMPTY = {
    "seq_length": "64, in lines 256",
    "max_symbols": "all",
    "embedding_size": "one-hot",
}


@dataclass(frozen=True)
class Field:
    """A field of the form.

    Attributes
    ----------
    name
        Its key in the settings.
    label, help
        For people.
    kind
        What it takes.
    group
        Where it stands.
    default
        None: nothing is set.
    empty
        What that means.
    choices
        Of a choice.
    minimum, maximum
        Of a number; what is outside is refused.
    cells, optimizers
        Which of them have it; None: all.
    """

    name: str
    label: str
    help: str
    kind: Kind
    group: Group
    default: Any = None
    empty: str = "none"
    choices: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    cells: tuple[str, ...] | None = None
    optimizers: tuple[str, ...] | None = None


def fields() -> list[dict[str, Any]]:
    """All fields, as a page is sent them."""
    return [asdict(field) for field in form()]


@functools.cache
def form() -> tuple[Field, ...]:
    """All fields, in the order of the page."""
    known = {parameter.name: parameter for parameter in train.params}
    plain = [_of_command(name, known[name]) for name in PLAIN]
    return (
        *(one for field in plain for one in _rates(field)),
        *_of_classes("model", MODELS, _model_options),
        *_of_classes("optimizer", OPTIMIZERS, _optimizer_options),
    )


def effective(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the default of every field that they leave out."""
    cell = settings.get("cell") or _default("cell")
    rule = settings.get("optimizer") or _default("optimizer")
    found = {}
    for field in form():
        if (field.cells is None or cell in field.cells) and (
            field.optimizers is None or rule in field.optimizers
        ):
            given = settings.get(field.name)
            found[field.name] = field.default if given is None else given
    return found


def _default(name: str) -> str:
    return next(str(field.default) for field in form() if field.name == name)


def _of_command(name: str, parameter: click.Parameter) -> Field:
    """An option of the command."""
    assert isinstance(parameter, click.Option)
    kind, given = parameter.type, USUALLY[name]
    field = Field(
        name=name,
        label=name.replace("_", " "),
        help=re.sub(r"\s*\[default: [^]]*\]", "", parameter.help or ""),
        kind="text",
        group="optimizer" if name in _TRAINING else "model",
        default=_DEFAULTS.get(name, given),
        empty=_EMPTY.get(name, "none"),
    )
    if isinstance(kind, click.Choice):
        return replace(field, kind="choice", choices=tuple(kind.choices))
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        return replace(
            field,
            kind="integer" if isinstance(kind, click.IntRange) else "number",
            minimum=kind.min,
            maximum=MOST.get(name, kind.max),
        )
    return replace(field, kind="flag") if parameter.is_flag else field


def _rates(field: Field) -> list[Field]:
    """The learning rate once for each default, which is the rule's own."""
    if field.name != "learning_rate":
        return [field]
    by_rate: dict[float, list[str]] = {}
    for name in OPTIMIZERS:
        rate = optimizer_of(choose({"optimizer": name}).plan, 1).learning_rate
        by_rate.setdefault(rate, []).append(name)
    return [
        replace(field, default=rate, optimizers=tuple(names))
        for rate, names in by_rate.items()
    ]


def _of_classes(
    table: Literal["model", "optimizer"],
    classes: Iterable[str],
    find: Callable[[str], Iterable[Field]],
) -> list[Field]:
    """The options of some classes, each once if several have the same."""
    classes = list(classes)
    found: dict[Field, list[str]] = {}
    for name in classes:
        for field in find(name):
            if field.name not in (*OWN[table], *SIZES):
                named = replace(field, name=f"{table}.{field.name}")
                found.setdefault(named, []).append(name)
    result = []
    for field, names in found.items():
        of = None if names == classes else tuple(names)
        if table == "model":
            result.append(replace(field, cells=of))
        else:
            result.append(replace(field, optimizers=of))
    return result


def _model_options(cell: str) -> list[Field]:
    kind: Callable[..., Model] = MODELS[cell]
    # A gated-feedback net's own text names the net that it is of.
    others = (MODELS[other].__doc__ for other in MODELS)
    texts = _documented(models.__doc__, options.__doc__, *others, kind.__doc__)
    values = kind(2, [2], 2).config()
    found = []
    for name in known_options(MODELS[cell].__new__) or ():
        if name == "activations":
            found += _gates(cell, texts.get(name, ""))
        elif name in values:
            hint = _hints(MODELS[cell].__new__)[name]
            found.append(_of_hint(name, hint, values[name], texts, "options"))
    return found


def _optimizer_options(rule: str) -> list[Field]:
    kind: Callable[..., Optimizer] = OPTIMIZERS[rule]
    texts = _documented(optimizers.__doc__, kind.__doc__)
    values, hints = kind().config(), _hints(OPTIMIZERS[rule].__new__)
    return [
        _of_hint(name, hints[name], values[name], texts, "optimizer")
        for name in known_options(OPTIMIZERS[rule].__new__) or ()
    ]


def _gates(cell: str, text: str) -> list[Field]:
    """A choice for each nonlinearity that can be another."""
    kind: Callable[..., Model] = MODELS[cell]
    names = kind(2, [2], 2).activations([0])
    gates = [name.split(".")[-1] for name in names if name.startswith("layers.0.")]
    found = []
    for gate in gates:
        try:
            kind(2, [2], 2, activations={gate: "relu"})
        except RecurrentNNError:
            continue
        field = Field(
            f"activations.{gate}", f"nonlinearity of {gate}", text, "choice", "options"
        )
        choices = (USUAL, *typing.get_args(Activation))
        found.append(replace(field, default=USUAL, choices=choices))
    return found


def _of_hint(
    name: str,
    hint: Any,  # noqa: ANN401
    default: Any,  # noqa: ANN401
    texts: Mapping[str, str],
    group: Group,
) -> Field:
    """An option by its type."""
    inner = hint
    if isinstance(hint, types.UnionType):
        inner = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    field = Field(
        name, name.replace("_", " "), texts.get(name, ""), "text", group, default
    )
    if typing.get_origin(inner) is Literal:
        return replace(field, kind="choice", choices=typing.get_args(inner))
    if inner is bool:
        return replace(field, kind="flag")
    maximum = MOST.get(name)
    return replace(field, kind="integer" if inner is int else "number", maximum=maximum)


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    """The types of all keywords, those of `**options: Unpack[Options]`, too."""
    hints = typing.get_type_hints(call, localns=vars(models))
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for more in typing.get_args(hints.pop(parameter.name)):
                hints |= typing.get_type_hints(more)
    return hints


def _documented(*texts: str | None) -> dict[str, str]:
    """What documentation in NumPy's style says of each name."""
    found: dict[str, str] = {}
    entry = re.compile(
        r"^(\w+(?:, \w+)*) : .*\n((?:    .*\n|\n(?=    ))+)", re.MULTILINE
    )
    for text in texts:
        for names, body in entry.findall(inspect.cleandoc(text or "") + "\n"):
            words = " ".join(body.split()).replace("`", "")
            found |= dict.fromkeys(names.split(", "), words)
    return found
