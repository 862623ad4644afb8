"""The random stream: pinned numbers, the same bits as the reference, and moments."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

import recurrentnn as rnn
import stream
from recurrentnn.reference import random

Array = NDArray[np.float64]


def flat(matrix: rnn.Matrix) -> list[float]:
    return [float(x) for x in matrix.value.ravel(order="F")]


# --- pinned -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: random.Words, key: tuple[int, int], answer: random.Words
) -> None:
    assert random.philox(key, counter) == answer


def test_the_reference_draws_the_pinned_numbers() -> None:
    seed = stream.SEED
    blocks = (random.words(seed, random.MATRIX, 7, block) for block in range(8))
    assert tuple(itertools.chain(*blocks)) == stream.WORDS
    places = range(32)
    assert (
        tuple(random.uniform(seed, random.MATRIX, 0, k) for k in places)
        == stream.UNIFORM
    )
    assert (
        tuple(random.normal(seed, random.MATRIX, 0, k) for k in places) == stream.NORMAL
    )
    digits = tuple(random.below(10, seed, random.SAMPLE, 1, k) for k in places)
    assert digits == stream.DIGITS
    cards = list(places)
    random.shuffle(cards, seed, step=5)
    assert tuple(cards) == stream.SHUFFLED


def test_a_permutation_is_the_pinned_one() -> None:
    order = rnn.permutation(32, seed=stream.SEED, step=5)
    assert tuple(order.tolist()) == stream.SHUFFLED
    assert rnn.permutation(0).shape == (0,)


@pytest.mark.parametrize("shape", [(32, 1), (1, 32), (4, 8)])
def test_matrices_draw_the_pinned_numbers_column_by_column(
    shape: tuple[int, int],
) -> None:
    uniform = rnn.Matrix.uniform(*shape, seed=stream.SEED, dtype="float64")
    normal = rnn.Matrix.normal(*shape, seed=stream.SEED, dtype="float64")
    assert tuple(flat(uniform)) == stream.UNIFORM
    assert tuple(flat(normal)) == stream.NORMAL


def test_dropout_keeps_the_pinned_elements() -> None:
    ones = rnn.Matrix.ones(8, 4, dtype="float64")
    kept = flat(ones.dropout(0.4, stream.SEED, 3))
    assert tuple(int(x != 0.0) for x in kept) == stream.KEPT


def test_float32_draws_are_the_float64_draws_rounded() -> None:
    for draw in (rnn.Matrix.uniform, rnn.Matrix.normal):
        double = draw(7, 9, -1.0, 2.0, seed=5, dtype="float64").value
        single = draw(7, 9, -1.0, 2.0, seed=5, dtype="float32").value
        np.testing.assert_array_equal(single, double.astype(np.float32))


# --- against the reference --------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 4), (65, 3)])
def test_matrices_equal_the_reference_bit_for_bit(
    seed: int, shape: tuple[int, int]
) -> None:
    from recurrentnn.reference import Matrix

    ours = rnn.Matrix.uniform(*shape, -0.5, 3.0, seed=seed, dtype="float64")
    theirs = Matrix.uniform(*shape, -0.5, 3.0, seed=seed)
    assert flat(ours) == theirs.value
    ours = rnn.Matrix.normal(*shape, 1.0, 0.3, seed=seed, dtype="float64")
    theirs = Matrix.normal(*shape, 1.0, 0.3, seed=seed)
    assert flat(ours) == theirs.value


def test_seeds_give_streams_of_their_own() -> None:
    drawn = [tuple(flat(rnn.Matrix.uniform(4, 4, seed=n))) for n in range(50)]
    assert len(set(drawn)) == 50


# --- moments ----------------------------------------------------------------

COUNT = 200_000
# Five standard errors of the mean of COUNT draws: one run in two million fails.
ERROR = 5.0 / math.sqrt(COUNT)


def test_uniform_draws_have_the_moments_of_the_uniform_distribution() -> None:
    u = rnn.Matrix.uniform(COUNT, 1, seed=3, dtype="float64").value
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert abs(u.mean() - 0.5) < ERROR * math.sqrt(1.0 / 12.0)
    assert abs(u.var() - 1.0 / 12.0) < ERROR * math.sqrt(1.0 / 180.0)
    counts, _ = np.histogram(u, bins=100, range=(0.0, 1.0))
    chi2 = ((counts - COUNT / 100) ** 2 / (COUNT / 100)).sum()
    assert abs(chi2 - 99.0) < 5.0 * math.sqrt(2.0 * 99.0)


def test_normal_draws_have_the_moments_and_tails_of_the_normal_distribution() -> None:
    z = rnn.Matrix.normal(COUNT, 1, seed=3, dtype="float64").value
    assert abs(z.mean()) < ERROR
    assert abs(z.var() - 1.0) < ERROR * math.sqrt(2.0)
    assert abs((z**3).mean()) < ERROR * math.sqrt(15.0)
    assert abs((z**4).mean() - 3.0) < ERROR * math.sqrt(96.0)
    for limit in (-3.0, -1.0, 0.5, 2.0):
        chance = NormalDist().cdf(limit)
        deviation = math.sqrt(chance * (1.0 - chance))
        assert abs((z < limit).mean() - chance) < ERROR * deviation


def test_neighbouring_draws_are_not_correlated() -> None:
    for draw in (rnn.Matrix.uniform, rnn.Matrix.normal):
        z: Array = draw(COUNT, 1, seed=4, dtype="float64").value[:, 0]
        z = (z - z.mean()) / z.std()
        for lag in (1, 2, 3, 4):
            assert abs((z[lag:] * z[:-lag]).mean()) < ERROR
