"""The table of cases is complete: every op, cell and optimizer has its rows."""

import ast
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cases
import optimizer_cases
import recurrentnn as rnn
import regulariser_cases
from recurrentnn import _recurrentnn as compiled
from recurrentnn import optimizers
from recurrentnn import reference as ref
from recurrentnn.cli.classes import known_options

# They have no first operand that is more than the others.
NO_METHOD = {"concat", "concat_columns", "where"}


def expect_rows(names: Iterable[str], rows: Iterable[str], file: str) -> None:
    """Fail with the name of the file where a row is missing."""
    missing = sorted(set(names) - set(rows))
    assert not missing, f"{file} has no row for {', '.join(missing)}"


def methods(name: str) -> set[str]:
    """Return the methods that the stub gives a class."""
    stub = Path(rnn.__file__).with_name("_recurrentnn.pyi").read_text(encoding="utf-8")
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
    raise AssertionError(f"the stub has no class {name}")


def test_every_op_has_cases_and_every_case_an_op() -> None:
    expect_rows(compiled.OPS, {case.op for case in cases.OPS}, "tests/cases.py")
    assert {case.op for case in cases.OPS} == set(compiled.OPS)


def test_every_op_is_a_method_of_graph_matrix_and_reference() -> None:
    binding = "rust/recurrentnn-python/src/ops.rs"
    expect_rows(compiled.OPS, dir(rnn.Graph), binding)
    expect_rows(set(compiled.OPS) - NO_METHOD, dir(rnn.Matrix), binding)
    table = "_TABLE in python/recurrentnn/reference/ops/__init__.py"
    expect_rows(compiled.OPS, ref.OPS, table)
    assert not NO_METHOD & set(dir(rnn.Matrix))
    for op in compiled.OPS:
        assert callable(getattr(ref.Graph(), op)), op


def test_every_op_stands_in_the_stub() -> None:
    expect_rows(compiled.OPS, methods("Graph"), "_recurrentnn.pyi, class Graph,")
    own = set(compiled.OPS) - NO_METHOD
    expect_rows(own, methods("Matrix"), "_recurrentnn.pyi, class Matrix,")


def test_every_op_of_a_symbol_stands_in_the_stub() -> None:
    own = set(compiled.OPS) & set(dir(rnn.Symbol))
    expect_rows(own, methods("Symbol"), "_recurrentnn.pyi, class Symbol,")


def test_every_op_has_a_case_for_a_batch() -> None:
    wide = {c.op for c in cases.OPS if max(m.shape[1] for m in c.operands) > 1}
    assert wide == set(compiled.OPS)


def test_every_op_has_an_empty_case_unless_it_has_no_empty_value() -> None:
    empty = {case.op for case in cases.OPS if case.is_empty}
    assert empty == set(compiled.OPS) - cases.NEVER_EMPTY


def test_every_op_of_several_operands_has_a_case_with_one_matrix_twice() -> None:
    several = {case.op for case in cases.OPS if len(case.operands) > 1}
    aliased = {case.op for case in cases.OPS if case.is_aliased}
    assert aliased == several


def test_every_op_has_cases_for_central_differences() -> None:
    assert {case.op for case in cases.OPS if case.smooth} == set(compiled.OPS)


def test_the_names_of_cases_are_distinct() -> None:
    for table in (cases.OPS, cases.MODELS, optimizer_cases.OPTIMIZERS):
        names = [case.name for case in table]
        assert len(set(names)) == len(names)


def test_every_cell_has_cases_a_public_class_and_a_reference() -> None:
    assert {case.cell for case in cases.MODELS} == set(compiled.CELLS)
    assert set(cases.CLASSES) == set(compiled.CELLS)
    for name in cases.CLASSES.values():
        assert issubclass(getattr(rnn, name), compiled.Model)
        assert hasattr(ref, name)


def test_every_option_of_a_model_is_varied_by_some_case() -> None:
    every = (*cases.MODELS, *regulariser_cases.CASES)
    varied = {option for case in every for option in case.options}
    varied |= set(cases.FOR_SEQUENCES)
    config = rnn.GFLSTM(2, [2], 2).config()
    varied |= {"cell", "input_size", "hidden_sizes", "output_size", "seed", "dtype"}
    assert set(config) <= varied


def test_every_optimizer_has_cases_a_public_class_and_a_reference() -> None:
    rules = set(compiled.OPTIMIZERS)
    rows = {case.optimizer for case in optimizer_cases.OPTIMIZERS}
    expect_rows(rules, rows, "tests/optimizer_cases.py")
    assert rows == rules == set(optimizer_cases.OPTIMIZER_CLASSES)
    for rule, name in optimizer_cases.OPTIMIZER_CLASSES.items():
        assert hasattr(ref, name)
        if rule != "solver":
            assert optimizers.OPTIMIZERS[rule] is getattr(rnn, name)
    assert set(optimizers.OPTIMIZERS) == rules - {"solver"}


def test_every_option_of_an_optimizer_is_varied_by_some_case() -> None:
    for rule, made in optimizers.OPTIMIZERS.items():
        rows = [c for c in optimizer_cases.OPTIMIZERS if c.optimizer == rule]
        varied = {option for case in rows for option in case.options}
        file = f"tests/optimizer_cases.py, {rule},"
        expect_rows(made().config(), varied, file)  # type: ignore[call-arg]


def test_every_optimizer_takes_and_tells_the_same_options() -> None:
    for made in optimizers.OPTIMIZERS.values():
        optimizer = made()  # type: ignore[call-arg]
        config = optimizer.config()
        assert {"cls", *(known_options(made.__new__) or [])} == {"cls", *config}
        off: dict[str, Any] = {
            "clip_value": None,
            "clip_norm": None,
            "decay_all": False,
            "groups": {},
        }
        signature = inspect.signature(made.__new__).parameters.values()
        usual = {p.name: p.default for p in signature if p.name in config}
        assert usual | off == config
        twin = getattr(ref, made.__name__)()
        for name, value in config.items():
            assert getattr(twin, name) == value, (made.__name__, name)


def test_every_schedule_has_a_reference() -> None:
    names = {made.__name__ for made in rnn.schedules.SCHEDULES} - {"Custom"}
    snake = {re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower() for name in names}
    expect_rows(snake, dir(ref.schedules), "reference/schedules.py")
