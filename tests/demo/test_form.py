"""The form has what the command has, and the command's parser judges what it says."""

from typing import Any

import click
import pytest

from live import TEXT
from recurrentnn.cli.classes import OWN, SIZES, known_options
from recurrentnn.cli.train import train
from recurrentnn.demo.form import Field, effective, fields, form
from recurrentnn.demo.lesson import Lesson
from recurrentnn.demo.settings import MOST_LAYERS, MOST_UNITS, PLAIN, choose
from recurrentnn.errors import ArgumentError
from recurrentnn.models import MODELS
from recurrentnn.optimizers import OPTIMIZERS

# What they take beside the fields: three others at once.
SHORTHANDS = {"paper"}
EVERY = [(cell, rule) for cell in MODELS for rule in OPTIMIZERS]


def shown(cell: str, rule: str) -> dict[str, Field]:
    """The fields that a page shows for a choice; a name is there once."""
    found = [
        field
        for field in form()
        if (field.cells is None or cell in field.cells)
        and (field.optimizers is None or rule in field.optimizers)
    ]
    assert len({field.name for field in found}) == len(found)
    return {field.name: field for field in found}


@pytest.mark.parametrize(("cell", "rule"), EVERY)
def test_every_option_of_a_class_is_a_field(cell: str, rule: str) -> None:
    names = {name.split(".activations.")[0] for name in shown(cell, rule)}
    for table, kind in (("model", MODELS[cell]), ("optimizer", OPTIMIZERS[rule])):
        known = known_options(kind.__new__)
        assert known is not None
        wanted = {*known} - {*OWN[table], *SIZES, *SHORTHANDS, "activations"}
        inside = {n.partition(".")[2] for n in names if n.startswith(f"{table}.")}
        assert inside == wanted
    gates = [n for n in shown(cell, rule) if n.startswith("model.activations.")]
    assert bool(gates) == (cell not in ("rnn", "gfrnn"))


@pytest.mark.parametrize(("cell", "rule"), EVERY)
def test_an_untouched_form_is_the_command_without_options(cell: str, rule: str) -> None:
    """Every default is accepted, and is the one of the classes."""
    plan = choose(effective({"cell": cell, "optimizer": rule})).plan
    bare = choose({"cell": cell, "optimizer": rule, "lines": True}).plan
    kind: Any = MODELS[cell]
    net = kind(3, [2], 3, **plan.tables["model"])
    assert net.config() == kind(3, [2], 3).config()
    made: Any = OPTIMIZERS[rule]
    assert made(**plan.tables["optimizer"]).config() == made().config()
    assert plan.learning_rate in (bare.learning_rate, made().learning_rate, 5e-3)
    assert (plan.sizes, plan.batch_size) == (bare.sizes, bare.batch_size)
    assert plan.validation_fraction == bare.validation_fraction


def test_every_field_tells_what_it_does() -> None:
    for field in fields():
        assert len(field["help"]) > 10, field
        assert field["label"]
        if field["kind"] == "choice":
            assert field["default"] in field["choices"]
        if field["kind"] == "flag":
            assert isinstance(field["default"], bool)


def test_what_a_page_may_set_names_no_file() -> None:
    """Options of the command that read or write are none of the form's."""
    assert not {"text", "output", "init_from", "settings", "overrides"} & {*PLAIN}
    for option in train.params:
        if option.name in PLAIN:
            assert not isinstance(option.type, (click.Path, click.File))


@pytest.mark.parametrize(
    "name",
    [
        *("text", "output", "init_from", "config", "resume", "threads", "log"),
        *("schedule.end", "set", "model", "", "model.seed", "optimizer.groups"),
    ],
)
def test_no_other_setting_is_taken(name: str) -> None:
    with pytest.raises(ArgumentError):
        choose({name: "1"})


@pytest.mark.parametrize(
    "value", ["8 --output=x", "8\n--output=x", "-o", "--resume", "8;import os", "@file"]
)
@pytest.mark.parametrize("name", ["hidden_sizes", "cell", "batch_size", "seed"])
def test_a_value_stays_a_value(name: str, value: str) -> None:
    """It cannot become another option, however it is written."""
    with pytest.raises(ArgumentError):
        choose({name: value})


def test_a_word_of_the_form_is_not_read_as_toml() -> None:
    """On a command line `--set` does that; here words are words."""
    with pytest.raises(ArgumentError, match="forget_bias"):
        Lesson.begin({"model.forget_bias": "1\nx = 2"}, TEXT)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_sizes": str(MOST_UNITS + 1)}, "hidden_sizes"),
        ({"hidden_sizes": ",".join(["8"] * (MOST_LAYERS + 1))}, "hidden_sizes"),
        ({"hidden_sizes": ",".join(["4096"] * 8)}, "weights"),
        ({"cell": "gflstm", "hidden_sizes": ",".join(["1000"] * 4)}, "weights"),
        ({"batch_size": 1024, "seq_length": 2048}, "symbols in an update"),
        ({"hidden_sizes": "4096", "batch_size": 1000}, "weights"),
        ({"seq_length": 2049}, "seq_length"),
        ({"embedding_size": 2049}, "embedding_size"),
        ({"model.projection_size": 2049}, "projection_size"),
        ({"model.projection_size": float("nan")}, "projection_size"),
        ({"model.dropout": [0.5]}, "dropout"),
    ],
)
def test_more_than_a_machine_has_is_refused(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        choose(settings)


def test_what_the_command_takes_is_taken() -> None:
    plan = choose(
        {
            "cell": "gfgru",
            "hidden_sizes": "30, 20",
            "lines": False,
            "seq_length": 32,
            "embedding_size": None,
            "model.gate": "vector",
            "model.activations.candidate": "relu",
            "model.activations.reset": "usual",
            "optimizer": "nadam",
            "optimizer.beta1": 0.8,
            "clip_value": 0,
        }
    ).plan
    assert plan.sizes == (30, 20)
    assert plan.lines is False
    assert plan.clip_value == 0
    assert plan.tables["model"] == {
        "gate": "vector",
        "activations": {"candidate": "relu"},
    }
    assert plan.tables["optimizer"] == {"beta1": 0.8}
