"""The numbers of RecurrentNN.jl's own tests, and the programs of both READMEs.

The numbers are those of Andy-P/RecurrentNN.jl, test/runtests.jl, in its order; its
rows count from 1. The ported programs stand in docs/porting.md.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

import snippets
from recurrentnn import compat
from recurrentnn.compat import Graph, NNMatrix, add, backprop, mul, relu, rowpluck
from support import ROOT

M1 = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
M2 = [[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]
M4 = [[1.0, -2.0], [-3.0, 4.0], [5.0, -6.0]]


def assert_within_4_ulp(actual: ArrayLike, expected: ArrayLike) -> None:
    """Four units in the last place: sums may run in another order than Julia's."""
    a, b = np.asarray(actual), np.asarray(expected)
    assert a.dtype == np.float64
    assert a.shape == b.shape
    np.testing.assert_array_max_ulp(a, b, maxulp=4)


def test_add_of_a_matrix_to_itself() -> None:
    """Both operands' gradients go to the one matrix."""
    m1 = NNMatrix(3, 2, M1)
    g = Graph()
    m3 = add(g, m1, m1)
    m3.dw = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    backprop(g)
    assert_within_4_ulp(m1.dw, [[0.2, 0.4], [0.6, 0.8], [1.0, 1.2]])


def test_mul() -> None:
    """The matrix product and the gradients of both factors."""
    m1, m2 = NNMatrix(3, 2, M1), NNMatrix(2, 3, M2)
    g = Graph()
    m3 = mul(g, m1, m2)
    assert_within_4_ulp(
        m3.w, [[12.0, 15.0, 18.0], [26.0, 33.0, 40.0], [40.0, 51.0, 62.0]]
    )
    m3.dw = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]
    backprop(g)
    assert_within_4_ulp(
        m1.dw,
        [
            [2.0, 3.8000000000000003],
            [4.699999999999999, 9.2],
            [7.4, 14.600000000000001],
        ],
    )
    assert_within_4_ulp(
        m2.dw,
        [[4.800000000000001, 5.7, 6.6], [5.999999999999999, 7.200000000000001, 8.4]],
    )


def test_relu() -> None:
    """Values, and a gradient only where the value is not negative."""
    m4 = NNMatrix(3, 2, M4)
    g = Graph()
    m5 = relu(g, m4)
    assert_within_4_ulp(m5.w, [[1.0, 0.0], [0.0, 4.0], [5.0, 0.0]])
    m5.dw = [[-0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    backprop(g)
    assert_within_4_ulp(m4.dw, [[-0.1, 0.0], [0.0, 0.4], [0.5, 0.0]])


def test_rowpluck() -> None:
    """Julia's row 2 is our row 1; it comes out as a column."""
    m4 = NNMatrix(3, 2, M4)
    g = Graph()
    m5 = rowpluck(g, m4, 1)
    assert_within_4_ulp(m5.w, [[-3.0], [4.0]])
    m5.dw = [[-0.1], [0.2]]
    backprop(g)
    assert_within_4_ulp(m4.dw, [[0.0, 0.0], [-0.1, 0.2], [0.0, 0.0]])


# The first are the file's expectations, and those of an input of 0.001, not of the
# 0.00001 that it has (its own test fails); the second are the file's input, in decimal
# arithmetic of 40 digits.
@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (
            0.001,
            [
                0.21494050089813527,
                0.17597839816728894,
                0.2901393282421457,
                0.1595506217827435,
                0.15939115090968653,
            ],
        ),
        (
            0.00001,
            [
                0.21497440647998736,
                0.17600615770985223,
                0.29018509599043474,
                0.15957578994157723,
                0.15925854987814847,
            ],
        ),
    ],
)
def test_softmax(last: float, expected: list[float]) -> None:
    """Five probabilities."""
    m6 = NNMatrix(5, 1, [0.3, 0.1, 0.6, 0.002, last])
    assert_within_4_ulp(compat.softmax(m6).w.ravel(), expected)


def readme_programs() -> list[str]:
    """Return the programs under "The three README programs"."""
    return [
        program
        for program in snippets.python(ROOT / "docs" / "porting.md")
        if "costs = []" in program
    ]


def test_there_are_three_readme_programs() -> None:
    """One of RecurrentNN.jl and two of RecurrentJS."""
    assert len(readme_programs()) == 3


@pytest.mark.parametrize("number", range(3))
def test_a_readme_program_learns(number: int) -> None:
    """In their READMEs none does: see docs/porting.md for what each got wrong."""
    namespace: dict[str, Any] = {}
    exec(readme_programs()[number], namespace)
    costs = namespace["costs"]
    assert np.isfinite(costs).all()
    assert costs[-1] < costs[0] - 0.5
